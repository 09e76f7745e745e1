from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.build import StepResult
from workbench.device.choose import DeviceInfo
from workbench.loop import session as module
from workbench.loop.events import (
    Event,
    Explained,
    LogLines,
    Missing,
    ModelJudged,
    Reverted,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.result import Materials, RunResult, Status
from workbench.loop.session import KEPT, Session, look, look_at, pin, reduce
from workbench.loop.view import View
from workbench.loop.view import reduce as reduce_view
from workbench.spec import HostBuffer, Promise, Tensor
from workbench.verdict import Verdict, judge

MODEL = DeviceInfo("model", "core model", "no NPU here")
OUT = Tensor("out", "int8", (8, 8))
PROMISE = Promise("d.mlir", "f", (HostBuffer((OUT,), "out"),), (), (), ("set",), "bank-aware")
GOLDEN = np.arange(64, dtype=np.int8).reshape(8, 8)
MATERIALS = cast(Materials, object())


def verdict(off: int = 0) -> Verdict:
    """The verdict of a device whose first element is off."""
    device = GOLDEN.copy()
    device[0, 0] += off
    return judge(PROMISE, {"out": device}, {"out": GOLDEN})


JUDGED = verdict()


def ended(run: int, status: Status = "pass", judged: Verdict | None = JUDGED) -> RunResult:
    return RunResult(run, status, "k.c", MODEL, 42, 0.1, verdict=judged, materials=MATERIALS)


def started(run: int) -> RunStarted:
    return RunStarted(run, "k.c", "saved", MODEL, ("compile", "run"))


def finished(run: int, status: Status = "pass", judged: Verdict | None = JUDGED) -> RunFinished:
    return RunFinished(run, ended(run, status, judged))


def a_run(run: int, status: Status = "pass", judged: Verdict | None = JUDGED) -> list[Event]:
    return [started(run), finished(run, status, judged)]


def broken(run: int) -> list[Event]:
    return a_run(run, "build-failed", None)


def after(events: Iterable[Event], session: Session | None = None) -> Session:
    session = session or Session()
    for event in events:
        session = reduce(session, event)
    return session


def runs(session: Session) -> list[int]:
    return [result.run for result in session.runs]


THREE = after([*a_run(1), *broken(2), *a_run(3)])


def test_runs_that_ended_are_kept_and_cancelled_ones_are_not() -> None:
    session = after([*a_run(1), started(2), RunCancelled(2, "a save"), *broken(3), started(4)])
    assert runs(session) == [1, 3]
    assert session.painted is session.view


def test_what_a_run_was_made_of_is_let_go_when_the_next_has_ended() -> None:
    assert [run.materials for run in THREE.runs] == [None, None, MATERIALS]
    assert THREE.runs[-1] is THREE.view.result


def test_what_is_found_out_later_takes_the_place_of_the_newest() -> None:
    more = replace(ended(3), explained=True)
    session = reduce(THREE, Explained(3, more))
    assert session.runs == (*THREE.runs[:-1], more)


def test_an_older_run_is_shown_as_old_and_the_state_stays_that_of_the_newest() -> None:
    session = look_at(after(a_run(4, "fail", verdict(9)), THREE), 1)
    painted = session.painted
    assert painted.shown is session.runs[0]
    assert (painted.mark, painted.is_current) == ("OLD RUN 1", False)
    assert (painted.run, painted.phase) == (4, session.view.phase)
    assert session.view.is_current


def test_of_an_older_run_that_was_not_judged_no_other_numbers_are_shown() -> None:
    painted = look_at(THREE, 2).painted
    assert (painted.result, painted.shown) == (THREE.runs[1], None)
    assert (painted.mark, painted.diagnostics) == ("OLD RUN 2", ())


def test_looking_goes_by_runs_and_ends_at_both_ends() -> None:
    session = look(THREE, 1)
    assert session is THREE
    seen = []
    for by in (-1, -1, -1, 1, 1, 1):
        session = look(session, by)
        seen.append(session.looked_at)
    assert seen == [2, 1, 1, 2, None, None]
    assert look(Session(), -1) == Session()


def test_looking_at_what_is_not_kept_shows_the_newest() -> None:
    for run in (0, 3, 9):
        assert look_at(look_at(THREE, 1), run).painted is THREE.view


def test_a_run_that_starts_ends_the_look() -> None:
    session = look_at(THREE, 1)
    assert reduce(session, Saved(3, ())).looked_at == 1
    assert reduce(session, started(4)).looked_at is None


def test_a_run_that_ends_does_not_end_a_look_that_was_begun_meanwhile() -> None:
    session = look_at(reduce(THREE, started(4)), 1)
    session = reduce(session, finished(4))
    assert (session.looked_at, session.painted.mark) == (1, "OLD RUN 1")


def test_the_baseline_is_pinned_and_let_go_by_the_same_wish() -> None:
    session = pin(THREE)
    assert (session.baseline, session.against) == (3, None)
    assert pin(session).baseline is None
    assert pin(look_at(session, 1)).baseline == 1


@pytest.mark.parametrize("session", [Session(), look_at(THREE, 2), after(broken(1))])
def test_what_was_not_judged_is_no_baseline(session: Session) -> None:
    assert pin(session) is session


def test_what_the_model_says_while_the_npu_builds_is_no_baseline() -> None:
    session = after([started(1), ModelJudged(1, ended(1))])
    assert session.painted.shown is not None
    assert pin(session) is session


def test_change_is_since_the_baseline_else_since_the_judged_run_before() -> None:
    session = after([*a_run(4, "fail", verdict(9)), *broken(5), *a_run(6)], THREE)
    assert against(session) == 4
    assert against(look_at(session, 4)) == 3
    assert against(look_at(session, 5)) is None
    assert against(look_at(session, 1)) is None
    pinned = pin(look_at(session, 3))
    assert [against(look_at(pinned, run)) for run in (1, 3, 4, 6)] == [3, None, 3, 3]
    change = look_at(pinned, 4).change
    assert change is not None
    assert (change.before.run, change.after.run) == (3, 4)


def against(session: Session) -> int | None:
    return session.against.run if session.against is not None else None


def test_unasked_nothing_is_compared_but_the_kernel() -> None:
    other = RunFinished(4, replace(ended(4), set_name="other"))
    session = after([started(4), other], THREE)
    assert session.against is None
    pinned = pin(look_at(session, 1))
    assert against(look_at(pinned, 4)) == 1
    assert len(session.trend) == 1


def test_the_trend_ends_with_the_run_that_is_shown() -> None:
    session = after(a_run(4, "fail", verdict(9)), THREE)
    assert [metrics.max_abs for metrics in session.trend] == [0, 0, 9]
    assert len(look_at(session, 3).trend) == 2
    assert look_at(session, 2).trend == ()


def test_the_oldest_are_let_go_but_not_those_in_use() -> None:
    session = after(event for run in range(1, KEPT + 1) for event in a_run(run))
    session = look_at(pin(look_at(session, 1)), 3)
    session = reduce(session, started(KEPT + 1))
    session = reduce(look_at(session, 3), finished(KEPT + 1))
    assert runs(session) == [1, *range(3, KEPT + 2)]
    session = reduce(look_at(reduce(session, started(KEPT + 2)), 3), finished(KEPT + 2))
    assert runs(session) == [1, 3, *range(5, KEPT + 3)]


def test_of_large_tensors_fewer_runs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    one = JUDGED.device.nbytes + JUDGED.reference.nbytes
    monkeypatch.setattr(module, "KEPT_BYTES", 3 * one)
    session = after(event for run in range(1, 9) for event in a_run(run))
    assert runs(session) == [6, 7, 8]


def events_of(run: int) -> list[Event]:
    return [
        Watching(run, ()),
        Saved(run, ()),
        Reverted(run),
        Missing(run, "k.c"),
        started(run),
        StepStarted(run, "compile"),
        LogLines(run, "compile", ("line",)),
        StepFinished(run, StepResult("compile", "ok", 0.1)),
        ModelJudged(run, ended(run)),
        finished(run),
        finished(run, "build-failed", None),
        Explained(run, replace(ended(run), explained=True)),
        RunCancelled(run, "x"),
    ]


Act = Event | Callable[[Session], Session]
EVENTS = st.integers(0, 6).flatmap(lambda run: st.sampled_from(events_of(run)))
WISHES: st.SearchStrategy[Callable[[Session], Session]] = st.one_of(
    st.just(pin),
    st.sampled_from([-1, 1]).map(lambda by: lambda session: look(session, by)),
    st.integers(0, 6).map(lambda run: lambda session: look_at(session, run)),
)


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """Runs in their order, with the user's wishes and events of any run between them."""
    told: list[Act] = []
    newest = 0
    for kind in draw(st.lists(st.sampled_from(["judged", "broken", "wish", "event"]), max_size=25)):
        newest += kind in ("judged", "broken")
        match kind:
            case "judged":
                told += a_run(newest)
            case "broken":
                told += broken(newest)
            case "wish":
                told.append(draw(WISHES))
            case _:
                event = draw(EVENTS)
                newest = max(newest, event.run)
                told.append(event)
    return told


@given(acts())
def test_laws_of_the_session(told: list[Act]) -> None:
    session, view = Session(), View()
    for act in told:
        before = session
        if callable(act):
            session = act(session)
            assert (session.view, session.runs) == (before.view, before.runs)
        else:
            session, view = reduce(session, act), reduce_view(view, act)
            assert session.baseline == before.baseline
        assert session.view == view
        _is_lawful(session)


def _is_lawful(session: Session) -> None:
    ids = runs(session)
    assert ids == sorted(set(ids))
    assert (session.runs[-1] if ids else None) is session.view.result
    assert session.looked_at is None or session.looked_at in ids[:-1]
    assert session.baseline is None or session.baseline in ids
    painted, change = session.painted, session.change
    if painted.is_current:
        assert painted is session.view
        assert painted.shown is not None
        assert painted.shown.run == session.view.run
        assert painted.mark == ""
    if session.looked_at is not None:
        assert painted.mark == f"OLD RUN {session.looked_at}"
        assert painted.shown is None or painted.shown.run == session.looked_at
    assert (painted.phase, painted.run) == (session.view.phase, session.view.run)
    if change is not None:
        assert change.after is painted.shown
        assert change.before.run != change.after.run


@given(acts(), st.data())
def test_a_late_event_of_an_old_run_changes_nothing(told: list[Act], data: st.DataObject) -> None:
    session = Session()
    for act in told:
        session = act(session) if callable(act) else reduce(session, act)
    if session.view.run:
        run = data.draw(st.integers(0, session.view.run - 1))
        for event in events_of(run):
            assert reduce(session, event) is session
