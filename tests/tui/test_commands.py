"""The palette, jump mode, screenshots, and what the terminal is told beyond its cells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.widgets._toast import Toast

from tests.tui.conftest import Open
from tests.tui.scripted import PASSED, App, a_run, off_at, result, started, text_of, verdict
from workbench.loop.events import Saved
from workbench.loop.view import Phase, View
from workbench.settings import Screen, Settings, Signal
from workbench.tui.actions import ACTIONS
from workbench.tui.jump import Hidden, Jump, Tag, letters_of
from workbench.tui.lines import is_seen
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.palette import CommandList
from workbench.tui.screen import MainScreen
from workbench.tui.signals import notification, title_of, title_sequence
from workbench.tui.stage_table import StageTable

SIZES = [(200, 50), (120, 34), (80, 24), (40, 12)]


class ToldApp(App):
    """Writes down what the terminal is told."""

    def __init__(self, signal: Signal = "none", long_run: float = 10) -> None:
        self.told: list[str] = []
        super().__init__(settings=Settings(screen=Screen(signal=signal, long_run=long_run)))

    def write_sequence(self, sequence: str) -> None:
        self.told.append(sequence)

    def bell(self) -> None:
        self.told.append("bell")


@asynccontextmanager
async def opened(app: App, size: tuple[int, int] = (120, 34)) -> AsyncIterator[Pilot[None]]:
    async with app.run_test(size=size) as pilot:
        while app.engine is None:
            await pilot.pause()
        yield pilot


def found(app: App) -> list[str]:
    return [command.title for command in app.screen.query_one(CommandList).found]


# The palette


async def test_a_command_is_found_and_carried_out(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        assert app.engine is not None
        await pilot.press("ctrl+p", *"rer")
        assert found(app)[0] == "rerun"
        rows = text_of(app.screen.query_one(CommandList))
        assert rows.startswith(" ▸ rerun  r  run what is on disk again")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert app.engine.asked == ["rerun"]


async def test_every_command_of_the_screen_is_there_but_those_that_do_nothing_now(
    open_app: Open,
) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED))
        await pilot.press("ctrl+p")
        labels = {action.label for action in ACTIONS if action.scope == "main"}
        assert labels - set(found(app)) == {"cancel", "back", "newest run", "pane"}
        assert "in the log: wrap" in found(app)
        assert "theme: light" in found(app)
        assert "theme: dracula" in found(app)


async def test_a_command_of_a_part_that_is_not_seen_brings_it_to_sight(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        app.emit(*a_run(PASSED))
        await pilot.press("ctrl+p", *"memory map next core", "enter")
        await pilot.pause()
        await pilot.pause()
        assert is_seen(app.screen.query_one(MemoryMap))


async def test_themes_are_commands(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("colon", *"theme: high", "enter")
        await pilot.pause()
        assert app.theme == "high-contrast"


async def test_moving_and_leaving(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        assert app.engine is not None
        await pilot.press("ctrl+p", "down", "down", "up", "pagedown", "pageup", "pageup", "down")
        commands = app.screen.query_one(CommandList)
        assert commands.current is commands.found[1]
        await pilot.press(*"no such command")
        assert commands.current is None
        assert "no command is found by that" in text_of(commands)
        await pilot.press("enter", "escape")
        assert isinstance(app.screen, MainScreen)
        assert app.engine.asked == []


@pytest.mark.parametrize(
    ("word", "title"),
    [
        ("kernel", "edit"),
        ("pin", "baseline"),
        ("diff", "changes"),
        ("log", "log end"),
        ("exit", "quit"),
        ("older", "older run"),
        ("legend", "help"),
    ],
)
async def test_other_words_find_a_command_too(open_app: Open, word: str, title: str) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("colon", *word)
        assert found(app)[0] == title


async def test_a_click_carries_out(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        assert app.engine is not None
        await pilot.press("ctrl+p", *"rerun")
        await pilot.click(CommandList, offset=(5, 0))
        await pilot.pause()
        assert app.engine.asked == ["rerun"]


# Jump mode


@pytest.mark.parametrize("size", SIZES)
async def test_every_part_is_a_letter_away(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict(off_at(2, 3, 90)))))
        await pilot.pause()
        main = app.screen
        assert isinstance(main, MainScreen)
        for index in range(len(main.parts)):
            await pilot.press("ctrl+o")
            jump = app.screen
            assert isinstance(jump, Jump)
            await pilot.press(jump._tags[index].letter)
            await pilot.pause()
            await pilot.pause()
            assert not jump.is_attached
            assert main.focused is main.parts[index]
            assert is_seen(main.parts[index])


async def test_letters_lie_on_their_parts_and_the_hidden_ones_below(open_app: Open) -> None:
    async with open_app((120, 34)) as (app, pilot):
        app.emit(*a_run(PASSED))
        await pilot.press("apostrophe")
        tags = [tag for tag in app.screen.query(Tag) if isinstance(tag.part, LogView)]
        assert tags[0].region.offset == tags[0].part.region.offset
        assert text_of(tags[0]).startswith(f" {tags[0].letter} log ─")
        assert "memory" in text_of(app.screen.query_one(Hidden))


async def test_a_click_on_a_letter_jumps_and_one_elsewhere_does_not(open_app: Open) -> None:
    async with open_app((120, 34)) as (app, pilot):
        for target in (Tag, Hidden):
            before = app.screen.focused
            await pilot.press("ctrl+o")
            tag = app.screen.query(target).first()
            await pilot.click(offset=(tag.region.x + 1, tag.region.y))
            await pilot.pause()
            await pilot.pause()
            assert isinstance(app.screen, MainScreen)
            assert app.screen.focused is (tag.part if isinstance(tag, Tag) else before)


@pytest.mark.parametrize("key", ["escape", "9", "f3", "up"])
async def test_any_other_key_jumps_nowhere(open_app: Open, key: str) -> None:
    async with open_app() as (app, pilot):
        before = app.screen.focused
        await pilot.press("ctrl+o", key)
        assert isinstance(app.screen, MainScreen)
        assert app.screen.focused is before


async def test_a_resize_ends_a_jump(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("ctrl+o")
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)


@given(st.lists(st.text("abc xyz", max_size=9), max_size=20))
def test_letters_are_told_apart(names: list[str]) -> None:
    letters = letters_of(names)
    assert len(set(letters)) == len(names)
    assert all(letter.isalpha() and len(letter) == 1 for letter in letters)


@pytest.mark.parametrize("keys", [("question_mark",), ("ctrl+p",), ("ctrl+o",), ("f1", "f1")])
async def test_closing_twice_closes_once(open_app: Open, keys: tuple[str, ...]) -> None:
    async with open_app() as (app, pilot):
        await pilot.press(*keys)
        for _ in range(2):  # both are sent before the first is dealt with
            app.simulate_key("escape")
        await pilot.pause()
        assert isinstance(app.screen, MainScreen)
        assert len(app.screen_stack) == 1


async def test_opening_twice_opens_once(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        for _ in range(2):
            app.simulate_key("ctrl+p")
        await pilot.pause()
        assert len(app.screen_stack) == 2


async def test_only_what_was_said_last_is_shown() -> None:
    app = App()
    async with app.run_test(notifications=True) as pilot:
        for text in ("first", "[/x] last"):
            app.screen.notify(text, markup=False)
        for _ in range(10):
            await pilot.pause()
        assert [told.message for told in app._notifications] == ["[/x] last"]
        assert len(app.screen.query(Toast)) == 1


# Screenshots


async def test_a_screenshot_is_written_and_its_path_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(App, "output", property(lambda _: tmp_path / "new"))
    app = App()
    async with opened(app) as pilot:
        app.emit(*a_run(PASSED))
        await pilot.pause()
        await pilot.press("f8", "f8")
        paths = sorted((tmp_path / "new").iterdir())
        assert [path.name for path in paths] == ["screen-1.svg", "screen-2.svg"]
        assert "PASS" in paths[0].read_text()
        assert [told.message for told in app._notifications] == [str(paths[1])]


async def test_a_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(App, "output", property(lambda _: tmp_path / "file" / "in"))
    app = App()
    async with opened(app) as pilot:
        await pilot.press("f8")
        (told,) = app._notifications
        assert told.title == "no screenshot"
        assert "Not a directory" in told.message


# The terminal


async def test_the_title_tells_the_state() -> None:
    app = ToldApp()
    async with opened(app) as pilot:
        app.emit(*a_run(PASSED))
        await pilot.pause()
        app.emit(Saved(2, ("kernels/attention.c",)))
        await pilot.pause()
        app.emit(started(2))
        await pilot.pause()
    titles = [told for told in app.told if "]2;" in told]
    assert titles == [
        "\x1b[22;2t\x1b]2;npu-workbench\x07",
        "\x1b]2;✓ PASS attention\x07",
        "\x1b]2;… WAITING attention (STALE)\x07",
        "\x1b]2;▶ RUNNING attention (STALE)\x07",
    ]
    assert app.told[-1] == "\x1b[23;2t"


@pytest.mark.parametrize(
    ("signal", "expected"),
    [("none", []), ("bell", ["bell"]), ("notify", ["\x1b]9;✓ PASS attention\x07"])],
)
async def test_only_the_end_of_a_long_run_is_signalled(signal: Signal, expected: list[str]) -> None:
    app = ToldApp(signal, 10)
    async with opened(app) as pilot:
        app.emit(*a_run(replace(PASSED, seconds=9.9)))
        app.emit(*a_run(replace(PASSED, run=2, seconds=10.0)))
        app.emit(*a_run(replace(PASSED, run=1, seconds=99.0)))
        await pilot.pause()
    assert [told for told in app.told if told == "bell" or "]9;" in told] == expected


@pytest.mark.parametrize("text", ["a\x07b", "\x1b[2J", "x\x1b]0;y\x07", "\x9cz", "\n"])
def test_nothing_from_outside_ends_a_sequence(text: str) -> None:
    for sequence in (title_sequence(text), notification(text)):
        assert sequence[4:-1].isprintable()
        assert sequence.endswith("\x07")


def test_each_phase_has_a_title_of_its_own() -> None:
    titles = {title_of(View(phase=phase, kernel="k.c")) for phase in Phase}
    assert len(titles) == len(Phase)


async def test_stages_are_commands_too(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("ctrl+p", *"stages", "enter")
        await pilot.pause()
        await pilot.pause()
        assert is_seen(app.screen.query_one(StageTable))
