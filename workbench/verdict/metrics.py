"""How far the device's output is from the reference, as numbers that say when they are undefined.

All metrics work on float64 copies of both tensors. d is the device's element, r the reference's,
n their number. A metric that the inputs leave undefined is None, never NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.verdict.panes import as_matrix

Numbers = npt.NDArray[np.float64]

FLOAT_BITS = {"float32": 32, "float16": 16, "bfloat16": 16}
"""Float dtypes and the bits of an element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The metrics of one comparison; shares are from 0 to 1, the others in output units.

    correlation: Pearson's r, None when either tensor is constant.
    mae, rmse, max_abs: mean, root mean square and largest of |d - r|.
    within_5: share with |d - r| <= 5. exact: share with d == r.
    cosine: d.r / (|d| |r|), None when either is all zero.
    sqnr_db: 10 log10(sum r^2 / sum (d - r)^2), None when there is no error or no signal.
    slope, offset: the least-squares line d = slope r + offset, with the slope
    cov(d, r) / var(r); None when r is constant.
    argmax: share of rows whose largest element is where the reference's largest is, the first of
    equals in the device's row and any of them in the reference's; None when a row has one element.
    max_ulp: the largest distance in representable values of the output's dtype (`ulps`), None for
    integers.
    times_best: RMSE against the reference before it was rounded to the output's dtype, over that
    of the rounded reference, the least that any output of this dtype can have; None when the
    unrounded reference isn't known or rounding changed nothing.
    worst: flat index of the largest |d - r| (the first of equals).
    non_finite: elements of the device's output that are NaN or infinite; with any of them, or of
    the reference's, every metric but within_5 and exact is None.
    """

    correlation: float | None = None
    mae: float | None = None
    rmse: float | None = None
    max_abs: float | None = None
    within_5: float
    exact: float
    cosine: float | None = None
    sqnr_db: float | None = None
    slope: float | None = None
    offset: float | None = None
    argmax: float | None = None
    max_ulp: float | None = None
    times_best: float | None = None
    worst: int
    non_finite: int = 0

    def value(self, name: str) -> float | None:
        """The metric of this name."""
        value: float | None = getattr(self, name)
        return value


def measure(
    device: Numbers, reference: Numbers, dtype: str | None = None, ideal: Numbers | None = None
) -> Metrics:
    """The metrics of two float64 arrays of one shape; the last dimension is a row's.

    `dtype` is the element type that both came from, `ideal` the reference before it was rounded
    to that. Pearson as in K. Pearson, 1895, computed on centred values to avoid cancellation; SQNR
    as in Oppenheim and Schafer, Discrete-Time Signal Processing, section 4.8; the ratio to the
    best as Ascend's operator tests have it (a "double standard" against the same precision).
    """
    d, r = device.ravel(), reference.ravel()
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(d - r)
        total = float(error.sum())
    within_5 = _share(error <= 5)
    exact = _share(d == r)
    if not math.isfinite(total):
        finite = np.isfinite(d) & np.isfinite(r)
        if not finite.all():
            count = int(np.count_nonzero(~np.isfinite(d)))
            first = int(np.argmin(finite))
            return Metrics(within_5=within_5, exact=exact, worst=first, non_finite=count)
    worst = int(np.argmax(error))
    squared, signal, energy = float(error @ error), float(r @ r), float(d @ d)
    mean_d, mean_r = float(d.mean()), float(r.mean())
    dc, rc = d - mean_d, r - mean_r
    vd, vr, covariance = float(dc @ dc), float(rc @ rc), float(dc @ rc)
    varies_d, varies_r = bool(d.min() < d.max()), bool(r.min() < r.max())
    slope = _ratio(covariance, vr, varies_r, bound=None)
    return Metrics(
        correlation=_ratio(covariance, math.sqrt(vd) * math.sqrt(vr), varies_d and varies_r),
        mae=_defined(total / d.size),
        rmse=_defined(math.sqrt(squared / d.size)),
        max_abs=_defined(float(error[worst])),
        within_5=within_5,
        exact=exact,
        cosine=_ratio(float(d @ r), math.sqrt(energy) * math.sqrt(signal), energy > 0 < signal),
        sqnr_db=10 * math.log10(signal / squared) if _positive(signal, squared) else None,
        slope=slope,
        offset=None if slope is None else _defined(mean_d - slope * mean_r),
        argmax=_argmax(as_matrix(device), as_matrix(reference)),
        max_ulp=float(ulps(d, r, dtype).max()) if dtype in FLOAT_BITS else None,
        times_best=None if ideal is None else _times_best(d, r, ideal.ravel()),
        worst=worst,
    )


def ulps(device: Numbers, reference: Numbers, dtype: str) -> npt.NDArray[np.int64]:
    """How many representable values of `dtype` lie between each pair of elements.

    The bits of IEEE 754 numbers, sign and magnitude, in two's complement are in the numbers' own
    order (Goldberg, What Every Computer Scientist Should Know About Floating-Point Arithmetic,
    1991), with one zero. Elements have to be values of `dtype`, and no NaN.
    """
    distances: npt.NDArray[np.int64] = _ordinals(device, dtype) - _ordinals(reference, dtype)
    return np.abs(distances)


def _ordinals(values: Numbers, dtype: str) -> npt.NDArray[np.int64]:
    if dtype == "float16":
        bits: npt.NDArray[Any] = values.astype(np.float16).view(np.int16)
    else:
        bits = values.astype(np.float32).view(np.int32)
    ordinals = bits.astype(np.int64) >> (bits.dtype.itemsize * 8 - FLOAT_BITS[dtype])
    lowest = -(1 << (FLOAT_BITS[dtype] - 1))
    return np.where(ordinals < 0, lowest - ordinals, ordinals)


def _argmax(device: Numbers, reference: Numbers) -> float | None:
    rows, columns = device.shape
    if columns < 2:
        return None
    chosen = reference[np.arange(rows), device.argmax(axis=1)]
    return _share(chosen == reference.max(axis=1))


def _times_best(device: Numbers, reference: Numbers, ideal: Numbers) -> float | None:
    if not np.isfinite(ideal).all():
        return None
    own, best = device - ideal, reference - ideal
    return _ratio(math.sqrt(own @ own), math.sqrt(best @ best), True, bound=None)


def _share(mask: npt.NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask)) / mask.size


def _positive(*values: float) -> bool:
    return all(0 < value < math.inf for value in values)


def _defined(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _ratio(
    numerator: float, denominator: float, defined: bool, *, bound: float | None = 1.0
) -> float | None:
    """numerator / denominator, clipped to the bound that rounding may overstep by an ulp."""
    if not defined or not denominator or not math.isfinite(numerator / denominator):
        return None
    ratio = numerator / denominator
    return ratio if bound is None else max(-bound, min(bound, ratio))
