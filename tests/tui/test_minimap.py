"""The map of the whole tensor's error: what a pixel tells, where the window is, and clicks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.conftest import Open
from tests.tui.scripted import PASSED, App, a_run, off_at, result, rows, title_of, verdict
from workbench.loop.events import Saved
from workbench.tui.elements import EQUAL, FAR, NEAR, OVER, levels_of
from workbench.tui.minimap import MiniMap, coarsened
from workbench.tui.panes import PanesView
from workbench.tui.zoom import ZOOMED


def at(panes: PanesView) -> tuple[int, int]:
    return panes.window.row, panes.window.column


def test_levels_by_tolerance() -> None:
    differences = np.array([0, 2, -2, 2.1, -8, 8.1, np.nan, np.inf])
    assert levels_of(differences, 2).tolist() == [EQUAL, NEAR, NEAR, OVER, OVER, FAR, FAR, FAR]


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 40), st.integers(1, 40), st.data())
def test_a_pixel_is_as_bad_as_the_worst_that_it_stands_for(
    rows: int, columns: int, height: int, width: int, data: st.DataObject
) -> None:
    levels = np.zeros((rows, columns), np.uint8)
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    levels[row, column] = FAR
    coarse = coarsened(levels, height, width)
    assert coarse.shape == (min(rows, height), min(columns, width))
    assert np.count_nonzero(coarse) == 1


def corners(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    device = reference.copy()
    device[0, 0] += 9
    device[63, 63] += 2
    return device


async def test_the_map_shows_where_the_window_is(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        shown = app.screen.query_one(MiniMap)
        assert not any(rows(shown))
        app.emit(
            *a_run(replace(result(1, "fail", verdict=verdict(off_at(17, 42, 9))), explained=True))
        )
        await pilot.pause()
        assert title_of(shown).startswith("error map  1 of 4,096 over tolerance 1")
        ruler, *lines = rows(shown)
        assert ruler[2:].index("━") <= 40
        assert ruler[2:].index("┿") == 42
        assert [line[0] for line in lines].count("▶") == 1
        await pilot.press("g")
        assert [line[0] for line in rows(shown)].index("▶") == 1
        app.emit(Saved(1, ()))
        await pilot.pause()
        assert "STALE" in str(shown.border_title)


async def test_the_map_shows_how_much_the_zoomed_panes_show(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*a_run(replace(result(1, "fail", verdict=verdict(off_at(17, 42, 9))))))
        await pilot.pause()
        shown, panes = app.screen.query_one(MiniMap), app.screen.query_one(PanesView)
        small = panes.window
        await pilot.press("z")
        await pilot.pause()
        assert panes.has_class(ZOOMED)
        assert (panes.window.last_row, panes.window.last_column) == (39, 47)
        assert shown._window == panes.window
        for _ in range(3):  # stages, then the map
            await pilot.press("tab")
            await pilot.pause()
        assert shown.has_class(ZOOMED)
        ruler, *lines = rows(shown)
        assert sum(line[:1] in {"┃", "▶"} for line in lines) == 20
        assert [at for at, sign in enumerate(ruler[2:]) if sign != " "] == [*range(32, 48)]
        await pilot.press("escape")
        await pilot.pause()
        assert panes.window == small
        assert shown._window == small


async def test_a_click_goes_to_the_worst_element_that_lies_there(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(replace(result(1, "fail", verdict=verdict(corners)), explained=True)))
        await pilot.pause()
        shown, panes = app.screen.query_one(MiniMap), app.screen.query_one(PanesView)
        last = max(y for y, line in enumerate(rows(shown)) if "█" in line or "▀" in line)
        border = 1
        await pilot.click(MiniMap, offset=(1 + 2 + 63, border + last))
        await pilot.pause()
        assert at(panes) == (63, 63)
        await pilot.click(MiniMap, offset=(1 + 2, border + 1))
        await pilot.pause()
        assert at(panes) == (0, 0)
        for offset in [(0, 0), (2, 3), (1 + 2 + 65, 4), (3, border + last + 1)]:
            await pilot.click(MiniMap, offset=offset)
        await pilot.pause()
        assert at(panes) == (0, 0)


async def test_without_colour_shades_tell_how_bad_it_is(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(replace(result(1, "fail", verdict=verdict(corners)), explained=True)))
        await pilot.pause()
        lines = "".join(rows(app.screen.query_one(MiniMap))[1:])
        assert (lines.count("█"), lines.count("▒")) == (1, 1)
        assert lines.count("·") > 500


@pytest.mark.parametrize("keys", [[".", "."], [",", ","]])
async def test_mismatches_by_key(open_app: Open, keys: list[str]) -> None:
    async with open_app((120, 34)) as (app, pilot):
        app.emit(*a_run(replace(result(1, "fail", verdict=verdict(corners)), explained=True)))
        await pilot.pause()
        panes = app.screen.query_one(PanesView)
        seen = []
        for key in keys:
            await pilot.press(key)
            seen.append((at(panes), panes.title().plain.split("  ")[-1]))
        assert seen == [((63, 63), "mismatch 2 of 2"), ((0, 0), "mismatch 1 of 2")]


async def test_no_mismatch_is_said(open_app: Open) -> None:
    async with open_app((120, 34)) as (app, pilot):
        for key in (".", ","):
            await pilot.press(key)
            assert told(app) == ["no element is over tolerance"]
            app.clear_notifications()
            app.emit(*a_run(PASSED))
            await pilot.pause()


def told(app: App) -> list[str]:
    return [notification.message for notification in app._notifications]
