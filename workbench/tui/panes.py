"""Reference, device and difference: three panes under one window, with one linked cursor.

They are 8x8; where there is room for more, such as over the whole screen, they show more.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message

from workbench.loop import words
from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.bits import bits_text, ulp_text
from workbench.tui.elements import (
    DIFFERENCE,
    EQUAL,
    GAP,
    Cells,
    Elements,
    Layout,
    elements_of,
)
from workbench.tui.lines import Lines
from workbench.tui.pairs import Pair, pairs_of
from workbench.tui.window import SIDE, Window, that_fit

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.result import RunResult

LEVEL_STYLES = ("dim", "$wb-pass", "$wb-warn", "$wb-fail bold")
LEVEL_MARKS = (" ", " ", "~", "!")
LEVEL_WORDS = ("equal", "within", "over", "over 4 times")

ROOMY = 2 * SIDE + 2
"""Lines from which on the panes show more than eight rows, under their names and column numbers."""

SHORT = {"reference": "ref", "difference": "diff"}
"""Names in a title that has little room."""


class PanesView(Lines, can_focus=True):
    """The panes of the last verdict. They open at its worst element until the user moves them."""

    BINDINGS = bindings("panes")

    class Moved(Message):
        """The window stands elsewhere, or over other elements."""

        def __init__(self, elements: Elements | None, window: Window, *, mark: str) -> None:
            super().__init__()
            self.elements, self.window, self.mark = elements, window, mark

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._result: RunResult | None = None
        self._before: RunResult | None = None
        self._pairs: tuple[Pair, ...] = ()
        self._pair = 0
        self._elements: Elements | None = None
        self._mark = ""
        self._follows_worst = True
        self._choice = 0
        self.window = Window(0, 0)
        self.border_title = self.title()

    def show(self, result: RunResult | None, *, mark: str, before: RunResult | None = None) -> None:
        """Paint this judged run, which is compared with `before` as well.

        `mark` says so when it isn't of the bytes on disk.
        """
        is_same = _is_same(result, self._result) and _is_same(before, self._before)
        if is_same and mark == self._mark:
            return
        self._mark = mark
        if not is_same:
            self._result, self._before, self._elements = result, before, None
            self._pairs = pairs_of(result, before) if result is not None else ()
        if self._pairs and self._elements is None:
            self._pair %= len(self._pairs)
            self._compare()
        else:
            self._changed()

    def show_next_pair(self) -> str | None:
        """Compare the next two of reference, model and NPU; which, None when there is one pair."""
        if len(self._pairs) < 2:
            return None
        self._pair = (self._pair + 1) % len(self._pairs)
        self._compare()
        pair = self._pairs[self._pair]
        return f"{pair.first} and {pair.second}"

    def _compare(self) -> None:
        pair = self._pairs[self._pair]
        self._elements = elements_of(pair.compared(), pair.names)
        shape = (self._elements.rows, self._elements.columns)
        if self._follows_worst or shape != (self.window.rows, self.window.columns):
            self.window = Window(*shape)
            self.show_worst()
        self._changed()

    def show_worst(self) -> None:
        """Go to the worst element, and to that of each verdict to come."""
        self._follows_worst = True
        if self._elements is not None:
            self._go(self.window.at(*self._elements.verdict.worst_element))

    def show_element(self, row: int, column: int) -> None:
        """Go to an element, and stay there over verdicts to come."""
        self._follows_worst = False
        self._go(self.window.at(row, column))

    def show_mismatch(self, by: int) -> bool:
        """Go to the next (1) or previous (-1) element over tolerance; False when there is none."""
        window, elements = self.window, self._elements
        found = elements.mismatch(window.row, window.column, by) if elements is not None else None
        if found is not None:
            self.show_element(*found)
        return found is not None

    @property
    def has_others(self) -> bool:
        """Whether there are panes that don't fit."""
        return self._elements is not None and len(self._layout(self.size.width)[0].shown) < 3

    def show_others(self) -> None:
        """Show other panes, where not all of them fit."""
        self._choice += 1
        self._changed()

    def action_move(self, rows: int, columns: int) -> None:
        """Move the cursor, and the window with it."""
        self._follows_worst = False
        self._go(self.window.moved(rows, columns))

    def action_edge(self, rows: int, columns: int) -> None:
        """Move the cursor to an edge of the tensor."""
        self.action_move(rows * self.window.rows, columns * self.window.columns)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Put the cursor on the element that was clicked, in whichever pane."""
        offset = event.get_content_offset(self)
        if offset is None or self._elements is None:
            return
        layout, margin = self._layout(self.size.width)
        row = offset.y - self._head(self.size.height)
        column = layout.column_at(offset.x - margin)
        if column is not None and 0 <= row <= self.window.last_row - self.window.top:
            here = (self.window.top + row, self.window.left + column)
            self.action_move(here[0] - self.window.row, here[1] - self.window.column)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel: down, or to the right with shift."""
        self._scroll(1, sideways=event.shift)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel: up, or to the left with shift."""
        self._scroll(-1, sideways=event.shift)

    def on_mouse_scroll_right(self, _event: events.MouseScrollRight) -> None:
        """A wheel that goes sideways."""
        self._scroll(1, sideways=True)

    def on_mouse_scroll_left(self, _event: events.MouseScrollLeft) -> None:
        """A wheel that goes sideways."""
        self._scroll(-1, sideways=True)

    def _scroll(self, by: int, *, sideways: bool) -> None:
        self._follows_worst = False
        self._go(self.window.scrolled(0 if sideways else by, by if sideways else 0))

    def _go(self, window: Window) -> None:
        self.window = window
        self._changed()

    def _changed(self) -> None:
        if self._elements is not None:
            layout, _ = self._layout(self.size.width)
            self.window = self.window.sized(self._rows(self.size.height), layout.columns)
        self.border_title = self.title()
        self.changed()
        self.post_message(self.Moved(self._elements, self.window, mark=self._mark))

    def title(self) -> Content:
        """The element under the cursor, and as much of where that is as has room."""
        if self._elements is None:
            return Content("panes")
        titles = [Content("  ".join(parts)) for parts in self._titles(self._elements)]
        return next((each for each in titles if each.cell_length <= self.size.width), titles[-1])

    def _titles(self, elements: Elements) -> Iterator[list[str]]:
        """The title's parts, with ever less of what the numbers beside the elements tell too."""
        window = self.window
        row, column = window.row - window.top, window.column - window.left
        values = [pane[row][column] for pane in elements.panes(window)]
        is_worst = (window.row, window.column) == elements.verdict.worst_element
        worst = " worst" if is_worst and values[DIFFERENCE] != 0 else ""
        tensor, mark = text.clean(elements.verdict.tensor), [self._mark] if self._mark else []
        texts = [words.number(value) for value in values]
        if values[DIFFERENCE] > 0:
            texts[DIFFERENCE] = f"+{texts[DIFFERENCE]}"
        short = [SHORT.get(name, name) for name in elements.names]
        long, brief = (
            [tensor, *mark, f"[{window.row},{window.column}]{worst}", *map(" ".join, told)]
            for told in (zip(elements.names, texts, strict=True), zip(short, texts, strict=True))
        )
        where = [
            f"rows {window.top}–{window.last_row}/{window.rows}",
            f"columns {window.left}–{window.last_column}/{window.columns}",
        ]
        place = elements.place(window.row, window.column)
        off = [f"mismatch {place:,} of {elements.mismatches.size:,}"] if place else []
        yield from ([*long, *where, *off], [*brief, *where, *off], [*brief, *off], brief)

    def on_resize(self, event: events.Resize) -> None:
        """The window and the title are as large as there is room."""
        self._changed()
        self.screen.refresh_bindings()

    def lines(self, width: int, height: int) -> list[Content]:
        """Names, column numbers where there is room, the rows, and what explains them."""
        if self._elements is None:
            return []
        panes = self._elements.panes(self.window)
        layout, indent = self._layout(width)
        margin, label = " " * indent, indent - 2
        lines = [Content.assemble(margin, self._names(layout))]
        if self._head(height) > 1:
            lines.append(Content.assemble(margin, self._column_numbers(layout)))
        for row in range(len(panes[DIFFERENCE])):
            at = self.window.top + row
            number = (f"{at:>{label}}  ", "bold" if at == self.window.row else "dim")
            lines.append(Content.assemble(number, self._row(layout, panes, row)))
        if height > len(lines):
            lines.append(Content.assemble(margin, self._bits(panes, width - indent)))
        if height > len(lines):
            lines.append(Content.assemble(margin, self._legend()))
        return lines

    def _legend(self) -> Content:
        """What the signs of a difference say, and its colours."""
        assert self._elements is not None
        parts: list[tuple[str, str]] = [(f"tolerance {self._elements.limit:g}:", "dim")]
        for level, (style, mark, word) in enumerate(
            zip(LEVEL_STYLES, LEVEL_MARKS, LEVEL_WORDS, strict=True)
        ):
            sign = "·" if level == EQUAL else f"+n{mark}".rstrip()
            parts += [(f"  {sign}", style), (f" {word}", "dim")]
        return Content.assemble(*parts)

    def _bits(self, panes: tuple[Cells, Cells, Cells], room: int) -> Content:
        """The element under the cursor as it lies in memory, in as much detail as there is room."""
        assert self._elements is not None
        dtype, names = self._elements.verdict.dtype, self._elements.names
        if dtype is None:
            return Content("")
        row, column = self.window.row - self.window.top, self.window.column - self.window.left
        reference, device = (pane[row][column] for pane in panes[:DIFFERENCE])
        apart = ulp_text(device, reference, dtype)
        told = Content("")
        for binary in (True, False):
            parts: list[str | tuple[str, str]] = [
                (f"{dtype}  ", "dim"),
                f"{names[0]} {bits_text(reference, dtype, binary=binary)}   ",
                f"{names[1]} {bits_text(device, dtype, binary=binary)}",
                f"   {apart} apart" if apart else "",
            ]
            told = Content.assemble(*parts)
            if told.cell_length <= room:
                break
        return told

    def _layout(self, width: int) -> tuple[Layout, int]:
        """What fits, and how many cells the row numbers before it take."""
        assert self._elements is not None
        margin = len(str(self._elements.rows - 1)) + 2
        most = self._elements.columns if self._is_roomy(self.size.height) else SIDE
        return self._elements.layout(width - margin, self._choice, most), margin

    def _rows(self, height: int) -> int:
        """How many rows fit."""
        assert self._elements is not None
        rows = self._elements.rows
        most = rows if self._is_roomy(height) else SIDE
        return that_fit(min(rows, most), height - self._head(height))

    def _is_roomy(self, height: int) -> bool:
        return height >= ROOMY

    def _head(self, height: int) -> int:
        """How many lines there are above the elements."""
        return 2 if height > SIDE + 1 else 1

    def _names(self, layout: Layout) -> Content:
        assert self._elements is not None
        names_of = self._elements.names
        hidden = [name for index, name in enumerate(names_of) if index not in layout.shown]
        names = [
            Content.styled(f"{names_of[index]:<{width + GAP}}", "bold")
            for index, width in zip(layout.shown, layout.pane_widths, strict=True)
        ]
        more = f"   v: {', '.join(hidden)}" if hidden else ""
        more += f"   p: pair {self._pair + 1} of {len(self._pairs)}" if self._pairs[1:] else ""
        return Content.assemble(*names[:-1], names[-1].rstrip(), (more, "dim"))

    def _column_numbers(self, layout: Layout) -> Content:
        window = self.window
        parts: list[tuple[str, str]] = []
        for width in layout.widths:
            for column in range(window.left, window.last_column + 1):
                style = "bold" if column == window.column else "dim"
                parts.append((f"{column:>{width}}{'':{layout.spacing}}", style))
            parts.append((" " * GAP, ""))
        return _joined(parts)

    def _row(self, layout: Layout, panes: tuple[Cells, Cells, Cells], row: int) -> Content:
        parts: list[tuple[str, str]] = []
        for index, width in zip(layout.shown, layout.widths, strict=True):
            for column, value in enumerate(panes[index][row]):
                here = (self.window.top + row, self.window.left + column)
                parts.extend(self._cell(index, value, here, width, layout.spacing))
            parts.append((" " * GAP, ""))
        return _joined(parts)

    def _cell(
        self, index: int, value: float, here: tuple[int, int], width: int, spacing: int
    ) -> list[tuple[str, str]]:
        assert self._elements is not None
        is_difference = index == DIFFERENCE
        style, mark = "", " "
        number = text.cell_text(value, width, whole=self._elements.whole, signed=is_difference)
        if is_difference:
            level = int(self._elements.levels[here])
            style, mark = LEVEL_STYLES[level], LEVEL_MARKS[level]
            number = "·" if level == EQUAL else number
        cursor = f"{style} reverse" if here == (self.window.row, self.window.column) else style
        return [(f"{number:>{width}}", cursor), (f"{mark:<{spacing}}", style)]


def _joined(parts: list[tuple[str, str]]) -> Content:
    """The parts as one line; neighbours of one style are one part, which paints faster."""
    runs = groupby(parts, key=itemgetter(1))
    return Content.assemble(*(("".join(told for told, _ in run), s) for s, run in runs)).rstrip()


def _is_same(result: RunResult | None, other: RunResult | None) -> bool:
    """Whether both are of one judged run, or there is neither."""
    if result is None or other is None:
        return result is other
    return result.judged_as(other)
