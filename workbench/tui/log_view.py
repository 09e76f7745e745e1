"""The log: costs what is visible. Raw lines are kept, only the rows on screen are parsed.

The position is an absolute line number, so that nothing slides under a reader when lines come in
or old ones are dropped. Lines are collected and taken over at 20 Hz, while there are any.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.content import Content
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.tui.actions import bindings
from workbench.tui.ansi import pieces
from workbench.tui.log_store import Heading, LogStore
from workbench.tui.search import find, marked

FLUSH_S = 0.05
WHEEL_LINES = 3
CACHED_ROWS = 512


class LogView(Widget, can_focus=True):
    """Output lines with their colours. Scrolling back pauses it, the end resumes."""

    DEFAULT_CSS = "LogView { height: 1fr; }"
    BINDINGS = bindings("log")

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.store = LogStore()
        self.following = True
        self._top = 0
        self._pending: list[str] = []
        self._flushing: Timer | None = None
        self._seen = 0
        self._needle = ""
        self._found: int | None = None
        self._place = ""
        self._strips: LRUCache[tuple[int, int], Strip] = LRUCache(CACHED_ROWS)
        self._title()

    def append(self, lines: Iterable[str]) -> None:
        """Add raw lines; they are seen at the next flush."""
        self._pending.extend(lines)
        if self._flushing is None and self._pending:
            self._flushing = self.set_timer(FLUSH_S, self.flush, name="log flush")

    def flush(self) -> None:
        """Take over what has come in, now."""
        if self._flushing is not None:
            self._flushing.stop()
            self._flushing = None
        pending, self._pending = self._pending, []
        self.store.extend(pending)
        self._changed()

    def clear(self) -> None:
        """Forget all lines and follow those to come."""
        self._pending = []
        self.store.clear()
        self._strips.clear()
        self._top = 0
        self._found = None
        self._place = "n: next"
        self.action_follow()

    @property
    def first_row(self) -> int:
        """Number of the first row: the oldest line, or before it that which says what is gone."""
        return max(0, self.store.first - 1)

    @property
    def top(self) -> int:
        """Number of the row at the top of the widget."""
        last = max(self.first_row, self.store.end - self.size.height)
        return last if self.following else max(self.first_row, min(self._top, last))

    @property
    def unseen(self) -> int:
        """Lines that came in since the log was paused."""
        return 0 if self.following else self.store.end - self._seen

    def render_line(self, y: int) -> Strip:
        """A visible row: a line of output, and the scrollbar's cell."""
        width = self.size.width
        number = self.top + y
        if number >= self.store.end or width < 2:
            return Strip.blank(width, self.rich_style)
        return Strip.join([self._row(number, width - 1), self._scrollbar(y)])

    def _row(self, number: int, width: int) -> Strip:
        if number < self.store.first:
            text = f"… {_lines(self.store.first)} dropped"
            return self._finished(Strip([Segment(text, Style(dim=True))]), width)
        key = (number, width)
        strip = self._strips.get(key)
        if strip is None:
            line = self.store[number]
            parts = pieces(line)
            if isinstance(line, Heading):
                parts = [(text, Style(bold=True)) for text, _ in parts]
            strip = Strip([Segment(text, style) for text, style in marked(parts, self._needle)])
            strip = self._strips[key] = self._finished(strip, width)
        return strip.apply_style(Style(underline=True)) if number == self._found else strip

    def _finished(self, strip: Strip, width: int) -> Strip:
        """Cut with a sign or padded to the width, over the widget's own style."""
        if strip.cell_length > width:
            strip = Strip.join([strip.crop(0, width - 1), Strip([Segment("…")])])
        return strip.apply_style(self.rich_style).adjust_cell_length(width, self.rich_style)

    def _scrollbar(self, y: int) -> Strip:
        rows = self.store.end - self.first_row
        height = self.size.height
        if rows <= height:
            return Strip.blank(1, self.rich_style)
        size = max(1, height * height // rows)
        start = (self.top - self.first_row) * (height - size) // (rows - height)
        mark = "█" if start <= y < start + size else "│"
        return Strip([Segment(mark, self.rich_style + Style(dim=True))])

    def notify_style_update(self) -> None:
        """The widget's colours are in the strips: make them anew."""
        self._strips.clear()
        super().notify_style_update()

    def search(self, needle: str) -> None:
        """Look for a substring from the top row on, and mark it wherever it is; "" ends that."""
        self._needle = needle
        self._found = None
        self._strips.clear()
        if needle:
            self._look(self.top, 1)
        else:
            self._go_to(None)

    def action_search_next(self, by: int) -> None:
        """Go to the next or previous line with what was looked for, going round."""
        here = self.top - by if self._found is None else self._found
        self._look(here + by, by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys that go on with a search mean something else before there is one."""
        if action == "search_next":
            return bool(self._needle)
        return super().check_action(action, parameters)

    def _look(self, start: int, step: int) -> None:
        """Go to the first line from `start` on that has the needle."""
        first = self.store.first
        index = find(self.store.lines(), self._needle, start - first, step)
        self._go_to(None if index is None else first + index)

    def _go_to(self, number: int | None) -> None:
        self._found = number
        self._place = "not found" if number is None else f"line {number + 1:,}"
        if number is not None:
            self.action_scroll(number - self.size.height // 3 - self.top)
        self._changed()

    def action_scroll(self, rows: int) -> None:
        """Move by rows; back pauses, and reaching the end resumes."""
        top = self.top + rows
        at_end = top >= self.store.end - self.size.height
        if self.following and not at_end:
            self._seen = self.store.end
        self.following = at_end
        self._top = max(self.first_row, top)
        self._changed()

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.action_scroll(pages * max(1, self.size.height - 1))

    def action_start(self) -> None:
        """Go to the oldest line that is kept."""
        self.action_scroll(self.first_row - self.top)

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self._changed()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel."""
        self.action_scroll(WHEEL_LINES)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        self.action_scroll(-WHEEL_LINES)

    def _changed(self) -> None:
        self._title()
        self.refresh()

    def _title(self) -> None:
        """`log · 1,234 lines`, and while it stands still how many came in since."""
        parts = ["log"]
        if self.store.end:
            parts.append(_lines(self.store.end))
        if self._needle:
            parts.append(f"/{self._needle}: {self._place}")
        if not self.following:
            parts.append(f"paused, +{_lines(self.unseen)} (end: follow)")
        self.border_title = Content("  ".join(parts))


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"
