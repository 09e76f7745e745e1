"""How far the device's output is from the reference, as numbers that say when they are undefined.

All metrics work on float64 copies of both tensors, flattened. d is the device's element, r the
reference's, n their number. A metric that the inputs leave undefined is None, never NaN.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one comparison; shares are from 0 to 1, the others in output units.

    correlation: Pearson's r, None when either tensor is constant.
    mae, rmse, max_abs: mean, root mean square and largest of |d - r|.
    within_5: share with |d - r| <= 5. exact: share with d == r.
    cosine: d.r / (|d| |r|), None when either is all zero.
    sqnr_db: 10 log10(sum r^2 / sum (d - r)^2), None when there is no error or no signal.
    slope: least-squares gain of d over r, cov(d, r) / var(r), None when r is constant.
    worst: flat index of the largest |d - r| (the first of equals).
    non_finite: elements of the device's output that are NaN or infinite; with any of them, or of
    the reference's, every metric but within_5 and exact is None.
    """

    correlation: float | None
    mae: float | None
    rmse: float | None
    max_abs: float | None
    within_5: float
    exact: float
    cosine: float | None
    sqnr_db: float | None
    slope: float | None
    worst: int
    non_finite: int

    def value(self, name: str) -> float | None:
        """The metric of this name."""
        value: float | None = getattr(self, name)
        return value


def measure(device: Numbers, reference: Numbers) -> Metrics:
    """The metrics of two float64 arrays of equal size (any shape).

    Pearson as in K. Pearson, 1895, computed on centred values to avoid cancellation; SQNR as in
    Oppenheim and Schafer, Discrete-Time Signal Processing, section 4.8.
    """
    d, r = device.ravel(), reference.ravel()
    finite = np.isfinite(d) & np.isfinite(r)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(d - r)
    within_5 = float(np.mean(np.less_equal(error, 5)))
    exact = float(np.mean(d == r))
    if not finite.all():
        worst, non_finite = int(np.argmin(finite)), int(np.count_nonzero(~np.isfinite(d)))
        return Metrics(None, None, None, None, within_5, exact, None, None, None, worst, non_finite)
    squared = float(error @ error)
    signal = float(r @ r)
    dc, rc = d - d.mean(), r - r.mean()
    vd, vr, covariance = float(dc @ dc), float(rc @ rc), float(dc @ rc)
    varies_d, varies_r = bool(np.any(d != d[0])), bool(np.any(r != r[0]))
    energy = float(d @ d)
    worst = int(np.argmax(error))
    return Metrics(
        correlation=_ratio(covariance, math.sqrt(vd) * math.sqrt(vr), varies_d and varies_r),
        mae=_defined(float(error.mean())),
        rmse=_defined(math.sqrt(squared / d.size)),
        max_abs=_defined(float(error[worst])),
        within_5=within_5,
        exact=exact,
        cosine=_ratio(float(d @ r), math.sqrt(energy) * math.sqrt(signal), energy > 0 < signal),
        sqnr_db=10 * math.log10(signal / squared) if _positive(signal, squared) else None,
        slope=_ratio(covariance, vr, varies_r, bound=None),
        worst=worst,
        non_finite=0,
    )


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
