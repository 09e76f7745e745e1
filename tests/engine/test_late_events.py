"""Events of an old run that come late, however they come between those of the newest."""

from __future__ import annotations

from functools import reduce as fold
from types import SimpleNamespace
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from workbench.build import StepResult
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
)
from workbench.loop.result import RunResult
from workbench.loop.view import View, reduce
from workbench.verdict import Verdict

MODEL = DeviceInfo("model", "functional model", "no NPU here")
STEPS = ("compile", "load", "run", "judge")
VERDICT = cast(Verdict, SimpleNamespace(passed=True))


def began(run: int) -> Event:
    return RunStarted(run, "k.c", "saved", MODEL, STEPS)


def ends(run: int) -> list[Event]:
    """How a run can end."""
    return [
        RunFinished(run, RunResult(run, "pass", "k.c", MODEL, 42, 0.1, verdict=VERDICT)),
        RunFinished(run, RunResult(run, "build-failed", "k.c", MODEL, 42, 0.1)),
        RunCancelled(run, "a newer save"),
    ]


def steps(run: int) -> list[Event]:
    """What a run tells between its beginning and its end."""
    told: list[Event] = []
    for step in STEPS:
        told += [
            StepStarted(run, step, 10),
            LogLines(run, step, ("a line",)),
            StepFinished(run, StepResult(step, "ok", 0.1)),
        ]
    return told


OLD = [began(1), *steps(1), *ends(1), Saved(1, ("k.c",)), Reverted(1), Missing(1, "k.c")]


@given(
    before=st.integers(0, len(steps(1))),
    end=st.sampled_from(ends(1)),
    current=st.sampled_from([[], *([end] for end in ends(2))]),
    late=st.lists(st.tuples(st.integers(0, 99), st.sampled_from(OLD)), max_size=12),
)
def test_late_events_change_nothing(
    before: int, end: Event, current: list[Event], late: list[tuple[int, Event]]
) -> None:
    first = fold(reduce, [began(1), *steps(1)[:before], end], View())
    newest = [began(2), *steps(2), *current]
    mixed = list(newest)
    for place, event in late:
        mixed.insert(1 + place % len(mixed), event)
    assert fold(reduce, mixed, first) == fold(reduce, newest, first)
