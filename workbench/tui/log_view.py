"""The log: costs what is visible. Raw lines are kept, only the rows on screen are parsed.

The position is an absolute line number, so that nothing slides under a reader when lines come in
or old ones are dropped. Lines are collected and taken over at 20 Hz, while there are any; those
that a step and a pattern let pass are found in slices, so that other work has its turn.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.content import Content
from textual.geometry import Offset, Size
from textual.selection import Selection
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from workbench.tui.actions import bindings
from workbench.tui.clipboard import copy
from workbench.tui.log_places import Place, Places
from workbench.tui.log_rows import Span, rows_of, text_of
from workbench.tui.log_store import LogStore
from workbench.tui.search import find
from workbench.tui.shown_lines import SLICE_S, ShownLines

FLUSH_S = 0.05
WHEEL_LINES = 3
CACHED_ROWS = 512
LOOKED_AT = 1000
"""Lines that are searched before the clock is looked at."""
COPIED_CHARACTERS = 50_000
"""What is copied at most: terminals drop what is longer than some 75 kB in base64."""


class LogView(Widget, can_focus=True):
    """Output lines with their colours. Scrolling back pauses it, the end resumes."""

    DEFAULT_CSS = "LogView { height: 1fr; }"
    BINDINGS = bindings("log")

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.store = LogStore()
        self.shown = ShownLines(self.store)
        self.following = True
        self.wraps = False
        self._at: Place = (0, 0)
        self._pending: list[tuple[str, list[str]]] = []
        self._timer: Timer | None = None
        self._paused_at = 0
        self._seen_at: tuple[Size, list[Place]] | None = None
        self._needle = ""
        self._found: int | None = None
        self._told = ""
        self._mark = ""
        self._looking: tuple[int, int, int] | None = None
        self._rows: LRUCache[tuple[int, int], list[Strip]] = LRUCache(CACHED_ROWS)
        self._title()

    def mark(self, text: str) -> None:
        """Say in the title whose log this is, where it isn't of the run that is shown."""
        if text != self._mark:
            self._mark = text
            self._title()

    def append(self, lines: Iterable[str], step: str = "") -> None:
        """Add raw lines of a step; they are seen at the next flush."""
        self._pending.append((step, list(lines)))
        self._later()

    def _later(self) -> None:
        if self._timer is None:
            self._timer = self.set_timer(FLUSH_S, self.flush, name="log flush")

    def flush(self) -> None:
        """Take over what has come in, now, and look at a slice of what is to be shown."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        pending, self._pending = self._pending, []
        for step, lines in pending:
            self.store.extend(lines, step)
        self._advance()

    def _advance(self) -> None:
        try:
            is_done = self.shown.advance()
        except TimeoutError:
            self.shown.choose(self.shown.step, None)
            told = "matching it takes too long: all lines are shown"
            self.notify(told, title="no such filter", severity="error", markup=False)
            is_done = False
        self._changed()
        if not is_done:
            self._later()

    def clear(self) -> None:
        """Forget all lines and follow those to come."""
        self._pending = []
        self.store.clear()
        self.shown.restart()
        self._rows.clear()
        self._at = (0, 0)
        self._found = None
        self._told = "n: next"
        self._looking = None
        self.action_follow()

    @property
    def unseen(self) -> int:
        """Lines that came in since the log was paused, of those that are shown."""
        numbers = self.shown.numbers
        return 0 if self.following else len(numbers) - bisect_left(numbers, self._paused_at)

    @property
    def _places(self) -> Places:
        return Places(self.store, self.shown, self._height if self.wraps else None)

    @property
    def _last_top(self) -> Place:
        """The place at the top when the end is at the bottom."""
        places = self._places
        return places.moved(places.end, -self.size.height)

    @property
    def top(self) -> Place:
        """The place at the top of the widget."""
        last = self._last_top
        return last if self.following else min(self._places.nearest(self._at), last)

    def _height(self, number: int) -> int:
        return len(self._rows_of(number))

    @property
    def seen(self) -> list[Place]:
        """The places that are on screen, made once for each change and size."""
        if self._seen_at is None or self._seen_at[0] != self.size:
            places = list(self._places.seen(self.top, self.size.height))
            self._seen_at = self.size, places
        return self._seen_at[1]

    # Painting.

    def render_line(self, y: int) -> Strip:
        """A visible row: a line of output, and the scrollbar's cell."""
        width = self.size.width
        if width < 2:
            return Strip.blank(width, self.rich_style)
        row = self._row(*self.seen[y]) if y < len(self.seen) else Strip([])
        row = row.apply_style(self.rich_style).adjust_cell_length(width - 1, self.rich_style)
        if y == self.size.height - 1 and not self.following:
            row = self._with_badge(row)
        return Strip.join([row, self._scrollbar(y)])

    def _row(self, number: int, row: int) -> Strip:
        if number < self.store.first:
            text = f"… {_lines(self.store.first)} dropped"
            return Strip([Segment(text, Style(dim=True))])
        rows = self._rows_of(number)
        strip = rows[min(row, len(rows) - 1)]
        return strip.apply_style(Style(underline=True)) if number == self._found else strip

    def _rows_of(self, number: int) -> list[Strip]:
        width, selection = max(1, self.size.width - 1), self.text_selection
        span = selection.get_span(number) if selection is not None else None
        if span is not None:
            style = self.screen.get_component_rich_style("screen--selection")
            return self._made(number, width, (span, style))
        rows = self._rows.get((number, width))
        if rows is None:
            rows = self._rows[number, width] = self._made(number, width, None)
        return rows

    def _made(self, number: int, width: int, selected: tuple[Span, Style] | None) -> list[Strip]:
        line = self.store[number]
        needle = self._needle
        return rows_of(line, number, width, wraps=self.wraps, needle=needle, selected=selected)

    def _with_badge(self, row: Strip) -> Strip:
        badge = self._badge(row.cell_length)
        kept = row.crop(0, row.cell_length - len(badge))
        return Strip.join([kept, Strip([Segment(badge, Style(bold=True, reverse=True))])])

    def _badge(self, width: int) -> str:
        """How many lines came in while the log stands still; a click on it follows them."""
        for text in (f" ▼ paused, +{_lines(self.unseen)} ", f" ▼ +{self.unseen:,} "):
            if len(text) <= width:
                return text
        return "▼"[:width]

    def _scrollbar(self, y: int) -> Strip:
        count, height = len(self.shown.numbers), self.size.height
        if self._last_top <= self._places.first:
            return Strip.blank(1, self.rich_style)
        size = max(1, height * height // max(count, height + 1))
        top, last = (
            bisect_left(self.shown.numbers, place[0]) for place in (self.top, self._last_top)
        )
        start = height - size if top >= last else top * (height - size) // last
        mark = "█" if start <= y < start + size else "│"
        return Strip([Segment(mark, self.rich_style + Style(dim=True))])

    def notify_style_update(self) -> None:
        """The widget's colours are in the strips: make them anew."""
        self._rows.clear()
        super().notify_style_update()

    # Choosing and looking for lines.

    def search(self, needle: str) -> None:
        """Look for a substring from the top row on, and mark it wherever it is; "" ends that."""
        self._needle = needle
        self._found = None
        self._rows.clear()
        if needle:
            self._look(self.top[0], 1)
        else:
            self._go_to(None)

    def filter(self, pattern: re.Pattern[str] | None) -> None:
        """Show the lines that match only; None shows all."""
        self._choose(self.shown.step, pattern)

    def action_next_step(self) -> None:
        """Show the lines of the next step, and after the last one all."""
        steps = ["", *self.store.steps]
        at = steps.index(self.shown.step) if self.shown.step in steps else -1
        self._choose(steps[(at + 1) % len(steps)], self.shown.pattern)

    def _choose(self, step: str, pattern: re.Pattern[str] | None) -> None:
        self._at = self.top
        self.shown.choose(step, pattern)
        self._advance()

    def action_wrap(self) -> None:
        """Show long lines whole, over several rows, or cut."""
        number, _ = self.top
        self.wraps = not self.wraps
        self._rows.clear()
        self._at = (number, 0)
        self._changed()

    def action_search_next(self, by: int) -> None:
        """Go to the next or previous line with what was looked for, going round."""
        here = self.top[0] - by if self._found is None else self._found
        self._look(here + by, by)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys that go on with a search mean something else before there is one."""
        if action == "search_next":
            return bool(self._needle)
        return super().check_action(action, parameters)

    def _look(self, start: int, step: int) -> None:
        """Go to the first shown line from `start` on that has the needle."""
        self._looking = (start, step, len(self.shown.numbers))
        self._look_on(self._looking)

    def _look_on(self, looking: tuple[int, int, int]) -> None:
        """Look for a slice of time from a line on, at no more than so many lines."""
        if looking is not self._looking:  # something else is looked for by now
            return
        start, step, left = looking
        end = time.perf_counter() + SLICE_S
        while time.perf_counter() < end:
            piece = self._next_lines(start, step)[:left]
            found = find([self.store[number] for number in piece], self._needle, 0, 1)
            if found is not None or not piece:
                self._go_to(None if found is None else piece[found])
                return
            start, left = piece[-1] + step, left - len(piece)
        self._told = "looking"
        self._looking = (start, step, left)
        self.call_later(self._look_on, self._looking)
        self._changed()

    def _next_lines(self, start: int, step: int) -> Sequence[int]:
        """Numbers of some lines that are shown, from `start` on in the order of looking."""
        numbers = self.shown.numbers
        if step > 0:
            index = bisect_left(numbers, start) % max(1, len(numbers))
            return numbers[index : index + LOOKED_AT]
        end = bisect_left(numbers, start + 1) or len(numbers)
        return numbers[max(0, end - LOOKED_AT) : end][::-1]

    def _go_to(self, number: int | None) -> None:
        self._looking = None
        self._found = number
        self._told = "not found" if number is None else f"line {number + 1:,}"
        if number is not None:
            self._move_to(self._places.moved((number, 0), -(self.size.height // 3)))
        self._changed()

    # Moving.

    def action_scroll(self, rows: int) -> None:
        """Move by rows; back pauses, and reaching the end resumes."""
        self._move_to(self._places.moved(self.top, rows))

    def _move_to(self, place: Place) -> None:
        self._stand(place, still=place < self._last_top)

    def _stand(self, place: Place, *, still: bool) -> None:
        if self.following and still:
            self._paused_at = self.store.end
        self.following = not still
        self._at = max(self._places.first, place)
        self._changed()

    def action_pause(self) -> None:
        """Stand still where the log is, or follow the end again."""
        self._stand(self.top, still=self.following)

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.action_scroll(pages * max(1, self.size.height - 1))

    def action_start(self) -> None:
        """Go to the oldest line that is kept."""
        self._move_to(self._places.first)

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

    def on_click(self, event: events.Click) -> None:
        """The badge leads to the end."""
        inside, width = event.get_content_offset(self), self.size.width - 1
        if inside is None or self.following or inside.y != self.size.height - 1:
            return
        if width - len(self._badge(width)) <= inside.x < width:
            self.action_follow()

    # Copying.

    def action_copy(self) -> None:
        """Copy the lines that are seen."""
        numbers = dict.fromkeys(n for n, _ in self.seen if n >= self.store.first)
        self._copy(list(numbers), "of the log")

    def action_copy_all(self) -> None:
        """Copy all lines that are shown, the newest when they are too many for a clipboard."""
        numbers, room = self.shown.numbers, COPIED_CHARACTERS
        first = len(numbers)
        while first and room >= 0:
            first -= 1
            room -= len(self.store[numbers[first]]) + 1
        first += room < 0
        newest = f"of the log, the newest of {len(numbers):,}" if first else "of the log"
        self._copy(list(numbers[first:]), newest)

    def _copy(self, numbers: list[int], of: str) -> None:
        text = "\n".join(text_of(self.store[number]) for number in numbers)
        if text:
            copy(self, f"{_lines(len(numbers))} {of}", text)
        else:
            self.notify("there is nothing in the log to copy", markup=False)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The text that the mouse went over; lines by their numbers, columns by characters."""
        start = selection.start or Offset(0, self.store.first)
        end = selection.end or Offset(-1, self.store.end - 1)
        numbers = self.shown.numbers
        seen = numbers[bisect_left(numbers, start.y) : bisect_left(numbers, end.y + 1)]
        texts = []
        for number in seen:
            text, span = text_of(self.store[number]), selection.get_span(number)
            first, last = span or (0, -1)
            texts.append(text[first : len(text) if last < 0 else last])
        return "\n".join(texts), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Show what is selected."""
        self.refresh()

    # What is told.

    def _changed(self) -> None:
        self._seen_at = None
        self._title()
        self.refresh()

    def _title(self) -> None:
        """`log  1,234 lines`, what is shown of them, and that it stands still."""
        parts = ["log", *([self._mark] if self._mark else [])]
        if self.shown.step:
            parts.append(f"step {self.shown.step}")
        if self.store.end:
            parts.append(_lines(self.store.end))
        if self.shown.pattern is not None:
            parts.append(f"filter {self.shown.pattern.pattern}: {self.shown.matches:,}")
        if self._needle:
            parts.append(f"/{self._needle}: {self._told}")
        if not self.following:
            parts.append(f"paused, +{_lines(self.unseen)} (end: follow)")
        self.border_title = Content("  ".join(parts))


def _lines(count: int) -> str:
    return f"{count:,} line{'' if count == 1 else 's'}"
