"""Findings from executing more than once: results that hang on memory, or on which run it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.verdict.findings import Finding

Stored = npt.NDArray[Any]


def unwritten(name: str, first: Stored, refilled: Stored, fills: tuple[int, int]) -> Finding | None:
    """Elements that still hold what memory was filled with, in both executions."""
    mask = _holds(first, fills[0]) & _holds(refilled, fills[1])
    return _about(
        "output-not-written",
        name,
        mask,
        "are never written: on the NPU they hold whatever was in memory",
        "check the loop bounds of the kernel and the sizes of the transfers",
    )


def unsteady(name: str, first: Stored, refilled: Stored, fills: tuple[int, int]) -> Finding | None:
    """Elements that change with the content of memory that nobody has written."""
    written = ~(_holds(first, fills[0]) & _holds(refilled, fills[1]))
    return _about(
        "uninitialised-read",
        name,
        differ(first, refilled) & written,
        "depend on memory that nobody has written",
        "look for a local array or buffer that is read before it is set",
    )


def alternating(name: str, runs: Sequence[Stored]) -> Finding | None:
    """The same input gives other results in later runs of one context."""
    bits = [_bits(run) for run in runs]
    same = [bool(np.array_equal(bits[0], later)) for later in bits]
    if all(same):
        return None
    period = next(
        (
            p
            for p in range(2, len(runs))
            if all(np.array_equal(bits[i], bits[i - p]) for i in range(p, len(runs)))
        ),
        None,
    )
    count = int(np.count_nonzero(differ(runs[0], runs[same.index(False)])))
    how = (
        f"alternate with period {period}, as a FIFO of that depth does with one bad buffer"
        if period
        else "differ from run to run"
    )
    return Finding(
        "nondeterministic",
        "error",
        f"{len(runs)} runs on the same input {how}: {count:,} elements of {name} change",
        "look for memory that survives from run to run: an overrun buffer, or static data",
        evidence={"runs": len(runs), "period": period, "elements": count},
    )


def _about(
    id_: str, name: str, mask: npt.NDArray[np.bool_], what: str, hint: str
) -> Finding | None:
    count = int(np.count_nonzero(mask))
    if not count:
        return None
    first = [int(i) for i in np.argwhere(mask)[0]]
    return Finding(
        id_,
        "error",
        f"{count:,} of {mask.size:,} elements of {name} {what}, the first at {first}",
        hint,
        evidence={"tensor": name, "count": count, "first": first},
    )


def _bits(array: Stored) -> npt.NDArray[Any]:
    """The elements as unsigned integers, so that equal means equal bit by bit."""
    return np.ascontiguousarray(array).view(f"u{array.itemsize}")


def _holds(array: Stored, fill: int) -> npt.NDArray[np.bool_]:
    held: npt.NDArray[np.bool_] = _bits(array) == int.from_bytes(bytes([fill]) * array.itemsize)
    return held


def differ(a: Stored, b: Stored) -> npt.NDArray[np.bool_]:
    """Which elements of two arrays of one dtype and shape differ, bit by bit."""
    differing: npt.NDArray[np.bool_] = _bits(a) != _bits(b)
    return differing
