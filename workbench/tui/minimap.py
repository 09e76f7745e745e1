"""The whole tensor's error at a glance: half blocks by tolerance, and where the window is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.content import Content
from textual.message import Message

from workbench.tui.elements import EQUAL, FAR, NEAR, OVER
from workbench.tui.lines import Lines
from workbench.tui.themes import MANY_COLORS
from workbench.tui.window import Window

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    import numpy as np
    import numpy.typing as npt

    from workbench.tui.elements import Elements

COLORS = {EQUAL: "$panel", NEAR: "$wb-pass", OVER: "$wb-warn", FAR: "$wb-fail"}
SHADES = {EQUAL: "·", NEAR: "░", OVER: "▒", FAR: "█"}
WORDS = {NEAR: "within", OVER: "over", FAR: "4×"}
"""Without colours, or with few, a cell shows the worst of what it covers by its shade."""

GUTTER, RULER = 2, 1
"""Cells to the left of the map, and lines above it, that mark the window and the cursor."""


class MiniMap(Lines, can_focus=True):
    """A half of a cell for each element or, where there are more, for the worst of several."""

    class Jumped(Message):
        """The user points at a place of the tensor: at the worst element that lies there."""

        def __init__(self, row: int, column: int) -> None:
            super().__init__()
            self.row, self.column = row, column

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._elements: Elements | None = None
        self._window = Window(0, 0)
        self._mark = ""
        self._coarse: npt.NDArray[np.uint8] | None = None
        self.border_title = Content("error map")

    def show(self, elements: Elements | None, window: Window, *, mark: str) -> None:
        """Paint these with this window; `mark` says so when they aren't of the bytes on disk."""
        if elements is not self._elements:
            self._coarse = None
        self._elements, self._window, self._mark = elements, window, mark
        self._changed()

    def on_resize(self, event: events.Resize) -> None:
        """Another size has other cells."""
        self._coarse = None
        self._changed()

    def notify_style_update(self) -> None:
        """Another theme may have other means to tell an element's level."""
        super().notify_style_update()
        self._changed()

    def _changed(self) -> None:
        self.border_title = self.title()
        self.changed()

    @property
    def _has_shades(self) -> bool:
        """Whether colours are none, few, or the terminal's own, whose ink may be any of them."""
        app = self.app
        few = app.console.color_system not in MANY_COLORS
        return app.no_color or app.native_ansi_color or few

    def title(self) -> Content:
        """How many elements are over tolerance and, where there is room, what the colours say."""
        if self._elements is None:
            return Content("error map")
        count, total = self._elements.mismatches.size, self._elements.levels.size
        limit = f"{self._elements.limit:g}"
        head = "  ".join(["error map", *([self._mark] if self._mark else []), f"{count:,}"])
        whole = f"{head} of {total:,} over tolerance {limit}"
        plain = [whole, f"{head} of {total:,} over {limit}", f"{head} over {limit}"]
        signs = [
            ("  ", f"{SHADES[level] if self._has_shades else '█'} {word}", COLORS[level])
            for level, word in WORDS.items()
        ]
        legend = [part for gap, sign, color in signs for part in (gap, (sign, color))]
        titles = [Content.assemble(whole, *legend), *map(Content, plain)]
        return next((each for each in titles if each.cell_length <= self.size.width), titles[-1])

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Jump."""
        offset = event.get_content_offset(self)
        if offset is None or self._elements is None:
            return
        coarse = self._coarse_levels(self.size.width, self.size.height)
        x, y = offset.x - GUTTER, 2 * (offset.y - RULER)
        rows, columns = coarse.shape
        if not (0 <= x < columns and 0 <= y < rows):
            return
        y += y + 1 < rows and coarse[y + 1, x] > coarse[y, x]
        self.post_message(self.Jumped(*self._worst_in(y, x, rows, columns)))

    def _worst_in(self, y: int, x: int, rows: int, columns: int) -> tuple[int, int]:
        """The first of the worst elements that a pixel stands for."""
        assert self._elements is not None
        levels = self._elements.levels
        top, bottom = _span(y, rows, levels.shape[0])
        left, right = _span(x, columns, levels.shape[1])
        block = levels[top:bottom, left:right]
        row, column = divmod(int(block.argmax()), block.shape[1])
        return top + row, left + column

    def lines(self, width: int, height: int) -> list[Content]:
        """A ruler, and the map."""
        if self._elements is None or width <= GUTTER or height <= RULER:
            return []
        coarse = self._coarse_levels(width, height)
        rows, columns = coarse.shape
        window, (all_rows, all_columns) = self._window, self._elements.levels.shape
        across = _marks(
            columns, all_columns, (window.left, window.last_column, window.column), "━┿"
        )
        down = _marks(-(-rows // 2), all_rows, (window.top, window.last_row, window.row), "┃▶")
        paint = _shaded if self._has_shades else _halves
        ruler = Content.styled(f"{'':{GUTTER}}{across}", "$accent")
        return [
            ruler,
            *(
                Content.assemble((f"{mark} ", "$accent bold"), *paint(coarse[2 * y : 2 * y + 2]))
                for y, mark in enumerate(down)
            ),
        ]

    def _coarse_levels(self, width: int, height: int) -> npt.NDArray[np.uint8]:
        """The levels as pixels: two above each other in a cell."""
        assert self._elements is not None
        if self._coarse is None:
            self._coarse = coarsened(
                self._elements.levels, max(2, 2 * (height - RULER)), max(1, width - GUTTER)
            )
        return self._coarse


def coarsened(levels: npt.NDArray[np.uint8], rows: int, columns: int) -> npt.NDArray[np.uint8]:
    """At most so many rows and columns of blocks, each as bad as its worst element."""
    import numpy as np

    for axis, most in ((0, rows), (1, columns)):
        size = levels.shape[axis]
        pixels = min(size, most)
        starts = [_span(pixel, pixels, size)[0] for pixel in range(pixels)]
        levels = np.maximum.reduceat(levels, starts, axis=axis)
    return levels


def _span(pixel: int, pixels: int, size: int) -> tuple[int, int]:
    """The indices that a pixel stands for: from the first up to the second."""
    return pixel * size // pixels, (pixel + 1) * size // pixels


def _marks(cells: int, size: int, places: tuple[int, int, int], marks: str) -> str:
    """A line of `cells` that marks where first to last of `size` indices are, and the cursor."""
    first, last, cursor = (place * cells // size for place in places)
    return "".join(
        marks[1] if cell == cursor else marks[0] if first <= cell <= last else " "
        for cell in range(cells)
    )


def _halves(pair: npt.NDArray[np.uint8]) -> list[tuple[str, str]]:
    """One line of cells, the upper and the lower half in their colours."""
    if len(pair) == 1:
        return [("▀", COLORS[int(upper)]) for upper in pair[0]]
    cells = []
    for upper, lower in zip(*pair.tolist(), strict=True):
        if upper == lower:
            cells.append(("█", COLORS[upper]))
        elif upper > lower:
            cells.append(("▀", f"{COLORS[upper]} on {COLORS[lower]}"))
        else:
            cells.append(("▄", f"{COLORS[lower]} on {COLORS[upper]}"))
    return cells


def _shaded(pair: npt.NDArray[np.uint8]) -> list[tuple[str, str]]:
    return [(SHADES[level], COLORS[level]) for level in pair.max(axis=0).tolist()]
