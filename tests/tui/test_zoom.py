"""Any part in place of all others, at every size, by key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.conftest import Open
from tests.tui.scripted import (
    PASSED,
    a_run,
    core_memory,
    off_at,
    result,
    rows,
    text_of,
    title_of,
    verdict,
    with_memory,
)
from workbench.loop.events import Explained
from workbench.tui.key_line import KeyLine
from workbench.tui.lines import is_seen
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.panes import PanesView
from workbench.tui.screen import MainScreen
from workbench.tui.stage_table import StageTable
from workbench.tui.verdict_bar import VerdictBar
from workbench.verdict import Finding
from workbench.verdict.metrics import Metrics
from workbench.verdict.stages import StageResult


def metrics(correlation: float) -> Metrics:
    return Metrics(correlation=correlation, within_5=0, exact=0, worst=0)


STAGES = (
    StageResult("scores", "k.c:9", 64, 64, False, metrics(1), metrics(1), low=-7.0, high=9.0),
    StageResult("[/x]clamped", "k.c:12", 64, 64, False, metrics(0.8), metrics(0.81)),
    StageResult("weights", None, 0, 64, False),
)
STAGES = (STAGES[0], replace(STAGES[1], saturated=0.848), STAGES[2])
ENTERS = Finding("error-enters-at", "error", "here", "look", evidence={"stage": "[/x]clamped"})
STAGED = replace(
    result(1, "fail", verdict=with_memory(verdict(findings=(ENTERS,)), core_memory(600))),
    stages=STAGES,
    explained=True,
)
SIZES = [(40, 12), (80, 24), (120, 34), (160, 45), (200, 50), (200, 24), (60, 50)]


def main_of(app: object) -> MainScreen:
    screen = app.screen  # type: ignore[attr-defined]
    assert isinstance(screen, MainScreen)
    return screen


@pytest.mark.parametrize("size", SIZES)
async def test_each_part_gets_the_whole_body_in_turn(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        main = main_of(app)
        before = [is_seen(part) for part in main.parts]
        await pilot.press("z")
        seen = []
        for _ in main.parts:
            await pilot.pause()
            (part,) = (part for part in main.parts if is_seen(part))
            assert app.focused is part
            assert part.region.width == size[0]
            assert part.region.height >= size[1] - 6
            assert any(rows(part))
            assert "✗ FAIL" in rows(main.query_one(VerdictBar))[0]
            seen.append(part)
            await pilot.press("tab")
        assert set(seen) == set(main.parts)
        await pilot.press("shift+tab", "escape")
        await pilot.pause()
        assert [is_seen(part) for part in main.parts] == before
        assert app.focused is not None
        assert is_seen(app.focused)


async def test_the_way_back_is_said(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        app.emit(*a_run(PASSED))
        await pilot.pause()
        line = app.screen.query_one(KeyLine)
        assert "esc back" not in rows(line)[0]
        await pilot.press("z")
        await pilot.pause()
        assert "esc back" in rows(line)[0]
        await pilot.press("z")
        await pilot.pause()
        assert "esc back" not in rows(line)[0]
        assert isinstance(app.focused, PanesView)


@pytest.mark.parametrize("size", SIZES)
async def test_stages_by_key(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        await pilot.press("S")
        await pilot.pause()
        table = app.screen.query_one(StageTable)
        assert app.focused is table
        assert any(line.startswith("✗ [/x]clamped") for line in rows(table))


async def test_the_table_tells_where_the_error_enters(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        assert rows(app.screen.query_one(StageTable))[:4] == [
            "  stage           corr    local  cut off  range",
            "  scores       1.00000  1.00000        –  -7..9",
            "✗ [/x]clamped  0.80000  0.81000   84.8 %  –",
            "  weights            –        –        –  –",
        ]


async def test_no_stages_are_explained(open_app: Open) -> None:
    async with open_app((120, 34)) as (app, pilot):
        await pilot.press("S")
        await pilot.pause()
        table = app.screen.query_one(StageTable)
        assert rows(table)[0] == "stages come with the first verdict"
        app.emit(*a_run(PASSED))
        await pilot.pause()
        assert rows(table)[0] == "recorded after the verdict, unless a newer save comes"
        app.emit(*a_run(replace(result(2, verdict=verdict()), explained=True)))
        await pilot.pause()
        assert not is_seen(table)
        await pilot.press("S")
        await pilot.pause()
        assert rows(table)[0].startswith("none recorded")


async def test_stages_stay_until_the_next_are_known(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        table = app.screen.query_one(StageTable)
        before = rows(table)
        assert not table.has_class("-stale")
        verdict_only = result(2, "fail", verdict=verdict())
        app.emit(*a_run(verdict_only))
        await pilot.pause()
        assert is_seen(table)
        assert rows(table) == before
        assert title_of(table) == "stages  STALE of run 1"
        assert table.has_class("-stale")
        app.emit(Explained(2, replace(verdict_only, stages=STAGES[:1], explained=True)))
        await pilot.pause()
        assert rows(table)[1].startswith("  scores")
        assert "clamped" not in text_of(table)
        assert title_of(table) == "stages"
        assert not table.has_class("-stale")


async def test_a_look_back_never_shows_the_stages_of_another_run(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict())), *a_run(replace(STAGED, run=2)))
        await pilot.press("left_square_bracket")
        await pilot.pause()
        assert rows(app.screen.query_one(StageTable))[0].startswith("recorded after the verdict")


@pytest.mark.parametrize(
    "keys", [("s", "s"), ("d", "d"), ("s", "escape"), ("M", "M"), ("s", "d", "escape")]
)
@pytest.mark.parametrize("size", SIZES)
async def test_the_keys_go_back_to_where_they_were(
    open_app: Open, size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        before = app.focused
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        assert app.focused is before


async def test_tab_shows_the_next_part_where_one_has_all_the_room(open_app: Open) -> None:
    async with open_app((40, 12)) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        main = app.screen
        assert isinstance(main, MainScreen)
        for part in (*main.parts[1:], main.parts[0]):
            await pilot.press("tab")
            await pilot.pause()
            assert app.focused is part
            assert [each for each in main.parts if is_seen(each)] == [part]


async def test_home_and_end_of_a_list(open_app: Open) -> None:
    async with open_app((80, 24)) as (app, pilot):
        app.emit(*a_run(STAGED))
        await pilot.pause()
        table = app.screen.query_one(MetricsTable)
        table.focus()
        before = rows(table)
        await pilot.press("end")
        await pilot.pause()
        assert rows(table)[-1].startswith("slope")
        await pilot.press("home")
        await pilot.pause()
        assert rows(table) == before


async def test_a_stage_is_opened_where_it_is_recorded(
    open_app: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "no-such-editor")
    Path("k.c").touch()  # noqa: ASYNC240
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(STAGED))
        for keys, said in (
            (["S", "enter"], "k.c:12 is copied"),  # the cursor is where the error enters
            (["up", "o"], "k.c:9 is copied"),
            (["end", "enter"], "it isn't known where this stage is recorded"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert said in [note.message for note in app._notifications][-1]


async def test_that_memory_damage_is_left_out_of_the_stages_is_said(open_app: Open) -> None:
    async with open_app((160, 45)) as (app, pilot):
        judged = replace(verdict(off_at(1, 1, 9)), arithmetic=verdict().metrics)
        for damaged, told in ((True, True), (False, False)):
            app.emit(*a_run(replace(STAGED, verdict=judged if damaged else verdict())))
            await pilot.pause()
            assert ("out of harm's way" in text_of(app.screen.query_one(StageTable))) == told
