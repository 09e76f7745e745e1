"""What of the log is shown: filter, step, wrap, pause; what is copied of it."""

from __future__ import annotations

import base64
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content
from textual.pilot import Pilot
from textual.selection import Selection
from textual.widget import Widget

from tests.tui.conftest import Open
from tests.tui.scripted import PASSED, a_run, rows
from tests.tui.test_log_view import LogApp, filled
from workbench.errors import UsageError
from workbench.tui.log_places import Places
from workbench.tui.log_rows import rows_of, text_of
from workbench.tui.log_store import Heading, LogStore
from workbench.tui.log_view import COPIED_CHARACTERS, LogView
from workbench.tui.pattern import compiled, time_limit
from workbench.tui.search_prompt import SearchPrompt
from workbench.tui.shown_lines import ShownLines


def seen(log: LogView) -> list[str]:
    return [row.rstrip(" │█") for row in rows(log)]


def title(widget: Widget) -> str:
    assert isinstance(widget.border_title, str)
    return Content.from_markup(widget.border_title).plain


async def all_looked_at(log: LogView, pilot: Pilot[None]) -> None:
    while not log.shown.advance():
        await pilot.pause()
    log.flush()


async def test_only_lines_that_match(open_app: Open) -> None:
    async with open_app((120, 50)) as (app, pilot):
        log = app.screen.query_one(LogView)
        lines = [f"{'Warning' if n % 50 == 0 else 'line'} {n}" for n in range(200)]
        app.emit(*a_run(PASSED, log=lines))
        await pilot.pause()
        log.flush()
        await pilot.press("f", *"warn.*50$", "enter")
        await pilot.pause()
        assert log.has_focus
        lines = [line for line in seen(log) if line and not line.startswith("── ")]
        assert lines == ["Warning 50", "Warning 150"]
        assert "filter warn.*50$: 2" in title(log)
        log.append(["another warning 50", "and a line"], "run")
        log.flush()
        assert "another warning 50" in seen(log)
        assert "and a line" not in seen(log)
        await pilot.press("f")
        await pilot.pause()
        assert isinstance(app.focused, SearchPrompt)
        assert app.focused.value == "warn.*50$"
        await pilot.press("escape")
        await pilot.pause()
        assert log.shown.pattern is None
        assert "and a line" in seen(log)


async def test_a_broken_pattern_is_told_and_can_be_mended(open_app: Open) -> None:
    async with open_app((120, 50)) as (app, pilot):
        await pilot.press("f", *"a(", "enter")
        await pilot.pause()
        (told,) = app._notifications
        assert told.message.startswith("a( is no regular expression: missing ), unterminated")
        assert isinstance(app.focused, SearchPrompt)
        await pilot.press("b", ")", "enter")
        await pilot.pause()
        pattern = app.screen.query_one(LogView).shown.pattern
        assert pattern is not None
        assert pattern.pattern == "a(b)"


async def test_a_pattern_that_takes_forever_is_given_up() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        log = app.log_view
        filled(log, 3)
        log.append(["a" * 60 + "b"])
        log.flush()
        began = time.perf_counter()
        log.filter(compiled("(a|aa)+$"))
        assert time.perf_counter() - began < 1
        await pilot.pause()
        (told,) = app._notifications
        assert "takes too long" in told.message
        assert log.shown.pattern is None
        assert seen(log)[0] == "line 0"


def test_a_limit_ends_a_match_and_nothing_after_it() -> None:
    with pytest.raises(TimeoutError), time_limit(0.02):
        compiled("(a|aa)+$").search("a" * 60 + "b")
    with time_limit(0.02):
        pass
    end = time.perf_counter() + 0.05
    while time.perf_counter() < end:
        pass


@pytest.mark.parametrize("text", ["(", "[a", "a{2,1}", "(?P<a", "*"])
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(UsageError, match="is no regular expression"):
        compiled(text)


def test_capitals_count_where_there_are_some() -> None:
    assert compiled("error").search("an Error")
    assert not compiled("Error").search("an error")


async def test_a_filter_over_many_lines_gives_way() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        log = app.log_view
        filled(log, 100_000)
        longest, began = 0.0, time.perf_counter()
        log.filter(compiled("7$"))
        while not log.shown.advance():
            longest = max(longest, time.perf_counter() - began)
            await pilot.pause()
            began = time.perf_counter()
        assert log.shown.matches == 10_000
        assert longest < 0.2  # a slice of 10 ms on a machine that does other things too


async def test_a_search_over_many_lines_gives_way() -> None:
    app = LogApp()
    async with app.run_test(size=(80, 10)) as pilot:
        log = app.log_view
        log.append([f"\x1b[33mline\x1b[0m {n}" for n in range(100_000)])
        log.flush()
        began = time.perf_counter()
        log.search("not there")
        assert time.perf_counter() - began < 0.2
        assert "/not there: looking" in title(log)
        while "looking" in title(log):
            await pilot.pause()
        assert "/not there: not found" in title(log)
        log.action_start()
        log.search("not there either")
        log.search("line 77")  # which ends the search before it
        while "looking" in title(log):
            await pilot.pause()
        assert "/line 77: line 78" in title(log)
        await pilot.press("n", "N", "N")
        while "looking" in title(log):
            await pilot.pause()
        assert "/line 77: line 78,000" in title(log)


@given(st.lists(st.sampled_from("ab"), max_size=30), st.integers(-2, 32), st.sampled_from([1, -1]))
def test_looking_goes_round_in_either_direction(lines: list[str], start: int, step: int) -> None:
    log = LogView()
    log.store.extend(lines)
    walked: list[int] = []
    place = start
    while len(walked) < len(lines):
        piece = log._next_lines(place, step)[: len(lines) - len(walked)]
        walked += piece
        place = piece[-1] + step
    assert sorted(walked) == list(range(len(lines)))
    ahead = range(len(lines))[::step]
    expected = [n for n in ahead if n * step >= start * step] or list(ahead)
    assert walked[:1] == expected[:1]


async def test_the_lines_of_a_step() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 12)) as pilot:
        log = app.log_view
        for step in ("compile", "run"):
            log.append([Heading(f"── {step}"), f"of {step}"], step)
        log.append(["more of compile"], "compile")
        log.flush()
        shown = []
        for _ in range(4):
            shown.append((title(log).split("  ")[1], [line for line in seen(log) if line]))
            await pilot.press("t")
        of_compile = ["── compile", "of compile", "more of compile"]
        everything = ["── compile", "of compile", "── run", "of run", "more of compile"]
        assert shown == [
            ("5 lines", everything),
            ("step compile", of_compile),
            ("step run", ["── run", "of run"]),
            ("5 lines", everything),
        ]


async def test_a_filter_and_a_step_outlive_a_run() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 12)) as pilot:
        log = app.log_view
        log.append(["a of compile", "b"], "compile")
        log.flush()
        await pilot.press("t")
        log.filter(compiled("^a"))
        log.clear()
        log.append(["a of run"], "run")
        log.append(["b", "a of compile anew"], "compile")
        log.flush()
        assert [line for line in seen(log) if line] == ["a of compile anew"]


async def test_long_lines_are_wrapped() -> None:
    app = LogApp()
    async with app.run_test(size=(11, 6)) as pilot:
        log = app.log_view
        log.append(["0123456789abcdefghijABCDE", "\x1b[31m界界界界界界\x1b[0m", "end"])
        log.flush()
        assert seen(log)[:3] == ["012345678…", "界界界界 …", "end"]
        await pilot.press("w")
        assert seen(log) == ["0123456789", "abcdefghij", "ABCDE", "界界界界界", "界", "end"]
        log.append(["last"])
        log.flush()
        assert seen(log) == ["abcdefghij", "ABCDE", "界界界界界", "界", "end", "last"]
        await pilot.press("up")
        assert seen(log)[0] == "0123456789"
        assert not log.following
        await pilot.press("down")
        assert log.following
        await pilot.press("home", "down", "down")
        assert seen(log)[0] == "abcdefghij"
        await pilot.press("w")
        assert seen(log)[:2] == ["012345678…", "界界界界 …"]


async def test_the_pause_key_and_the_badge() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 5)) as pilot:
        log = app.log_view
        filled(log, 20)
        await pilot.press("space")
        filled(log, 1234, start=20)
        assert not log.following
        assert seen(log)[0] == "line 15"
        assert rows(log)[-1].startswith("line 19 ")
        assert rows(log)[-1].rstrip("│█").endswith(" ▼ paused, +1,234 lines ")
        await pilot.click(LogView, offset=(50, 4))
        assert log.following
        assert seen(log)[-1] == "line 1253"
        await pilot.press("space", "space")
        assert log.following


async def test_a_click_elsewhere_pauses_nothing_on() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 5)) as pilot:
        filled(app.log_view, 20)
        await pilot.press("up")
        await pilot.click(LogView, offset=(5, 4))
        await pilot.click(LogView, offset=(50, 3))
        assert not app.log_view.following


@pytest.mark.parametrize("width", range(1, 30))
async def test_the_badge_fits_any_width(width: int) -> None:
    app = LogApp()
    async with app.run_test(size=(width, 3)) as pilot:
        filled(app.log_view, 20)
        await pilot.press("up")
        assert all(app.log_view.render_line(y).cell_length == width for y in range(3))


async def test_what_the_copy_keys_copy() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 3)) as pilot:
        log = app.log_view
        await pilot.press("y")
        (told,) = app._notifications
        assert told.message == "there is nothing in the log to copy"
        log.append(["[/x]", "\x1b[31mred\x1b[0m\x1b[2J", "c", "d"])
        log.flush()
        await pilot.press("y")
        assert app.clipboard == "red\nc\nd"
        await pilot.press("Y")
        assert app.clipboard == "[/x]\nred\nc\nd"
        titles = [told.title for told in app._notifications]
        assert "copied 4 lines of the log (OSC 52)" in titles
        log.filter(compiled("^.$"))
        await pilot.press("Y")
        assert app.clipboard == "c\nd"


async def test_no_more_is_copied_than_a_terminal_takes() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 3)) as pilot:
        filled(app.log_view, 20_000)
        await pilot.press("Y")
        lines = app.clipboard.split("\n")
        assert lines[-1] == "line 19999"
        assert len(app.clipboard) <= COPIED_CHARACTERS
        assert len(base64.b64encode(app.clipboard.encode())) < 75_000
        (told,) = app._notifications
        count = f"{len(lines):,} lines"
        assert told.title == f"copied {count} of the log, the newest of 20,000 (OSC 52)"


async def test_the_mouse_selects() -> None:
    app = LogApp()
    async with app.run_test(size=(60, 4)) as pilot:
        log = app.log_view
        log.append([f"\x1b[3{n % 8}mline\x1b[0m {n}" for n in range(20)])
        log.flush()
        await pilot.mouse_down(LogView, offset=(2, 0))
        await pilot.hover(LogView, offset=(3, 2))
        await pilot.mouse_up(LogView, offset=(3, 2))
        await pilot.pause()
        selection = log.text_selection
        assert selection is not None
        assert log.get_selection(selection) == ("ne 16\nline 17\nline", "\n")
        assert app.screen.get_selected_text() == "ne 16\nline 17\nline"
        whole = log.get_selection(Selection(None, None))
        assert whole is not None
        assert whole[0].split("\n") == [f"line {n}" for n in range(20)]


@given(st.text(max_size=60), st.integers(1, 12), st.booleans())
def test_rows_hold_the_line_and_fit(line: str, width: int, wraps: bool) -> None:
    made = rows_of(line, 0, width, wraps=wraps)
    assert made
    assert all(strip.cell_length <= max(2, width) for strip in made)
    if wraps:
        assert "".join(strip.text for strip in made) == text_of(line)


@given(
    st.lists(st.integers(1, 3), max_size=20),
    st.integers(0, 5),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_places_are_one_sequence(
    heights: list[int], dropped: int, filters: bool, chance: random.Random
) -> None:
    store = LogStore(max_lines=max(1, len(heights)))
    store.extend(["x" if chance.random() < 0.5 or not filters else "y" for _ in range(dropped)])
    store.extend(["x" if chance.random() < 0.5 or not filters else "y" for _ in heights])
    shown = ShownLines(store)
    if filters:
        shown.choose("", compiled("x"))
        assert shown.advance()

    def tall(number: int) -> int:
        return heights[(number - store.first) % len(heights)]

    for of_line in (None, tall if heights else None):
        places = Places(store, shown, of_line)
        expected = [(store.first - 1, 0)] if store.first else []
        for number in shown.numbers:
            expected += [(number, row) for row in range(of_line(number) if of_line else 1)]
        if expected:
            assert places.first == expected[0]
            assert list(places.seen(places.first, 100)) == expected
        ends = [*expected, places.end]
        for index, place in enumerate(ends):
            for by in (-7, -2, -1, 0, 1, 2, 7):
                assert places.moved(place, by) == ends[max(0, min(index + by, len(ends) - 1))]
