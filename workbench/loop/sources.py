"""The texts that a run was made from, and what changed in them since the last run that passed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Literal

from workbench import manifest
from workbench.loop.result import RunResult
from workbench.loop.target import project_of

SIZE_LIMIT = 256 * 1024
"""Bytes of a file that is kept; a longer one is no source that anybody reads."""

CONTEXT = 3
"""Lines around a change."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as a run read it: its absolute path, its lines, and the hash of its bytes."""

    path: str
    lines: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The sources of a run by their absolute paths, the kernel first."""

    run: int
    passed: bool
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a diff: kept, added or removed. Its 1-based numbers, None where it isn't there."""

    kind: Literal[" ", "+", "-"]
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What changed in a file: hunks, each with some lines around."""

    path: str
    hunks: tuple[tuple[DiffLine, ...], ...]

    @property
    def added(self) -> int:
        """How many lines are new."""
        return self._count("+")

    @property
    def removed(self) -> int:
        """How many lines are gone."""
        return self._count("-")

    @property
    def new_lines(self) -> frozenset[int]:
        """The numbers of the lines that are new."""
        return frozenset(line.after for line in self._lines() if line.kind == "+" and line.after)

    def _count(self, kind: str) -> int:
        return sum(line.kind == kind for line in self._lines())

    def _lines(self) -> Iterator[DiffLine]:
        return (line for hunk in self.hunks for line in hunk)


def take(result: RunResult) -> Snapshot:
    """The project's own files that a run was made from, but for those that have changed since."""
    kernel = os.path.abspath(result.kernel)
    project = str(project_of(Path(kernel)))
    own = [path for path in result.files if path.startswith(f"{project}{os.sep}")]
    ordered = sorted(own, key=lambda path: (path != kernel, path))
    sources = [_read(path, result.files[path]) for path in ordered]
    passed = result.status == "pass"
    return Snapshot(result.run, passed, {source.path: source for source in sources if source})


def _read(path: str, sha256: str | None) -> Source | None:
    try:
        with open(path, "rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError:
        return None
    if len(data) > SIZE_LIMIT or sha256 is None or manifest.sha256_bytes(data) != sha256:
        return None
    # As compilers count: a form feed ends no line.
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\n")
    return Source(path, tuple(text.split("\n")), sha256)


def compared_with(snapshots: Iterable[Snapshot], run: int) -> Snapshot | None:
    """The newest run before `run` that passed; where none has, the newest before it."""
    earlier = (one for one in snapshots if one.run < run)
    return max(earlier, key=lambda one: (one.passed, one.run), default=None)


def changes(before: Snapshot, after: Snapshot) -> tuple[Change, ...]:
    """What changed in the files that both runs were made from; a new file is all new."""
    found = []
    for path, source in after.sources.items():
        old = before.sources.get(path)
        if old is None or old.sha256 != source.sha256:
            hunks = tuple(_hunks(old.lines if old is not None else (), source.lines))
            if hunks:
                found.append(Change(path, hunks))
    return tuple(found)


def _hunks(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[DiffLine, ...]]:
    matcher = SequenceMatcher(None, before, after)
    for group in matcher.get_grouped_opcodes(CONTEXT):
        lines: list[DiffLine] = []
        for tag, first, last, new_first, new_last in group:
            if tag == "equal":
                pairs = zip(range(first, last), range(new_first, new_last), strict=True)
                lines += [DiffLine(" ", old + 1, new + 1, after[new]) for old, new in pairs]
                continue
            lines += [DiffLine("-", old + 1, None, before[old]) for old in range(first, last)]
            lines += [DiffLine("+", None, n + 1, after[n]) for n in range(new_first, new_last)]
        yield tuple(lines)
