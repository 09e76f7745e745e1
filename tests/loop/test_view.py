from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.build import Diagnostic, StepResult
from workbench.device.choose import DeviceInfo
from workbench.loop.events import (
    Event,
    LogLines,
    Missing,
    Reverted,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.result import RunResult, Status
from workbench.loop.view import Phase, StepView, View, reduce
from workbench.verdict import Verdict

MODEL = DeviceInfo("model", "core model", "no NPU here")
VERDICT = cast(Verdict, SimpleNamespace(passed=True))


def started(run: int) -> RunStarted:
    return RunStarted(run, "k.c", "saved", MODEL, ("compile", "run"))


def finished(run: int, status: Status = "pass", verdict: Verdict | None = VERDICT) -> RunFinished:
    return RunFinished(run, RunResult(run, status, "k.c", MODEL, 42, 0.1, verdict=verdict))


def after(events: Iterable[Event]) -> View:
    view = View()
    for event in events:
        view = reduce(view, event)
    return view


def test_a_run_from_start_to_verdict() -> None:
    view = after([started(1), StepStarted(1, "compile", 5)])
    assert (view.phase, view.run, view.kernel) == (Phase.RUNNING, 1, "k.c")
    assert view.running_step == StepView("compile", "running", limit_s=5)
    view = reduce(view, StepFinished(1, StepResult("compile", "ok", 0.1)))
    assert view.running_step is None
    assert view.steps == (StepView("compile", "ok", 0.1), StepView("run"))
    view = reduce(view, finished(1))
    assert (view.phase, view.is_current) == (Phase.PASS, True)


def test_a_failed_build_keeps_what_was_judged_but_not_as_current() -> None:
    view = after([started(1), finished(1), started(2), finished(2, "build-failed", None)])
    assert (view.phase, view.is_current) == (Phase.BUILD_FAILED, False)
    assert view.result is not None
    assert view.shown is not None
    assert (view.result.run, view.shown.run) == (2, 1)


def test_a_save_makes_stale_and_its_undoing_makes_current() -> None:
    view = after([started(1), finished(1, "fail"), Saved(1, ("k.c",))])
    assert (view.phase, view.is_current) == (Phase.WAITING, False)
    view = reduce(view, Reverted(1))
    assert (view.phase, view.is_current) == (Phase.FAIL, True)


def test_reverting_to_what_was_never_finished_changes_nothing() -> None:
    view = after([started(1), finished(1), started(2), RunCancelled(2, "a save"), Saved(2, ())])
    assert reduce(view, Reverted(2)) is view


def test_cancelling_says_why_and_stops_the_step() -> None:
    view = after([started(1), StepStarted(1, "compile"), RunCancelled(1, "stopped")])
    assert (view.phase, view.reason) == (Phase.CANCELLED, "stopped")
    assert view.running_step is None


@pytest.mark.parametrize(
    ("event", "phase"), [(Saved(1, ()), Phase.WAITING), (Missing(1, "k.c"), Phase.MISSING)]
)
def test_what_stops_a_run_outlives_its_end(event: Event, phase: Phase) -> None:
    view = after([started(1), StepStarted(1, "compile"), event])
    assert (view.phase, view.running_step) == (phase, None)
    for late in (
        RunCancelled(1, "a newer save"),
        StepStarted(1, "run"),
        StepFinished(1, StepResult("compile", "ok", 0.1)),
        finished(1),
    ):
        assert reduce(view, late) is view


def test_a_save_ends_missing() -> None:
    view = after([started(1), finished(1), Missing(1, "k.c")])
    assert view.missing == "k.c"
    assert reduce(view, Saved(1, ())).missing is None
    assert reduce(view, started(2)).missing is None


def test_how_saves_are_noticed_is_kept() -> None:
    watching = Watching(1, ("k.c",), "no events here")
    assert after([started(1), watching, finished(1)]).watching == watching


def test_errors_come_before_warnings() -> None:
    warning = Diagnostic("k.c", 1, 1, "warning", "w")
    error = Diagnostic("k.c", 2, 1, "error", "e")
    end = finished(1, "build-failed", None)
    end = replace(end, result=replace(end.result, diagnostics=(warning, error)))
    assert after([started(1), end]).diagnostics == (error, warning)


EVENTS = st.integers(0, 4).flatmap(
    lambda run: st.sampled_from(
        [
            Watching(run, ()),
            Saved(run, ()),
            Reverted(run),
            Missing(run, "k.c"),
            started(run),
            StepStarted(run, "compile"),
            LogLines(run, "compile", ("line",)),
            StepFinished(run, StepResult("compile", "ok", 0.1)),
            finished(run),
            finished(run, "build-failed", None),
            RunCancelled(run, "x"),
        ]
    )
)


@given(st.lists(EVENTS, max_size=30))
def test_laws_of_the_view(events: list[Event]) -> None:
    view = View()
    for event in events:
        before, view = view, reduce(view, event)
        if event.run < before.run:
            assert view is before
        assert view.run >= before.run
        if view.is_current:
            assert view.shown is view.result
            assert view.shown is not None
            assert view.shown.run == view.run
            assert view.phase in (Phase.PASS, Phase.FAIL)
        if view.running_step is not None:
            assert view.phase is Phase.RUNNING
