"""A run's problems as a file that editors read: `vim -q .workbench/quickfix`.

A line for each, `file:line:column: severity: message`, in the order of the problems; what has no
place of its own stands at the kernel's first line. Paths are absolute, so that it doesn't matter
where the editor is started.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from workbench.loop import words
from workbench.loop.problems import Place, Problem, problems_of
from workbench.loop.result import RunResult

FILE = Path(".workbench", "quickfix")
"""Where it lies in a project."""


def quickfix_lines(problems: Iterable[Problem], kernel: str) -> Iterator[str]:
    """The lines of the file."""
    for problem in problems:
        place = problem.place or Place(kernel)
        where = Place(os.path.abspath(place.file), place.line or 1, place.column)
        name = f"{problem.name}: " if problem.name else ""
        hint = f" ({problem.hint})" if problem.hint else ""
        yield f"{where}: {problem.severity}: {name}{words.plain(problem.message + hint)}"


def with_quickfix(result: RunResult, project: Path) -> RunResult:
    """Write the file of this run in one step; the result, with a note when that wasn't possible.

    A run that ended before anything was made leaves nothing behind.
    """
    path = project / FILE
    if not path.parent.is_dir():
        return result
    lines = quickfix_lines(problems_of(result), result.kernel)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text("".join(f"{line}\n" for line in lines), errors="surrogateescape")
        os.replace(draft, path)
    except OSError as error:
        note = f"the quickfix file could not be written: {error.strerror or error}"
        return result if note in result.notes else replace(result, notes=(*result.notes, note))
    return result
