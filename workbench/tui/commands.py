"""The commands that a palette offers on a screen, from the table of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from textual.actions import parse
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from workbench.tui.actions import ACTIONS, SCOPE_TITLES, scopes_of
from workbench.tui.keymap import Keymap, shown_keys

SHARED = "list"
"""The scope of several parts: offered for the one in use only."""


@runtime_checkable
class HasParts(Protocol):
    """A screen of parts, each of which can be shown."""

    @property
    def parts(self) -> tuple[Widget, ...]:
        """The parts."""

    def show_part(self, part: Widget) -> None:
        """Show a part and give it the keys."""


@dataclass(frozen=True, slots=True)
class Command:
    """An action on what carries it out; `show` brings that to sight first.

    `words` are what else finds it.
    """

    title: str
    help: str
    keys: str
    action: str
    node: DOMNode
    show: Callable[[], None]
    words: str = ""


def commands_of(screen: Screen[object], keymap: Keymap, themes: Iterable[str]) -> list[Command]:
    """What can be done now: on the part in use, on the screen, on the other parts; themes."""
    found = [
        Command(
            action.label if action.scope == "main" else f"{_where(action.scope)}: {action.label}",
            action.help,
            shown_keys(action, keymap),
            action.name,
            node,
            show,
            action.words,
        )
        for node, scope, show in _nodes(screen)
        for action in ACTIONS
        if action.scope == scope and _is_enabled(node, action.name)
    ]
    shown = (
        Command(f"theme: {name}", "", "", f"app.theme({name!r})", screen, _nothing)
        for name in dict.fromkeys(themes)
    )
    return [*found, *shown]


def _nodes(screen: Screen[object]) -> Iterator[tuple[DOMNode, str, Callable[[], None]]]:
    own = screen.focused
    for scope in () if own is None else scopes_of(own):
        assert own is not None
        yield own, scope, _nothing
    for scope in scopes_of(screen):
        yield screen, scope, _nothing
    if isinstance(screen, HasParts):
        for part in screen.parts:
            for scope in scopes_of(part) if part is not own else ():
                if scope != SHARED:
                    yield part, scope, partial(screen.show_part, part)


def _where(scope: str) -> str:
    return next((title for name, title in SCOPE_TITLES.items() if name == scope), scope)


def _is_enabled(node: DOMNode, action: str) -> bool:
    _, name, parameters = parse(action)
    return bool(node.check_action(name, parameters))


def _nothing() -> None:
    """What is in use is shown already."""
