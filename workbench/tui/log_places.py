"""Places in a log whose lines take one row or several, in front of which a row says what is gone.

A place is a line's number and which of its rows. Pure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from workbench.tui.log_store import LogStore
from workbench.tui.shown_lines import ShownLines

Place = tuple[int, int]


class Places:
    """The places of the lines that are shown; `heights` gives a line's rows, None: one each."""

    def __init__(
        self, store: LogStore, shown: ShownLines, heights: Callable[[int], int] | None
    ) -> None:
        self._store, self._shown, self._heights = store, shown, heights

    @property
    def first(self) -> Place:
        """The first place: the oldest line, or before it the row that says what is gone."""
        if self._store.first:
            return self._store.first - 1, 0
        numbers = self._shown.numbers
        return (numbers[0] if numbers else self._store.end), 0

    @property
    def end(self) -> Place:
        """The place after the last one."""
        return self._store.end, 0

    def moved(self, place: Place, rows: int) -> Place:
        """The place so many rows further on, or back: no further than there are any."""
        if self._heights is None:
            return self._moved_by_lines(place[0], rows)
        number, row = place
        while rows > 0 and number < self._store.end:
            step = min(rows, self._height(number) - row)
            rows, row = rows - step, row + step
            if row >= self._height(number):
                number, row = self._line(number + 1, 0), 0
        while rows < 0 and (number, row) > self.first:
            if row == 0:
                number = self._line(number, -1)
                row = self._height(number)
            step = min(-rows, row)
            rows, row = rows + step, row - step
        return number, row

    def _moved_by_lines(self, number: int, rows: int) -> Place:
        if number < self._store.first:  # the row that says what is gone
            if rows <= 0:
                return self.first
            number, rows = self._store.first, rows - 1
        return self._line(number, rows), 0

    def nearest(self, place: Place) -> Place:
        """The place itself, or the next one where its line isn't shown or has fewer rows."""
        number, row = place
        if place <= self.first:
            return self.first
        found = self._line(number, 0)
        return found, min(row, self._height(found) - 1) if found == number else 0

    def seen(self, top: Place, height: int) -> Iterator[Place]:
        """The places that so many rows show, from the top."""
        number, row = top
        for _ in range(height):
            if number >= self._store.end:
                return
            yield number, row
            row += 1
            if row >= self._height(number):
                number, row = self._line(number + 1, 0), 0

    def _height(self, number: int) -> int:
        if self._heights is None or not self._store.first <= number < self._store.end:
            return 1
        return self._heights(number)

    def _line(self, number: int, by: int) -> int:
        """The shown line that is so many after the first one from `number` on."""
        numbers = self._shown.numbers
        index = bisect_left(numbers, number) + by
        if index < 0:
            return self.first[0]
        return numbers[index] if index < len(numbers) else self._store.end
