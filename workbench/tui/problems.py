"""Everything that is wrong, in one list: diagnostics, the run's error, findings, what isn't met."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual import events
from textual.content import Content

from workbench.build.diagnostics import Diagnostic, Note
from workbench.errors import WorkbenchError
from workbench.loop import words
from workbench.loop.view import Phase, View
from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.clipboard import copy
from workbench.tui.lines import ScrolledLines

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.verdict import Finding, Verdict


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `stale` when it was found in other bytes than those on disk.

    `name` is the id of the finding that it is, if it is one.
    """

    severity: Literal["error", "warning", "info"]
    message: str
    name: str = ""
    where: str | None = None
    hint: str | None = None
    notes: tuple[str, ...] = ()
    stale: bool = False


def collect(view: View) -> tuple[Problem, ...]:
    """The view's problems: those of the bytes on disk first.

    What stopped a run comes first, then the findings in the verdict's order, which is that of
    mending; the criteria that they leave unmet; and what a compiler only warns about.
    """
    return tuple(sorted(_problems(view), key=lambda problem: problem.stale))


def _problems(view: View) -> Iterator[Problem]:
    if view.phase is Phase.MISSING:
        hint = "the next save of it starts a run"
        yield Problem("error", "the kernel is not there", where=view.missing, hint=hint)
    result = view.result
    stale = result is not None and (
        result.run != view.run or view.phase in (Phase.WAITING, Phase.MISSING)
    )
    told = [_of_diagnostic(diagnostic, stale) for diagnostic in view.diagnostics]
    yield from (problem for problem in told if problem.severity == "error")
    if result is not None and (error := result.error) is not None and not _is_told(error, view):
        name = error.finding or ""
        message = error.message.removeprefix(f"{name}: ")
        yield Problem("error", message, name, error.where, error.hint, stale=stale)
    if view.shown is not None and view.shown.verdict is not None:
        for finding in view.shown.verdict.findings:
            yield _of_finding(finding, stale=not view.is_current)
        yield from _unmet(view.shown.verdict, stale=not view.is_current)
    yield from (problem for problem in told if problem.severity != "error")
    for note in result.notes if result is not None else ():
        yield Problem("info", note, stale=stale)


def _of_finding(finding: Finding, *, stale: bool) -> Problem:
    return Problem(
        finding.severity,
        finding.message,
        finding.id,
        finding.where,
        finding.hint or None,
        stale=stale,
    )


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
    where = diagnostic.where
    return Problem(diagnostic.severity, diagnostic.message, where=where, notes=notes, stale=stale)


def _note_text(note: Note) -> str:
    return f"{note.file}:{note.line}: {note.message}" if note.file else note.message


class Problems(ScrolledLines):
    """A line for each problem, and one of them spelled out: message, mend, place, notes."""

    BINDINGS = bindings("problems")

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
        self.top = 0
        self._select(0)

    def step(self, by: int) -> None:
        """Spell out another problem, going round."""
        if self._problems:
            self._select((self.selected + by) % len(self._problems))
            height = len(self._spelled_out(self._problems[self.selected], self.size.width))
            self.reveal(self.selected, self.selected + height - 1)

    def action_copy(self) -> None:
        """Copy the problem that is spelled out."""
        if self._problems:
            problem = self._problems[self.selected]
            copy(self, "the problem", "\n".join(_plain(problem)))

    def on_click(self, event: events.Click) -> None:
        """Spell out the problem that was clicked."""
        offset = event.get_content_offset(self)
        line = -1 if offset is None else self.top + offset.y
        if not self._problems or not 0 <= line < len(self.all_lines()):
            return
        height = len(self._spelled_out(self._problems[self.selected], self.size.width))
        past = line - self.selected - height + 1
        self._select(min(line, self.selected) if past <= 0 else self.selected + past)

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
        head = _headline(problem, "" if problem.stale else "bold", is_whole=True)
        lines = head.wrap(max(8, width))
        for rest in _more(problem):
            content = Content.styled(text.clean(rest), "dim" if problem.stale else "")
            lines += [Content.assemble("  ", line) for line in content.wrap(max(8, width - 2))]
        return lines

    def _select(self, index: int) -> None:
        self.selected = index
        self._title()
        self.changed()

    def _title(self) -> None:
        counts = [
            f"{sum(p.severity == severity for p in self._problems)}{glyph}"
            for severity, glyph in text.SEVERITY_GLYPHS.items()
            if any(p.severity == severity for p in self._problems)
        ]
        place = [f"{self.selected + 1} of {len(self._problems)}"] if self._problems else []
        self.border_title = Content("  ".join(["problems", *counts, *place]))


def _headline(problem: Problem, style: str = "", *, is_whole: bool = False) -> Content:
    """A problem's first line: a finding by its name, anything else by its place.

    Whole, it is only the first line of the message, and a finding's place is told elsewhere.
    """
    glyph = text.SEVERITY_GLYPHS[problem.severity]
    message = problem.message.strip()
    first = message.partition("\n")[0] if is_whole else message
    before = problem.name or problem.where or ""
    after = problem.where if problem.name and problem.where and not is_whole else ""
    own, bold = text.SEVERITY_STYLES[problem.severity], "bold"
    if problem.stale:
        own = bold = style = "dim"
    return Content.assemble(
        (f"{glyph} {'STALE ' if problem.stale else ''}", own),
        (f"{text.clean(before)}: " if before else "", bold),
        (text.clean(first), style),
        (f"  {text.clean(after)}" if after else "", "dim"),
    )


def _more(problem: Problem) -> Iterator[str]:
    """What follows the first line of a problem that is spelled out."""
    yield from problem.message.strip().split("\n")[1:]
    if problem.hint:
        yield f"→ {problem.hint}"
    if problem.name and problem.where:
        yield f"at {problem.where}"
    yield from (f"note: {note}" for note in problem.notes)


def _plain(problem: Problem) -> Iterator[str]:
    """A problem as text to be pasted elsewhere."""
    where = f"{problem.where}: " if problem.where else ""
    name = f"{problem.name}: " if problem.name else ""
    yield f"{where}{problem.severity}: {name}{problem.message.strip()}"
    if problem.hint:
        yield f"→ {problem.hint}"
    yield from (f"note: {note}" for note in problem.notes)
