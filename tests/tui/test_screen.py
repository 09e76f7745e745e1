"""The whole app on a scripted engine: what is asserted first is the view, then what is painted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widget import Widget

from tests.tui.conftest import Open
from tests.tui.scripted import (
    PASSED,
    STEPS,
    App,
    a_run,
    off_at,
    result,
    rows,
    started,
    text_of,
    verdict,
)
from workbench.build import Diagnostic
from workbench.errors import BuildError, CrashError, HangError
from workbench.loop.events import (
    LogLines,
    Missing,
    RunCancelled,
    RunFinished,
    Saved,
    StepStarted,
)
from workbench.loop.view import Phase
from workbench.tui.help import HelpPage
from workbench.tui.key_line import KeyLine
from workbench.tui.log_view import LogView
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.minimap import MiniMap
from workbench.tui.panes import PanesView
from workbench.tui.problems import Problems
from workbench.tui.screen import MainScreen
from workbench.tui.stage_table import StageTable
from workbench.tui.step_strip import StepStrip
from workbench.tui.verdict_bar import VerdictBar


def main_of(app: App) -> MainScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def broken(run: int) -> list[object]:
    return list(
        a_run(
            result(
                run,
                "build-failed",
                error=BuildError("1 error"),
                diagnostics=(
                    Diagnostic("k.c", 3, 5, "error", "expected ';' [/x]\x1b[2J"),
                    Diagnostic("k.c", 8, 1, "error", "and another"),
                ),
            ),
            failed="compile",
        )
    )


async def test_starts_by_saying_so_and_runs_the_engine_after_the_first_paint() -> None:
    app = App()
    async with app.run_test() as pilot:
        assert "STARTING" in text_of(main_of(app).query_one(VerdictBar))
        while app.engine is None:
            await pilot.pause()
        worker = next(iter(app.workers))
        assert (worker.name, worker.group) == ("engine", "engine")
    assert app.engine.closed


async def test_a_run_is_painted(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict(off_at(17, 42, 9)))))
        await pilot.pause()
        main = main_of(app)
        assert (main.view.phase, main.view.is_current) == (Phase.FAIL, True)
        assert " ✗ FAIL    MODEL" in text_of(main.query_one(VerdictBar))
        assert "max error is 9, not ≤ 1" in text_of(main.query_one(Problems))
        assert "max error            9 ✗ ≤ 1" in text_of(main.query_one(MetricsTable))
        assert "+9!" in text_of(main.query_one(PanesView))
        assert "judge ✓ 0.06 s" in text_of(main.query_one(StepStrip))


async def test_a_late_event_of_an_old_run_changes_nothing(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED), started(2), StepStarted(2, "compile"))
        await pilot.pause()
        main, log = main_of(app), main_of(app).query_one(LogView)
        log.flush()
        view, painted, lines = (
            main.view,
            [text_of(w) for w in main.walk_children(Widget)],
            log.store.end,
        )
        late = verdict(off_at(0, 0, 50))
        app.emit(
            LogLines(1, "compile", ("late",)),
            StepStarted(1, "judge"),
            RunFinished(1, result(1, "fail", verdict=late)),
            Missing(1, "k.c"),
            Saved(1, ()),
            RunCancelled(1, "late"),
        )
        await pilot.pause()
        log.flush()
        assert main.view is view
        assert [text_of(w) for w in main.walk_children(Widget)] == painted
        assert log.store.end == lines


async def test_a_syntax_error_keeps_the_last_verdict_marked_stale(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED), *broken(2))  # type: ignore[arg-type]
        await pilot.pause()
        main = main_of(app)
        assert main.view.phase is Phase.BUILD_FAILED
        assert main.query_one(PanesView).has_class("-stale")
        bar = text_of(main.query_one(VerdictBar))
        assert "BUILD FAILED" in bar
        assert "STALE   of run 1 1bcdef0  corr 1.00000" in bar
        assert main.query_one(PanesView).title().plain.startswith("out  STALE")
        assert rows(main.query_one(Problems))[0].strip() == "✗ k.c:3:5: expected ';' [/x]"
        app.emit(*a_run(result(3, "pass", verdict=verdict())))
        await pilot.pause()
        assert not main.query_one(PanesView).has_class("-stale")
        assert "STALE" not in text_of(main.query_one(VerdictBar))


@pytest.mark.parametrize(
    ("status", "error", "word"),
    [
        ("hang", HangError("no end after 10 s", hint="look for a loop"), "HANG"),
        ("crash", CrashError("SIGSEGV in f"), "CRASH"),
    ],
)
async def test_how_a_run_ended_is_said(
    open_app: Open, status: str, error: HangError | CrashError, word: str
) -> None:
    async with open_app() as (app, pilot):
        ended = result(1, status, error=error)  # type: ignore[arg-type]
        app.emit(*a_run(ended, failed="run"))
        await pilot.pause()
        main = main_of(app)
        assert word in text_of(main.query_one(VerdictBar))
        assert error.message in text_of(main.query_one(Problems))
        assert "run ✗" in text_of(main.query_one(StepStrip))
        assert "no verdict yet" in text_of(main.query_one(VerdictBar))


async def test_a_missing_kernel_and_its_return(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED), Missing(1, "kernels/attention.c"))
        await pilot.pause()
        main = main_of(app)
        assert "MISSING" in text_of(main.query_one(VerdictBar))
        assert "kernels/attention.c: the kernel is not there" in text_of(main.query_one(Problems))
        app.emit(Saved(1, ()), *a_run(result(2, "pass", verdict=verdict())))
        await pilot.pause()
        assert "✓ no problems" in text_of(main.query_one(Problems))


async def test_keys_ask_the_engine(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("x", "r")
        app.emit(started(1), StepStarted(1, "compile"))
        await pilot.pause()
        await pilot.press("x")
        assert app.engine is not None
        assert app.engine.asked == ["rerun", "cancel"]
        app.emit(RunCancelled(1, "stopped"))
        await pilot.pause()
        assert "CANCELLED" in text_of(main_of(app).query_one(VerdictBar))


async def test_nothing_ticks_unless_a_step_runs(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        main = main_of(app)
        assert not main.ticks
        app.emit(started(1), StepStarted(1, "run", 10))
        await pilot.pause()
        assert main.ticks
        app.now = 3.0
        while "run ▶ 3.0 s of 10 s" not in text_of(main.query_one(StepStrip)):
            await pilot.pause(0.05)
        app.emit(RunFinished(1, PASSED))
        await pilot.pause()
        assert not main.ticks


async def test_problems_are_stepped_through(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*broken(1))  # type: ignore[arg-type]
        await pilot.pause()
        problems = main_of(app).query_one(Problems)
        await pilot.press("n")
        assert problems.selected == 1
        await pilot.press("N", "N")
        assert problems.selected == 2
        await pilot.press("n")
        assert problems.selected == 0


async def test_escape_never_quits_and_q_does(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        await pilot.press("escape", "escape")
        assert app.is_running
        await pilot.press("question_mark")
        assert app.screen.query_one(HelpPage).has_focus
        await pilot.press("escape")
        assert isinstance(app.screen, MainScreen)
        await pilot.press("q")
        await pilot.pause()
        assert app.return_code == 0
    assert app.engine is not None
    assert app.engine.closed


async def test_tab_reaches_every_part(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        seen = set()
        for _ in range(6):
            seen.add(type(app.focused))
            await pilot.press("tab")
        assert seen == {PanesView, StageTable, MiniMap, LogView, Problems, MetricsTable}


async def test_log_lines_come_under_their_step(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED, log=["[/x] one", "two"]))
        await pilot.pause()
        log = main_of(app).query_one(LogView)
        log.flush()
        lines = [log.store[n] for n in range(log.store.end)]
        assert lines[:4] == ["── compile", "[/x] one", "two", "── compile ok in 0.06 s"]
        app.emit(started(2))
        await pilot.pause()
        assert log.store.end == 0


async def test_a_flood_leaves_the_keys_working(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(PASSED), started(2), StepStarted(2, "compile"))
        main = main_of(app)
        for batch in range(40):
            lines = tuple(f"\x1b[31mwarning\x1b[0m {batch}-{n}" for n in range(5000))
            app.emit(LogLines(2, "compile", lines))
            await pilot.press("l" if batch % 2 else "j")
        assert main.query_one(PanesView).window.row > 0
        main.query_one(LogView).flush()
        assert main.query_one(LogView).store.end == 200_001
        app.emit(RunFinished(2, result(2, "pass", verdict=verdict())))
        await pilot.pause()
        assert "PASS" in text_of(main.query_one(VerdictBar))


SIZES = [(1, 1), (5, 2), (40, 12), (60, 20), (80, 24), (109, 27), (160, 45), (200, 50), (30, 60)]


async def test_a_resize_storm(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict(off_at(17, 42, 9)))))
        for size in [*SIZES, *reversed(SIZES)]:
            await pilot.resize_terminal(*size)
            await pilot.press("j", "n", "v", "tab")
        main = main_of(app)
        assert main.view.phase is Phase.FAIL


@pytest.mark.parametrize("size", [size for size in SIZES if size[0] >= 40])
async def test_nothing_overlaps_and_the_verdict_is_seen(
    open_app: Open, size: tuple[int, int]
) -> None:
    async with open_app(size) as (app, pilot):
        app.emit(*a_run(result(1, "fail", verdict=verdict(off_at(17, 42, 9)))))
        await pilot.pause()
        main = main_of(app)
        assert "✗ FAIL" in text_of(main.query_one(VerdictBar))
        parts = (VerdictBar, StepStrip, Problems, MetricsTable, PanesView, LogView, KeyLine)
        regions = [main.query_one(part).region for part in parts if main.query_one(part).display]
        for index, region in enumerate(regions):
            assert region.width > 0
            assert region.height > 0
            assert main.region.contains_region(region)
            assert not any(region.overlaps(other) for other in regions[index + 1 :])
        shown = main.query_one(PanesView)
        if shown.display:
            assert sum(row.strip()[:2].strip().isdigit() for row in rows(shown)) >= 8


async def test_an_engine_that_fails_ends_the_app_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    app = App(str(tmp_path / "k.c"))
    async with app.run_test() as pilot:
        while app.engine is None:
            await pilot.pause()
        app.engine.fail = ZeroDivisionError("a defect")
        app.engine.end.set()
        while app.is_running:
            await pilot.pause()
    assert app.error is not None
    assert "crash.log" in app.error
    assert "a defect" in (tmp_path / ".workbench" / "crash.log").read_text()


async def test_one_paint_takes_in_many_events(open_app: Open) -> None:
    async with open_app() as (app, pilot):
        for run in range(1, 40):
            app.emit(*a_run(result(run, "pass", verdict=verdict())))
        await pilot.pause()
        assert main_of(app).view.run == 39
        assert re.search(r"run 39 ", text_of(main_of(app).query_one(VerdictBar)))
        assert len(main_of(app).view.steps) == len(STEPS)
