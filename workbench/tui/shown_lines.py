"""Which of a log's lines are shown: those of a step that match a pattern. Pure."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections.abc import Sequence

from workbench.tui.log_store import Heading, LogStore
from workbench.tui.pattern import time_limit
from workbench.tui.search import plain

SLICE_S = 0.01
"""Time for which lines are looked at before others have their turn."""
LINE_LIMIT_S = 0.05
"""A pattern that takes longer on one line is given up."""
_LINES_AT_ONCE = 64


class ShownLines:
    """The numbers of the lines that are shown, found a slice at a time.

    Headings are shown whatever the pattern, so that it is seen what a line is of.
    """

    def __init__(self, store: LogStore) -> None:
        self._store = store
        self._scanned = 0
        self._found: list[int] = []
        self.step = ""
        self.pattern: re.Pattern[str] | None = None
        self.matches = 0
        """How many lines match the pattern."""

    def choose(self, step: str, pattern: re.Pattern[str] | None) -> None:
        """Show the lines of this step ("": all) that match; `advance` finds them."""
        self.step, self.pattern = step, pattern
        self.restart()

    def restart(self) -> None:
        """Look at all lines anew: they are others."""
        self._scanned, self._found, self.matches = 0, [], 0

    @property
    def is_all(self) -> bool:
        """Whether no line is left out."""
        return not self.step and self.pattern is None

    @property
    def numbers(self) -> Sequence[int]:
        """The line numbers, as far as they have been found, ascending."""
        first = self._store.first
        if self.is_all:
            return range(first, self._store.end)
        if self._found and self._found[0] < first:
            del self._found[: bisect_left(self._found, first)]
        return self._found

    def advance(self) -> bool:
        """Look at lines for a slice of time; whether all have been looked at.

        Raises TimeoutError when the pattern takes too long on a line.
        """
        if self.is_all:
            return True
        end = time.perf_counter() + SLICE_S
        self._scanned = max(self._scanned, self._store.first)
        while self._scanned < self._store.end:
            if time.perf_counter() > end:
                return False
            with time_limit(LINE_LIMIT_S):
                self._look(min(self._scanned + _LINES_AT_ONCE, self._store.end))
        return True

    def _look(self, end: int) -> None:
        for number in range(self._scanned, end):
            if self.step and self._store.step_of(number) != self.step:
                continue
            line = self._store[number]
            if isinstance(line, Heading):
                self._found.append(number)
            elif self.pattern is None or self.pattern.search(plain(line)):
                self._found.append(number)
                self.matches += 1
        self._scanned = end
