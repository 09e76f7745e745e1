"""The stages as a table: how far each is from golden, and what is wrong with it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from workbench.loop import words
from workbench.tui import text
from workbench.tui.lines import ScrolledLines

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.result import RunResult
    from workbench.verdict import Finding
    from workbench.verdict.stages import StageResult

_NUMBER = 9
_NAME = 14
"""Widest name."""


class StageTable(ScrolledLines):
    """A line for each stage of the last judged run, marked where a finding names it.

    Stages come after the verdict: until then those of the run before stay, marked so.
    """

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._result: RunResult | None = None
        self.border_title = Content("stages")

    @property
    def has_stages(self) -> bool:
        """Whether any are known."""
        return self._result is not None and bool(self._result.stages)

    @property
    def may_have_stages(self) -> bool:
        """Whether any are known, or may still come."""
        return self.has_stages or self._result is None or not self._result.explained

    def show(self, result: RunResult | None, *, mark: str) -> None:
        """Paint this judged run; `mark` says so when it isn't of the bytes on disk."""
        before = self._result if self.has_stages else None
        if before is not None and result is not None and _is_awaited(result, before):
            mark = f"STALE of run {before.run}"
        elif result is not self._result:
            self._result = result
            self.changed()
        self.set_class(bool(mark), "-stale")
        title = f"stages  {mark}" if mark and self.has_stages else "stages"
        self.border_title = Content(title)

    def lines(self, width: int, height: int) -> list[Content]:
        """The table: correlation with golden, with what is right locally, saturation, range."""
        if self._result is None:
            return [Content.styled("stages come with the first verdict", "dim")]
        stages = self._result.stages
        if not stages:
            return [Content.styled(line, "dim") for line in _none(self._result)]
        names = min(_NAME, max(len("stage"), *(len(text.clean(s.name)) for s in stages)))
        heads = "".join(f"{head:>{_NUMBER}}" for head in ("corr", "local", "cut off"))
        return [
            Content.styled(f"  {'stage':<{names}}{heads}  range", "dim"),
            *(_row(stage, names, self._result.findings) for stage in stages),
        ]


def _is_awaited(result: RunResult, before: RunResult) -> bool:
    return not result.explained and result.run > before.run


def _row(stage: StageResult, names: int, findings: tuple[Finding, ...]) -> Content:
    severity = _severity(stage, findings)
    glyph = text.SEVERITY_GLYPHS[severity] if severity else " "
    style = text.SEVERITY_STYLES[severity] if severity else ""
    name = Content(text.clean(stage.name)).truncate(names, ellipsis=True, pad=True)
    told_of = style if severity != "info" else ""
    *numbers, ends = (
        "–" if told == words.UNDEFINED else told
        for told in (
            words.metric_text("correlation", stage.correlation),
            words.metric_text("correlation", stage.local_correlation),
            words.saturated_text(stage),
            words.range_text(stage.low, stage.high),
        )
    )
    cells = "".join(f"{number:>{_NUMBER}}" for number in numbers)
    return Content.assemble(
        (f"{glyph} ", style),
        name.stylize(f"{told_of} bold" if told_of else ""),
        (cells, told_of),
        (f"  {ends}", "dim"),
    )


def _severity(stage: StageResult, findings: tuple[Finding, ...]) -> str | None:
    """The worst that a finding says of this stage."""
    own = {f.severity for f in findings if f.evidence.get("stage") == stage.name}
    return next((severity for severity in text.SEVERITY_GLYPHS if severity in own), None)


def _none(result: RunResult) -> tuple[str, ...]:
    if not result.explained:
        return ("recorded after the verdict, unless a newer save comes",)
    return ("none recorded: NPU_STAGE in the kernel", "and stages in the spec show them")
