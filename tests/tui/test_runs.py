"""The session's runs on screen: the strip, an older run, the baseline, two runs compared."""

from __future__ import annotations

from dataclasses import replace

import pytest
from textual.widget import Widget

from tests.tui.conftest import Open
from tests.tui.scripted import (
    MISMATCH,
    App,
    a_run,
    off_at,
    result,
    started,
    text_of,
    title_of,
    verdict,
)
from workbench.build import Diagnostic, StepResult
from workbench.errors import BuildError
from workbench.loop.events import Event, Explained, RunFinished, Saved, StepStarted
from workbench.loop.result import RunResult
from workbench.loop.session import Session, look_at, pin, reduce
from workbench.loop.view import Phase
from workbench.tui.comparison import ComparisonPage
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.minimap import MiniMap
from workbench.tui.panes import PanesView
from workbench.tui.problems import Problems
from workbench.tui.runs_strip import RunsStrip
from workbench.tui.screen import MainScreen
from workbench.tui.step_strip import StepStrip
from workbench.tui.verdict_bar import VerdictBar

OFF = result(1, "fail", verdict=verdict(off_at(17, 42, 9), findings=(MISMATCH,)))
BROKEN = result(
    2,
    "build-failed",
    error=BuildError("1 error", where="k.c"),
    diagnostics=(Diagnostic("k.c", 3, 5, "error", "expected ';'"),),
)
LESS = result(3, "fail", verdict=verdict(off_at(17, 42, 2)))
GOOD = result(4, "pass", verdict=verdict())


def explained(*runs: RunResult) -> list[Event]:
    """The runs, each looked into to the end."""
    done = [replace(run, explained=True) for run in runs]
    return [event for run in done for event in a_run(run, failed="")]


FOUR = explained(OFF, BROKEN, LESS, GOOD)


def session_of(events: list[Event]) -> Session:
    session = Session()
    for event in events:
        session = reduce(session, event)
    return session


def strip_of(session: Session, width: int = 60) -> str:
    strip = RunsStrip()
    strip.show(session)
    return strip.lines(width, 1)[0].plain


def main_of(app: App) -> MainScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def test_the_strip_tells_states_numbers_and_correlations() -> None:
    session = session_of([*FOUR, started(5)])
    assert strip_of(session) == " ✗1█  ✗2  ✗3█  ✓4█  ▶5 "


def test_the_run_looked_at_and_the_baseline_have_signs() -> None:
    session = look_at(pin(look_at(session_of(FOUR), 1)), 3)
    assert strip_of(session) == " ◆✗1█  ✗2 [✗3█] ✓4█ "


@pytest.mark.parametrize("width", range(0, 60, 3))
@pytest.mark.parametrize("looked_at", [0, 1, 14])
def test_where_not_all_fit_the_one_looked_at_does(width: int, looked_at: int) -> None:
    runs = [result(run, "pass", verdict=verdict(shape=(2, 2))) for run in range(1, 31)]
    session = look_at(session_of([event for run in runs for event in a_run(run)]), looked_at)
    told = strip_of(session, width)
    if width >= 15:
        assert len(told) <= width
        assert f"✓{looked_at or 30}█" in told
        assert ("‹" in told) == (looked_at != 1)
        assert ("›" in told) == (looked_at != 0)


async def test_the_strip_is_seen_from_the_second_run_on(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        strip = main_of(app).query_one(RunsStrip)
        app.emit(*a_run(OFF))
        await pilot.pause()
        assert not strip.display
        app.emit(started(2))
        await pilot.pause()
        assert strip.display
        assert "✗1" in text_of(strip)
        assert "▶2" in text_of(strip)


@pytest.mark.parametrize("key", ["right_square_bracket", "right_curly_bracket", "escape"])
async def test_an_older_run_is_marked_everywhere_and_never_current(
    open_app: Open, key: str
) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        main = main_of(app)
        assert main.session.looked_at == 3
        assert main.view.is_current
        bar = text_of(main.query_one(VerdictBar))
        assert bar.startswith(" OLD RUN 3    ✗ FAIL ")
        assert "newest: ✓ PASS, run 4" in bar
        assert "max error 2" in bar
        assert main.query_one(PanesView).has_class("-stale")
        assert "OLD RUN 3" in title_of(main.query_one(MetricsTable))
        assert "OLD RUN 3" in title_of(main.query_one(MiniMap))
        assert main.query_one(PanesView).title().plain.startswith("out  OLD RUN 3")
        assert "+2~" in text_of(main.query_one(PanesView))
        assert "OLD RUN 3 not met: max error is 2" in text_of(main.query_one(Problems))
        assert "of the newest run, 4" in title_of(main.query_one(LogView))
        await pilot.press(key)
        await pilot.pause()
        assert main.session.looked_at is None
        assert "OLD RUN" not in text_of(main.query_one(VerdictBar))
        assert not main.query_one(PanesView).has_class("-stale")
        assert "newest" not in title_of(main.query_one(LogView))


async def test_the_steps_are_those_of_the_run_that_is_looked_at(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        failed = replace(BROKEN, steps=(StepResult("compile", "failed", 0.25),))
        app.emit(*explained(OFF, failed, LESS))
        await pilot.press("left_square_bracket")
        app.emit(Saved(3, ()), started(4), StepStarted(4, "compile"))
        await pilot.press("left_square_bracket")
        await pilot.pause()
        main = main_of(app)
        assert text_of(main.query_one(StepStrip)).strip() == "compile ✗ 0.25 s"
        assert "newest: ▶ RUNNING, run 4" in text_of(main.query_one(VerdictBar))


async def test_of_an_older_run_without_a_verdict_no_numbers_are_shown(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("left_square_bracket", "left_square_bracket")
        await pilot.pause()
        main = main_of(app)
        bar = text_of(main.query_one(VerdictBar))
        assert bar.startswith(" OLD RUN 2    ✗ BUILD FAILED ")
        assert "corr" not in bar
        assert "expected ';'" in text_of(main.query_one(Problems))
        for part in (PanesView, MetricsTable, MiniMap):
            assert not text_of(main.query_one(part)).strip()
        await pilot.press("right_curly_bracket")
        await pilot.pause()
        assert "corr 1.00000" in text_of(main.query_one(VerdictBar))
        assert text_of(main.query_one(PanesView)).strip()


async def test_late_events_of_old_runs_change_nothing_while_one_is_looked_at(
    open_app: Open,
) -> None:
    async with open_app() as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("b", "left_square_bracket")
        await pilot.pause()
        main = main_of(app)
        session, painted = main.session, [text_of(w) for w in main.walk_children(Widget)]
        late = replace(LESS, verdict=verdict(off_at(0, 0, 50)))
        app.emit(RunFinished(3, late), Explained(3, late), started(1), Saved(2, ()))
        await pilot.pause()
        assert main.session is session
        assert [text_of(w) for w in main.walk_children(Widget)] == painted


async def test_a_save_brings_back_what_is_true(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("left_square_bracket")
        app.emit(Saved(4, ()), started(5), StepStarted(5, "compile"))
        await pilot.pause()
        main = main_of(app)
        bar = text_of(main.query_one(VerdictBar))
        assert "▶ RUNNING compile" in bar
        assert "STALE" in bar
        assert "OLD RUN" not in bar
        await pilot.press("left_square_bracket")
        app.emit(RunFinished(5, result(5, "fail", verdict=verdict(off_at(1, 1, 50)))))
        await pilot.pause()
        bar = text_of(main.query_one(VerdictBar))
        assert main.view.phase is Phase.FAIL
        assert "✗ FAIL" in bar
        assert "OLD RUN 3" in bar
        assert "max error 2" in bar


async def test_clicks_look_at_runs(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*FOUR)
        await pilot.pause()
        main = main_of(app)
        told = text_of(main.query_one(RunsStrip))
        for run in (1, 3, 2, 4):
            await pilot.click(RunsStrip, offset=(told.index(str(run)), 0))
            assert main.session.looked_at == (run if run < 4 else None)
        await pilot.click(RunsStrip, offset=(len(told) + 2, 0))
        assert main.session.looked_at is None


async def test_the_change_since_the_baseline_is_told(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*explained(OFF))
        await pilot.press("b")
        await pilot.pause()
        main = main_of(app)
        assert main.session.baseline == 1
        app.emit(*explained(LESS, GOOD))
        await pilot.pause()
        bar = text_of(main.query_one(VerdictBar))
        assert "since ◆ run 1 corr better +0.00001  max error better -9  1 finding gone" in bar
        table = main.query_one(MetricsTable)
        assert "change since run 1" in title_of(table)
        assert "✓ ≤ 1       better -9" in text_of(table)
        await pilot.press("left_square_bracket")
        await pilot.pause()
        bar = text_of(main.query_one(VerdictBar))
        assert "OLD RUN 3" in bar
        assert "max error better -7" in bar
        await pilot.press("right_square_bracket", "b", "b")
        await pilot.pause()
        assert main.session.baseline is None
        bar = text_of(main.query_one(VerdictBar))
        assert "since run 3" in bar
        assert "better -2" in bar


async def test_outputs_of_two_runs_are_compared_element_by_element(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*FOUR)
        await pilot.press(*["left_square_bracket"] * 3, "b", "right_curly_bracket", "p")
        await pilot.pause()
        main = main_of(app)
        panes = main.query_one(PanesView)
        assert "run 1 47" in panes.title().plain
        assert "run 4 38" in panes.title().plain
        assert "[17,42] worst" in panes.title().plain
        assert "-9!" in text_of(panes)
        await pilot.press("b", "b")
        await pilot.pause()
        assert "reference" in panes.title().plain


async def test_two_runs_beside_each_other(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*explained(OFF), *explained(LESS))
        await pilot.press("equals_sign")
        await pilot.pause()
        page = app.screen.query_one(ComparisonPage)
        told = text_of(page)
        assert "state                ✗ FAIL        ✗ FAIL" in told
        assert "max error                 9             2  better -7" in told
        assert "1 of 4,096 differ between the two outputs" in told
        assert "findings gone: 1\n  ✗ scalar-mismatch: the design passes" in told
        assert "findings new: none" in told
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)


async def test_a_baseline_is_told_of(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(GOOD))
        for sentence, shown in (("run 4 is the baseline", True), ("no baseline any more", False)):
            await pilot.press("b")
            await pilot.pause()
            assert [n.message for n in app._notifications][-1] == sentence
            assert ("◆✓4" in text_of(main_of(app).query_one(RunsStrip))) == shown
            assert main_of(app).query_one(RunsStrip).display == shown


async def test_the_baseline_itself_has_nothing_to_compare_with(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("b", "equals_sign")
        await pilot.pause()
        assert [n.message for n in app._notifications][-1].startswith("this run is the baseline")


async def test_what_can_not_be_done_is_said(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        told = set()
        for key in ("left_square_bracket", "b", "equals_sign"):
            await pilot.press(key)
            await pilot.pause()
            told |= {notification.message for notification in app._notifications}
        assert told == {
            "there is no other run",
            "there is no verdict to pin",
            "there is no other verdict to compare this one with",
        }


async def test_the_map_and_the_stages_of_no_verdict_are_empty(open_app: Open) -> None:
    async with open_app((200, 50)) as (app, pilot):
        app.emit(*FOUR)
        await pilot.press("M", "left_square_bracket", "left_square_bracket")
        await pilot.pause()
        assert "the map comes with" in text_of(main_of(app).query_one(MemoryMap))
