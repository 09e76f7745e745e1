"""The panes' window over the tensor and the element under the cursor; pure, moved by the widget."""

from __future__ import annotations

from dataclasses import dataclass, replace

SIDE = 8
"""Rows and columns of the window."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window at (top, left) over a matrix of `rows` x `columns`, with a cursor inside of it."""

    rows: int
    columns: int
    top: int = 0
    left: int = 0
    row: int = 0
    column: int = 0

    @property
    def last_row(self) -> int:
        """The last row that is seen."""
        return min(self.rows, self.top + SIDE) - 1

    @property
    def last_column(self) -> int:
        """The last column that is seen."""
        return min(self.columns, self.left + SIDE) - 1

    def moved(self, rows: int, columns: int) -> Window:
        """The cursor moved, and the window as far as needed to keep it inside."""
        row = _clamped(self.row + rows, self.rows)
        column = _clamped(self.column + columns, self.columns)
        return replace(
            self,
            row=row,
            column=column,
            top=min(max(self.top, row - SIDE + 1), row),
            left=min(max(self.left, column - SIDE + 1), column),
        )

    def scrolled(self, rows: int, columns: int) -> Window:
        """The window moved, and the cursor as far as needed to stay inside."""
        top = _clamped(self.top + rows, self.rows - SIDE + 1)
        left = _clamped(self.left + columns, self.columns - SIDE + 1)
        return replace(
            self,
            top=top,
            left=left,
            row=max(top, min(self.row, top + SIDE - 1, self.rows - 1)),
            column=max(left, min(self.column, left + SIDE - 1, self.columns - 1)),
        )

    def at(self, row: int, column: int) -> Window:
        """The cursor on an element, the window on the block of eight that holds it."""
        row, column = _clamped(row, self.rows), _clamped(column, self.columns)
        return replace(
            self,
            row=row,
            column=column,
            top=_clamped(row // SIDE * SIDE, self.rows - SIDE + 1),
            left=_clamped(column // SIDE * SIDE, self.columns - SIDE + 1),
        )


def _clamped(index: int, count: int) -> int:
    return max(0, min(index, count - 1))
