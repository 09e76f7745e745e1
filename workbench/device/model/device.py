"""The model device as the engine sees it: one execution at a time, in a process started ahead.

Starting Python and importing NumPy takes longer than most runs, so the process of the next
execution is already there, idle, when a save comes.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import errors
from workbench.errors import CrashError, HangError, WorkbenchError
from workbench.process import Exit, Process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

OnLines = Callable[[list[str]], None]

COMMAND = (sys.executable, "-P", "-m", "workbench.device.model.child")


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant that the design passes to a kernel function, as its `argument`-th argument."""

    function: str
    argument: int
    value: int | float
    where: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the device knows of a design once it is loaded."""

    target: str
    constants: tuple[Constant, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """What to execute: a design, the library of its kernels, and the host buffers (raw bytes)."""

    design: str
    library: Path
    cache: Path
    buffers: tuple[npt.NDArray[np.uint8], ...]
    device_name: str | None = None
    sequence_name: str | None = None


class ModelDevice:
    """Runs workloads one after another. Use it inside a running event loop, and `close` it."""

    def __init__(self) -> None:
        self._next: _Child | None = None

    def prepare(self) -> None:
        """Start the process of the next execution, if it isn't there yet."""
        if self._next is None or not self._next.process.running:
            self._next = _Child()

    async def execute(
        self, work: Workload, on_lines: OnLines, on_loaded: Callable[[Loaded], None], limit_s: float
    ) -> list[npt.NDArray[np.uint8]]:
        """The host buffers as the sequence leaves them.

        Raises DesignError, DeadlockError, CrashError (the kernel crashed) or HangError (it ran
        for more than `limit_s`). Cancelling kills the process.
        """
        self.prepare()
        child, self._next = self._next, None
        assert child is not None
        work.cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=work.cache))
        try:
            return await child.execute(work, folder, on_lines, on_loaded, limit_s)
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
        self._answers: list[dict[str, Any]] = []
        self._early: list[str] = []
        self._on_lines: OnLines = self._early.extend
        self._on_loaded: Callable[[Loaded], None] = lambda loaded: None
        self._calling: tuple[str, str] | None = None
        self._end: dict[str, Any] | None = None
        self.process = Process(
            COMMAND,
            on_lines=self._take,
            on_errors=lambda lines: self._on_lines(lines),
            takes_input=True,
        )

    async def execute(
        self,
        work: Workload,
        folder: Path,
        on_lines: OnLines,
        on_loaded: Callable[[Loaded], None],
        limit_s: float,
    ) -> list[npt.NDArray[np.uint8]]:
        import numpy as np

        self._on_lines, self._on_loaded = on_lines, on_loaded
        if self._early:
            on_lines(self._early)
        (folder / "input.bin").write_bytes(b"".join(b.tobytes() for b in work.buffers))
        sizes = [int(buffer.size) for buffer in work.buffers]
        self.process.feed(_request(work, folder, sizes))
        end = await self.process.wait(limit_s)
        self._raise(end, limit_s)
        whole = np.fromfile(folder / "output.bin", np.uint8)
        return np.split(whole, np.cumsum(sizes)[:-1])

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            answer = json.loads(line)
            if "calling" in answer:
                self._calling = (answer["calling"][0], answer["calling"][1])
            elif "loaded" in answer:
                self._on_loaded(_loaded(answer["loaded"]))
            else:
                self._end = answer

    def _raise(self, end: Exit, limit_s: float) -> None:
        """Raise what kept the execution from its end, if anything did."""
        function, where = self._calling or ("the design", None)
        if end.timed_out:
            raise HangError(
                f"{function} ran for more than {limit_s:g} s and was killed",
                where=where,
                hint="look for a loop that doesn't end; a longer limit is set with --time-limit",
            )
        if self._end is not None and "error" in self._end:
            kind, *rest = self._end["error"]
            raise _error(kind, *rest)
        if end.returncode < 0:
            raise CrashError(
                f"the kernel crashed with {end.signal_name} in {function}",
                where=where,
                hint="look for a null or wild pointer, or an index outside its buffer",
            )
        if self._end is None or end.returncode:
            raise CrashError(
                f"the model device ended with exit {end.returncode} in {function}, with no result",
                where=where,
                hint="the log of the run step says more",
            )


def _error(kind: str, message: str, where: str | None, hint: str | None) -> WorkbenchError:
    made: type[WorkbenchError] = getattr(errors, kind)
    return made(message, where=where, hint=hint)


def _request(work: Workload, folder: Path, sizes: Sequence[int]) -> bytes:
    request = {
        "design": work.design,
        "device_name": work.device_name,
        "sequence_name": work.sequence_name,
        "library": str(work.library),
        "cache": str(work.cache),
        "folder": str(folder),
        "sizes": sizes,
    }
    return json.dumps(request).encode() + b"\n"


def _loaded(answer: dict[str, Any]) -> Loaded:
    constants = tuple(Constant(*item) for item in answer["constants"])
    return Loaded(answer["target"], constants, tuple(answer["notes"]))
