"""Metrics against formulas written another way, and never a NaN."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench.spec import METRICS
from workbench.verdict import Metrics, measure
from workbench.verdict.metrics import ulps

pytestmark = pytest.mark.filterwarnings("error")

whole = st.integers(-(2**31), 2**31 - 1)
anything = st.floats(width=32) | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0])


def pairs(element: st.SearchStrategy[float]) -> st.SearchStrategy[list[tuple[float, float]]]:
    return st.lists(st.tuples(element, element), min_size=1, max_size=40)


def measured(pairs: list[tuple[float, float]]) -> Metrics:
    device, reference = (np.array(side, np.float64) for side in zip(*pairs, strict=True))
    return measure(device, reference)


@given(pairs(whole))
def test_errors(pairs: list[tuple[float, float]]) -> None:
    metrics = measured(pairs)
    errors = [abs(Fraction(d) - Fraction(r)) for d, r in pairs]
    n = len(pairs)
    assert metrics.mae == pytest.approx(float(sum(errors) / n))
    assert metrics.rmse == pytest.approx(math.sqrt(sum(e * e for e in errors) / n))
    assert metrics.max_abs == float(max(errors))
    assert metrics.worst == errors.index(max(errors))
    assert metrics.within_5 == sum(e <= 5 for e in errors) / n
    assert metrics.exact == sum(e == 0 for e in errors) / n
    assert metrics.non_finite == 0
    signal, noise = sum(Fraction(r) ** 2 for _, r in pairs), sum(e * e for e in errors)
    if signal and noise:
        assert metrics.sqnr_db == pytest.approx(10 * math.log10(signal / noise), abs=1e-9)
    else:
        assert metrics.sqnr_db is None


@given(pairs(st.integers(-128, 127)))
def test_correlation_and_slope(pairs: list[tuple[float, float]]) -> None:
    metrics = measured(pairs)
    device, reference = ([float(x) for x in side] for side in zip(*pairs, strict=True))
    if len(set(reference)) == 1:
        assert metrics.slope is None
    else:
        line = statistics.linear_regression(reference, device)
        assert metrics.slope == pytest.approx(line.slope, abs=1e-9)
    if len(set(reference)) == 1 or len(set(device)) == 1:
        assert metrics.correlation is None
    else:
        expected = statistics.correlation(device, reference)
        assert metrics.correlation == pytest.approx(expected, abs=1e-9)
        assert abs(metrics.correlation or 0) <= 1


@given(pairs(st.integers(-128, 127)))
def test_cosine(pairs: list[tuple[float, float]]) -> None:
    dot = sum(d * r for d, r in pairs)
    lengths = math.hypot(*(d for d, _ in pairs)) * math.hypot(*(r for _, r in pairs))
    cosine = measured(pairs).cosine
    assert cosine == (pytest.approx(dot / lengths, abs=1e-9) if lengths else None)
    assert cosine is None or -1 <= cosine <= 1


@given(pairs(anything))
def test_no_metric_is_ever_nan(pairs: list[tuple[float, float]]) -> None:
    metrics = measured(pairs)
    for name in METRICS:
        value = metrics.value(name)
        assert value is None or math.isfinite(value)
    assert metrics.non_finite == sum(not math.isfinite(d) for d, _ in pairs)
    assert 0 <= metrics.exact <= metrics.within_5 + metrics.non_finite <= 1 + len(pairs)
    if not all(math.isfinite(x) for pair in pairs for x in pair):
        defined = {name for name in METRICS if metrics.value(name) is not None}
        assert defined == {"within_5", "exact"}
        assert not all(math.isfinite(x) for x in pairs[metrics.worst])


@given(st.lists(whole, min_size=2, max_size=40), st.integers(1, 100), st.integers(-1000, 1000))
def test_correlation_sees_no_gain_and_no_offset(values: list[int], gain: int, offset: int) -> None:
    assume(len(set(values)) > 1)
    metrics = measured([(gain * v + offset, v) for v in values])
    assert metrics.correlation == pytest.approx(1.0, abs=1e-9)
    assert metrics.slope == pytest.approx(gain)


@pytest.mark.parametrize(
    ("device", "reference", "undefined"),
    [
        ([1, 2, 3], [1, 2, 3], {"sqnr_db"}),
        ([7, 7, 7], [1, 2, 3], {"correlation"}),
        ([1, 2, 3], [7, 7, 7], {"correlation", "slope"}),
        ([7, 7, 7], [7, 7, 7], {"correlation", "slope", "sqnr_db"}),
        ([0, 0, 0], [1, 2, 3], {"correlation", "cosine"}),
        ([0, 0, 0], [0, 0, 0], {"correlation", "cosine", "slope", "sqnr_db"}),
        ([1, 2, 3], [0, 0, 0], {"correlation", "cosine", "slope", "sqnr_db"}),
        ([0.1] * 3, [1, 2, 3], {"correlation"}),  # its mean isn't 0.1 in floating point
    ],
)
def test_what_is_undefined(
    device: list[float], reference: list[float], undefined: set[str]
) -> None:
    metrics = measure(np.array(device, np.float64), np.array(reference, np.float64))
    found = {name for name in METRICS if metrics.value(name) is None}
    unasked = {"max_ulp", "times_best"}
    assert found == undefined | unasked | ({"offset"} if "slope" in undefined else set())


def test_one_element() -> None:
    metrics = measured([(3.0, 5.0)])
    assert (metrics.mae, metrics.rmse, metrics.max_abs, metrics.within_5) == (2, 2, 2, 1)
    assert (metrics.correlation, metrics.slope, metrics.cosine) == (None, None, 1)


def test_large_offsets_cancel_nothing() -> None:
    reference: npt.NDArray[np.float64] = 1e9 + np.arange(1000.0)
    metrics = measure(reference[::-1].copy(), reference)
    assert metrics.correlation == pytest.approx(-1)
    assert metrics.slope == pytest.approx(-1)


def test_any_shape() -> None:
    cube = np.arange(24.0).reshape(2, 3, 4)
    assert measure(cube, cube + 1) == measure(cube.ravel(), cube.ravel() + 1)


@given(st.lists(whole, min_size=2, max_size=40), st.integers(1, 100), st.integers(-1000, 1000))
def test_the_line_is_the_one_that_was_drawn(values: list[int], gain: int, offset: int) -> None:
    assume(len(set(values)) > 1)
    metrics = measured([(gain * v + offset, v) for v in values])
    scale = max(map(abs, values))
    assert metrics.offset == pytest.approx(offset, abs=1e-9 * gain * scale + 1e-9)


def test_argmax_is_by_row() -> None:
    reference = np.array([[1.0, 3, 2], [5, 5, 0], [0, 1, 9], [4, 0, 0]])
    device = np.array([[0.0, 7, 7], [0, 1, 0], [9, 9, 0], [1, 1, 1]])
    # The first of the device's equals counts, and any of the reference's.
    assert measure(device, reference).argmax == 3 / 4
    assert measure(device.reshape(2, 2, 3), reference.reshape(2, 2, 3)).argmax == 3 / 4
    assert measure(reference[:, :1].copy(), device[:, :1].copy()).argmax is None


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@given(st.floats(-1e4, 1e4), st.integers(0, 40))
def test_a_step_is_the_next_value(dtype: str, start: float, steps: int) -> None:
    first = np.array([start], dtype)
    end = first
    for _ in range(steps):
        end = np.nextafter(end, np.array([math.inf], dtype))
    assert end.dtype == dtype
    low, high = first.astype(np.float64), end.astype(np.float64)
    for device, reference in ((low, high), (high, low), (-low, -high)):
        assert measure(device, reference, dtype).max_ulp == steps
        assert ulps(device, reference, dtype).tolist() == [steps]


def test_steps_of_bfloat16() -> None:
    reference = np.array([1.0, 1.0, 0.0, -1.0])
    device = np.array([1 + 2.0**-7, 1 - 2.0**-8, -0.0, -1 - 2.0**-6])
    assert ulps(device, reference, "bfloat16").tolist() == [1, 1, 0, 2]
    assert measure(device, reference, "bfloat16").max_ulp == 2
    assert measure(device, reference, "int8").max_ulp is None


def test_the_best_that_rounding_allows() -> None:
    ideal = np.array([0.25, 1.5, 2.75, 4.0])
    rounded = np.rint(ideal)
    assert measure(rounded, rounded, ideal=ideal).times_best == 1
    best = statistics.fmean((rounded - ideal) ** 2)
    own = statistics.fmean((rounded + 1 - ideal) ** 2)
    assert measure(rounded + 1, rounded, ideal=ideal).times_best == pytest.approx(
        math.sqrt(own / best)
    )
    assert measure(rounded + 1, rounded, ideal=rounded).times_best is None
