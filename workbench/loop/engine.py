"""The engine: owns the current run's id, starts a run for each saved state, stops it for a newer.

Front ends get events through `emit`, in order, on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from workbench import manifest
from workbench.device.model.device import ModelDevice
from workbench.loop.events import (
    Event,
    Missing,
    Reverted,
    RunCancelled,
    RunFinished,
    Saved,
    Watching,
)
from workbench.loop.pipeline import execute
from workbench.loop.result import RunResult
from workbench.loop.target import Options, shown
from workbench.loop.watch import Watcher


class Engine:
    """Runs one kernel. Create it inside a running event loop, and `close` it."""

    def __init__(self, options: Options, emit: Callable[[Event], None]) -> None:
        self._options = options
        self._emit = emit
        self._device = ModelDevice()
        self._run = 0
        self._runs: asyncio.TaskGroup | None = None
        self._running: asyncio.Task[None] | None = None
        self._finished: RunResult | None = None
        self._watcher: Watcher | None = None
        self._watching: Watching | None = None

    async def check(self) -> RunResult:
        """One run of what is on disk."""
        self._run += 1
        result = await execute(self._run, self._options, self._device, self._emit, "check")
        self._emit(RunFinished(self._run, result))
        return result

    async def watch(self) -> None:
        """One run now and one for every saved state from here on; until cancelled."""
        self._watcher = watcher = Watcher(self._touched)
        watcher.watch([str(self._options.kernel_path)])
        # A run that fails in a way of ours ends the group, and with it the watch.
        async with asyncio.TaskGroup() as self._runs:
            self._start("opened")
            while True:
                await self._react(await watcher.changed())

    def rerun(self) -> None:
        """Run again what is on disk, changed or not."""
        self._start("asked for")

    def cancel(self) -> None:
        """Stop the running run, if there is one."""
        self._interrupt("stopped")

    async def close(self) -> None:
        """Stop whatever runs, and wait until it is gone."""
        if self._watcher is not None:
            self._watcher.close()
        await self._stop("closed")
        await self._device.close()

    def _touched(self) -> None:
        """A watched file holds other bytes: what runs or is shown is of another state."""
        assert self._watcher is not None
        self._interrupt("a newer save")
        self._emit(Saved(self._run, self._watcher.files))

    async def _react(self, files: Sequence[str]) -> None:
        """Do what a saved state asks for."""
        kernel = str(self._options.kernel_path)
        self._announce()
        if kernel in files and manifest.sha256_file(kernel) is None:
            await self._stop("the kernel is gone")
            self._emit(Missing(self._run, shown(kernel)))
        elif self._is_reverted():
            self._emit(Reverted(self._run))
        else:
            self._start(", ".join(shown(file) for file in files))

    def _start(self, reason: str) -> None:
        if self._runs is None:
            return
        before = self._running
        self._interrupt("a newer run")
        self._run += 1
        self._running = self._runs.create_task(self._go(self._run, reason, before))

    async def _go(self, run: int, reason: str, before: asyncio.Task[None] | None) -> None:
        if before is not None:  # its processes must be gone before the next ones come
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(before)
        result = await execute(run, self._options, self._device, self._emit, reason)
        self._finished = result
        self._emit(RunFinished(run, result))
        if manifest.file_hashes(result.files) != result.files:
            self._emit(Saved(run, tuple(result.files)))  # the watcher starts the next run
        self._watch_files(result)
        self._device.prepare()

    def _watch_files(self, result: RunResult) -> None:
        """Watch what the result depends on; a broken run may not have seen all of it."""
        if self._watcher is None:
            return
        before = () if result.verdict is not None else self._watcher.files
        self._watcher.watch({*before, *result.files}, result.files)
        self._announce()

    def _announce(self) -> None:
        """Say what is watched and how, when that has changed."""
        assert self._watcher is not None
        files = tuple(shown(file) for file in self._watcher.files)
        now = Watching(self._run, files, self._watcher.polling_because)
        before = self._watching
        if before is None or (before.files, before.polling_because) != (
            now.files,
            now.polling_because,
        ):
            self._watching = now
            self._emit(now)

    def _is_reverted(self) -> bool:
        """Whether the files are again what the newest run was made from, and that run is done."""
        result = self._finished
        if result is None or result.run != self._run:
            return False
        return manifest.file_hashes(result.files) == result.files

    def _interrupt(self, reason: str) -> None:
        if self._running is not None and not self._running.done():
            self._running.cancel()
            self._emit(RunCancelled(self._run, reason))

    async def _stop(self, reason: str) -> None:
        self._interrupt(reason)
        if self._running is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
