"""The spread of errors, against the same counted one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.verdict.profile import LONGEST, SHARES, STEPS, Numbers, fit, profile, tolerance

pytestmark = pytest.mark.filterwarnings("error")

shapes = hnp.array_shapes(min_dims=1, max_dims=3, max_side=12)
whole = st.integers(-200, 200).map(float)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Numbers, Numbers]:
    shape = draw(shapes)
    arrays = hnp.arrays(np.float64, shape, elements=whole)
    return draw(arrays), draw(arrays)


@given(pairs())
def test_counts(pair: tuple[Numbers, Numbers]) -> None:
    device, reference = pair
    errors = sorted(abs(d - r) for d, r in zip(device.flat, reference.flat, strict=True))
    found = profile(device, reference)
    assert [step for step, _ in found.within] == list(STEPS)
    for step, share in found.within:
        assert share == pytest.approx(sum(e <= step for e in errors) / len(errors))
    assert [share for share, _ in found.tolerances] == list(SHARES)
    for share, most in found.tolerances:
        assert most is not None
        assert sum(e <= most for e in errors) / len(errors) >= share - 1e-9
        assert most == 0 or sum(e < most for e in errors) / len(errors) < share


@given(pairs())
def test_rows_and_columns(pair: tuple[Numbers, Numbers]) -> None:
    device, reference = pair
    errors = np.abs(device - reference).reshape(-1, device.shape[-1])
    found = profile(device, reference)
    assert (found.rows_each, found.columns_each) == (1, 1)
    assert found.rows == pytest.approx([sum(row) / len(row) for row in errors.tolist()])
    assert found.columns == pytest.approx([sum(row) / len(row) for row in errors.T.tolist()])


def test_wrong_rows_stand_out() -> None:
    reference = np.arange(4096.0).reshape(64, 64)
    device = reference.copy()
    device[[3, 9, 20]] += 8
    rows = profile(device, reference).rows
    assert [i for i, mean in enumerate(rows) if mean] == [3, 9, 20]
    assert rows[9] == 8


@pytest.mark.parametrize("count", [LONGEST, LONGEST + 1, 1000])
def test_many_rows_are_taken_together(count: int) -> None:
    error = np.random.RandomState(1).random_sample((count, 3))
    found = profile(error, error * 0)
    assert len(found.rows) <= LONGEST
    parts = [error[i : i + found.rows_each] for i in range(0, count, found.rows_each)]
    assert found.rows == pytest.approx([part.mean() for part in parts])


def test_what_is_no_number() -> None:
    device = np.array([[0.0, math.nan, 3], [0, 0, -math.inf], [1, 1, 1]])
    found = profile(device, np.zeros((3, 3)))
    assert found.rows == (None, None, 1)
    assert found.columns == (1 / 3, None, None)
    assert dict(found.within)[1] == 6 / 9
    assert (tolerance(device, np.zeros((3, 3)), 0.7), tolerance(device, np.zeros((3, 3)), 1)) == (
        3,
        None,
    )
    same = np.array([math.inf, 1.0])
    assert dict(profile(same, same).within)[0] == 0.5


@given(pairs())
def test_the_line_leaves_the_least(pair: tuple[Numbers, Numbers]) -> None:
    device, reference = pair
    found = fit(device, reference)
    if found.gain is None or found.offset is None or found.rmse is None:
        assert np.ptp(reference) == 0
        return
    gain, offset = np.polyfit(reference.ravel(), device.ravel(), 1)
    assert found.gain == pytest.approx(gain, abs=1e-6)
    assert found.offset == pytest.approx(offset, abs=1e-6)
    left = device - (gain * reference + offset)
    assert found.rmse == pytest.approx(float(np.sqrt(np.mean(left**2))), abs=1e-6)
