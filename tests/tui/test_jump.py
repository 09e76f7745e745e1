"""Jump mode: what its letters say, and what they hide."""

from __future__ import annotations

import pytest
from textual.content import Content

from tests.tui.conftest import Open
from tests.tui.scripted import MISMATCH, a_run, off_at, result, rows, text_of, title_of, verdict
from workbench.loop.events import Saved
from workbench.tui.jump import Hidden, Tag, name_of
from workbench.tui.lines import is_seen
from workbench.tui.screen import MainScreen

FAILED = result(1, "fail", verdict=verdict(off_at(2, 3, 90), findings=(MISMATCH,)))


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 34), (160, 45), (200, 50)])
@pytest.mark.parametrize("is_stale", [False, True])
async def test_a_letter_and_the_titles_first_word_take_the_titles_place(
    open_app: Open, size: tuple[int, int], is_stale: bool
) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(FAILED), *([Saved(1, ())] if is_stale else []))
        await pilot.pause()
        await pilot.press("apostrophe")
        await pilot.pause()
        seen = list(app.screen.query(Tag))
        assert seen
        for tag in seen:
            title = Content.from_markup(title_of(tag.part)).plain
            assert text_of(tag).strip(" ─") == f"{tag.letter} {title.split('  ')[0]}"
            if tag.part.gutter.top:
                assert tag.region.width == tag.part.region.width


async def test_the_names_are_those_of_the_titles(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        main = app.screen
        assert isinstance(main, MainScreen)
        assert [name_of(part) for part in main.parts] == [
            *("problems", "metrics", "out", "memory", "stages", "error map", "source", "log")
        ]
        main.parts[0].border_title = Content("[/x] [b]  more")
        assert name_of(main.parts[0]) == "[/x] [b]"


@pytest.mark.parametrize("size", [(40, 12), (60, 20), (80, 24), (160, 45)])
async def test_each_part_is_named_in_its_place_or_below(
    open_app: Open, size: tuple[int, int]
) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(FAILED))
        await pilot.pause()
        main = app.screen
        assert isinstance(main, MainScreen)
        hidden = [name_of(part) for part in main.parts if not is_seen(part)]
        assert hidden
        await pilot.press("apostrophe")
        await pilot.pause()
        told = " ".join(rows(app.screen.query_one(Hidden)))
        assert "esc back" in told
        assert "…" not in told
        assert all(name in told for name in hidden)
        covers = app.screen.query_one(Hidden).region
        tags = list(app.screen.query(Tag))
        assert all(tag.region.y < covers.y for tag in tags)
        named = [name_of(tag.part) for tag in tags]
        assert all((name_of(part) in told) != (name_of(part) in named) for part in main.parts)
