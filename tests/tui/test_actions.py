from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.app import App as TextualApp
from textual.keys import REPLACED_KEYS, Keys

from tests.tui.conftest import Open
from tests.tui.scripted import text_of
from workbench.tui.actions import ACTIONS, SCOPE_TITLES, Action, Scope, shown_keys
from workbench.tui.help import HelpPage, HelpScreen
from workbench.tui.lines import ScrolledLines
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.panes import PanesView
from workbench.tui.picker import Picker
from workbench.tui.problems import Problems
from workbench.tui.screen import MainScreen
from workbench.tui.search_prompt import SearchPrompt

OWNERS: Mapping[Scope, type] = {
    "main": MainScreen,
    "panes": PanesView,
    "memory": MemoryMap,
    "log": LogView,
    "search": SearchPrompt,
    "problems": Problems,
    "list": ScrolledLines,
    "picker": Picker,
    "help": HelpScreen,
}

KNOWN_KEYS = (
    {str(key.value) for key in Keys} | set(REPLACED_KEYS) | {"question_mark", "full_stop", "comma"}
)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: f"{a.scope}-{a.name}")
def test_each_action_can_be_carried_out(action: Action) -> None:
    name = action.name.split("(")[0]
    place, _, method = name.rpartition(".")
    owner = {"app": TextualApp, "screen": MainScreen}.get(place, OWNERS[action.scope])
    assert hasattr(owner, f"action_{method}")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: f"{a.scope}-{a.name}")
def test_each_key_has_a_name_that_textual_knows(action: Action) -> None:
    for key in action.keys.split(","):
        last = key.split("+")[-1]
        assert len(last) == 1 or key in KNOWN_KEYS or last in KNOWN_KEYS


@pytest.mark.parametrize("scope", OWNERS)
def test_no_key_means_two_things_in_a_place(scope: Scope) -> None:
    keys = [key for a in ACTIONS if a.scope == scope for key in a.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_escape_quits_nothing() -> None:
    assert not any("escape" in a.keys and "quit" in a.name for a in ACTIONS)


async def test_the_help_shows_every_action_and_its_keys(open_app: Open) -> None:
    async with open_app((100, 90)) as (app, pilot):
        await pilot.press("question_mark")
        page = text_of(app.screen.query_one(HelpPage))
        for action in ACTIONS:
            if action.scope in SCOPE_TITLES:
                assert action.help in page
                assert shown_keys(action) in page
