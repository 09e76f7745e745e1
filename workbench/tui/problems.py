"""Everything that is wrong, in one list: the run's error, diagnostics, findings; errors first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.content import Content

from workbench.build.diagnostics import Diagnostic, Note
from workbench.errors import WorkbenchError
from workbench.loop import words
from workbench.loop.view import Phase, View
from workbench.tui import text
from workbench.tui.lines import ScrolledLines

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.verdict import Verdict

_ORDER = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `stale` when it was found in other bytes than those on disk."""

    severity: Literal["error", "warning", "info"]
    message: str
    where: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    stale: bool = False


def collect(view: View) -> tuple[Problem, ...]:
    """The view's problems: those of the bytes on disk first, of these errors first.

    A failed build's diagnostics come before the sentence that says it failed, and findings, which
    are causes, before the criteria that are not met.
    """
    return tuple(sorted(_problems(view), key=lambda p: (p.stale, _ORDER[p.severity])))


def _problems(view: View) -> Iterator[Problem]:
    if view.phase is Phase.MISSING:
        hint = "the next save of it starts a run"
        yield Problem("error", "the kernel is not there", view.missing, hint)
    if (result := view.result) is not None:
        stale = result.run != view.run or view.phase in (Phase.WAITING, Phase.MISSING)
        for diagnostic in view.diagnostics:
            yield _of_diagnostic(diagnostic, stale)
        if (error := result.error) is not None and not _is_told(error, view):
            yield Problem("error", error.message, error.where, error.hint, stale=stale)
        for note in result.notes:
            yield Problem("info", note, stale=stale)
    if view.shown is not None and view.shown.verdict is not None:
        for finding in view.shown.verdict.findings:
            message = f"{finding.id}: {finding.message}"
            stale = not view.is_current
            yield Problem(
                finding.severity, message, finding.where, finding.hint or None, stale=stale
            )
        yield from _unmet(view.shown.verdict, stale=not view.is_current)


def _is_told(error: WorkbenchError, view: View) -> bool:
    """Whether a diagnostic says the same already."""
    return any((d.where, d.message) == (error.where, error.message) for d in view.diagnostics)


def _unmet(verdict: Verdict, *, stale: bool) -> Iterator[Problem]:
    missed = [
        f"{words.METRIC_NAMES[c.metric]} is {words.metric_text(c.metric, result.value)}, "
        f"not {words.target_text(c.metric, c.op, c.target)}"
        for result in verdict.criteria
        for c in [result.criterion]
        if not result.met
    ]
    if missed:
        yield Problem("error", f"not met: {'; '.join(missed)}", stale=stale)


def _of_diagnostic(diagnostic: Diagnostic, stale: bool) -> Problem:
    notes = tuple(_note_text(note) for note in diagnostic.notes)
    return Problem(
        diagnostic.severity, diagnostic.message, diagnostic.where, notes=notes, stale=stale
    )


def _note_text(note: Note) -> str:
    return f"{note.file}:{note.line}: {note.message}" if note.file else note.message


class Problems(ScrolledLines):
    """The list with one problem spelled out: message, mend and notes; the others a line each."""

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._problems: tuple[Problem, ...] = ()
        self._judged = False
        self.selected = 0
        self._title()

    def show(self, problems: tuple[Problem, ...], *, judged: bool) -> None:
        """Paint these; `judged` when having none means that all is well."""
        if (problems, judged) == (self._problems, self._judged):
            return
        self._problems, self._judged = problems, judged
        self.selected = self.top = 0
        self._title()
        self.changed()

    def step(self, by: int) -> None:
        """Spell out another problem, going round."""
        if not self._problems:
            return
        self.selected = (self.selected + by) % len(self._problems)
        self._title()
        self.changed()
        height = len(self._spelled_out(self._problems[self.selected], self.size.width))
        self.reveal(self.selected, self.selected + height - 1)

    def lines(self, width: int, height: int) -> list[Content]:
        """A line for each problem, more for the selected one."""
        if not self._problems:
            return [Content.styled("✓ no problems", "$wb-pass")] if self._judged else []
        lines: list[Content] = []
        for index, problem in enumerate(self._problems):
            if index == self.selected:
                lines.extend(self._spelled_out(problem, width))
            else:
                lines.append(_headline(problem))
        return lines

    def _spelled_out(self, problem: Problem, width: int) -> list[Content]:
        style = "dim" if problem.stale else ""
        more = [f"→ {text.clean(problem.hint)}"] if problem.hint else []
        more += [f"note: {text.clean(note)}" for note in problem.notes]
        head = _headline(problem, "" if problem.stale else "bold").wrap(max(8, width))
        rest = [
            Content.assemble("  ", line)
            for note in more
            for line in Content.styled(note, style).wrap(max(8, width - 2))
        ]
        return [*head, *rest]

    def _title(self) -> None:
        counts = [
            f"{sum(p.severity == severity for p in self._problems)}{glyph}"
            for severity, glyph in text.SEVERITY_GLYPHS.items()
            if any(p.severity == severity for p in self._problems)
        ]
        place = [f"{self.selected + 1} of {len(self._problems)}"] if self._problems else []
        self.border_title = Content("  ".join(["problems", *counts, *place]))


def _headline(problem: Problem, style: str = "") -> Content:
    glyph = text.SEVERITY_GLYPHS[problem.severity]
    where = f"{text.clean(problem.where)}: " if problem.where else ""
    own = "dim" if problem.stale else text.SEVERITY_STYLES[problem.severity]
    stale = "STALE " if problem.stale else ""
    return Content.assemble(
        (f"{glyph} {stale}", own),
        (where, "dim" if problem.stale else "bold"),
        (text.clean(problem.message), "dim" if problem.stale else style),
    )
