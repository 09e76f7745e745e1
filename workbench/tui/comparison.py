"""Two runs beside each other: state, every metric, findings gone and new, elements that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content

from workbench.loop import words
from workbench.loop.change import Change, MetricChange
from workbench.loop.result import RunResult
from workbench.loop.view import phase_of
from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.key_line import KeyLine
from workbench.tui.lines import ScrolledLines
from workbench.tui.overlay import Overlay

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.verdict import Finding, Verdict

_NAME, _VALUE = 13, 14


class ComparisonScreen(Overlay[None]):
    """The comparison over the main screen; closed by escape."""

    BINDINGS = bindings("comparison")

    def __init__(self, change: Change) -> None:
        super().__init__()
        self._page = ComparisonPage(change)

    def compose(self) -> ComposeResult:
        """One page of lines, and the keys that it has."""
        yield self._page
        yield KeyLine(("comparison.close", "list.up", "list.down"))


class ComparisonPage(ScrolledLines):
    """The page."""

    def __init__(self, change: Change) -> None:
        super().__init__(classes="panel")
        self._change = change
        self.border_title = Content(
            f"run {change.before.run} and run {change.after.run}  (esc: back)"
        )

    def on_mount(self) -> None:
        """Take the focus, so that the page scrolls."""
        self.focus()

    def lines(self, width: int, height: int) -> list[Content]:
        """The table, and the findings."""
        change = self._change
        runs = (change.before, change.after)
        facts = {
            "": [f"run {run.run}" for run in runs],
            "state": [f"{text.PHASE_GLYPHS[phase_of(run)]} {phase_of(run)}" for run in runs],
            "source": [(run.source_sha256 or "")[:7] for run in runs],
            "took": [words.seconds_text(run.seconds) for run in runs],
        }
        unlike = [text.clean(other) for other in change.unlike]
        return [
            *(Content.styled(f"not comparable as they stand: {o}", "$wb-warn") for o in unlike),
            *(Content(_row(name, *values)) for name, values in facts.items()),
            *(_metric_row(metric) for metric in change.metrics if _is_known(metric)),
            Content(_differing(change.before, change.after)),
            Content(""),
            *_findings("gone", change.gone, "$wb-pass"),
            *_findings("new", change.new, "$wb-fail"),
        ]


def _row(name: str, before: str, after: str) -> str:
    return f"{name:{_NAME}}{before:>{_VALUE}}{after:>{_VALUE}} "


def _metric_row(metric: MetricChange) -> Content:
    values = (words.metric_text(metric.name, value) for value in (metric.before, metric.after))
    return Content.assemble(
        _row(words.METRIC_NAMES[metric.name], *values), text.change_part(metric)
    )


def _is_known(metric: MetricChange) -> bool:
    return metric.name not in words.ON_DEMAND or (metric.before, metric.after) != (None, None)


def _differing(before: RunResult, after: RunResult) -> str:
    """How many elements of the two outputs are others."""
    old, new = before.verdict, after.verdict
    assert old is not None
    assert new is not None
    return f"{'elements':{_NAME}}{_count(old, new)}"


def _count(old: Verdict, new: Verdict) -> str:
    import numpy as np

    if old.device.shape != new.device.shape:
        return "the outputs have other shapes"
    same = (old.device == new.device) | (np.isnan(old.device) & np.isnan(new.device))
    return f"{int(np.count_nonzero(~same)):,} of {same.size:,} differ between the two outputs"


def _findings(what: str, findings: Sequence[Finding] | None, style: str) -> list[Content]:
    """A heading with how many, and a line for each."""
    if findings is None:
        return [Content.styled(f"findings {what}: causes were not looked for to the end", "dim")]
    heading = f"findings {what}: {len(findings) or 'none'}"
    return [
        Content.styled(heading, style if findings else "dim"),
        *(
            Content.assemble(
                (f"  {text.SEVERITY_GLYPHS[finding.severity]} {text.clean(finding.id)}", "bold"),
                f": {text.clean(finding.message)}",
            )
            for finding in findings
        ),
    ]
