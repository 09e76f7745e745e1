"""The engine: owns the current run's id, starts a run for each saved state, stops it for a newer.

Front ends get events through `emit`, in order, on the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from workbench import manifest
from workbench.loop.devices import Devices
from workbench.loop.events import (
    Event,
    Explained,
    Missing,
    Reverted,
    RunCancelled,
    RunFinished,
    Saved,
    Watching,
)
from workbench.loop.pipeline import execute
from workbench.loop.quickfix import with_quickfix
from workbench.loop.result import RunResult
from workbench.loop.target import Options, shown
from workbench.loop.watch import Watcher

HEAD_START_S = 0.04
"""For a front end to show a verdict, before what comes after it takes the processors."""


class Engine:
    """Runs one kernel. Create it inside a running event loop, and `close` it."""

    def __init__(self, options: Options, emit: Callable[[Event], None]) -> None:
        self._options = options
        self._emit = emit
        self._devices = Devices()
        self._alone = asyncio.Lock()
        """Held by the one run whose processes may be alive."""
        self._run = 0
        self._begun = 0
        """The newest run that has been told of; one that waits for its turn hasn't."""
        self._running: asyncio.Task[None] | None = None
        self._finished: RunResult | None = None
        self._watcher: Watcher | None = None
        self._watching: Watching | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._following: asyncio.Task[None] | None = None
        self._closed = False

    async def check(self) -> RunResult:
        """One run of what is on disk."""
        self._run += 1
        async with self._alone:
            result = await execute(self._run, self._options, self._devices, self._emit, "check")
            result = await _explained(result, self._devices, self._emit)
        result = with_quickfix(result, self._options.project)
        self._emit(RunFinished(self._run, result))
        return result

    async def watch(self) -> None:
        """One run now and one for every saved state from here on; until closed or cancelled."""
        if self._closed:
            return
        self._watcher = Watcher(self._touched)
        self._watcher.watch([str(self._options.kernel_path)])
        # A run that fails in a way of ours ends the group, and with it the watch.
        async with asyncio.TaskGroup() as self._tasks:
            self._following = self._tasks.create_task(self._follow(self._watcher))
            self._start("opened")

    def rerun(self) -> None:
        """Run again what is on disk, changed or not."""
        self._devices.look_again()
        self._start("asked for")

    def cancel(self) -> None:
        """Stop the running run, if there is one."""
        self._interrupt("stopped")

    async def close(self) -> None:
        """Stop the watch and whatever runs, and wait until it is gone."""
        self._closed = True
        if self._following is not None:
            self._following.cancel()
        if self._watcher is not None:
            self._watcher.close()
        self._interrupt("closed")
        async with self._alone:
            await self._devices.close()

    async def _follow(self, watcher: Watcher) -> None:
        while True:
            self._react(await watcher.changed())

    def _touched(self) -> None:
        """A watched file holds other bytes: what runs or is shown is of another state."""
        assert self._watcher is not None
        self._interrupt("a newer save")
        self._emit(Saved(self._run, self._watcher.files))

    def _react(self, files: Sequence[str]) -> None:
        """Do what a saved state asks for."""
        kernel = str(self._options.kernel_path)
        self._announce()
        if kernel in files and manifest.sha256_file(kernel) is None:
            self._emit(Missing(self._run, shown(kernel)))
        elif (result := self._finished_again()) is not None:
            self._emit(Reverted(self._run))
            if not result.explained and self._tasks is not None:
                self._running = self._tasks.create_task(self._explain(result))
        else:
            self._start(f"saved {', '.join(shown(file) for file in files)}")

    def _start(self, reason: str) -> None:
        if self._tasks is None or self._closed:
            return
        self._interrupt("a newer run")
        self._run += 1
        self._running = self._tasks.create_task(self._go(self._run, reason))

    async def _go(self, run: int, reason: str) -> None:
        async with self._alone:
            self._begun = run
            result = await execute(run, self._options, self._devices, self._emit, reason)
        if newer := _changed_since(result):
            # The watcher compares with what this run has read, and asks for the next one.
            self._emit(RunCancelled(run, "a newer save"))
            self._emit(Saved(run, newer))
        else:
            self._finished = with_quickfix(result, self._options.project)
            self._emit(RunFinished(run, self._finished))
        self._watch_files(result)
        if newer:
            self._devices.prepare()
        else:
            await asyncio.sleep(HEAD_START_S)
            self._devices.prepare()
            await self._explain(result)

    async def _explain(self, result: RunResult) -> None:
        """Say more of a finished run, unless something newer comes."""
        async with self._alone:
            explained = await _explained(result, self._devices, self._emit)
        if not _changed_since(explained):
            self._finished = with_quickfix(explained, self._options.project)
            self._emit(Explained(result.run, self._finished))

    def _watch_files(self, result: RunResult) -> None:
        """Watch what the result depends on; a broken run may not have seen all of it."""
        assert self._watcher is not None
        before = () if result.verdict is not None else self._watcher.files
        self._watcher.watch({*before, *result.files}, result.files)
        self._announce()

    def _announce(self) -> None:
        """Say what is watched and how, when that has changed."""
        assert self._watcher is not None
        files = tuple(shown(file) for file in self._watcher.files)
        now = Watching(self._run, files, self._watcher.polling_because)
        if self._watching is None or now != replace(self._watching, run=self._run):
            self._watching = now
            self._emit(now)

    @property
    def _newest(self) -> RunResult | None:
        """What the newest run came to; None while it goes on, or when it was stopped."""
        result = self._finished
        return result if result is not None and result.run == self._run else None

    def _finished_again(self) -> RunResult | None:
        """The newest run's result, if the files are again what it was made from."""
        result = self._newest
        return result if result is not None and not _changed_since(result) else None

    def _interrupt(self, reason: str) -> None:
        running = self._running
        if running is not None and not running.done() and not running.cancelling():
            running.cancel()
            if self._begun == self._run and self._newest is None:
                self._emit(RunCancelled(self._run, reason))


async def _explained(
    result: RunResult, devices: Devices, emit: Callable[[Event], None]
) -> RunResult:
    from workbench.loop.explain import explain  # brings NumPy, which no verdict is to wait for

    return await explain(result, devices, emit)


def _changed_since(result: RunResult) -> tuple[str, ...]:
    """The files that hold other bytes than the result was made from."""
    now = manifest.file_hashes(result.files)
    return tuple(file for file, digest in now.items() if digest != result.files[file])
