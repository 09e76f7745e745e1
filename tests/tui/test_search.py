"""Searching the log: which lines, what is marked in them, and the keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from tests.tui.conftest import Open
from tests.tui.scripted import PASSED, a_run, result, rows
from workbench.tui.ansi import pieces
from workbench.tui.log_view import LogView
from workbench.tui.search import find, marked
from workbench.tui.search_prompt import SearchPrompt

PLAIN = Style.null()


def test_goes_round_in_both_directions() -> None:
    lines = ["error a", "b", "Error c", "d"]
    assert [find(lines, "error", start, 1) for start in range(5)] == [0, 2, 2, 0, 0]
    assert [find(lines, "error", start, -1) for start in range(-1, 3)] == [2, 0, 0, 2]
    assert find(lines, "Error", 0, 1) == 2
    assert find(lines, "x", 0, 1) is None
    assert find([], "x", 0, 1) is None


def test_colours_are_no_part_of_the_text() -> None:
    lines = ["\x1b[31mer\x1b[0mror", "\x1b[31m", "\x1b]0;31\x07\x1b[K"]
    assert find(lines, "error", 0, 1) == 0
    assert find(lines, "31", 0, 1) is None


@given(text=st.text(max_size=40), needle=st.text(max_size=3))
def test_marking_changes_no_text(text: str, needle: str) -> None:
    parts = marked(pieces(text), needle)
    assert "".join(part for part, _ in parts) == "".join(part for part, _ in pieces(text))


def test_marks_across_colours() -> None:
    red = Style(color="red")
    reverse = Style(reverse=True)
    assert marked([("an er", PLAIN), ("ror", red)], "error") == [
        ("an ", PLAIN),
        ("er", reverse),
        ("ror", red + reverse),
    ]


async def test_the_lines_of_the_next_run_are_marked_too(open_app: Open) -> None:
    async with open_app((80, 30)) as (app, pilot):
        log = app.screen.query_one(LogView)
        app.emit(*a_run(PASSED, log=["one"]))
        await pilot.pause()
        log.flush()
        log.search("one")
        app.emit(*a_run(result(2, "pass", verdict=PASSED.verdict), log=["one"]))
        await pilot.pause()
        log.flush()
        assert "/one: n: next" in str(log.border_title)
        log.action_start()
        strip = log.render_line(1)
        assert [s.text for s in strip if s.style and s.style.reverse] == ["one"]


async def test_slash_and_n_in_the_log(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        lines = [f"warning {n}" if n % 50 == 0 else f"line {n}" for n in range(200)]
        app.emit(*a_run(PASSED, log=lines))
        await pilot.pause()
        log = app.screen.query_one(LogView)
        await pilot.press("M", "slash")
        await pilot.pause()
        assert isinstance(app.focused, SearchPrompt)
        await pilot.press(*"warning q", "backspace", "backspace", "enter")
        await pilot.pause()
        assert log.has_focus
        assert not app.screen.query(SearchPrompt)
        seen = []
        for _ in range(5):
            seen.append(next(row for row in rows(log) if "warning" in row).strip(" │█"))
            await pilot.press("n")
        assert seen == ["warning 0", "warning 50", "warning 100", "warning 150", "warning 0"]
        assert "/warning: line 52" in str(log.border_title)
        await pilot.press("N")
        assert "/warning: line 2" in str(log.border_title)
        assert not log.following


async def test_escape_ends_the_search_and_n_means_problems_again(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        app.emit(*a_run(PASSED, log=["[/x] here"]))
        await pilot.pause()
        log = app.screen.query_one(LogView)
        await pilot.press("slash", *"nothing", "enter")
        await pilot.pause()
        assert "/nothing: not found" in str(log.border_title)
        assert log.check_action("search_next", (1,))
        await pilot.press("slash", "a", "escape")
        await pilot.pause()
        assert "/" not in str(log.border_title)
        assert log.check_action("search_next", (1,)) is False
        assert app.is_running


async def test_turning_elsewhere_closes_the_prompt(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        await pilot.press("slash", "a", "tab")
        await pilot.pause()
        assert not app.screen.query(SearchPrompt)
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0
