"""The part of a tensor that the panes show, and the element under the cursor; pure, moved by the
widget.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SIDE = 8
"""Rows and columns of the window, unless it is given more room."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window at (top, left) over a matrix of `rows` x `columns`, with a cursor inside of it.

    It shows `height` x `width` elements, or all where there are fewer.
    """

    rows: int
    columns: int
    top: int = 0
    left: int = 0
    row: int = 0
    column: int = 0
    height: int = SIDE
    width: int = SIDE

    @property
    def last_row(self) -> int:
        """The last row that is seen."""
        return min(self.rows, self.top + self.height) - 1

    @property
    def last_column(self) -> int:
        """The last column that is seen."""
        return min(self.columns, self.left + self.width) - 1

    def moved(self, rows: int, columns: int) -> Window:
        """The cursor moved, and the window as far as needed to keep it inside."""
        row = _clamped(self.row + rows, self.rows)
        column = _clamped(self.column + columns, self.columns)
        return replace(
            self,
            row=row,
            column=column,
            top=min(max(self.top, row - self.height + 1), row),
            left=min(max(self.left, column - self.width + 1), column),
        )

    def scrolled(self, rows: int, columns: int) -> Window:
        """The window moved, and the cursor as far as needed to stay inside."""
        top = _clamped(self.top + rows, self.rows - self.height + 1)
        left = _clamped(self.left + columns, self.columns - self.width + 1)
        return replace(
            self,
            top=top,
            left=left,
            row=max(top, min(self.row, top + self.height - 1, self.rows - 1)),
            column=max(left, min(self.column, left + self.width - 1, self.columns - 1)),
        )

    def at(self, row: int, column: int) -> Window:
        """The cursor on an element, the window on the block of its own size that holds it."""
        row, column = _clamped(row, self.rows), _clamped(column, self.columns)
        return replace(
            self,
            row=row,
            column=column,
            top=_clamped(row // self.height * self.height, self.rows - self.height + 1),
            left=_clamped(column // self.width * self.width, self.columns - self.width + 1),
        )

    def sized(self, height: int, width: int) -> Window:
        """As large as this; where it wasn't, on the block that holds the cursor."""
        if (height, width) == (self.height, self.width):
            return self
        return replace(self, height=height, width=width).at(self.row, self.column)


def that_fit(size: int, room: int) -> int:
    """As many of `size` rows or columns as fit: all of them, else whole blocks, else a few."""
    if size <= room:
        return size
    return max(1, room // SIDE * SIDE or room)


def _clamped(index: int, count: int) -> int:
    return max(0, min(index, count - 1))
