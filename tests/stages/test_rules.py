"""The rules on stages, on numbers made up for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.design.observed import StageRecord
from workbench.spec.model import Stage
from workbench.verdict.findings import Finding
from workbench.verdict.stage_findings import error_entry, stage_findings
from workbench.verdict.stages import StageResult, collect, measure_stages

Numbers = npt.NDArray[np.float64]

N = 1000
SCORES = np.random.RandomState(1).normal(0, 100, N).round()


def explained(
    golden: dict[str, Numbers],
    recorded: dict[str, npt.NDArray[Any]],
    local: dict[str, Numbers] | None = None,
    memory: dict[str, npt.NDArray[Any]] | None = None,
    dtype: str = "int32",
    any_scale: bool = False,
) -> tuple[tuple[StageResult, ...], dict[str, Finding]]:
    """Stages of these golden and recorded values."""
    stages = [
        Stage(name, dtype, array.shape, any_scale=any_scale) for name, array in golden.items()
    ]
    apart, together = (
        collect(
            stages,
            [
                StageRecord((0, 2), name, str(array.dtype), "k.c:1", array.size, array.tobytes())
                for name, array in arrays.items()
            ],
        )
        for arrays in (recorded, recorded | (memory or {}))
    )
    results = measure_stages(stages, apart, together, golden, golden | (local or {}))
    findings = stage_findings(stages, apart, results, passed=False)
    found = {finding.id: finding for finding in findings}
    assert len(found) == len(findings)
    return results, found


def ints(values: Numbers) -> npt.NDArray[np.int32]:
    return np.rint(values).astype(np.int32)


def test_a_sound_stage() -> None:
    (result,), findings = explained({"s": SCORES}, {"s": ints(SCORES)})
    assert findings == {}
    assert (result.correlation, result.local_error, result.saturated) == (1, 0, 0)
    assert error_entry([result]) is None


@pytest.mark.parametrize("any_scale", [False, True])
def test_saturation_is_what_lies_beyond_the_limits(any_scale: bool) -> None:
    clamped = ints(SCORES.clip(-50, 80) * (3 if any_scale else 1))
    (result,), findings = explained({"s": SCORES}, {"s": clamped}, any_scale=any_scale)
    beyond = float(np.mean((SCORES < -50) | (SCORES > 80)))
    assert result.saturated == pytest.approx(beyond, abs=1e-9)
    assert findings["stage-saturated"].severity == "error"
    assert "stage-saturated" in findings
    assert f"{100 * beyond:.1f} % saturated" in findings["error-enters-at"].message


@pytest.mark.parametrize("gain", [0.9, 0.5])
@pytest.mark.parametrize("any_scale", [False, True])
def test_the_smallest_and_largest_elements_are_no_limits(gain: float, any_scale: bool) -> None:
    golden = SCORES / 20
    less = ints(gain * golden)
    (result,), findings = explained({"s": golden}, {"s": less}, any_scale=any_scale)
    ends = (less == less.min()) | (less == less.max())
    beyond = (golden < less.min() - 0.75) | (golden > less.max() + 0.75)
    assert np.any(ends & beyond)
    assert result.saturated == 0
    assert "stage-saturated" not in findings


def test_ends_that_happen_to_be_a_types_are_no_limits_either() -> None:
    golden = SCORES / 20
    halved = ints(golden / 2).clip(-8, 7)
    assert np.count_nonzero(halved == 7) < np.count_nonzero(halved == 6)
    (result,), _ = explained({"s": golden}, {"s": halved})
    assert result.saturated == 0


@pytest.mark.parametrize(("ends", "are_bounds"), [((-128, 127), True), ((-9, 6), False)])
def test_what_follows_golden_nowhere_saturates_where_a_type_ends(
    ends: tuple[int, int], are_bounds: bool
) -> None:
    noise = np.random.RandomState(2).normal(0, 30, N)
    noisy = np.where(np.abs(SCORES) > 150, SCORES, noise).clip(*ends)
    (result,), _ = explained({"s": SCORES}, {"s": ints(noisy)})
    beyond = float(np.mean(np.abs(SCORES) > 150))
    assert result.saturated == (pytest.approx(beyond, abs=1e-9) if are_bounds else 0)


def test_everything_at_a_types_ends() -> None:
    (result,), _ = explained({"s": 1000 * SCORES}, {"s": ints(np.where(SCORES < 0, -128, 127))})
    assert result.saturated == pytest.approx(float(np.mean(SCORES != 0)), abs=1e-9)


def test_golden_that_is_clamped_itself_saturates_nothing() -> None:
    clamped = SCORES.clip(-50, 80)
    (result,), findings = explained({"s": clamped}, {"s": ints(clamped)})
    assert result.saturated == 0
    assert findings == {}


def test_rounding_is_no_saturation() -> None:
    small = np.linspace(-1, 1, N) * 3.49
    (result,), _ = explained({"s": small}, {"s": ints(small)})
    assert result.saturated == 0


def test_one_value_that_is_off_is_not_cut_off() -> None:
    peaks = np.where(np.arange(N) % 10 == 0, 1000, SCORES)
    (result,), _ = explained({"s": peaks}, {"s": ints(peaks - 3)})
    assert result.saturated == 0


def test_the_first_error_is_named_not_what_follows_from_it() -> None:
    noise = np.random.RandomState(2).normal(0, 100, N).round()
    wrong = SCORES + noise
    (_, second, _), findings = explained(
        {"a": SCORES, "b": SCORES, "c": SCORES},
        {"a": ints(SCORES), "b": ints(wrong), "c": ints(wrong)},
        local={"c": wrong},  # c does with b what it should
    )
    entry = findings["error-enters-at"]
    assert entry.evidence["stage"] == "b"
    assert entry.message.startswith("the error enters at b: correlation 1.0000 -> 0.69")
    assert entry.evidence["correlation"] == second.correlation


def test_of_comparable_errors_the_first_is_named() -> None:
    noise = np.random.RandomState(2).normal(0, 60, N).round()
    results, findings = explained(
        {"a": SCORES, "b": SCORES}, {"a": ints(SCORES + noise), "b": ints(-SCORES)}
    )
    first, second = (result.local_error or 0 for result in results)
    assert 0.5 < first < second
    assert findings["error-enters-at"].evidence["stage"] == "a"


def test_a_small_error_before_a_large_one_isnt_named() -> None:
    noise = np.random.RandomState(2).normal(0, 5, N).round()
    (first, _), findings = explained(
        {"a": SCORES, "b": SCORES}, {"a": ints(SCORES + noise), "b": ints(-SCORES)}
    )
    assert (first.local_error or 0) > 1e-3
    assert findings["error-enters-at"].evidence["stage"] == "b"


def test_what_earlier_stages_lose_isnt_told_of_a_later_one() -> None:
    noise = np.random.RandomState(2).normal(0, 30, (2, N)).round()
    (_, second), findings = explained(
        {"a": SCORES, "b": SCORES},
        {"a": ints(SCORES + noise[0]), "b": ints(-SCORES - noise[0] + noise[1])},
        local={"b": SCORES + noise[0]},
    )
    said = f"correlation {second.local_correlation:.4f} by itself"
    assert findings["error-enters-at"].message == f"the error enters at b: {said}"


def test_an_offset_is_said() -> None:
    _, findings = explained({"s": SCORES}, {"s": ints(SCORES + 3)})
    assert findings["error-enters-at"].message == (
        "the error enters at s: off by up to 3, 3 on average"
    )


def test_a_gain_is_told_beside_noise() -> None:
    noise = np.random.RandomState(2).normal(0, 5, N)
    (result,), findings = explained({"s": SCORES}, {"s": ints(SCORES / 2 + noise)})
    assert (result.local_correlation or 0) < 0.999
    assert "0.4995 times what the spec gives" in findings["error-enters-at"].message


@given(gain=st.sampled_from([2, 4, 16, 100]), any_scale=st.booleans())
def test_a_gain_counts_unless_the_stage_is_of_any_scale(gain: int, any_scale: bool) -> None:
    (result,), findings = explained({"s": SCORES}, {"s": ints(gain * SCORES)}, any_scale=any_scale)
    if any_scale:
        assert findings == {}
        assert result.local_error == pytest.approx(0, abs=1e-6)
    else:
        assert f"{gain} times what the spec gives" in findings["error-enters-at"].message


@given(temperature=st.sampled_from([0.25, 4.0, 27.0, 64.0, 256.0]))
def test_an_exponentials_temperature(temperature: float) -> None:
    x = -np.linspace(0, 12 * min(temperature, 30.0), N)
    (result,), findings = explained(
        {"e": np.exp(x)}, {"e": ints(2.0**20 * np.exp(x / temperature))}, any_scale=True
    )
    assert result.temperature == pytest.approx(temperature, rel=0.05)
    assert f"exp(x / {result.temperature:.3g})" in findings["stage-temperature"].message


def test_an_exponential_of_the_right_temperature() -> None:
    x = -np.linspace(0, 12, N)
    (result,), findings = explained(
        {"e": np.exp(x)}, {"e": ints(2.0**20 * np.exp(x))}, any_scale=True
    )
    assert result.temperature == pytest.approx(1, rel=0.01)
    assert findings == {}


def test_no_scale_turns_a_sign_round() -> None:
    (result,), _ = explained({"s": SCORES}, {"s": ints(-SCORES)}, any_scale=True)
    assert result.local_error == 1


def test_an_exponential_that_stops_falling_isnt_one_of_another_scale() -> None:
    rows = np.zeros((20, 50))
    rows[:, 0] = 1
    flat = ints(32 + 32 * rows)
    (result, weights), findings = explained(
        {"e": rows, "w": rows},
        {"e": flat, "w": ints(rows)},
        local={"w": flat / flat.sum(axis=-1, keepdims=True)},
        any_scale=True,
    )
    assert result.local_correlation == pytest.approx(1)
    assert result.local_error is not None
    assert result.local_error > 0.9
    assert result.floor == pytest.approx(49 / 51)
    assert result.golden_floor == 0
    assert weights.floor == 0
    assert findings["error-enters-at"].message == (
        "the error enters at e: never below 32 of 64, where 96.1 % of its sum lies and 0.0 % should"
    )


def test_damage_is_named_where_it_enters_first() -> None:
    other = ints(SCORES)
    other[:100] = 7
    results, findings = explained(
        {"a": SCORES, "b": SCORES}, {"a": ints(SCORES), "b": ints(SCORES)}, memory={"b": other}
    )
    assert [result.damaged for result in results] == [0, pytest.approx(0.1, abs=0.005)]
    assert findings["damage-enters-at"].evidence["stage"] == "b"


def test_cores_follow_one_another() -> None:
    stage = Stage("s", "int16", (2, 3))
    records = [
        StageRecord((0, row), "s", "int16", f"k.c:{row}", 3, np.full(3, row, np.int16).tobytes())
        for row in (2, 3)
    ]
    found = collect([stage], records)["s"]
    assert (found.count, found.where) == (6, "k.c:2")
    assert found.numbers.tolist() == [2, 2, 2, 3, 3, 3]


CONSTANTS = [0.0, 1.0, -1e140, np.inf, np.nan]


@given(
    golden=st.sampled_from(CONSTANTS),
    recorded=st.sampled_from(CONSTANTS),
    any_scale=st.booleans(),
)
def test_nothing_breaks_the_rules(golden: float, recorded: float, any_scale: bool) -> None:
    values = SCORES.copy()
    for array in (np.full(N, golden), values):
        for record in (np.full(N, recorded), np.where(np.arange(N) == 3, recorded, values)):
            (result,), findings = explained(
                {"s": array}, {"s": record}, dtype="float32", any_scale=any_scale
            )
            told = [result.local_error, result.saturated, result.correlation, result.low]
            assert all(value is None or np.isfinite(value) for value in told)
            assert all(isinstance(finding.message, str) for finding in findings.values())
