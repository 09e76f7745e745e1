"""Arrays and a promise in, one verdict out: criteria decide, findings explain."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.loop.record import to_json
from workbench.spec import Criterion, HostBuffer, Promise, Scalar, Tensor
from workbench.verdict import Evidence, Finding, PassedConstant, Verdict, judge, with_findings

pytestmark = pytest.mark.filterwarnings("error")

Array = npt.NDArray[Any]


def promise(
    *criteria: Criterion,
    dtype: str = "float32",
    shape: tuple[int, ...] = (4, 4),
    scalars: Sequence[Scalar] = (),
) -> Promise:
    buffers = (HostBuffer((Tensor("y", dtype, shape),), "out"),)
    return Promise("d.mlir", "f", buffers, tuple(scalars), criteria, ("set",), "bank-aware")


GOLDEN = np.arange(16, dtype=np.float32).reshape(4, 4)


def judged(device: Array, *criteria: Criterion, reference: Array = GOLDEN) -> Verdict:
    return judge(promise(*criteria, shape=reference.shape), {"y": device}, {"y": reference})


def ids(verdict: Verdict) -> list[str]:
    return [finding.id for finding in verdict.findings]


def test_criteria_decide() -> None:
    met, missed = Criterion("mae", "<=", 1), Criterion("max_abs", "<", 1)
    verdict = judged(GOLDEN + 1, met, missed)
    assert [(c.value, c.met) for c in verdict.criteria] == [(1.0, True), (1.0, False)]
    assert not verdict.passed
    assert judged(GOLDEN + 1, met).passed
    assert judged(GOLDEN).passed


def test_a_finding_about_a_cause_fails_nothing() -> None:
    scalars = [Scalar("scale_shift", 2, 3)]
    evidence = Evidence(passed=(PassedConstant(2, 4, "d.mlir:40"),))
    verdict = judge(promise(scalars=scalars), {"y": GOLDEN}, {"y": GOLDEN}, evidence)
    assert [(f.id, f.severity) for f in verdict.findings] == [("scalar-mismatch", "error")]
    assert verdict.passed


def test_an_output_that_says_nothing_never_passes() -> None:
    generous = Criterion("max_abs", "<=", 99)
    assert judged(GOLDEN + 1, generous).passed
    for value in (0, 7):
        verdict = judged(np.full_like(GOLDEN, value), generous)
        assert verdict.criteria[0].met
        assert [f.id for f in verdict.ill] == ["constant-output"]
        assert not verdict.passed
    seven = np.full_like(GOLDEN, 7)
    assert not judged(seven, generous, reference=seven).passed
    late = Finding("output-not-written", "error", "m", "h")
    assert not with_findings(judged(GOLDEN, generous), [late]).passed


def test_an_undefined_metric_meets_nothing() -> None:
    verdict = judged(np.zeros_like(GOLDEN), Criterion("correlation", "<=", 1))
    assert [(c.value, c.met) for c in verdict.criteria] == [(None, False)]
    assert not verdict.passed


def test_no_error_at_all_meets_every_sqnr() -> None:
    high, low = Criterion("sqnr_db", ">=", 200), Criterion("sqnr_db", "<", 10)
    verdict = judged(GOLDEN, high, low)
    assert [(c.value, c.met) for c in verdict.criteria] == [(None, True), (None, False)]
    zeros = np.zeros_like(GOLDEN)
    assert judged(zeros, high, reference=zeros).criteria[0].met
    assert not judged(GOLDEN, high, reference=zeros).passed
    assert not judged(np.full_like(GOLDEN, math.nan), high).passed


def test_the_worst_of_several_is_not_the_perfect_one() -> None:
    buffers = (HostBuffer(tuple(Tensor(n, "float32", (4, 4)) for n in "yz"), "out"),)
    both = Promise(
        "d.mlir", "f", buffers, (), (Criterion("sqnr_db", ">=", 40),), ("set",), "bank-aware"
    )
    verdict = judge(both, {"y": GOLDEN, "z": GOLDEN + 1}, {"y": GOLDEN, "z": GOLDEN})
    assert verdict.criteria[0].tensor == "z"
    assert not verdict.passed


def test_ranges_are_of_finite_elements() -> None:
    device = GOLDEN.copy()
    device[0, :3] = (math.nan, math.inf, -math.inf)
    output = judged(device).output
    assert (output.minimum, output.maximum) == (3, 15)
    assert (output.reference_minimum, output.reference_maximum) == (0, 15)
    nothing = judged(np.full_like(GOLDEN, math.nan)).output
    assert (nothing.minimum, nothing.maximum) == (None, None)


@pytest.mark.parametrize("shape", [(7,), (2, 3, 5), (1, 1), (9, 9)])
def test_the_worst_element(shape: tuple[int, ...]) -> None:
    reference = np.zeros(shape, np.float32)
    device = reference.copy()
    device.flat[device.size // 2] = 3
    row, column = judged(device, reference=reference).worst_element
    assert row * shape[-1] + column == device.size // 2
    assert 0 <= column < shape[-1]


def test_stored_elements_are_judged_as_numbers() -> None:
    bits = np.full((4, 4), 0x3F80, np.uint16)
    verdict = judge(promise(dtype="bfloat16"), {"y": bits}, {"y": bits + 0x80})
    assert verdict.metrics.max_abs == 1
    low, high = np.full((4, 4), -128, np.int8), np.full((4, 4), 127, np.int8)
    assert judge(promise(dtype="int8"), {"y": low}, {"y": high}).metrics.max_abs == 255
    top = np.full((4, 4), 2**32 - 1, np.uint32)
    assert judge(promise(dtype="uint32"), {"y": top}, {"y": top * 0}).metrics.max_abs == 2**32 - 1


def test_not_finite() -> None:
    device = GOLDEN.copy()
    device[2, 1] = math.inf
    device[3, 0] = math.nan
    (finding,) = judged(device).findings
    assert (finding.id, finding.severity) == ("not-finite", "error")
    assert finding.message.startswith(
        "2 of 16 output elements are NaN or infinite, the first at (2, 1)"
    )
    assert finding.evidence == {"count": 2, "first": [2, 1]}
    assert ids(judged(np.full_like(GOLDEN, math.inf))) == ["not-finite"]


def test_constant_output() -> None:
    (finding,) = judged(np.full_like(GOLDEN, -0.5)).findings
    assert (finding.id, finding.severity) == ("constant-output", "error")
    assert finding.message.startswith("every one of the 16 output elements is -0.5")
    assert ids(judged(GOLDEN)) == []


def test_a_poor_reference() -> None:
    seven = np.full_like(GOLDEN, 7)
    for device in (GOLDEN, seven):
        (finding,) = judged(device, reference=seven).findings
        assert (finding.id, finding.severity) == ("input-regime", "error")
        assert "the reference is 7 everywhere" in finding.message
    reference = GOLDEN.copy()
    reference[0, 0] = math.nan
    finding = judged(GOLDEN, reference=reference).findings[0]
    assert finding.message.startswith("1 of 16 elements of the reference are NaN or infinite")


def test_scalars_that_the_design_passes_otherwise() -> None:
    scalars = [Scalar("scale_shift", 2, 3), Scalar("rows", 3, 64)]
    passed = (
        PassedConstant(2, 4, "d.mlir:40"),
        PassedConstant(3, 64, "d.mlir:40"),
        PassedConstant(2, None, "d.mlir:41"),
        PassedConstant(9, 1, "d.mlir:42"),
    )
    evidence = Evidence(passed=passed, spec="kernels/attention.py")
    verdict = judge(promise(scalars=scalars), {"y": GOLDEN}, {"y": GOLDEN}, evidence)
    (finding,) = verdict.findings
    assert (finding.id, finding.where) == ("scalar-mismatch", "d.mlir:40")
    assert finding.message == "the design passes scale_shift = 4, the spec expects 3"
    assert finding.evidence == {
        "scalar": "scale_shift",
        "passed": 4,
        "expected": 3,
        "spec": "kernels/attention.py",
    }


def test_patterns_are_looked_for_where_criteria_are_missed() -> None:
    reference = np.random.RandomState(1).randint(-40, 40, (32, 32)).astype(np.float32)
    met, missed = Criterion("correlation", ">=", 0.99), Criterion("max_abs", "<=", 1)
    assert ids(judged(2 * reference, met, reference=reference)) == []
    for criteria in ((met, missed), ()):
        (finding,) = judged(2 * reference, *criteria, reference=reference).findings
        assert (finding.id, finding.evidence["pattern"]) == ("error-pattern", "gain")
    assert ids(judged(reference, reference=reference)) == []


def test_an_output_that_is_a_copy() -> None:
    rng = np.random.RandomState(1)
    golden, q, before = (rng.randint(-99, 99, (32, 32)).astype(np.float32) for _ in range(3))
    evidence = Evidence(inputs={"q": q}, earlier={"the output of run 3": {"y": before}})
    for output, name in ((q, "the input q"), (before, "the output of run 3")):
        verdict = judge(promise(shape=(32, 32)), {"y": output}, {"y": golden}, evidence)
        assert name in verdict.findings[0].message


def test_the_unrounded_reference() -> None:
    ideal = GOLDEN + np.float32(0.25)
    evidence = Evidence(ideal={"y": ideal.astype(np.float64)})
    verdict = judge(promise(), {"y": GOLDEN + 1}, {"y": GOLDEN}, evidence)
    assert verdict.metrics.times_best == pytest.approx(3)
    bits = np.full((4, 4), 0x3F80, np.uint16)
    stored, exact = {"y": bits}, np.full((4, 4), 1.25)
    known = Evidence(ideal={"y": exact})
    verdict = judge(promise(dtype="bfloat16"), {"y": bits + 0x40}, stored, known)
    assert verdict.metrics.times_best == pytest.approx(1)
    unknown = Evidence(ideal={"y": np.full((4, 4), math.inf)})
    assert judge(promise(), {"y": GOLDEN}, {"y": GOLDEN}, unknown).metrics.times_best is None


def test_more_findings_are_merged_and_ordered_anew() -> None:
    verdict = judged(np.full_like(GOLDEN, 7), Criterion("max_abs", "<=", 1))
    cause = Finding("stack-overrun", "error", "m", "h", evidence={"changes_result": True})
    merged = with_findings(verdict, [cause, cause, *verdict.findings])
    assert ids(merged) == ["stack-overrun", *ids(verdict)]


@given(
    hnp.arrays(np.float32, (3, 5), elements=st.floats(width=32)),
    hnp.arrays(np.float32, (3, 5), elements=st.floats(width=32)),
)
def test_every_verdict_is_json(device: Array, reference: Array) -> None:
    verdict = judged(device, Criterion("correlation", ">=", 0.9), reference=reference)
    findings = [
        {"id": f.id, "message": f.message, "hint": f.hint, "evidence": f.evidence}
        for f in verdict.findings
    ]
    text = to_json({"findings": findings, "value": verdict.criteria[0].value})
    assert json.loads(text)["findings"] is not None
    assert "NaN" not in text.replace("NaN or", "").replace("are NaN", "")
    for finding in verdict.findings:
        assert "nan" not in finding.message
