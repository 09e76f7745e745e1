"""The rows of the source view: lines with their problems below them, or what has changed.

Rows are put together when they are seen, so that a long file costs no more than a short one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

from textual.content import Content

from workbench.loop.problems import Problem
from workbench.loop.sources import Change, DiffLine, Source
from workbench.paths import shown
from workbench.tui import text

TAB = 8
CURSOR = "▸"


@dataclass(frozen=True, slots=True)
class Row:
    """What a row is of: a line (1-based, 0 for none) of a file, and what it says in place of it."""

    path: str
    line: int = 0
    problem: Problem | None = None
    change: DiffLine | None = None
    heading: str = ""


def tidy(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines as they are shown: tabs as spaces, and nothing that a terminal would obey."""
    return tuple(text.clean(line.expandtabs(TAB)) for line in lines)


def problems_at(problems: Sequence[Problem], path: str) -> dict[int, list[Problem]]:
    """The problems of a file by their lines."""
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        place = problem.place
        if place is not None and place.line and os.path.abspath(place.file) == path:
            found.setdefault(place.line, []).append(problem)
    return found


def source_rows(source: Source, problems: Mapping[int, Sequence[Problem]]) -> list[Row]:
    """A row for each line, and below it one for each of its problems."""
    rows = []
    for line in range(1, len(source.lines) + 1):
        rows.append(Row(source.path, line))
        rows += [Row(source.path, line, problem) for problem in problems.get(line, ())]
    return rows


def change_rows(changes: Sequence[Change]) -> list[Row]:
    """What has changed, file by file."""
    rows = []
    for change in changes:
        counted = f"{text.clean(shown(change.path))}  +{change.added} −{change.removed}"
        rows.append(Row(change.path, heading=counted))
        for before, hunk in pairwise(((), *change.hunks)):
            if before:
                rows.append(Row(change.path, heading="  ⋮"))
            rows += [_changed(change.path, line) for line in hunk]
    return rows


def _changed(path: str, line: DiffLine) -> Row:
    return Row(path, line.after or 0, change=line)


class Painter:
    """Makes a row's content from what is known of its file."""

    def __init__(
        self,
        lines: Sequence[Content],
        raw: Sequence[str],
        problems: Mapping[int, Sequence[Problem]],
        new_lines: frozenset[int],
    ) -> None:
        self._lines, self._raw = lines, raw
        self._problems, self._new_lines = problems, new_lines
        self._digits = len(str(max(1, len(lines))))

    def content(self, row: Row, width: int) -> Content:
        """The row, without its cursor, for so many cells."""
        if row.heading:
            return Content.styled(row.heading, "bold")
        if row.change is not None:
            return self._change(row.change)
        return self._problem(row, width) if row.problem is not None else self._line(row.line)

    def _line(self, line: int) -> Content:
        problems = self._problems.get(line, ())
        severity = min((p.severity for p in problems), key=_SEVERITIES.index, default=None)
        sign, style = _sign(severity)
        is_new = line in self._new_lines
        return Content.assemble(
            (sign, style),
            (f" {line:>{self._digits}}", style or "dim"),
            ("+" if is_new else " ", "$wb-pass"),
            ("│ ", "dim"),
            self._lines[line - 1],
        )

    def _problem(self, row: Row, width: int) -> Content:
        problem = row.problem
        assert problem is not None
        sign, style = _sign(problem.severity)
        gutter = self._digits + 5
        indent = gutter + self._cells_before(row)
        said = text.clean(problem.message.strip().partition("\n")[0])
        named = f"{text.clean(problem.name)}: " if problem.name else ""
        # A message that has no room to the right of its place starts further to the left.
        room = width - len(f"╰{sign} {named}{said}") - 1
        indent = max(gutter, min(indent, room))
        return Content.assemble(" " * indent, (f"╰{sign} ", style), (named, "bold"), (said, style))

    def _cells_before(self, row: Row) -> int:
        """Cells of the row's line before the problem; a compiler counts bytes."""
        place = row.problem.place if row.problem is not None else None
        if place is None or not place.column:
            return 0
        before = self._raw[row.line - 1].encode()[: place.column - 1].decode(errors="ignore")
        return Content(text.clean(before.expandtabs(TAB))).cell_length

    def _change(self, line: DiffLine) -> Content:
        style = {"+": "$wb-pass", "-": "$wb-fail", " ": "dim"}[line.kind]
        before, after = (f"{n or '':>5}" for n in (line.before, line.after))
        said = text.clean(line.text.expandtabs(TAB))
        return Content.assemble(
            (f"{before}{after} ", "dim"), (f"{line.kind} ", style), (said, style)
        )


class Rows(Sequence[Content]):
    """The rows as content, each made when it is asked for."""

    def __init__(self, rows: Sequence[Row], painter: Painter, width: int, cursor: int) -> None:
        self._rows, self._painter = rows, painter
        self._width, self._cursor = width, cursor

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Content: ...

    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...

    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        content = self._painter.content(self._rows[index], self._width)
        cursor = (CURSOR, "$wb-busy bold") if index == self._cursor else " "
        return Content.assemble(cursor, content)


_SEVERITIES = tuple(text.SEVERITY_GLYPHS)


def _sign(severity: str | None) -> tuple[str, str]:
    if severity is None:
        return " ", ""
    return text.SEVERITY_GLYPHS[severity], text.SEVERITY_STYLES[severity]
