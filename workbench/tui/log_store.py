"""A run's output lines, the newest of them: a ring that counts what it drops. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

MAX_LINES = 100_000
MAX_CHARACTERS = 16_000_000
MAX_LINE = 2_000
"""Characters of a line that are kept; the rest is counted at its end."""


class Heading(str):
    """A line of ours: the name of the step whose output follows."""

    __slots__ = ()


class LogStore:
    """Lines by absolute number: a line keeps its number when older ones are dropped."""

    def __init__(self, max_lines: int = MAX_LINES, max_characters: int = MAX_CHARACTERS) -> None:
        self._max_lines = max_lines
        self._max_characters = max_characters
        self._lines: list[str] = []
        self._characters = 0
        self.first = 0
        """Number of the oldest line that is kept, which is how many were dropped."""
        self._changes: list[tuple[int, str]] = []
        """From which line number on the lines are of which step."""

    @property
    def end(self) -> int:
        """The number that the next line will get."""
        return self.first + len(self._lines)

    def __getitem__(self, number: int) -> str:
        """A kept line by its number."""
        if not self.first <= number < self.end:
            raise IndexError(number)
        return self._lines[number - self.first]

    def lines(self) -> list[str]:
        """All kept lines, the oldest first."""
        return self._lines.copy()

    @property
    def steps(self) -> list[str]:
        """The steps that lines came from, in their order."""
        return list(dict.fromkeys(step for _, step in self._changes if step))

    def step_of(self, number: int) -> str:
        """The step that a line came from; "" for none."""
        index = bisect_right(self._changes, number, key=lambda change: change[0]) - 1
        return self._changes[index][1] if index >= 0 else ""

    def extend(self, lines: Iterable[str], step: str = "") -> None:
        """Add lines of a step, dropping the oldest over the limits."""
        new = list(lines)
        if new and (not self._changes or self._changes[-1][1] != step):
            self._changes.append((self.end, step))
        surplus = max(0, len(new) - self._max_lines)
        if surplus:
            self._drop(len(self._lines))
            self.first += surplus
            del new[:surplus]
        if max(map(len, new), default=0) > MAX_LINE:
            new = [_cut(line) for line in new]
        self._lines += new
        self._characters += sum(map(len, new))
        self._drop(max(0, len(self._lines) - self._max_lines))
        while self._characters > self._max_characters and len(self._lines) > 1:
            self._drop(max(1, len(self._lines) // 16))

    def clear(self) -> None:
        """Forget everything; numbers start anew."""
        self._lines = []
        self._changes = []
        self._characters = self.first = 0

    def _drop(self, count: int) -> None:
        self._characters -= sum(map(len, self._lines[:count]))
        del self._lines[:count]
        self.first += count


def _cut(line: str) -> str:
    if len(line) <= MAX_LINE or isinstance(line, Heading):
        return line
    return f"{line[:MAX_LINE]} … [{len(line) - MAX_LINE:,} more characters]"
