"""The model device as the engine sees it: one execution at a time, in a process started ahead.

Starting Python and importing NumPy takes longer than most runs, so the process of the next
execution is already there, idle, when a save comes.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import errors
from workbench.build.debug import Place
from workbench.design.observed import CoreMemory, StageRecord
from workbench.device.model.ends import crash_error, hang_error
from workbench.device.model.spot import Spot, watch
from workbench.device.model.workload import (
    CHECKS_SUFFIX,
    Checked,
    Constant,
    Outcome,
    RecordedStages,
    Workload,
)
from workbench.errors import (
    CrashError,
    DeadlockError,
    HangError,
    WorkbenchError,
)
from workbench.process import Exit, Process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

OnLines = Callable[[list[str]], None]

COMMAND = (sys.executable, "-P", "-m", "workbench.device.model.child")

LOADING_LIMIT_S = 120.0
"""Longest time for a design to be read, before the kernel's own time limit begins."""


class ModelDevice:
    """Runs workloads one after another. Use it inside a running event loop, and `close` it."""

    def __init__(self) -> None:
        self._next: _Child | None = None

    def prepare(self) -> None:
        """Start the process of the next execution, if it isn't there yet."""
        if self._next is None or not self._next.process.running:
            self._next = _Child()

    async def execute(self, work: Workload, on_lines: OnLines, limit_s: float) -> Outcome:
        """Run the workload.

        Raises DesignError, DeadlockError, CrashError (the kernel crashed) or HangError (it ran
        for more than `limit_s`, counted from when its design is loaded). Cancelling kills the
        process.
        """
        self.prepare()
        child, self._next = self._next, None
        assert child is not None
        work.cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=work.cache))
        try:
            return await child.execute(work, folder, on_lines, limit_s)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            await child.process.stop()

    async def check(self, work: Workload, on_lines: OnLines, limit_s: float) -> Checked:
        """Execute once, with the stacks apart, for what libraries with checks count.

        An execution that crashes, hangs or stands still has counts all the same. The idle process
        is left for the next run. Raises DesignError; cancelling kills the process.
        """
        child = _Child()
        work.cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="check-", dir=work.cache))
        error: WorkbenchError | None = None
        try:
            try:
                await child.execute_once(work, folder, on_lines, limit_s)
            except (CrashError, HangError, DeadlockError) as why:
                error = why
            return Checked(_check_tables(folder), error)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            await child.process.stop()

    async def record_stages(
        self, work: Workload, room: Mapping[str, int], on_lines: OnLines, limit_s: float
    ) -> RecordedStages:
        """Execute twice, with the stacks apart and in core memory, for the stages alone.

        `work` has libraries of recording builds, of each stage `room` elements are kept. The idle
        process is left for the next run. Raises as `execute` does.
        """
        child = _Child()
        work.cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="stages-", dir=work.cache))
        try:
            return await child.record_stages(work, room, folder, on_lines, limit_s)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            await child.process.stop()

    async def close(self) -> None:
        """Stop the idle process."""
        if self._next is not None:
            self._next.process.kill()
            await self._next.process.stop()
            self._next = None


class _Child:
    """A process waiting for its one work."""

    def __init__(self) -> None:
        self._early: list[str] = []
        self._on_lines: OnLines = self._early.extend
        self._calling: tuple[str, str] | None = None
        self._fault: dict[str, Any] | None = None
        self._died_at: list[Spot] = []
        self._seen: list[Spot] = []
        self._loaded: dict[str, Any] = {}
        self._is_loaded = asyncio.Event()
        self._end: dict[str, Any] | None = None
        self.process = Process(
            COMMAND,
            on_lines=self._take,
            on_errors=lambda lines: self._on_lines(lines),
            takes_input=True,
        )

    async def execute(
        self, work: Workload, folder: Path, on_lines: OnLines, limit_s: float
    ) -> Outcome:
        """Run the workload in this process, which ends with it."""
        import numpy as np

        sizes = [int(buffer.size) for buffer in work.buffers]
        done = await self._run(work, folder, on_lines, limit_s, once=False)
        whole = np.fromfile(folder / "output.bin", np.uint8)
        count = done["runs"] + 2
        results = [np.split(part, np.cumsum(sizes)[:-1]) for part in np.split(whole, count)]
        return Outcome(
            target=self._loaded["target"],
            constants=self._constants(),
            runs=tuple(results[:-2]),
            refilled=results[-2],
            arithmetic=results[-1],
            cores=tuple(CoreMemory.from_json(core) for core in done["cores"]),
            notes=(*self._loaded["notes"], *done["notes"]),
        )

    async def execute_once(
        self, work: Workload, folder: Path, on_lines: OnLines, limit_s: float
    ) -> None:
        """Run only the execution whose stacks are apart; its results are of no interest."""
        await self._run(work, folder, on_lines, limit_s, once=True)

    async def record_stages(
        self,
        work: Workload,
        room: Mapping[str, int],
        folder: Path,
        on_lines: OnLines,
        limit_s: float,
    ) -> RecordedStages:
        """Run the workload for its stages in this process, which ends with it."""
        await self._run(work, folder, on_lines, limit_s, once=False, stages=room)
        arithmetic, in_memory = (
            tuple(StageRecord.from_json(record) for record in records)
            for records in json.loads((folder / "stages.json").read_text())
        )
        return RecordedStages(self._constants(), arithmetic, in_memory)

    async def _run(
        self,
        work: Workload,
        folder: Path,
        on_lines: OnLines,
        limit_s: float,
        *,
        once: bool,
        stages: Mapping[str, int] | None = None,
    ) -> dict[str, Any]:
        self._on_lines = on_lines
        if self._early:
            on_lines(self._early)
        (folder / "input.bin").write_bytes(b"".join(b.tobytes() for b in work.buffers))
        self.process.feed(_request(work, folder, once=once, stages=stages))
        await self._until_loaded()
        watching = asyncio.create_task(watch(self.process, limit_s, self._seen.append))
        try:
            end = await self.process.wait(limit_s)
        finally:
            watching.cancel()
        spots = self._seen if end.timed_out else self._died_at
        places = await asyncio.to_thread(_places, folder, spots) if spots else []
        return self._done(end, limit_s, places)

    def _constants(self) -> tuple[Constant, ...]:
        return tuple(Constant(*item) for item in self._loaded["constants"])

    async def _until_loaded(self) -> None:
        """Return when the design is loaded, or the process has ended without."""
        ended = asyncio.ensure_future(self.process.wait(LOADING_LIMIT_S))
        loaded = asyncio.ensure_future(self._is_loaded.wait())
        try:
            await asyncio.wait((ended, loaded), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            loaded.cancel()

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            answer = json.loads(line)
            if "calling" in answer:
                self._calling = (answer["calling"][0], answer["calling"][1])
            elif "fault" in answer:
                self._fault = answer["fault"]
            elif "spot" in answer:
                self._died_at = [Spot(**answer["spot"])]
            elif "loaded" in answer:
                self._loaded = answer["loaded"]
                self._is_loaded.set()
            else:
                self._end = answer

    def _done(self, end: Exit, limit_s: float, places: Sequence[Place]) -> dict[str, Any]:
        """What the process says of its end; raises what kept it from one."""
        function, where = self._calling or ("the design", None)
        if end.timed_out and not self._loaded:
            raise HangError(f"reading the design took more than {LOADING_LIMIT_S:g} s")
        if end.timed_out:
            raise hang_error(function, where, limit_s, places)
        if self._end is not None and "error" in self._end:
            kind, *rest = self._end["error"]
            raise _error(kind, *rest)
        if end.returncode < 0:
            raise crash_error(function, where, end, self._fault, places)
        if self._end is None or end.returncode:
            raise CrashError(
                f"{function} ended the model's process with exit {end.returncode}",
                where=where,
                hint="a kernel returns: on a core there is no process to end",
            )
        done: dict[str, Any] = self._end["done"]
        return done


def _places(folder: Path, spots: Sequence[Spot]) -> list[Place]:
    """The places in the sources that are known of the spots."""
    from workbench.build.lines import places_of

    found: list[Place] = []
    for name, group in groupby(sorted(spots, key=attrgetter("library")), attrgetter("library")):
        places = places_of(folder / name, [spot.offset for spot in group])
        found += (place for place in places if place is not None)
    return found


def _check_tables(folder: Path) -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted(folder.glob(f"*{CHECKS_SUFFIX}")))


def _error(kind: str, message: str, where: str | None, hint: str | None) -> WorkbenchError:
    made: type[WorkbenchError] = getattr(errors, kind)
    return made(message, where=where, hint=hint)


def _request(
    work: Workload, folder: Path, *, once: bool, stages: Mapping[str, int] | None
) -> bytes:
    request = {
        "once": once,
        "stages": stages,
        "design": work.design,
        "device_name": work.device_name,
        "sequence_name": work.sequence_name,
        "libraries": {name: str(path) for name, path in work.libraries.items()},
        "cache": str(work.cache),
        "folder": str(folder),
        "sizes": [int(buffer.size) for buffer in work.buffers],
        "outputs": work.outputs,
        "allocation": work.allocation,
        "overrides": [asdict(override) for override in work.overrides],
        "stack_bytes": work.stack_bytes,
    }
    return json.dumps(request).encode() + b"\n"
