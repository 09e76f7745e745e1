"""The stages as a table: how far each is from golden, and what is wrong with it by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content

from workbench.loop import words
from workbench.loop.problems import place_of
from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.editor import open_place
from workbench.tui.lines import ScrolledLines

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.result import RunResult
    from workbench.verdict import Finding
    from workbench.verdict.stages import StageResult

_NUMBER = 9
_NAME = 14
"""Widest name."""

_RANGE = 18
"""Of a range that has another one beside it."""

_WIDE = 80
"""Cells from which on the reference's range stands beside the kernel's."""

_HEAD = 1
"""Lines above the first stage."""

_APART = "  as computed with the stack out of harm's way"


class StageTable(ScrolledLines):
    """A line for each stage of the last judged run, marked where a finding names it.

    Stages come after the verdict: until then those of the run before stay, marked so. The place of
    the stage under the cursor can be opened.
    """

    BINDINGS = bindings("stages")

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self.cursor = 0
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
            self.cursor = self._first_wrong()
            self.changed()
        self.set_class(bool(mark), "-stale")
        title = f"stages  {mark}" if mark and self.has_stages else "stages"
        self.border_title = Content(title)

    def lines(self, width: int, height: int) -> list[Content]:
        """The table: correlation with golden, with what is right locally, saturation, ranges."""
        if self._result is None:
            return [Content.styled("stages come with the first verdict", "dim")]
        stages = self._result.stages
        if not stages:
            return [Content.styled(line, "dim") for line in _none(self._result)]
        names = min(_NAME, max(len("stage"), *(len(text.clean(s.name)) for s in stages)))
        heads = "".join(f"{head:>{_NUMBER}}" for head in ("corr", "local", "cut off"))
        wide = width >= _WIDE
        ends = f"{'range':<{_RANGE}}  reference" if wide else "range"
        rows = [_row(stage, names, self._result.findings, wide=wide) for stage in stages]
        if self.has_focus:
            rows[self.cursor] = rows[self.cursor].stylize("reverse")
        return [
            Content.styled(f"  {'stage':<{names}}{heads}  {ends}", "dim"),
            *rows,
            *([Content.styled(_APART, "dim")] if _is_damaged(self._result) else []),
        ]

    def _first_wrong(self) -> int:
        """The first stage that an error names, else the first."""
        result = self._result
        if result is None:
            return 0
        wrong = (_severity(stage, result.findings) == "error" for stage in result.stages)
        return next((number for number, is_wrong in enumerate(wrong) if is_wrong), 0)

    def _move_to(self, number: int) -> None:
        count = len(self._result.stages) if self._result is not None else 0
        self.cursor = max(0, min(number, count - 1))
        self.changed()
        self.reveal(_HEAD + self.cursor, _HEAD + self.cursor)

    def action_scroll(self, lines: int) -> None:
        """Go to another stage."""
        self._move_to(self.cursor + lines)

    def action_edit(self) -> None:
        """Open the place where the stage under the cursor is recorded."""
        stages = self._result.stages if self._result is not None else ()
        place = place_of(stages[self.cursor].where) if stages else None
        if place is None:
            self.notify("it isn't known where this stage is recorded", markup=False)
        else:
            open_place(self, place)

    def on_click(self, event: events.Click) -> None:
        """Go to the stage that was clicked; a second click opens it."""
        offset = event.get_content_offset(self)
        number = -1 if offset is None else self.top + offset.y - _HEAD
        if self._result is not None and 0 <= number < len(self._result.stages):
            self._move_to(number)
            if event.chain == 2:
                self.action_edit()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel leaves the cursor where it is."""
        super().action_scroll(1)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        super().action_scroll(-1)

    def on_focus(self) -> None:
        """The cursor is seen while the keys go here."""
        self.changed()

    def on_blur(self) -> None:
        """The cursor goes with the keys."""
        self.changed()


def _is_awaited(result: RunResult, before: RunResult) -> bool:
    return not result.explained and result.run > before.run


def _is_damaged(result: RunResult) -> bool:
    """Whether the stages, which are recorded with the stacks apart, end in another result."""
    return result.verdict is not None and result.verdict.arithmetic != result.verdict.metrics


def _row(stage: StageResult, names: int, findings: tuple[Finding, ...], *, wide: bool) -> Content:
    severity = _severity(stage, findings)
    glyph = text.SEVERITY_GLYPHS[severity] if severity else " "
    style = text.SEVERITY_STYLES[severity] if severity else ""
    name = Content(text.clean(stage.name)).truncate(names, ellipsis=True, pad=True)
    told_of = style if severity != "info" else ""
    *numbers, ends, golden = (
        "–" if told == words.UNDEFINED else told
        for told in (
            words.metric_text("correlation", stage.correlation),
            words.metric_text("correlation", stage.local_correlation),
            words.saturated_text(stage),
            words.range_text(stage.low, stage.high),
            words.range_text(stage.golden_low, stage.golden_high),
        )
    )
    cells = "".join(f"{number:>{_NUMBER}}" for number in numbers)
    return Content.assemble(
        (f"{glyph} ", style),
        name.stylize(f"{told_of} bold" if told_of else ""),
        (cells, told_of),
        (f"  {ends:<{_RANGE}}  {golden}" if wide else f"  {ends}", "dim"),
    )


def _severity(stage: StageResult, findings: tuple[Finding, ...]) -> str | None:
    """The worst that a finding says of this stage."""
    own = {f.severity for f in findings if f.evidence.get("stage") == stage.name}
    return next((severity for severity in text.SEVERITY_GLYPHS if severity in own), None)


def _none(result: RunResult) -> tuple[str, ...]:
    if not result.explained:
        return ("recorded after the verdict, unless a newer save comes",)
    return ("none recorded: NPU_STAGE in the kernel", "and stages in the spec show them")
