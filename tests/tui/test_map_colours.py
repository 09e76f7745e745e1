"""The map's colours: each level has one, in every theme, with few colours, and when it is stale."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest
from rich.color import Color
from rich.style import Style
from textual.content import Content
from textual.geometry import Region
from textual.pilot import Pilot

from tests.tui.conftest import Open
from tests.tui.scripted import PASSED, App, a_run, result, title_of, verdict
from workbench.loop.events import Saved
from workbench.tui.elements import EQUAL, FAR, NEAR, OVER
from workbench.tui.minimap import GUTTER, RULER, SHADES, MiniMap
from workbench.tui.themes import house_themes

LEVELS = (EQUAL, NEAR, OVER, FAR)
BORDER = 1
PADDING = 1


def graded(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Every level above every other, and above itself."""
    device = reference.copy()
    by = np.array([0, 1, 2, 5])
    for column in range(64):
        device[0::2, column] += by[column % 4]
        device[1::2, column] += by[column // 4 % 4]
    return device


def title(shown: MiniMap) -> str:
    return Content.from_markup(title_of(shown)).plain


def cells(shown: MiniMap) -> list[list[tuple[str, Style]]]:
    """What is painted of the map, below its ruler."""
    width, height = shown.size
    first = BORDER + RULER
    lines = shown.render_lines(Region(0, first, width + 2 * PADDING, height - RULER))
    return [
        [
            (glyph, part.style or Style())
            for part in strip.crop(PADDING + GUTTER, PADDING + GUTTER + 64)
            for glyph in part.text
        ]
        for strip in lines
    ]


def paints(shown: MiniMap) -> Mapping[int, set[Color | None]]:
    """All colours that each level is painted in, whether as ink or as ground."""
    found: dict[int, set[Color | None]] = defaultdict(set)
    for line in cells(shown)[:32]:
        for column, (glyph, style) in enumerate(line):
            upper, lower = LEVELS[column % 4], LEVELS[column // 4 % 4]
            if glyph == "█":
                assert upper == lower
            found[upper].add(style.bgcolor if glyph == "▄" else style.color)
            found[lower].add(style.bgcolor if glyph == "▀" else style.color)
    return found


async def failed(app: App, pilot: Pilot[None]) -> MiniMap:
    """The zoomed map, which has a half of a cell for each element."""
    app.emit(*a_run(result(1, "fail", verdict=verdict(graded))))
    await pilot.pause()
    shown = app.screen.query_one(MiniMap)
    app.screen.set_focus(shown)
    await pilot.press("z")
    await pilot.pause()
    assert shown.size.height > 32
    return shown


def is_shaded(shown: MiniMap) -> bool:
    """Whether each cell has the sign, and only that, of the worse of its two elements."""
    return all(
        glyph == SHADES[max(LEVELS[column % 4], LEVELS[column // 4 % 4])]
        for line in cells(shown)[:32]
        for column, (glyph, _) in enumerate(line)
    )


@pytest.mark.parametrize("theme", [name for name in house_themes() if name != "terminal"])
@pytest.mark.parametrize("state", ["fresh", "stale"])
async def test_a_level_has_one_colour_as_ink_and_as_ground(
    open_app: Open, theme: str, state: str
) -> None:
    async with open_app((160, 50)) as (app, pilot):
        app.action_theme(theme)
        shown = await failed(app, pilot)
        if state == "stale":
            fresh = paints(shown)
            app.emit(Saved(1, ()))
            await pilot.pause()
            assert shown.has_class("-stale")
            assert paints(shown) != fresh
        found = paints(shown)
        assert all(len(colors) == 1 for colors in found.values()), found
        assert len(set().union(*found.values())) == len(LEVELS)


@pytest.mark.parametrize("was", ["dark", "light"])
async def test_in_the_terminals_own_colours_equal_elements_are_no_block(
    open_app: Open, was: str
) -> None:
    async with open_app((160, 50)) as (app, pilot):
        app.action_theme(was)
        shown = await failed(app, pilot)
        assert not is_shaded(shown)
        app.action_theme("terminal")
        await pilot.pause()
        assert is_shaded(shown)
        assert "░ within  ▒ over  █ 4×" in title(shown)
        app.emit(*a_run(PASSED))
        await pilot.pause()
        assert {glyph for line in cells(shown)[:32] for glyph, _ in line} == {SHADES[EQUAL]}
        app.action_theme(was)
        await pilot.pause()
        assert "█ within  █ over  █ 4×" in title(shown)
        assert {glyph for line in cells(shown)[:32] for glyph, _ in line} == {"█"}


@pytest.mark.parametrize(
    "environment",
    [{"NO_COLOR": "1"}, {"COLORTERM": "", "TERM": "screen"}, {"COLORTERM": "", "TERM": "linux"}],
)
async def test_with_few_colours_shades_tell_the_levels(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with open_app((160, 50)) as (app, pilot):
        shown = await failed(app, pilot)
        assert is_shaded(shown)
        app.emit(Saved(1, ()))
        await pilot.pause()
        assert is_shaded(shown)


@pytest.mark.parametrize(
    ("width", "mark", "told"),
    [
        (66, "", "error map  2,048 of 4,096 over tolerance 1  █ within  █ over  █ 4×"),
        (65, "", "error map  2,048 of 4,096 over tolerance 1"),
        (49, "STALE", "error map  STALE  2,048 of 4,096 over tolerance 1"),
        (48, "STALE", "error map  STALE  2,048 of 4,096 over 1"),
        (30, "STALE", "error map  STALE  2,048 over 1"),
    ],
)
async def test_the_title_tells_as_much_as_has_room(
    open_app: Open, width: int, mark: str, told: str
) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict(graded))))
        await pilot.pause()
        shown = app.screen.query_one(MiniMap)
        shown.styles.width = shown.styles.max_width = width + 2 * PADDING
        await pilot.pause()
        shown.show(shown._elements, shown._window, mark=mark)
        assert title(shown) == told
