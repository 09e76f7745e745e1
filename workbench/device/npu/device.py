"""The NPU as the engine sees it: one execution at a time, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.device.model.workload import FILLS
from workbench.device.npu import failures
from workbench.device.npu.lock import lock_file
from workbench.device.npu.workload import NpuOutcome, NpuWorkload, latency
from workbench.errors import CrashError, DeviceError, HangError
from workbench.process import Exit, Process

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

OnLines = Callable[[list[str]], None]

ROOT = Path(__file__).parents[3]
"""The folder that holds our package, for a Python that doesn't know it."""

START = """
import runpy, sys
sys.path = [*filter(None, sys.path), *sys.argv[1:]]
runpy.run_module("workbench.device.npu.child", run_name="__main__")
"""
"""Our folders come last, and the current one not at all: what is installed for another Python than
ours must not hide what that one has."""

GRACE_S = 2.0
"""Time for the process to end after SIGTERM, beyond the run that the NPU may be in."""

LINES_KEPT = 200
"""Lines of XRT's that are searched for known failures."""


class NpuDevice:
    """Runs workloads on the NPU. Several, in any process, take turns."""

    def __init__(
        self,
        python: str | Path = sys.executable,
        pythonpath: Path | None = None,
        xrt: Path | None = None,
        *,
        environment: Mapping[str, str] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        """`python` is one that imports pyxrt, from `pythonpath` where that is given; `xrt` is
        XRT's root. `environment` is added to that of the process.
        """
        folders = [ROOT] if pythonpath is None else [pythonpath, ROOT]
        self._command = (str(python), "-c", START, *map(str, folders))
        self._environment = {**({"XILINX_XRT": str(xrt)} if xrt else {}), **(environment or {})}
        self._grace_s = grace_s

    async def execute(self, work: NpuWorkload, on_lines: OnLines, limit_s: float) -> NpuOutcome:
        """Run the workload; its process has `limit_s` from when it has got the device.

        Raises DeviceError (no device, or it refused something), HangError (a run did not end) or
        CrashError (XRT ended its process). Cancelling, once or more, waits until the NPU has
        finished what it is at, at most `work.wait_ms` and a grace.
        """
        work.cache.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="npu-", dir=work.cache))
        try:
            child = _Child(work, on_lines)
            child.start(self._command, self._environment, work.wait_ms / 1e3 + self._grace_s)
            try:
                return await child.execute(folder, limit_s)
            finally:
                await _to_the_end(child.process.stop())
        finally:
            shutil.rmtree(folder, ignore_errors=True)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Await something that being cancelled must not cut short."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


class _Child:
    """The process of one execution."""

    process: Process

    def __init__(self, work: NpuWorkload, on_lines: OnLines) -> None:
        self._work = work
        self._on_lines = on_lines
        self._log: deque[str] = deque(maxlen=LINES_KEPT)
        self._end: dict[str, Any] = {}
        self._locked = asyncio.get_running_loop().create_future()

    def start(self, command: Sequence[str], env: Mapping[str, str], grace_s: float) -> None:
        """Start it; DeviceError when it can't be."""
        try:
            self.process = Process(
                command,
                on_lines=self._take,
                on_errors=self._hear,
                env=env,
                takes_input=True,
                term_grace_s=grace_s,
            )
        except OSError as error:
            raise DeviceError(
                f"can't start {command[0]}, the Python for pyxrt: {error.strerror}",
                hint="paths.python in npu-workbench.toml names another one",
            ) from None

    async def execute(self, folder: Path, limit_s: float) -> NpuOutcome:
        """Run the workload in this process, which ends with it."""
        import numpy as np

        buffers = self._work.buffers
        (folder / "input.bin").write_bytes(b"".join(buffer.tobytes() for buffer in buffers))
        sizes = [int(buffer.size) for buffer in buffers]
        self.process.feed(self._request(folder, sizes))
        ending = asyncio.ensure_future(self.process.wait())
        await asyncio.wait((ending, self._locked), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((ending,), timeout=limit_s)
        if not ending.done():
            await self._give_up(limit_s)
        done = self._done(ending.result())
        whole = np.fromfile(folder / "output.bin", np.uint8)
        parts = np.split(whole, done["runs"] + 1)
        *runs, refilled = (np.split(part, np.cumsum(sizes)[:-1]) for part in parts)
        return NpuOutcome(
            name=done["name"],
            runs=tuple(runs),
            refilled=refilled,
            latency=latency(done["first_ns"], done["burst_ns"]),
            state="COMPLETED" if done["ended"] is None else done["ended"]["state"],
            notes=tuple(self._notes(done)),
        )

    def _request(self, folder: Path, sizes: list[int]) -> bytes:
        work = self._work
        request = {
            "lock": str(lock_file()),
            "owner": os.getpid(),
            "xclbin": str(work.xclbin),
            "instructions": str(work.instructions),
            "folder": str(folder),
            "sizes": sizes,
            "outputs": work.outputs,
            "fills": FILLS,
            "runs": work.runs,
            "burst": work.burst,
            "burst_limit_s": work.burst_limit_s,
            "wait_ms": work.wait_ms,
        }
        return json.dumps(request).encode() + b"\n"

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            answer = json.loads(line)
            if "waiting" in answer:
                pid = answer["waiting"]
                who = "another npu-workbench" + (f", pid {pid}," if pid is not None else "")
                self._on_lines([f"{who} is using the device: waiting for it"])
            elif "locked" in answer:
                if not self._locked.done():
                    self._locked.set_result(None)
            else:
                self._end = answer

    def _hear(self, lines: list[str]) -> None:
        self._log.extend(lines)
        self._on_lines(lines)

    async def _give_up(self, limit_s: float) -> None:
        """Stop the process, which has had its time."""
        self._on_lines([f"no result after {limit_s:g} s: waiting for the NPU to let go"])
        await _to_the_end(self.process.stop())
        raise HangError(
            f"the NPU gave no result in {limit_s:g} s",
            where=self._work.where,
            hint=f"a longer limit is set with --time-limit; {failures.RECOVERY}",
        )

    def _done(self, end: Exit) -> dict[str, Any]:
        """What the process says of its end; raises what kept it from one."""
        work, log = self._work, tuple(self._log)
        if "failed" in self._end:
            doing, text = self._end["failed"]
            raise failures.refused(doing, text, log, work.where)
        if "ended" in self._end:
            how = self._end["ended"]
            raise failures.ended(
                how["state"], how["seconds"], work.wait_ms, how["run"], log, work.where
            )
        if end.returncode < 0:
            raise _died(end, log, work.where)
        if "done" not in self._end:
            raise DeviceError(
                f"the NPU's process ended with exit {end.returncode} and no result",
                where=work.where,
                hint="the log of the run step says more",
            )
        done: dict[str, Any] = self._end["done"]
        return done

    def _notes(self, done: dict[str, Any]) -> list[str]:
        notes = []
        if done["ended"] is not None:
            how = done["ended"]
            told = failures.how_ended(how["state"], how["seconds"], self._work.wait_ms, how["run"])
            notes.append(
                f"{told}; the first was judged. Either the cores end (then the design runs once "
                "each time it is loaded), or something stays held after a run"
            )
        if (one := failures.known(tuple(self._log))) is not None:
            notes.append(f"XRT says that {one.meaning}: {one.mend}")
        return notes


def _died(end: Exit, log: tuple[str, ...], where: str | None) -> CrashError:
    one = failures.known(log)
    return CrashError(
        f"XRT ended the NPU's process with {end.signal_name}" + (f": {one.meaning}" if one else ""),
        where=where,
        hint=one.mend if one else f"the log of the run step says more; {failures.RECOVERY}",
    )
