from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.device.choose import DeviceInfo
from workbench.loop.change import MetricChange, compare
from workbench.loop.result import RunResult
from workbench.loop.words import METRIC_NAMES, metric_text
from workbench.spec import HostBuffer, Promise, Tensor
from workbench.verdict import Finding, Verdict, judge

MODEL = DeviceInfo("model", "core model", "no NPU here")
NPU = DeviceInfo("npu", "NPU Phoenix", "all parts are here")


def verdict(off: int, size: int = 8, findings: tuple[Finding, ...] = ()) -> Verdict:
    golden = np.arange(size * size, dtype=np.int8).reshape(size, size)
    device = golden.copy()
    device[0, 0] += off
    out = (HostBuffer((Tensor("out", "int8", golden.shape),), "out"),)
    promise = Promise("d.mlir", "f", out, (), (), ("set",), "bank-aware")
    judged = judge(promise, {"out": device}, {"out": golden})
    return replace(judged, findings=findings)


def run(number: int, off: int = 0, *findings: Finding, explained: bool = True) -> RunResult:
    judged = verdict(off, findings=findings)
    return RunResult(number, "fail", "k.c", MODEL, 42, 0.1, verdict=judged, explained=explained)


def found(name: str, message: str = "it is", where: str | None = None) -> Finding:
    return Finding(name, "error", message, "mend it", where)


@pytest.mark.parametrize(
    ("name", "before", "after", "direction", "size"),
    [
        ("correlation", 0.95, 0.98, "better", "+0.03000"),
        ("correlation", 0.98, 0.95, "worse", "-0.03000"),
        ("correlation", None, 0.98, "unknown", ""),
        ("correlation", 0.999997, 1.0, "better", ""),
        ("correlation", 0.5, 0.5000001, "same", ""),
        ("max_abs", 9.0, 1.0, "better", "-8"),
        ("mae", 1.0, 1.25, "worse", "+0.2500"),
        ("within_5", 0.5, 0.75, "better", "+25.00 %"),
        ("slope", 1.5, 0.75, "better", "-0.75000"),
        ("slope", 0.5, 1.5, "same", "+1.00000"),
        ("offset", -4.0, 1.0, "better", "+5"),
        ("sqnr_db", 20.0, 26.02, "better", "+6.0 dB"),
        ("max_ulp", None, None, "same", ""),
    ],
)
def test_a_metric_is_better_or_worse_by_so_much(
    name: str, before: float | None, after: float | None, direction: str, size: str
) -> None:
    change = MetricChange(name, before, after)
    assert (change.direction, change.size) == (direction, size)


VALUES = st.none() | st.floats(-1e6, 1e6)
OPPOSITE = {"better": "worse", "worse": "better", "same": "same", "unknown": "unknown"}


@given(st.sampled_from(list(METRIC_NAMES)), VALUES, VALUES)
def test_the_way_back_is_the_opposite(name: str, a: float | None, b: float | None) -> None:
    there, back = MetricChange(name, a, b), MetricChange(name, b, a)
    assert there.direction == OPPOSITE[back.direction]
    assert bool(there.size) == bool(back.size)
    if a == b:
        assert there.direction == "same"


def test_all_metrics_are_compared_in_their_order() -> None:
    change = compare(run(1, 9), run(2, 1))
    assert [metric.name for metric in change.metrics] == list(METRIC_NAMES)
    most = change.metric("max_abs")
    assert most is not None
    assert (most.before, most.after) == (9, 1)


def test_without_any_error_nothing_can_be_better() -> None:
    change = compare(run(1, 9), run(2, 0)).metric("sqnr_db")
    assert change is not None
    assert change.direction == "better"
    assert change.size == ""
    assert metric_text("sqnr_db", change.after) == "no error"
    same = compare(run(1, 0), run(2, 0)).metric("sqnr_db")
    assert same is not None
    assert (same.direction, same.size) == ("same", "")


def test_findings_are_the_same_whatever_numbers_and_lines_they_name() -> None:
    before = run(1, 9, found("stack-overrun", "4,512 B", "d.mlir:9"), found("scalar-mismatch"))
    after = run(2, 9, found("stack-overrun", "2,048 B", "d.mlir:12"), found("constant-output"))
    change = compare(before, after)
    assert change.gone == (found("scalar-mismatch"),)
    assert change.new == (found("constant-output"),)


def test_one_of_two_findings_of_a_kind_is_gone() -> None:
    two = (found("scalar-mismatch", "scale"), found("scalar-mismatch", "shift"))
    change = compare(run(1, 9, *two), run(2, 9, two[1]))
    assert (change.gone, change.new) == (two[:1], ())


def test_what_is_still_looked_for_is_neither_gone_nor_new() -> None:
    one = found("stack-overrun")
    change = compare(run(1, 9, one), run(2, 9, explained=False))
    assert (change.gone, change.new) == (None, ())
    change = compare(run(1, 9, explained=False), run(2, 9, one))
    assert (change.gone, change.new) == ((), None)


FINDINGS = st.lists(st.builds(found, st.sampled_from("abc"), st.sampled_from("xyz")), max_size=6)


@given(FINDINGS, FINDINGS)
def test_gone_and_new_balance(old: list[Finding], new: list[Finding]) -> None:
    change = compare(run(1, 9, *old), run(2, 9, *new))
    assert change.gone is not None
    assert change.new is not None
    assert len(old) - len(change.gone) == len(new) - len(change.new)
    assert not {f.id for f in change.gone} & {f.id for f in change.new}
    assert all(finding in old for finding in change.gone)


def test_runs_that_can_not_be_compared_say_why() -> None:
    one = run(1)
    assert compare(one, run(2)).unlike == ()
    other = replace(one, device=NPU, set_name="zeros", seed=7, verdict=verdict(0, size=4))
    assert compare(one, other).unlike == (
        "device model → npu",
        "inputs None → zeros",
        "seed 42 → 7",
        "output out 8×8 → out 4×4",
    )
