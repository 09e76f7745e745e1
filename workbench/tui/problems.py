"""The problems as a list that is stepped through, one of them spelled out."""

from __future__ import annotations

from collections.abc import Iterator

from textual import events
from textual.content import Content
from textual.message import Message

from workbench.loop.problems import Problem
from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.clipboard import copy
from workbench.tui.lines import ScrolledLines

STALE = "STALE"


class Problems(ScrolledLines):
    """A line for each problem, and one of them spelled out: message, mend, place, notes."""

    BINDINGS = bindings("problems")

    class Selected(Message):
        """Another problem is spelled out, or none any more."""

        def __init__(self, problem: Problem | None) -> None:
            super().__init__()
            self.problem = problem

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._problems: tuple[Problem, ...] = ()
        self._judged = False
        self._mark = STALE
        self.selected = 0
        self._title()

    def show(self, problems: tuple[Problem, ...], *, judged: bool, mark: str = "") -> None:
        """Paint these; `judged` when having none means that all is well.

        `mark` is said of those that are of other bytes than those on disk, STALE without one.
        """
        mark = mark or STALE
        if (problems, judged, mark) == (self._problems, self._judged, self._mark):
            return
        self._problems, self._judged, self._mark = problems, judged, mark
        self.top = 0
        self._select(0)

    @property
    def problem(self) -> Problem | None:
        """The problem that is spelled out."""
        return self._problems[self.selected] if self._problems else None

    def step(self, by: int) -> None:
        """Spell out another problem, going round."""
        if self._problems:
            self._select((self.selected + by) % len(self._problems))
            height = len(self._spelled_out(self._problems[self.selected], self.size.width))
            self.reveal(self.selected, self.selected + height - 1)

    def action_step(self, by: int) -> None:
        """Spell out the problem above or below; at the ends there is none."""
        if 0 <= self.selected + by < len(self._problems):
            self.step(by)

    def action_edge(self, edge: int) -> None:
        """Spell out the first (-1) or the last problem (1)."""
        self.step(-self.selected if edge < 0 else len(self._problems) - 1 - self.selected)

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
                lines.append(_headline(problem, self._mark))
        return lines

    def _spelled_out(self, problem: Problem, width: int) -> list[Content]:
        head = _headline(problem, self._mark, "bold", is_whole=True)
        lines = head.wrap(max(8, width))
        for rest in _more(problem):
            content = Content.styled(text.clean(rest), "dim" if problem.stale else "")
            lines += [Content.assemble("  ", line) for line in content.wrap(max(8, width - 2))]
        return lines

    def _select(self, index: int) -> None:
        self.selected = index
        self._title()
        self.changed()
        self.post_message(self.Selected(self.problem))

    def _title(self) -> None:
        counts = [
            f"{sum(p.severity == severity for p in self._problems)}{glyph}"
            for severity, glyph in text.SEVERITY_GLYPHS.items()
            if any(p.severity == severity for p in self._problems)
        ]
        place = [f"{self.selected + 1} of {len(self._problems)}"] if self._problems else []
        self.border_title = Content("  ".join(["problems", *counts, *place]))


def _headline(problem: Problem, mark: str, style: str = "", *, is_whole: bool = False) -> Content:
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
        (f"{glyph} {f'{mark} ' if problem.stale else ''}", own),
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
