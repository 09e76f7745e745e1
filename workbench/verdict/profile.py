"""How the error is spread: over sizes, over rows and columns, and about the best line.

Made for those who show it, not for the verdict: it costs more than the metrics and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.verdict.metrics import measure
from workbench.verdict.panes import as_matrix

Numbers = npt.NDArray[np.float64]

STEPS = (0, 1, 2, 5, 10, 20, 50, 100)
"""Errors, in output units, up to which elements are counted."""

SHARES = (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
"""Shares of the elements that a smallest tolerance is given for."""

LONGEST = 256
"""Entries of a profile by rows or columns: more of them are taken together."""


@dataclass(frozen=True, slots=True)
class Fit:
    """device = gain * reference + offset by least squares, and the RMS error that it leaves.

    All are None where the line is undefined: the reference is constant, or something no number.
    """

    gain: float | None
    offset: float | None
    rmse: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """The error of an output, None where it is no number.

    within: for each of STEPS the share of elements with |d - r| <= step.
    tolerances: for each of SHARES the smallest tolerance that so many elements are within.
    rows, columns: mean |d - r| of each row and column, of `rows_each` and `columns_each` of them
    together where there are many.
    """

    within: tuple[tuple[int, float], ...]
    tolerances: tuple[tuple[float, float | None], ...]
    rows: tuple[float | None, ...]
    rows_each: int
    columns: tuple[float | None, ...]
    columns_each: int


def fit(device: Numbers, reference: Numbers) -> Fit:
    """The line through two float64 arrays of one shape."""
    metrics = measure(device, reference)
    if metrics.slope is None or metrics.offset is None:
        return Fit(None, None, None)
    left = device - (metrics.slope * reference + metrics.offset)
    return Fit(metrics.slope, metrics.offset, float(np.sqrt(np.mean(left * left))))


def profile(device: Numbers, reference: Numbers) -> Profile:
    """The spread of the error of two float64 arrays of one shape."""
    error = as_matrix(_error(device, reference))
    rows, rows_each = _means(error)
    columns, columns_each = _means(error.T)
    return Profile(
        within=tuple((step, float(np.mean(error <= step))) for step in STEPS),
        tolerances=tuple(zip(SHARES, _tolerances(error, SHARES), strict=True)),
        rows=rows,
        rows_each=rows_each,
        columns=columns,
        columns_each=columns_each,
    )


def tolerance(device: Numbers, reference: Numbers, share: float) -> float | None:
    """The smallest k such that `share` of the elements have |d - r| <= k; None when there is none.

    The order statistic ceil(share n) of the errors.
    """
    return _tolerances(_error(device, reference), (share,))[0]


def _tolerances(error: Numbers, shares: Sequence[float]) -> list[float | None]:
    flat = error.ravel()
    # Rounding may not ask for one element more than a share of them is.
    places = [max(0, math.ceil(share * flat.size - 1e-9) - 1) for share in shares]
    ordered = np.partition(flat, sorted(set(places)))
    return [float(ordered[place]) if math.isfinite(ordered[place]) else None for place in places]


def _error(device: Numbers, reference: Numbers) -> Numbers:
    """|d - r|, infinite where that is no number."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(device - reference)
    return np.where(np.isnan(error), np.inf, error)


def _means(error: Numbers) -> tuple[tuple[float | None, ...], int]:
    """The mean of each row, or of so many rows together that there are no more than LONGEST."""
    each = math.ceil(len(error) / LONGEST)
    starts = np.arange(0, len(error), each)
    sums = np.add.reduceat(error.sum(axis=1), starts)
    counts = np.diff(np.append(starts, len(error))) * error.shape[1]
    means = (float(mean) for mean in sums / counts)
    return tuple(mean if math.isfinite(mean) else None for mean in means), each
