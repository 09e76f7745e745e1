"""Trying a helper function on every value of its domain, in a process of its own."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import CrashError, HangError, WorkbenchError
from workbench.process import Exit, Process

if TYPE_CHECKING:
    import numpy.typing as npt

    AnyArray = npt.NDArray[Any]

COMMAND = (sys.executable, "-P", "-m", "workbench.device.model.sweep_child")


async def sweep(
    library: Path,
    expression: str,
    x: AnyArray,
    result: str,
    cache: Path,
    on_lines: Callable[[list[str]], None],
    limit_s: float,
) -> AnyArray:
    """What the library's function gives for each of `x`, as an array of dtype `result`.

    Raises CrashError or HangError, which say at which x it happened.
    """
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="sweep-", dir=cache) as name:
        folder = Path(name)
        x.tofile(folder / "in.bin")
        np.zeros(x.size, result).tofile(folder / "out.bin")
        np.zeros(1, np.uint64).tofile(folder / "at.bin")
        child = Process((*COMMAND, str(library), name, str(x.size)), on_lines=on_lines)
        try:
            end = await child.wait(limit_s)
        finally:
            await child.stop()
        if end.returncode or end.timed_out:
            at = int(np.fromfile(folder / "at.bin", np.uint64)[0])
            raise _failure(expression, x[min(at, x.size - 1)], end, limit_s)
        return np.fromfile(folder / "out.bin", result)


def _failure(expression: str, x: Any, end: Exit, limit_s: float) -> WorkbenchError:
    if end.timed_out:
        return HangError(
            f"{expression} didn't end within {limit_s:g} s: it is at x = {x:g}",
            hint="look for a loop that doesn't end; a longer limit is set with --time-limit",
        )
    if end.signal_name == "SIGFPE":
        return CrashError(
            f"{expression} divides an integer by zero, or its smallest value by -1, at x = {x:g}",
            hint="check the divisor: a core's division gives garbage there, without a trap",
        )
    how = end.signal_name or f"exit {end.returncode}"
    return CrashError(
        f"{expression} crashed with {how} at x = {x:g}",
        hint="look for an index outside its table, or endless recursion",
    )
