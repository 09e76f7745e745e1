"""The first finding is the one to mend first."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verdict import Finding
from workbench.verdict.triage import TABLE, headline, triage

Severity = Literal["error", "warning", "info"]


def found(id_: str, severity: Severity = "error", **evidence: object) -> Finding:
    return Finding(id_, severity, "m", "h", evidence=evidence)


SCALAR = found("scalar-mismatch")
OVERRUN = found("stack-overrun", tile=[0, 2], changes_result=True)
HARMLESS = found("stack-overrun", tile=[0, 2], changes_result=False)
OVERWRITTEN = found("input-overwritten", "warning", tile=[0, 2])
ALTERNATES = found("nondeterministic", "warning", period=2)
ENTERS = found("error-enters-at", stage="clamped scores")
SATURATES = found("stage-saturated", stage="clamped scores")
TEMPERATURE = found("stage-temperature", stage="exp")
TRUNCATES = found("implicit-truncation", "warning", share=0.5)
SHIFTED = found("error-pattern", pattern="shifted")
GAIN = found("error-pattern", pattern="gain")
CONSTANT = found("constant-output")


def ids(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.id for finding in findings]


def test_a_stage_that_is_cut_off_hides_everything_else() -> None:
    all_of_them = [OVERWRITTEN, OVERRUN, ALTERNATES, SATURATES, SCALAR, ENTERS]
    assert ids(headline(all_of_them)) == ["error-enters-at", "scalar-mismatch", "stack-overrun"]
    last = ids(triage(all_of_them))[3:]
    assert last == ["stage-saturated", "input-overwritten", "nondeterministic"]


def test_a_sound_stage_comes_after_what_is_certain() -> None:
    enters = found("error-enters-at", stage="exp")
    all_of_them = [TEMPERATURE, enters, OVERWRITTEN, OVERRUN, SCALAR]
    assert ids(headline(all_of_them)) == ["scalar-mismatch", "stack-overrun", "error-enters-at"]


def test_an_overrun_that_changes_nothing_can_wait() -> None:
    assert ids(triage([HARMLESS, ENTERS, SCALAR])) == [
        "scalar-mismatch",
        "error-enters-at",
        "stack-overrun",
    ]
    assert ids(triage([ENTERS, OVERRUN])) == ["stack-overrun", "error-enters-at"]


def test_what_follows_from_another_is_no_headline() -> None:
    assert ids(headline([OVERWRITTEN, OVERRUN, ALTERNATES])) == ["stack-overrun"]
    elsewhere = found("input-overwritten", "warning", tile=[1, 2])
    assert ids(headline([elsewhere, OVERRUN])) == ["stack-overrun", "input-overwritten"]
    assert ids(headline([ALTERNATES, HARMLESS])) == ["stack-overrun", "nondeterministic"]
    assert ids(headline([SATURATES])) == ["stage-saturated"]


def test_narrowing_is_a_cause_where_the_output_is_wrong() -> None:
    for symptom in (ENTERS, SHIFTED, CONSTANT):
        assert ids(triage([symptom, TRUNCATES]))[0] == "implicit-truncation"
    assert ids(triage([TRUNCATES, HARMLESS])) == ["stack-overrun", "implicit-truncation"]


def test_misplaced_elements_are_no_stage_s_arithmetic() -> None:
    assert ids(triage([ENTERS, SHIFTED])) == ["error-pattern", "error-enters-at"]
    assert ids(triage([GAIN, ENTERS])) == ["error-enters-at", "error-pattern"]


@pytest.mark.parametrize(
    ("cause", "symptom"),
    [
        ("division-by-zero", "not-finite"),
        ("wrong-object", "scalar-mismatch"),
        ("stale-artifact", "stack-overrun"),
        ("deadlock", "output-not-written"),
        ("output-not-written", "constant-output"),
        ("uninitialised-read", "error-enters-at"),
        ("signed-overflow", "error-enters-at"),
        ("out-of-bounds", "constant-output"),
        ("error-pattern", "few-values"),
        ("wrong-operand", "error-enters-at"),
        ("constant-output", "input-regime"),
    ],
)
def test_causes_before_symptoms(cause: str, symptom: str) -> None:
    assert ids(triage([found(symptom), found(cause)])) == [cause, symptom]


def test_what_nobody_knows_is_the_last_of_its_severity() -> None:
    severities: tuple[Severity, ...] = ("info", "warning", "error")
    unknown = [found("new", severity) for severity in severities]
    known = [
        *(found("npu-undamaged", "info"), found("freestanding", "warning"), SCALAR, HARMLESS),
        found("input-regime", "info"),
    ]
    ordered = triage([*unknown, *known])
    assert [(f.id, f.severity) for f in ordered] == [
        ("scalar-mismatch", "error"),
        ("stack-overrun", "error"),
        ("new", "error"),
        ("freestanding", "warning"),
        ("new", "warning"),
        ("npu-undamaged", "info"),
        ("input-regime", "info"),
        ("new", "info"),
    ]


def test_notes_are_no_headlines() -> None:
    assert headline([found("input-regime", "info"), found("anything", "info")]) == ()
    assert len(headline([SCALAR, ENTERS, OVERRUN, CONSTANT])) == 3


@given(
    st.permutations([SCALAR, OVERRUN, OVERWRITTEN, ENTERS, SATURATES, TRUNCATES, CONSTANT, GAIN])
)
def test_the_order_is_the_findings_own(findings: list[Finding]) -> None:
    assert triage(findings) == triage(reversed(triage(findings)))
    assert sorted(ids(triage(findings))) == sorted(ids(tuple(findings)))


def test_of_checks_the_first_that_failed_comes_first() -> None:
    checks = [
        found("division-by-zero", order=3),
        found("implicit-truncation", "warning", order=2),
        found("signed-overflow", order=1),
    ]
    assert ids(triage([ENTERS, *checks])) == [
        "signed-overflow",
        "implicit-truncation",
        "division-by-zero",
        "error-enters-at",
    ]


def test_no_row_is_out_of_reach() -> None:
    plain = [id_ for row in TABLE if row.when is None for id_ in row.ids]
    assert len(plain) == len(set(plain))


def test_a_few_elements_at_the_limits_hide_nothing() -> None:
    a_few = found("stage-saturated", "warning", stage="clamped scores")
    assert ids(triage([a_few, ENTERS, TRUNCATES]))[0] == "implicit-truncation"


def test_undefined_behaviour_may_be_why_nothing_is_written() -> None:
    unwritten = found("output-not-written")
    assert ids(triage([unwritten, found("shift-fault", share=1.0)]))[0] == "shift-fault"
    assert ids(triage([unwritten, found("shift-fault", share=0.5)]))[0] == "output-not-written"


def test_an_input_that_is_overwritten_matters_where_the_output_is_wrong() -> None:
    assert ids(triage([ENTERS, OVERWRITTEN]))[0] == "input-overwritten"
    assert ids(triage([HARMLESS, OVERWRITTEN]))[0] == "stack-overrun"


def test_how_it_is_stored_says_more_than_its_stage() -> None:
    cut_off = found("error-pattern", pattern="truncated")
    assert triage([ENTERS, cut_off])[0] is cut_off
    assert triage([GAIN, ENTERS])[0] is ENTERS


def test_an_input_that_never_arrives_comes_before_what_it_does_to_the_result() -> None:
    missing = found("input-not-sent")
    assert triage([found("wrong-operand"), ENTERS, missing])[0] is missing
