"""The session's runs in one line: state, number and correlation of each, oldest first."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message

from workbench.loop.session import Session
from workbench.loop.view import Phase, phase_of
from workbench.tui import text
from workbench.tui.lines import Lines
from workbench.tui.spark import spark


@dataclass(frozen=True, slots=True)
class _Item:
    """A run as the strip shows it."""

    run: int
    phase: Phase
    bar: str = ""
    is_looked_at: bool = False
    is_baseline: bool = False

    @property
    def content(self) -> Content:
        """`✓12▇`, with a sign where it is the baseline, in brackets where it is looked at."""
        sign = text.BASELINE if self.is_baseline else ""
        glyph = text.PHASE_GLYPHS[self.phase]
        state = (f"{sign}{glyph}{self.run}", text.phase_color(self.phase))
        if not self.is_looked_at:
            return Content.assemble(" ", state, (self.bar, "dim"), " ")
        return Content.assemble("[", state, self.bar, "]").stylize("reverse")


class RunsStrip(Lines):
    """` ✗11▁ [✓12▇] ▶13 `; a click looks at a run. Without room the runs furthest away are cut."""

    DEFAULT_CSS = "RunsStrip { height: 1; }"

    class Picked(Message):
        """The user points at a run."""

        def __init__(self, run: int) -> None:
            super().__init__()
            self.run = run

    def __init__(self) -> None:
        super().__init__()
        self._items: tuple[_Item, ...] = ()

    @property
    def has_runs(self) -> bool:
        """Whether there is something to tell: more than one run, or a baseline."""
        return len(self._items) > 1 or any(item.is_baseline for item in self._items)

    def show(self, session: Session) -> None:
        """Paint this session's runs."""
        items = _items(session)
        if items != self._items:
            self._items = items
            self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The strip."""
        first, last = self._fitting(width)
        before = f"‹{first}" if first else ""
        after = f"{len(self._items) - last}›" if last < len(self._items) else ""
        runs = (item.content for item in self._items[first:last])
        return [Content.assemble((before, "dim"), *runs, (after, "dim"))]

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Look at the run that was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        first, last = self._fitting(self.size.width)
        right = len(f"‹{first}") if first else 0
        if offset.x < right:
            return
        for item in self._items[first:last]:
            right += item.content.cell_length
            if offset.x < right:
                self.post_message(self.Picked(item.run))
                return

    def _fitting(self, width: int) -> tuple[int, int]:
        """From which to before which item there is room: the one looked at, else the newest."""
        lengths = [item.content.cell_length for item in self._items]
        room = width if sum(lengths) <= width else width - 2 * len(f"‹{len(lengths)}")
        looked_at = (i for i, item in enumerate(self._items) if item.is_looked_at)
        first = next(looked_at, len(lengths) - 1)
        first, last = max(0, first), max(0, first) + bool(lengths)
        room -= sum(lengths[first:last])
        while last < len(lengths) and lengths[last] <= room:
            room -= lengths[last]
            last += 1
        while first > 0 and lengths[first - 1] <= room:
            first -= 1
            room -= lengths[first]
        return first, last


def _items(session: Session) -> tuple[_Item, ...]:
    judged = [result for result in session.runs if result.verdict is not None]
    values = [r.verdict.metrics.correlation for r in judged if r.verdict is not None]
    bars = dict(zip((r.run for r in judged), spark(values, len(values), (0, 1)), strict=True))
    items = [
        _Item(
            result.run,
            phase_of(result),
            bars.get(result.run, ""),
            result.run == session.looked_at,
            result.run == session.baseline,
        )
        for result in session.runs
    ]
    view = session.view
    if view.run and (not items or items[-1].run != view.run):
        items.append(_Item(view.run, view.phase))
    return tuple(items)
