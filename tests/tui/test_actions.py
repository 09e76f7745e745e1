from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.tui.conftest import Open
from tests.tui.scripted import App, text_of
from workbench.loop.view import Phase
from workbench.settings import KeyChoice, Settings, SettingsError
from workbench.tui.actions import ACTIONS, SCOPE_TITLES, Action, Scope
from workbench.tui.app import WorkbenchApp
from workbench.tui.comparison import ComparisonScreen
from workbench.tui.help import HelpPage, HelpScreen
from workbench.tui.jump import Jump
from workbench.tui.key_line import KeyLine
from workbench.tui.keymap import keymap_of, keys_of, shown_keys
from workbench.tui.lines import ScrolledLines
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.palette import Palette
from workbench.tui.panes import PanesView
from workbench.tui.picker import Picker
from workbench.tui.problems import Problems
from workbench.tui.screen import MainScreen
from workbench.tui.search_prompt import SearchPrompt
from workbench.tui.source_view import SourceView
from workbench.tui.stage_table import StageTable
from workbench.tui.text import BASELINE, PHASE_GLYPHS, SEVERITY_GLYPHS, STEP_GLYPHS

OWNERS: Mapping[Scope, type] = {
    "main": MainScreen,
    "panes": PanesView,
    "memory": MemoryMap,
    "log": LogView,
    "search": SearchPrompt,
    "problems": Problems,
    "stages": StageTable,
    "source": SourceView,
    "list": ScrolledLines,
    "picker": Picker,
    "palette": Palette,
    "jump": Jump,
    "comparison": ComparisonScreen,
    "help": HelpScreen,
}

BUSY = {Phase.STARTING, Phase.WAITING}
"""Their sign only stands beside their name."""


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: f"{a.scope}-{a.name}")
def test_each_action_can_be_carried_out(action: Action) -> None:
    name = action.name.split("(")[0]
    place, _, method = name.rpartition(".")
    owner = {"app": WorkbenchApp, "screen": MainScreen}.get(place, OWNERS[action.scope])
    assert hasattr(owner, f"action_{method}")


@pytest.mark.parametrize("scope", OWNERS)
def test_no_key_means_two_things_in_a_place(scope: Scope) -> None:
    keys = [key for a in ACTIONS if a.scope == scope for key in a.keys.split(",")]
    assert len(keys) == len(set(keys))


def test_escape_quits_nothing() -> None:
    assert not any("escape" in a.keys and "quit" in a.name for a in ACTIONS)


def test_no_two_actions_have_one_name() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


async def test_the_help_shows_every_action_and_its_keys(open_app: Open) -> None:
    async with open_app((120, 120)) as (app, pilot):
        await pilot.press("question_mark")
        lines = [line.plain for line in app.screen.query_one(HelpPage).all_lines()]
        for action in ACTIONS:
            if action.scope in SCOPE_TITLES:
                (line,) = (line for line in lines if line.endswith(f"  {action.id}"))
                assert line.strip().startswith(f"{shown_keys(action, {})}  ")
                assert f"  {action.help}  " in line


def test_sentences_are_short() -> None:
    assert max(len(action.help) for action in ACTIONS) <= 60


async def test_what_is_needed_first_and_the_signs_are_seen_at_once(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        await pilot.press("question_mark")
        page = app.screen.query_one(HelpPage)
        seen = [page.render_line(y).text for y in range(page.size.height)]
        assert seen[0].startswith("needed first ")
        keys = ["?", "q", ":", "n", "o", "b", "[", "]", "T"]
        assert [line.split()[0] for line in seen[1:10]] == keys
        assert "signs" in [line.strip() for line in seen]
        assert seen[-1].strip().startswith("✗ ~ i")
        assert not any("…" in line for line in seen)
        assert "older-run" not in "".join(seen)  # the names that settings use need room


async def test_every_sign_is_explained(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        await pilot.press("question_mark")
        page = text_of(app.screen.query_one(HelpPage))
        ours = [*STEP_GLYPHS.values(), *SEVERITY_GLYPHS.values(), BASELINE]
        signs = {*ours, *(sign for phase, sign in PHASE_GLYPHS.items() if phase not in BUSY)}
        explained = page.partition("\nsigns\n")[2].partition("\n\n")[0]
        assert {sign for sign in signs if f" {sign} " not in explained} == set()


async def test_the_part_that_has_the_keys_comes_before_other_parts(open_app: Open) -> None:
    async with open_app((100, 40)) as (app, pilot):
        app.screen.set_focus(app.screen.query_one(LogView))
        await pilot.press("f1")
        lines = [line.plain for line in app.screen.query_one(HelpPage).all_lines()]
        titles = [line for line in lines if line and not line.startswith(" ")]
        assert titles[1:4] == ["signs", "in the log", "everywhere"]


async def test_narrow_help_is_wrapped_not_cut(open_app: Open) -> None:
    async with open_app((40, 12)) as (app, pilot):
        await pilot.press("question_mark")
        page = app.screen.query_one(HelpPage)
        assert max(line.cell_length for line in page.all_lines()) <= page.size.width
        told = " ".join(word for line in page.all_lines() for word in line.plain.split())
        assert "o open the problem's place in your editor" in told


async def test_keys_of_the_help(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        await pilot.press("question_mark")
        page = app.screen.query_one(HelpPage)
        line = app.screen.query_one(KeyLine)
        assert text_of(line).startswith(
            " esc close  ↑ up  ↓ down  space page  home top  end bottom"
        )
        last = len(page.all_lines()) - page.size.height
        for key, top in (
            *(("end", last), ("home", 0), ("G", last), ("g", 0), ("j", 1), ("k", 0)),
            *(("space", page.size.height - 1), ("g", 0)),
        ):
            await pilot.press(key)
            page.render_line(0)
            assert page.top == top, key
        await pilot.click(KeyLine, offset=(text_of(line).index("close"), 0))
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (20, 5)])
async def test_help_at_any_size(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        await pilot.press("question_mark", "end", "home", "escape")
        assert isinstance(app.screen, MainScreen)


def chosen(**keys: str | tuple[str, ...]) -> list[KeyChoice]:
    pairs = ((name.replace("__", "."), key) for name, key in keys.items())
    return [KeyChoice(n, (k,) if isinstance(k, str) else k, "npu-workbench.toml") for n, k in pairs]


def test_keys_are_named_as_people_do() -> None:
    names = ("f5", "ctrl+r", "page down", "+", "ctrl+↑", "ä", "space", "ctrl+@")
    keymap = keymap_of(chosen(rerun=names))
    assert keymap == {"rerun": "f5,ctrl+r,pagedown,plus,ctrl+up,ä,space,ctrl+at"}
    assert keymap_of(chosen(help="?")) == keymap_of(chosen(help="question_mark"))
    assert keymap_of(chosen(memory__back="esc")) == {"memory.back": "escape"}


def test_two_actions_can_change_places() -> None:
    assert keymap_of(chosen(rerun="x", cancel="r")) == {"rerun": "x", "cancel": "r"}


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (chosen(rerunn="r"), "there is no action rerunn (did you mean rerun?)"),
        (chosen(log__rap="r"), "there is no action log.rap (did you mean log.wrap?)"),
        (chosen(rerun="pagedwn"), "keys.rerun: there is no key 'pagedwn' (did you mean pagedown?)"),
        (chosen(rerun="contrl+r"), "keys.rerun: there is no key 'contrl+r' (such as"),
        (chosen(rerun="ctrl+"), "keys.rerun: there is no key 'ctrl+' (such as"),
        (chosen(rerun="\n"), "keys.rerun: there is no key '\\n' (such as"),
        (chosen(rerun="ctrl+m"), "keys.rerun: in a terminal ctrl+m is enter (choose another key)"),
        (chosen(rerun="x"), "keys.rerun: x is the key of cancel too (give cancel another key"),
        (chosen(rerun="G", cancel="G"), "keys.cancel: G is the key of rerun too"),
    ],
)
def test_what_there_is_not_is_refused(choices: list[KeyChoice], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        keymap_of(choices)
    assert str(caught.value).startswith(f"npu-workbench.toml: {message}")


@pytest.mark.parametrize("action", ACTIONS, ids=lambda a: a.id)
def test_each_key_of_ours_can_be_chosen(action: Action) -> None:
    (keys,) = keymap_of([KeyChoice(action.id, tuple(action.keys.split(",")), "f")]).values()
    assert keys == keys_of(action, {})


async def test_settings_move_keys_in_the_app_its_footer_and_its_help() -> None:
    app = App(settings=Settings(keys=tuple(chosen(rerun=("R", "f5"), log__wrap="W"))))
    async with app.run_test(size=(120, 120)) as pilot:
        while app.engine is None:
            await pilot.pause()
        await pilot.press("r", "R", "f5")
        assert app.engine.asked == ["rerun", "rerun"]
        assert " R rerun" in text_of(app.screen.query_one(KeyLine))
        app.screen.set_focus(app.screen.query_one(LogView))
        await pilot.pause()
        assert " W wrap" in text_of(app.screen.query_one(KeyLine))
        await pilot.press("w")
        assert not app.screen.query_one(LogView).wraps
        await pilot.press("W")
        assert app.screen.query_one(LogView).wraps
        await pilot.press("question_mark")
        page = text_of(app.screen.query_one(HelpPage))
        assert "  R  f5" in page
