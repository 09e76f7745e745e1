"""Which finding to mend first: one table, from what makes everything else moot to what is a note.

Causes that are certain come before places where an error is seen, and those before symptoms. What
only follows from another finding is at the end, and never a headline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workbench.verdict.findings import Finding
from workbench.verdict.health import HEALTH

Others = Sequence[Finding]
Condition = Callable[[Finding, Others], bool]

HEADLINES = 3
"""Findings that a verdict line has room for."""

_MISPLACED = frozenset(
    {
        *("transposed", "swapped-halves", "reversed", "interleaved", "repeated", "shifted"),
        *("stride", "tiled", "byte-order", "stale-data", "half-tile", "block", "row-band"),
        *(
            "element-band",
            "scattered-elements",
            "column-band",
            "every-second-call",
            "periodic",
            "scattered-rows",
            "scattered-columns",
        ),
        *("permuted-rows", "permuted-columns", "moved-rows", "moved-columns"),
    }
)
"""Error patterns that no stage's arithmetic makes."""

_STORED = frozenset({"truncated", "clipped", "wrapped"})
"""Error patterns that the last operation before the store makes: they say more than its stage."""


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the table, for findings of these ids that meet a condition, if there is one."""

    ids: tuple[str, ...]
    when: Condition | None = None
    follows: bool = False
    """They are consequences of another finding."""


def _row(*ids: str, when: Condition | None = None, follows: bool = False) -> Row:
    return Row(ids, when, follows)


def _saturates(finding: Finding, others: Others) -> bool:
    """The stage is cut off: until that is mended, nothing after it shows anything."""
    return any(
        f.id == "stage-saturated" and f.severity == "error" and _same(f, finding, "stage")
        for f in others
    )


def _is_always_undefined(finding: Finding, others: Others) -> bool:
    """The compiler may drop whatever hangs on it, the output with it."""
    return finding.evidence.get("share") == 1


def _changes_the_result(finding: Finding, others: Others) -> bool:
    return bool(finding.evidence.get("changes_result"))


def _output_is_wrong(finding: Finding, others: Others) -> bool:
    symptoms = {"error-enters-at", "error-pattern", *HEALTH}
    return any(f.id in symptoms and f.severity == "error" for f in others)


def _elements_are_misplaced(finding: Finding, others: Others) -> bool:
    return finding.evidence.get("pattern") in _MISPLACED


def _is_made_by_the_store(finding: Finding, others: Others) -> bool:
    return finding.evidence.get("pattern") in _STORED


def _harms(finding: Finding, others: Others) -> bool:
    """An operation that went wrong, unless it is one that C defines and nothing is wrong."""
    return finding.severity == "error" or _output_is_wrong(finding, others)


def _is_error(finding: Finding, others: Others) -> bool:
    return finding.severity == "error"


def _is_info(finding: Finding, others: Others) -> bool:
    return finding.severity == "info"


def _error_enters_there(finding: Finding, others: Others) -> bool:
    """The finding that names the stage says the same."""
    return any(f.id == "error-enters-at" and _same(f, finding, "stage") for f in others)


def _by_its_stack(finding: Finding, others: Others) -> bool:
    return any(f.id == "stack-overrun" and _same(f, finding, "tile") for f in others)


def _by_a_stack(finding: Finding, others: Others) -> bool:
    return any(f.id == "stack-overrun" and _changes_the_result(f, others) for f in others)


def _same(one: Finding, other: Finding, key: str) -> bool:
    return key in one.evidence and one.evidence[key] == other.evidence.get(key)


TABLE = (
    # What ran isn't what was written, or nothing came of it.
    _row("wrong-object"),
    _row("stale-artifact"),
    _row("deadlock"),
    _row("null-pointer"),
    _row("shift-fault", when=_is_always_undefined),
    _row("output-not-written"),
    # Certain causes. A stage that is cut off hides the effect of all others.
    _row("error-enters-at", when=_saturates),
    _row("scalar-mismatch"),
    _row("input-not-sent", when=_is_error),
    _row("stack-overrun", when=_changes_the_result),
    _row("out-of-bounds"),
    _row("uninitialised-read"),
    _row("input-overwritten", when=_output_is_wrong),
    _row("memory-dependent"),
    _row("wrong-scalar"),
    _row("wrong-operand"),
    _row(
        *("division-by-zero", "shift-fault", "float-cast-overflow", "signed-overflow"),
        *("implicit-truncation", "explicit-truncation"),
        when=_harms,
    ),
    _row("npu-differs"),
    _row("nondeterministic", when=_is_error),
    # Where and how the output is wrong.
    _row("error-pattern", when=_elements_are_misplaced),
    _row("error-pattern", when=_is_made_by_the_store),
    _row("error-enters-at"),
    _row("error-pattern"),
    _row("function-not-finite", "function-not-monotone", "function-error", when=_is_error),
    _row("stage-temperature", "stage-saturated", when=_is_error),
    _row("not-finite"),
    _row("constant-output"),
    _row("few-values"),
    _row("saturated-output"),
    _row("input-regime", when=_is_error),
    # What may break the kernel elsewhere.
    _row("stack-overrun"),
    _row("any other error"),
    _row("model-differs"),
    _row("nondeterministic"),
    _row("stage-saturated", "stage-temperature"),
    _row("division-by-zero", "implicit-truncation", "explicit-truncation"),
    _row("function-not-monotone", "function-error", "function-jump"),
    _row("misaligned"),
    _row("input-overwritten"),
    _row("input-regime"),
    _row("freestanding"),
    _row("stage-recording"),
    _row("any other warning"),
    # What follows from findings above, and notes.
    _row("stage-saturated", "stage-temperature", when=_error_enters_there, follows=True),
    _row("input-overwritten", when=_by_its_stack, follows=True),
    _row("nondeterministic", when=_by_a_stack, follows=True),
    _row("stage-scaled"),
    _row("damage-enters-at"),
    _row("npu-undamaged"),
    _row("input-regime", when=_is_info),
    _row("any other info"),
)


def triage(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, the one to mend first at the front; equals keep their order."""
    found = tuple(findings)
    return tuple(sorted(found, key=lambda finding: _place(finding, found)))


def headline(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings for a verdict line: the first that are no notes and follow from no other."""
    found = triage(findings)
    return tuple(f for f in found if f.severity != "info" and not _row_of(f, found).follows)[
        :HEADLINES
    ]


def _place(finding: Finding, others: Others) -> tuple[int, int]:
    """The row, and in it the order in which checks failed: the first may be why the others do."""
    order = finding.evidence.get("order")
    return TABLE.index(_row_of(finding, others)), order if isinstance(order, int) else 0


def _row_of(finding: Finding, others: Others) -> Row:
    """The finding's row: what follows goes before what else a condition says, that before none."""
    rows = [row for row in TABLE if finding.id in row.ids]
    for follows in (True, False):
        for row in rows:
            if row.follows == follows and row.when is not None and row.when(finding, others):
                return row
    plain = next((row for row in rows if row.when is None), None)
    return plain or next(row for row in TABLE if f"any other {finding.severity}" in row.ids)
