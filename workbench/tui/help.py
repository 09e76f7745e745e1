"""The help page: what is needed first and the signs, then every action with its keys as set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from textwrap import wrap
from typing import NamedTuple

from textual.app import ComposeResult
from textual.content import Content

from workbench.tui.actions import ACTIONS, SCOPE_TITLES, Action, Scope, bindings
from workbench.tui.key_line import KeyLine
from workbench.tui.keymap import Keymap, shown_keys
from workbench.tui.lines import ScrolledLines
from workbench.tui.overlay import Overlay

_FIRST = (
    *("help", "quit", "commands", "next", "edit"),
    *("baseline", "older-run", "newer-run", "theme"),
)
"""The actions that are needed first: with the signs they fill what 80x24 shows at once."""

_OWN_KEYS = ("help.close", "list.up", "list.down", "help.page", "list.top", "list.bottom")

_WITH_NAMES = 98
"""Cells from which on there is room for the names that settings use."""

_GAP = 2
"""Cells before and between columns."""

_LEAST = 8
"""Cells that a column has, however narrow the page."""


class Row(NamedTuple):
    """A key or sign, what it does or says, and the name that settings have for it."""

    sign: str
    told: str
    name: str = ""


_SIGNS = (
    Row("✓ ✗ ▶ · – ■ ∅", "passed, failed, runs, not yet, skipped, cancelled, missing"),
    Row("STALE", "numbers of an earlier save, not of what is on disk"),
    Row("OLD RUN 3", "you look at an older run; “newest” tells of the last one"),
    Row("MODEL NPU", "what it ran on: the core model on this host, or the NPU"),
    Row("◆ = ?", "the baseline; since then: the same, not known"),
    Row("· +1 ~ !", "a difference: none, within tolerance, over it, 4 times it"),
    Row("✗ ~ i", "a problem: error, warning, note"),
    Row("corr local", "a stage: with all before it, and by itself on right inputs"),
)


class HelpScreen(Overlay[None]):
    """Keys over another screen; closed by escape. `here` are the scopes of what has the keys."""

    BINDINGS = bindings("help")

    def __init__(self, keymap: Keymap, here: Sequence[Scope]) -> None:
        super().__init__()
        self._page = HelpPage(keymap, here)

    def compose(self) -> ComposeResult:
        """One page of lines, and the keys that it has."""
        yield self._page
        yield KeyLine(_OWN_KEYS)

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self._page.action_page(pages)


class HelpPage(ScrolledLines):
    """The page."""

    def __init__(self, keymap: Keymap, here: Sequence[Scope]) -> None:
        super().__init__(classes="panel")
        self._parts = list(_parts(keymap, here))

    def on_mount(self) -> None:
        """Give the page its title and the focus, so that it scrolls."""
        self.border_title = Content("keys and signs")
        self.focus()

    def lines(self, width: int, height: int) -> list[Content]:
        """A heading and its rows for each part; sentences are wrapped."""
        rows = [row for _, part in self._parts for row in part]
        room = min(max(len(row.sign) for row in rows), max(_LEAST, width // 3))
        named = max(len(row.name) for row in rows) if width >= _WITH_NAMES else 0
        text = max(_LEAST, width - room - 2 * _GAP - (named + _GAP if named else 0))
        lines: list[Content] = []
        for title, part in self._parts:
            if lines:
                lines.append(Content(""))
            lines += [Content.styled(line, "bold") for line in wrap(title, max(_LEAST, width))]
            for row in part:
                lines += _wrapped(row, room, text, with_name=named > 0)
        if named:
            heading = " " * (room + text + 3 * _GAP - lines[0].cell_length) + "name in settings"
            lines[0] = Content.assemble(lines[0], (heading, "dim"))
        return lines


def _parts(keymap: Keymap, here: Sequence[Scope]) -> Iterator[tuple[str, Sequence[Row]]]:
    """Titles and rows: the first to know, the signs, the scopes in use, all others."""

    def rows(actions: Sequence[Action]) -> list[Row]:
        return [Row(shown_keys(each, keymap), each.help, each.id) for each in actions]

    first = [each for each in ACTIONS if each.id in _FIRST] if "main" in here else []
    scopes = {
        SCOPE_TITLES[scope]: rows(
            [each for each in ACTIONS if each.scope == scope and each not in first]
        )
        for scope in dict.fromkeys((*here, *SCOPE_TITLES))
        if scope in SCOPE_TITLES
    }
    parts = [*([("needed first", rows(first))] if first else []), *scopes.items()]
    yield parts[0]
    yield "signs", _SIGNS
    yield from parts[1:]
    yield (
        "your own keys",
        (
            Row("[keys]", "in npu-workbench.toml: an action's name, and its keys"),
            Row("", f"a window of {_WITH_NAMES + 2} columns shows the names here, in grey"),
        ),
    )


def _wrapped(row: Row, room: int, text: int, *, with_name: bool) -> Iterator[Content]:
    """A row's lines; its name is in the first."""
    name = row.name if with_name else ""
    for sign, told in zip_longest(wrap(row.sign, room), wrap(row.told, text), fillvalue=""):
        yield Content.assemble(
            (f"{'':{_GAP}}{sign:<{room + _GAP}}", "$wb-busy"),
            f"{told:<{text + _GAP}}" if name else told,
            (name, "dim"),
        )
        name = ""
