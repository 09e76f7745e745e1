"""What a spec demands beyond the usual metrics, in the table and in words; what is ill, first."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.device.choose import DeviceInfo
from workbench.loop.result import RunResult, Status
from workbench.loop.words import verdict_lines
from workbench.spec import Criterion, HostBuffer, Promise, Tensor
from workbench.tui.metrics_table import _table
from workbench.verdict import Verdict, judge

GOLDEN = np.random.RandomState(1).randint(-60, 60, (16, 16)).astype(np.float32)


def judged(
    *criteria: Criterion, add: float = 1.0, scale: float = 1.0, both: bool = False
) -> Verdict:
    names = ("first", "second") if both else ("first",)
    tensors = tuple(Tensor(name, "float32", GOLDEN.shape) for name in names)
    promise = Promise(
        "d.mlir", "f", (HostBuffer(tensors, "out"),), (), criteria, ("set",), "bank-aware"
    )
    outputs = {name: GOLDEN for name in names}
    outputs[names[-1]] = (scale * GOLDEN + add).astype(np.float32)
    return judge(promise, outputs, dict.fromkeys(names, GOLDEN))


def table(verdict: Verdict) -> list[str]:
    return [line.plain for line in _table(verdict, "model", 60)]


def lines(verdict: Verdict) -> list[str]:
    device = DeviceInfo("model", "core model", "asked for")
    status: Status = "pass" if verdict.passed else "fail"
    return verdict_lines(RunResult(1, status, "k.c", device, 42, 0.1, verdict=verdict))


def test_a_metric_beyond_the_usual_is_shown_where_it_is_demanded() -> None:
    verdict = judged(Criterion("argmax", ">=", 1), Criterion("max_abs", "<=", 2))
    assert table(verdict)[0] == "argmax        100.00 % ✓ ≥ 100 %"
    assert "  argmax          100.00 %   ≥ 100 %    met" in lines(verdict)
    for shown in (table(verdict), lines(verdict)):
        assert not any("max ULP" in line or "times best" in line for line in shown)


def test_two_demands_on_one_metric_are_both_shown() -> None:
    verdict = judged(Criterion("offset", ">=", -0.5), Criterion("offset", "<=", 0.5))
    assert [line.split() for line in table(verdict)[:2]] == [
        ["offset", "1", "✓", "≥", "-0.5"],
        ["offset", "1", "✗", "≤", "0.5"],
    ]
    (told,) = (line for line in lines(verdict) if line.startswith("  offset"))
    assert told.endswith("≥ -0.5     met, ≤ 0.5      NOT MET")


def test_the_worst_of_several_tensors_is_named() -> None:
    verdict = judged(Criterion("exact", ">=", 1), both=True)
    (told,) = (line for line in lines(verdict) if line.startswith("  equal"))
    assert told.endswith("50.00 %   ≥ 100 %    NOT MET (second: 0.00 %)")


@pytest.mark.parametrize(
    ("scale", "add", "word"), [(0, 7, "CONSTANT OUTPUT"), (1, float("nan"), "NOT FINITE")]
)
def test_what_is_ill_comes_before_the_metrics(scale: float, add: float, word: str) -> None:
    verdict = judged(Criterion("within_5", ">=", 0), scale=scale, add=add)
    assert lines(verdict)[0].startswith(f"FAIL k.c on the model: {word}, correlation undefined")
    assert table(verdict)[0] == word


def test_the_tolerance_that_would_do() -> None:
    assert "  tolerance that would do: 50 % ±1, 95 % ±1, 99 % ±1, 100 % ±1" in lines(judged())
    assert not any("would do" in line for line in lines(judged(add=0)))
