"""A thousand keys at random, with saves, runs and other sizes of the window in between."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.tui.conftest import Open
from tests.tui.scripted import (
    MISMATCH,
    App,
    a_run,
    core_memory,
    off_at,
    result,
    rows,
    started,
    verdict,
    with_memory,
)
from workbench.errors import HangError
from workbench.loop.events import Event, Missing, RunCancelled, Saved, StepStarted
from workbench.tui.actions import ACTIONS
from workbench.tui.screen import MainScreen
from workbench.tui.verdict_bar import VerdictBar

GOOD = with_memory(verdict(), core_memory(600))
BAD = with_memory(verdict(off_at(17, 42, 9), findings=(MISMATCH,)), core_memory(4512))
SMALL = verdict(shape=(3, 5))

EVENTS: tuple[Callable[[int], list[Event]], ...] = (
    lambda run: a_run(result(run, "pass", verdict=GOOD)),
    lambda run: a_run(result(run, "fail", verdict=BAD)),
    lambda run: a_run(result(run, "pass", verdict=SMALL)),
    lambda run: a_run(result(run, "hang", error=HangError("no end")), failed="run"),
    lambda run: [started(run), StepStarted(run, "compile"), RunCancelled(run, "a newer save")],
    lambda run: [Saved(run - 1, ())],
    lambda run: [Missing(run - 1, "k.c")],
    lambda run: [started(run), StepStarted(run, "run", 10)],
)
SIZES = [(40, 12), (80, 24), (120, 34), (160, 45), (200, 50), (1, 1), (30, 60)]
LEAVES = {"quit", "app.quit"}
EDITS = {"edit", "open"}
KEYS = sorted(
    {key for a in ACTIONS if a.name not in LEAVES | EDITS for key in a.keys.split(",")}
    - {key for a in ACTIONS if a.name in LEAVES | EDITS for key in a.keys.split(",")}
    - {"f8"}
)
TOLD = ("corr", "max error", "range")


def says_stale(main: MainScreen) -> bool:
    return any("STALE" in row or "OLD" in row for row in rows(main.query_one(VerdictBar)))


def check(app: App) -> None:
    """Numbers of other bytes than those on disk are never shown as if they were of these."""
    main = app.screen_stack[0]
    assert isinstance(main, MainScreen)
    bar = " ".join(rows(main.query_one(VerdictBar)))
    if main.size.width < 40:
        return
    if not main.view.is_current and any(word in bar for word in TOLD):
        assert says_stale(main)
    if main.view.is_current and "OLD" not in bar:
        assert not says_stale(main)


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_key_harms(open_app: Open, seed: int) -> None:
    dice = random.Random(seed)
    async with open_app((120, 34)) as (app, pilot):
        run = 1
        for number in range(500):
            app.simulate_key(dice.choice(KEYS))
            if number % 7 == 0:
                run += 1
                app.emit(*dice.choice(EVENTS)(run))
                await pilot.pause()
                check(app)
            if number % 50 == 0:
                await pilot.resize_terminal(*dice.choice(SIZES))
        await pilot.pause()
        while len(app.screen_stack) > 1:
            app.pop_screen()
        run += 1
        await pilot.resize_terminal(120, 34)
        app.emit(*a_run(result(run, "pass", verdict=GOOD)))
        bar = app.screen.query_one(VerdictBar)
        while app.is_running and bar.size != (120, 2):
            await pilot.pause()
        await pilot.pause()
        check(app)
        assert rows(bar)[0].startswith(" ✓ PASS    MODEL")
        assert f"run {run} " in rows(bar)[1]
