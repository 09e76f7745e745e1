"""A helper function of a kernel beside the exact one, over its whole domain.

x are the values of the argument, ascending; d what the helper gives and r what is exact, all
float64. Where r isn't finite nothing is demanded of d.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.verdict.findings import Finding

Numbers = npt.NDArray[np.float64]

BINS = 64
"""Points of the error curve."""

NEIGHBOURS = 4
"""Steps on each side that a jump is compared with."""

JUMP = 8
"""Times its neighbours' median: what makes a step a jump."""

JUMP_OF_RANGE = 0.02
"""Of the helper's range: a smaller step is no jump."""

NOISE_OF_RANGE = 2.0**-20
"""Of the range: what a float's rounding may go the wrong way."""

TOLD = 3
"""Places that a message names."""


@dataclass(frozen=True, slots=True)
class Step:
    """From one value of the argument to the next: what the helper gives at both."""

    x: float
    next_x: float
    value: float
    next_value: float


@dataclass(frozen=True, slots=True)
class FunctionScope:
    """How a helper differs from the exact function.

    max_abs, mean_abs: of |d - r|, None when nothing is defined. worst_x: where the largest is.
    not_finite: values of d that are NaN or infinite where r is finite.
    inversions: steps against the direction of the exact function. jumps: steps of the helper,
    larger than its others by far, that the exact function doesn't make.
    curve: the largest |d - r| in each of up to BINS equal parts of the domain.
    """

    name: str
    points: int
    low: float
    high: float
    max_abs: float | None
    mean_abs: float | None
    worst_x: float | None
    worst_value: float | None
    worst_exact: float | None
    not_finite: int
    inversions: tuple[Step, ...]
    jumps: tuple[Step, ...]
    curve: tuple[float | None, ...]


def measure_function(name: str, x: Numbers, d: Numbers, r: Numbers) -> FunctionScope:
    """Compare a helper's values with the exact ones; arrays of one length, at least one."""
    demanded = np.isfinite(r)
    known = demanded & np.isfinite(d)
    error = np.where(known, np.abs(np.where(known, d - r, 0)), np.nan)
    worst = int(np.nanargmax(error)) if known.any() else None
    return FunctionScope(
        name=name,
        points=int(x.size),
        low=float(x[0]),
        high=float(x[-1]),
        max_abs=None if worst is None else float(error[worst]),
        mean_abs=None if worst is None else float(np.nanmean(error)),
        worst_x=None if worst is None else float(x[worst]),
        worst_value=None if worst is None else float(d[worst]),
        worst_exact=None if worst is None else float(r[worst]),
        not_finite=int(np.count_nonzero(demanded & ~known)),
        inversions=_steps(x, d, _inverted(d[known], r[known]), known),
        jumps=_steps(x, d, _jumping(d[known], r[known]), known),
        curve=tuple(_largest(part) for part in np.array_split(error, min(BINS, x.size))),
    )


def function_findings(
    scope: FunctionScope, within: float | None, where: str | None
) -> Iterator[Finding]:
    """What is wrong with a helper, worst first; `within` is the largest error allowed."""
    if scope.not_finite:
        yield Finding(
            "function-not-finite",
            "error",
            f"{scope.name} is NaN or infinite at {scope.not_finite:,} of {scope.points:,} values",
            "look for a division by zero or an overflow",
            where,
            {"function": scope.name, "count": scope.not_finite},
        )
    if scope.inversions:
        yield _about(
            "function-not-monotone",
            "error",
            f"{scope.name} goes against the exact function {_times(scope.inversions)}",
            "make the pieces of the function meet there, or use a table",
            scope,
            scope.inversions,
            where,
        )
    if jumps := tuple(step for step in scope.jumps if step not in scope.inversions):
        yield _about(
            "function-jump",
            "warning",
            f"{scope.name} jumps {_times(jumps)}",
            "make the pieces of the function meet there",
            scope,
            jumps,
            where,
        )
    if within is not None and scope.max_abs is not None and scope.max_abs > within:
        yield Finding(
            "function-error",
            "error",
            f"{scope.name} is off by {scope.max_abs:g}, more than {within:g}: at x = "
            f"{scope.worst_x:g} it gives {scope.worst_value:g}, exact is {scope.worst_exact:g}",
            "look at the error curve around that x",
            where,
            {"function": scope.name, "max_abs": scope.max_abs, "x": scope.worst_x},
        )


def _inverted(d: Numbers, r: Numbers) -> npt.NDArray[np.bool_]:
    """For each step, whether the helper goes one way and the exact function the other."""
    if d.size < 2:
        return np.zeros(0, np.bool_)
    whole = bool(np.all(d == np.rint(d)))
    noise = 0.0 if whole else NOISE_OF_RANGE * float(np.ptp(d))
    step, exact = np.diff(d), np.diff(r)
    inverted: npt.NDArray[np.bool_] = (step * np.sign(exact) < 0) & (np.abs(step) > noise)
    return inverted


def _jumping(d: Numbers, r: Numbers) -> npt.NDArray[np.bool_]:
    """For each step, whether it is far larger than its neighbours, and the exact one's isn't.

    A whole number's rounding makes steps of 1 between steps of 0: 1 is the least that is compared.
    """
    step = np.diff(d)
    if step.size < 2 * NEIGHBOURS + 1:
        return np.zeros(step.size, np.bool_)
    size = np.abs(step)
    padded = np.pad(size, NEIGHBOURS, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1).copy()
    around[:, NEIGHBOURS] = np.nan
    usual = np.nanmedian(around, axis=1)
    if np.all(d == np.rint(d)):
        usual = np.maximum(usual, 1)
    own = np.abs(step - np.diff(r)) > size / 2
    jumping: npt.NDArray[np.bool_] = (
        own & (size > JUMP * usual) & (size >= JUMP_OF_RANGE * float(np.ptp(d)))
    )
    return jumping


def _steps(
    x: Numbers, d: Numbers, mask: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_]
) -> tuple[Step, ...]:
    at, value = x[known], d[known]
    return tuple(
        Step(float(at[i]), float(at[i + 1]), float(value[i]), float(value[i + 1]))
        for i in np.flatnonzero(mask)
    )


def _largest(part: Numbers) -> float | None:
    known = part[~np.isnan(part)]
    return float(known.max()) if known.size else None


def _times(steps: tuple[Step, ...]) -> str:
    return "once" if len(steps) == 1 else f"{len(steps):,} times"


def _about(
    id_: str,
    severity: Literal["error", "warning"],
    message: str,
    hint: str,
    scope: FunctionScope,
    steps: tuple[Step, ...],
    where: str | None,
) -> Finding:
    largest = sorted(steps, key=lambda s: -abs(s.next_value - s.value))[:TOLD]
    places = ", ".join(
        f"from {s.value:g} at x = {s.x:g} to {s.next_value:g} at x = {s.next_x:g}" for s in largest
    )
    more = ", …" if len(steps) > TOLD else ""
    evidence = {
        "function": scope.name,
        "count": len(steps),
        "steps": [[s.x, s.next_x, s.value, s.next_value] for s in largest],
    }
    return Finding(id_, severity, f"{message}: {places}{more}", hint, where, evidence)
