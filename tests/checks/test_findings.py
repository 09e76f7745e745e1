"""The words of findings, and what of them is kept as evidence."""

from __future__ import annotations

import json
import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.design.checked import Check, CheckHit, CType
from workbench.verdict.sanitizer import check_findings

INT8, INT, FLOAT = CType("int8_t", "int", 8), CType("int", "int", 32), CType("float", "float", 32)
ARRAY = CType("int[4]", "other")
TYPES: dict[Check, tuple[CType, ...]] = {
    "out_of_bounds": (ARRAY, INT),
    "implicit_conversion": (INT, INT8),
    "explicit_conversion": (INT, INT8),
    "shift_out_of_bounds": (INT, INT),
    "float_cast_overflow": (FLOAT, INT),
}
COUNTS: dict[Check, int] = {"out_of_bounds": 1, "float_cast_overflow": 1, "negate_overflow": 1}


def hit(check: Check, *values: float, hits: int = 1, evaluations: int = 4) -> CheckHit:
    return CheckHit(check, "k.c", 7, 3, TYPES.get(check, (INT,)), values, hits, evaluations)


@pytest.mark.parametrize(
    ("one", "id_", "severity", "message"),
    [
        (hit("sub_overflow", -5, -7), "signed-overflow", "error", "-5 - (-7) overflows int"),
        (hit("divrem_overflow", 5, 0), "division-by-zero", "error", "5 is divided by zero"),
        (
            hit("divrem_overflow", -(1 << 31), -1),
            "signed-overflow",
            "error",
            "-2147483648 / (-1) overflows int",
        ),
        (hit("shift_out_of_bounds", 1 << 30, 2), "shift-fault", "error", "<< 2 loses bits of int"),
        (hit("out_of_bounds", -1), "out-of-bounds", "error", "index -1 is outside int[4]: 0 to 3"),
        (
            hit("implicit_conversion", -300, -44),
            "implicit-truncation",
            "warning",
            "-300 becomes -44 where int is narrowed to int8_t",
        ),
        (
            hit("explicit_conversion", 200, -56),
            "explicit-truncation",
            "warning",
            "200 becomes -56 in a cast to int8_t",
        ),
        (
            hit("float_cast_overflow", math.nan),
            "float-cast-overflow",
            "error",
            "nan doesn't fit into int",
        ),
        (
            hit("type_mismatch_v1", 0, 4, 1),
            "null-pointer",
            "error",
            "a store of int through a null pointer",
        ),
        (
            hit("type_mismatch_v1", 6, 4, 0),
            "misaligned",
            "warning",
            "a load of int from an address",
        ),
        (hit("type_mismatch_v1", 8, 4, 0), "out-of-bounds", "error", "lies outside the variable"),
    ],
)
def test_words(one: CheckHit, id_: str, severity: str, message: str) -> None:
    (finding,) = check_findings([one])
    assert (finding.id, finding.severity, finding.where) == (id_, severity, "k.c:7:3")
    assert message in finding.message
    assert finding.message.endswith(", in 1 of 4 evaluations (25.0 %)")
    assert finding.hint


def test_shares() -> None:
    shares = [(1, 1), (3, 3), (2025, 4096)]
    hits = [hit("add_overflow", 1, 2, hits=n, evaluations=m) for n, m in shares]
    assert [f.message.partition("int, ")[2] for f in check_findings(hits)] == [
        "in its only evaluation",
        "in all 3 evaluations",
        "in 2,025 of 4,096 evaluations (49.4 %)",
    ]


def test_the_order_of_failure_is_evidence() -> None:
    findings = check_findings([hit("mul_overflow", 1, 2), hit("add_overflow", 3, 4)])
    assert [f.evidence["order"] for f in findings] == [1, 2]


@given(
    st.sampled_from(get_args(Check)),
    st.lists(st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(width=32), min_size=3, max_size=3),
)
def test_any_operands_can_be_said_and_kept(check: Check, values: list[float]) -> None:
    if check == "type_mismatch_v1":
        values = [abs(int(v)) if math.isfinite(v) else 0 for v in values]
        values[1] = 4
    count = COUNTS.get(check, 3 if check == "type_mismatch_v1" else 2)
    (finding,) = check_findings([hit(check, *values[:count])])
    json.dumps(dict(finding.evidence), allow_nan=False)
    assert finding.message
