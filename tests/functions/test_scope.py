"""The pure rules: errors, worst place, inversions and jumps of a helper beside the exact one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verdict.function_scope import (
    BINS,
    FunctionScope,
    Numbers,
    function_findings,
    measure_function,
)


def ids(scope: FunctionScope, within: float | None = None) -> list[str]:
    return [finding.id for finding in function_findings(scope, within, None)]


def piecewise(x: Numbers) -> Numbers:
    """The report's exp in three pieces."""
    e = np.maximum(1, 256 + 8 * x + (x * x) // 64)
    e = np.where(x <= -40, 65536 // (256 - 4 * x), e)
    return np.where(x <= -80, 1.0, e)


def test_the_reports_exp() -> None:
    x = np.arange(-127.0, 1)
    scope = measure_function("exp", x, piecewise(x), 256 * np.exp(x))
    assert [(s.x, s.next_x, s.value, s.next_value) for s in scope.inversions] == [
        (-40, -39, 157, 1)
    ]
    assert {s.x for s in scope.jumps} == {-80, -40}
    assert (scope.worst_x, scope.worst_value) == (-4, 224)
    assert ids(scope) == ["function-not-monotone", "function-jump"]


@given(
    low=st.integers(-200, 0),
    count=st.integers(1, 300),
    kind=st.sampled_from([np.exp, np.tanh, np.cos, np.square, lambda x: -x]),
    scale=st.sampled_from([1.0, 100.0, 1e6]),
)
def test_a_rounded_exact_function_has_no_findings(
    low: int, count: int, kind: np.ufunc, scale: float
) -> None:
    x = np.arange(low, low + count) / 16
    exact = scale * kind(x)
    scope = measure_function("f", x, np.rint(exact), exact)
    assert scope.inversions == ()
    assert scope.jumps == ()
    assert scope.max_abs == np.abs(np.rint(exact) - exact).max()
    assert max(e for e in scope.curve if e is not None) == scope.max_abs
    assert len(scope.curve) == min(BINS, count)
    assert ids(scope, within=0.5) == []


def test_a_wrong_entry_is_a_jump_and_an_inversion() -> None:
    x = np.arange(64.0)
    table = np.rint(1000 * np.exp(-x / 16))
    table[20] += 300
    scope = measure_function("table", x, table, 1000 * np.exp(-x / 16))
    assert scope.worst_x == 20
    assert [s.x for s in scope.inversions] == [19]
    assert [s.x for s in scope.jumps] == [19, 20]
    assert ids(scope, within=1) == ["function-not-monotone", "function-jump", "function-error"]


def test_what_the_exact_function_leaves_undefined_is_not_demanded() -> None:
    x = np.arange(4.0)
    with np.errstate(divide="ignore"):
        exact = 12 / x
    scope = measure_function("reciprocal", x, np.array([7.0, 12, np.nan, 4]), exact)
    assert scope.max_abs == 0
    assert scope.not_finite == 1
    assert scope.curve == (None, 0, None, 0)
    assert ids(scope) == ["function-not-finite"]


def test_nothing_defined() -> None:
    nothing = np.full(3, np.nan)
    scope = measure_function("f", np.arange(3.0), nothing, np.ones(3))
    assert (scope.max_abs, scope.mean_abs, scope.worst_x) == (None, None, None)


@pytest.mark.parametrize(("within", "found"), [(0.5, []), (0.4, ["function-error"])])
def test_the_largest_error_allowed(within: float, found: list[str]) -> None:
    x = np.arange(10.0)
    assert ids(measure_function("f", x, x + 0.5, x), within) == found
