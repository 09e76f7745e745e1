"""Everything that is wrong, in one list: diagnostics, the run's error, findings, what isn't met."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

from workbench.build.diagnostics import Diagnostic, Note
from workbench.errors import WorkbenchError
from workbench.loop import words
from workbench.loop.result import RunResult
from workbench.loop.view import Phase, View

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.verdict import Finding, Verdict

Severity = Literal["error", "warning", "info"]

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file; line and column are 1-based, 0 when not known."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `stale` when it was found in other bytes than those on disk.

    `name` is the id of the finding that it is, if it is one. What `leads` stopped the run or is a
    headline of its verdict.
    """

    severity: Severity
    message: str
    name: str = ""
    where: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    stale: bool = False
    leads: bool = False

    @property
    def place(self) -> Place | None:
        """Where it is, when that is a file that exists."""
        return place_of(self.where)


def place_of(where: str | None) -> Place | None:
    """The place that `file[:line[:column]]` names, when that is a file that exists."""
    match = _PLACE.fullmatch(where or "")
    if match is None or not os.path.isfile(match["file"]):
        return None
    return Place(match["file"], int(match["line"] or 0), int(match["column"] or 0))


def problems_of(result: RunResult) -> tuple[Problem, ...]:
    """A run's problems: what stopped it or leads its verdict, then errors, warnings, notes.

    Within each of them findings stand in the verdict's order, which is that of mending.
    """
    verdict = result.verdict
    judged = _judged(result.kernel, verdict) if verdict is not None else ()
    return _in_order((*_stopped(result), *judged, *_remarks(result)))


def collect(view: View) -> tuple[Problem, ...]:
    """The view's problems, as `problems_of` has them: those of the bytes on disk first."""
    return _in_order(_problems(view))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    def place(problem: Problem) -> tuple[bool, bool, int]:
        return problem.stale, not problem.leads, _SEVERITIES.index(problem.severity)

    return tuple(sorted(problems, key=place))


def is_stale(view: View) -> bool:
    """Whether the last finished run was of other bytes than those on disk."""
    result = view.result
    return result is not None and (
        result.run != view.run or view.phase in (Phase.WAITING, Phase.MISSING)
    )


def _problems(view: View) -> Iterator[Problem]:
    if view.phase is Phase.MISSING:
        hint = "the next save of it starts a run"
        yield Problem("error", "the kernel is not there", where=view.missing, hint=hint)
    result, shown = view.result, view.shown
    stale = is_stale(view)
    if result is not None:
        yield from (replace(problem, stale=stale) for problem in _stopped(result))
    if shown is not None and shown.verdict is not None:
        judged = _judged(shown.kernel, shown.verdict)
        yield from (replace(problem, stale=not view.is_current) for problem in judged)
    if result is not None:
        yield from (replace(problem, stale=stale) for problem in _remarks(result))


def _stopped(result: RunResult) -> Iterator[Problem]:
    """What kept a run from a verdict."""
    yield from (replace(problem, leads=True) for problem in _failures(result))


def _failures(result: RunResult) -> Iterator[Problem]:
    for diagnostic in result.diagnostics:
        if diagnostic.severity == "error":
            yield _of_diagnostic(diagnostic)
    error = result.error
    told = error.message if error is not None else None
    causes = [one for one in result.concerns if result.verdict is None and one.message != told]
    # A cause says more than the signal that it ended in.
    certain = [one for one in causes if result.status == "crash" and one.severity == "error"]
    yield from map(_of_finding, certain)
    if error is not None and not _is_told(error, result):
        name = error.finding or ""
        message = error.message.removeprefix(f"{name}: ")
        yield Problem("error", message, name, error.where, error.hint)
    yield from (_of_finding(one) for one in causes if one not in certain)


def _judged(kernel: str, verdict: Verdict) -> Iterator[Problem]:
    """What a verdict finds, and what it finds unmet."""
    from workbench.verdict.triage import headline

    first = headline(verdict.findings)
    yield from (
        replace(_of_finding(finding), leads=finding in first) for finding in verdict.findings
    )
    missed = [
        f"{words.METRIC_NAMES[c.metric]} is {words.metric_text(c.metric, result.value)}, "
        f"not {words.target_text(c.metric, c.op, c.target)}"
        for result in verdict.criteria
        for c in [result.criterion]
        if not result.met
    ]
    if missed:
        together = f"npu-workbench check {kernel} --ablate tries mends, alone and together"
        hint = together if len(first) > 1 else None
        yield Problem("error", f"not met: {'; '.join(missed)}", hint=hint)


def _remarks(result: RunResult) -> Iterator[Problem]:
    """What stops nothing."""
    for diagnostic in result.diagnostics:
        if diagnostic.severity != "error":
            yield _of_diagnostic(diagnostic)
    yield from (Problem("info", note) for note in result.notes)


def _is_told(error: WorkbenchError, result: RunResult) -> bool:
    """Whether a diagnostic says the same already."""
    return any((d.where, d.message) == (error.where, error.message) for d in result.diagnostics)


def _of_finding(finding: Finding) -> Problem:
    where, hint = finding.where, finding.hint or None
    return Problem(finding.severity, finding.message, finding.id, where, hint)


def _of_diagnostic(diagnostic: Diagnostic) -> Problem:
    notes = tuple(_note_text(note) for note in diagnostic.notes)
    return Problem(diagnostic.severity, diagnostic.message, where=diagnostic.where, notes=notes)


def _note_text(note: Note) -> str:
    return f"{note.file}:{note.line}: {note.message}" if note.file else note.message
