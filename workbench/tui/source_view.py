"""The sources of a run: with problems at their lines, and what changed since a run that passed."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from typing import Literal

from textual import events, work
from textual.content import Content

from workbench.loop.problems import Place, Problem, is_stale, problems_of
from workbench.loop.result import RunResult
from workbench.loop.sources import Change, Snapshot, Source, changes, compared_with, take
from workbench.loop.view import View
from workbench.paths import shown
from workbench.tui.actions import bindings
from workbench.tui.editor import open_place
from workbench.tui.lines import ScrolledLines, is_seen
from workbench.tui.source_rows import (
    Painter,
    Row,
    Rows,
    change_rows,
    problems_at,
    source_rows,
    tidy,
)
from workbench.tui.text import SEVERITY_GLYPHS, clean

Mode = Literal["source", "changes"]

KEPT = 50
"""Runs whose sources are kept; they share those that are the same."""

WHEEL_ROWS = 3

_FileKey = tuple[str, str]
"""A file's path and the hash of its content."""


class SourceView(ScrolledLines):
    """The source of the run that is shown; it follows the problem that is spelled out."""

    BINDINGS = bindings("source")

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self.mode: Mode = "source"
        self.cursor = 0
        """The row that is to be opened."""
        self._snapshots: dict[int, Snapshot] = {}
        self._result: RunResult | None = None
        self._mark: str | None = None
        self._compared: dict[tuple[int, int], tuple[Change, ...]] = {}
        """What changed from one run to another."""
        self._problems: tuple[Problem, ...] = ()
        self._path = ""
        self._here: dict[int, list[Problem]] = {}
        """The problems of the file that is shown, by their lines."""
        self._wanted: Place | None = None
        self._coloured: dict[_FileKey, tuple[Content, ...]] = {}
        self._rows: list[Row] = []
        self._rows_are_of: Source | None = None
        """What the rows were made from: they stay until the next run's sources are read."""
        self._title()

    def keep(self, result: RunResult) -> None:
        """Read what a run was made from, as long as that is still there."""
        self._take(result)

    @work(group="sources")
    async def _take(self, result: RunResult) -> None:
        snapshot = await asyncio.to_thread(take, result)
        known = self._snapshots.get(result.run)
        if known is None or len(known.sources) <= len(snapshot.sources):
            self._snapshots[result.run] = self._shared(snapshot)
        for old in sorted(self._snapshots)[:-KEPT]:
            del self._snapshots[old]
        self._reload()

    def _shared(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the sources that are known already in place of its own."""
        known = {
            (s.path, s.sha256): s for one in self._snapshots.values() for s in one.sources.values()
        }
        sources = {path: known.get((path, s.sha256), s) for path, s in snapshot.sources.items()}
        return Snapshot(snapshot.run, snapshot.passed, sources)

    def show(self, view: View) -> None:
        """Show the sources of this view's last run."""
        mark = (view.mark or None) if is_stale(view) else None
        if view.result is not self._result:
            self._result, self._mark = view.result, mark
            self._problems = problems_of(view.result) if view.result is not None else ()
            self._reload()
        elif mark != self._mark:
            self._mark = mark
            self._title()

    def follow(self, problem: Problem | None) -> None:
        """Go to where a problem is."""
        place = problem.place if problem is not None else None
        if place is not None:
            self._wanted = place
            self._go_to_wanted()

    def turn(self, mode: Mode) -> None:
        """Show the sources, or what has changed."""
        if mode != self.mode:
            self.mode = mode
            self.cursor = self.top = 0
            self._rebuild()

    @property
    def _snapshot(self) -> Snapshot | None:
        return self._snapshots.get(self._result.run) if self._result is not None else None

    @property
    def source(self) -> Source | None:
        """The file that is shown."""
        return self._snapshot.sources.get(self._path) if self._snapshot is not None else None

    @property
    def _before(self) -> Snapshot | None:
        """The run that the shown one is compared with."""
        shown = self._snapshot
        return compared_with(self._snapshots.values(), shown.run) if shown is not None else None

    @property
    def _changes(self) -> tuple[Change, ...] | None:
        """What has changed since then; None while that isn't known."""
        before, after = self._before, self._snapshot
        if before is None or after is None:
            return None
        return self._compared.get((before.run, after.run))

    def _reload(self) -> None:
        """Another run is shown, or its sources have come."""
        snapshot, before = self._snapshot, self._before
        if snapshot is None:
            return
        if before is not None:
            self._compare(before, snapshot)
        if self._path not in snapshot.sources:
            self._path = next(iter(snapshot.sources), "")
        self._rebuild()
        self._go_to_wanted()

    @work(group="changes", exclusive=True)
    async def _compare(self, before: Snapshot, after: Snapshot) -> None:
        while len(self._compared) >= KEPT:
            del self._compared[next(iter(self._compared))]
        runs = before.run, after.run
        self._compared[runs] = await asyncio.to_thread(changes, before, after)
        self._rebuild()

    def _rebuild(self) -> None:
        source = self._rows_are_of = self.source
        self._here = problems_at(self._problems, self._path)
        if self.mode == "changes":
            self._rows = change_rows(self._changes or ())
        else:
            self._rows = source_rows(source, self._here) if source is not None else []
        self.cursor = max(0, min(self.cursor, len(self._rows) - 1))
        self._title()
        self.changed()
        self._colour()

    def on_show(self) -> None:
        """From here on somebody sees the colours."""
        self._colour()

    def _colour(self) -> None:
        """Have the file coloured, off the loop, when it is seen."""
        source = self.source
        if source is not None and self.mode == "source" and is_seen(self):
            key = (source.path, source.sha256)
            if key not in self._coloured:
                self._highlight(key, source)

    @work(group="colours", exclusive=True)
    async def _highlight(self, key: _FileKey, source: Source) -> None:
        def coloured() -> tuple[Content, ...]:
            from workbench.tui.highlight import highlighted  # slow to import

            return highlighted(tidy(source.lines), source.path)

        while len(self._coloured) >= KEPT:
            del self._coloured[next(iter(self._coloured))]
        self._coloured[key] = await asyncio.to_thread(coloured)
        self.changed()

    def _go_to_wanted(self) -> None:
        """Go to the problem that is spelled out, once its file is there."""
        place, snapshot = self._wanted, self._snapshot
        path = os.path.abspath(place.file) if place is not None else ""
        if self.mode != "source" or snapshot is None or path not in snapshot.sources:
            return
        assert place is not None
        self._wanted = None
        if path != self._path:
            self._path = path
            self.cursor = self.top = 0
            self._rebuild()
        rows = [n for n, row in enumerate(self._rows) if row.line == place.line]
        if rows:
            self._move_to(rows[0])
            self.reveal(max(0, rows[0] - 2), rows[-1] + 2)

    def lines(self, width: int, height: int) -> Sequence[Content]:
        """A row for each line and problem, or what there is to say in their place."""
        source = self._rows_are_of
        if not self._rows:
            return [Content.styled(self._nothing(), "dim")]
        raw = source.lines if source is not None and self.mode == "source" else ()
        code: Sequence[Content] = ()
        if source is not None and raw:
            code = self._coloured.get((source.path, source.sha256)) or [*map(Content, tidy(raw))]
        new = next((c.new_lines for c in self._changes or () if c.path == self._path), frozenset())
        painter = Painter(code, raw, self._here, new)
        return Rows(self._rows, painter, width, self.cursor)

    def _nothing(self) -> str:
        if self._snapshot is None:
            return "the source comes with the end of the first run"
        if self.mode == "source":
            return "the source has changed since this run read it"
        if self._before is None:
            return "there is no run before this one"
        if self._changes is None:
            return "looking …"
        return f"nothing has changed {_since(self._before)}"

    def _title(self) -> None:
        parts = [self.mode, *([self._mark] if self._mark else [])]
        if self._result is not None:
            parts.append(f"run {self._result.run}")
        self.border_title = Content("  ".join([*parts, *self._about()]))

    def _about(self) -> Iterator[str]:
        """What the title says of the file, or of the changes."""
        changes, before, source = self._changes, self._before, self.source
        if self.mode == "changes" and changes is not None and before is not None:
            added = sum(change.added for change in changes)
            removed = sum(change.removed for change in changes)
            yield f"+{added} −{removed} {_since(before)}"
        elif self.mode == "source" and source is not None:
            line = self._rows[self.cursor].line if self._rows else 1
            yield clean(shown(self._path))
            yield f"line {line} of {len(source.lines)}"
            yield from self._counts()

    def _counts(self) -> list[str]:
        here = [problem for own in self._here.values() for problem in own]
        return [
            f"{count}{glyph}"
            for severity, glyph in SEVERITY_GLYPHS.items()
            if (count := sum(p.severity == severity for p in here))
        ]

    def _move_to(self, row: int) -> None:
        self.cursor = max(0, min(row, len(self._rows) - 1))
        self._title()
        self.changed()

    def action_scroll(self, lines: int) -> None:
        """Move the cursor by rows."""
        self._move_to(self.cursor + lines)
        self.reveal(self.cursor, self.cursor)

    def action_file(self, by: int) -> None:
        """Show another file of the run, going round."""
        paths = list(self._snapshot.sources) if self._snapshot is not None else []
        if self.mode == "source" and self._path in paths:
            self._path = paths[(paths.index(self._path) + by) % len(paths)]
            self.cursor = self.top = 0
            self._rebuild()

    def action_edit(self) -> None:
        """Open the line under the cursor in the user's editor."""
        row = self._rows[self.cursor] if self._rows else Row(self._path)
        if not row.path:
            return
        problem = row.problem.place if row.problem is not None else None
        open_place(self, problem or Place(shown(row.path), row.line))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row that was clicked; a second click opens it."""
        offset = event.get_content_offset(self)
        if offset is not None and self.top + offset.y < len(self._rows):
            self._move_to(self.top + offset.y)
            if event.chain == 2:
                self.action_edit()

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel: the cursor stays where it can be seen."""
        self._wheel(WHEEL_ROWS)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        self._wheel(-WHEEL_ROWS)

    def _wheel(self, rows: int) -> None:
        height = max(1, self.size.height)
        self.top = max(0, min(self.top + rows, len(self._rows) - height))
        self._move_to(max(self.top, min(self.cursor, self.top + height - 1)))


def _since(before: Snapshot) -> str:
    return f"since run {before.run}, {'which passed' if before.passed else 'the one before'}"
