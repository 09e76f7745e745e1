"""The steps of the run in one line: glyph, name and time of each."""

from __future__ import annotations

from textual.content import Content

from workbench.loop import words
from workbench.loop.view import StepView
from workbench.tui import text
from workbench.tui.lines import Lines


class StepStrip(Lines):
    """`compile ✓ 0.06 s ▸ load ▶ 1.5 s ▸ run ·`; the running step's time alone, or none, where
    there is no room for all."""

    DEFAULT_CSS = "StepStrip { height: 1; }"

    def __init__(self) -> None:
        super().__init__()
        self._steps: tuple[StepView, ...] = ()
        self._elapsed_s = 0.0

    def show(self, steps: tuple[StepView, ...], elapsed_s: float = 0.0) -> None:
        """Paint these steps; the running one has been at it for `elapsed_s`."""
        if (steps, elapsed_s) != (self._steps, self._elapsed_s):
            self._steps, self._elapsed_s = steps, elapsed_s
            self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The strip."""
        for timed in (None, ("running",), ()):
            strip = Content.styled(" ▸ ", "dim").join(
                self._step(step, with_time=timed is None or step.status in timed)
                for step in self._steps
            )
            if strip.cell_length < width:
                break
        return [Content.assemble(" ", strip)]

    def _step(self, step: StepView, *, with_time: bool) -> Content:
        style = text.STEP_STYLES[step.status]
        name = f"{text.clean(step.name)} {text.STEP_GLYPHS[step.status]}"
        note = self._note(step) if with_time else ""
        return Content.assemble((name, style), (f" {note}" if note else "", style))

    def _note(self, step: StepView) -> str:
        if step.status == "running":
            limit = "" if step.limit_s is None else f" of {step.limit_s:g} s"
            phase = "" if step.phase is None else f"{text.clean(step.phase)} "
            return f"{phase}{self._elapsed_s:.1f} s{limit}"
        if step.status in ("cached", "skipped"):
            return step.status
        return "" if step.seconds is None else words.seconds_text(step.seconds)
