"""The mouse, and what is copied."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widget import Widget

from tests.tui.conftest import Open
from tests.tui.scripted import KERNEL, MISMATCH, a_run, off_at, result, verdict
from workbench.tui.key_line import KeyLine
from workbench.tui.panes import PanesView
from workbench.tui.problems import Problems
from workbench.tui.window import SIDE

FAILED = result(1, "fail", verdict=verdict(off_at(17, 42, 9), findings=(MISMATCH,)))


async def wheel(pilot: Pilot[None], widget: Widget, kind: type[events.MouseEvent]) -> None:
    widget.post_message(kind(widget, 5, 5, 0, 0, 0, False, False, False))
    await pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (160, 45), (60, 30)])
async def test_a_click_selects_the_element_that_is_seen_there(
    open_app: Open, size: tuple[int, int]
) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        panes = app.screen.query_one(PanesView)
        layout, margin = panes._layout(panes.size.width)
        first = 1 + panes._head(panes.size.height)
        for pane in range(len(layout.shown)):
            for column in range(SIDE):
                left = sum(layout.pane_widths[:pane]) + 3 * pane
                x = 1 + margin + left + column * (layout.widths[pane] + layout.spacing)
                x += layout.widths[pane] - 1
                row = (column * 3) % SIDE
                await pilot.click(PanesView, offset=(x, first + row))
                at = (panes.window.row - panes.window.top, panes.window.column - panes.window.left)
                assert at == (row, column)
                assert panes.render_line(first - 1 + row).text[x - 1 : x] != " "


async def test_a_click_beside_the_elements_selects_nothing(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        panes = app.screen.query_one(PanesView)
        before = panes.window
        for offset in [(0, 0), (1, 4), (159, 5), (20, 1), (20, 11)]:
            await pilot.click(PanesView, offset=offset)
        assert panes.window == before


async def test_the_wheel_moves_the_window_and_the_cursor_stays_inside(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        panes = app.screen.query_one(PanesView)
        assert (panes.window.top, panes.window.row) == (16, 17)
        await wheel(pilot, panes, events.MouseScrollDown)
        await wheel(pilot, panes, events.MouseScrollDown)
        assert (panes.window.top, panes.window.row) == (18, 18)
        await wheel(pilot, panes, events.MouseScrollUp)
        await wheel(pilot, panes, events.MouseScrollRight)
        assert (panes.window.top, panes.window.left) == (17, 41)
        for _ in range(90):
            panes.action_move(0, 0)
            panes._scroll(1, sideways=False)
        assert (panes.window.top, panes.window.last_row) == (56, 63)


async def test_a_click_spells_a_problem_out(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        problems = app.screen.query_one(Problems)
        last = len(problems.all_lines())
        await pilot.click(Problems, offset=(9, last))
        assert problems.selected == 1
        await pilot.click(Problems, offset=(9, last + 2))
        assert problems.selected == 1
        await pilot.click(Problems, offset=(9, 1))
        assert problems.selected == 0


async def test_a_click_on_a_key_presses_it(open_app: Open) -> None:
    async with open_app((40, 12)) as (app, pilot):
        await pilot.pause()
        line = app.screen.query_one(KeyLine)
        text = line.render_line(0).text
        assert text.rstrip().endswith(" …")
        await pilot.click(KeyLine, offset=(text.index("rerun"), 0))
        await pilot.pause()
        assert app.engine is not None
        assert app.engine.asked == ["rerun"]


async def test_all_keys_are_seen_where_there_is_room(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        await pilot.pause()
        text = app.screen.query_one(KeyLine).render_line(0).text.rstrip()
        assert not text.endswith("…")
        assert text.startswith(" ? help  q quit  : commands  r rerun ")


async def test_what_is_needed_most_is_in_the_footer_first(open_app: Open) -> None:
    async with open_app((120, 34)) as (app, pilot):
        await pilot.pause()
        text = app.screen.query_one(KeyLine).render_line(0).text
        for key in ("n next", "o edit", "b baseline", "[ older run", "] newer run", "T theme"):
            assert f" {key} " in text


async def test_the_verdict_line_is_copied(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("y")
        assert app.clipboard == ""
        app.emit(*a_run(FAILED))
        await pilot.pause()
        await pilot.press("y")
        assert app.clipboard.startswith(f"FAIL {KERNEL} on the model: correlation 0.99999, max")
        assert [n.title for n in app._notifications][-1] == "copied the verdict line (OSC 52)"


async def test_the_selected_problem_is_copied(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        app.screen.query_one(Problems).focus()
        await pilot.press("y")
        assert app.clipboard.splitlines() == [
            f"{MISMATCH.where}: error: scalar-mismatch: {MISMATCH.message}",
            f"→ {MISMATCH.hint}",
        ]
