"""What is true for a front end right now: a pure fold over the engine's events.

The one place that decides whether an event still counts. A result stays on screen until the next
one is judged, and `is_current` says whether it is of what lies on disk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from workbench.build import Diagnostic
from workbench.device.choose import DeviceInfo
from workbench.loop.events import (
    Event,
    Explained,
    Missing,
    ModelJudged,
    PhaseSeen,
    Reverted,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.result import RunResult


class Phase(StrEnum):
    """The state of the newest run, in the word that is shown."""

    STARTING = "STARTING"
    WAITING = "WAITING"
    RUNNING = "RUNNING"
    PASS = "PASS"
    FAIL = "FAIL"
    BUILD_FAILED = "BUILD FAILED"
    CRASH = "CRASH"
    HANG = "HANG"
    DEADLOCK = "DEADLOCK"
    NO_DEVICE = "NO DEVICE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"
    MISSING = "MISSING"


_PHASE_OF_STATUS = {
    "pass": Phase.PASS,
    "fail": Phase.FAIL,
    "build-failed": Phase.BUILD_FAILED,
    "crash": Phase.CRASH,
    "hang": Phase.HANG,
    "deadlock": Phase.DEADLOCK,
    "no-device": Phase.NO_DEVICE,
    "error": Phase.ERROR,
}


@dataclass(frozen=True, slots=True)
class StepView:
    """A step as the step strip shows it; `seconds` is None until it is finished.

    `phase` is where the tool of a running step is, in its own words; None when it doesn't tell.
    """

    name: str
    status: Literal["pending", "running", "ok", "failed", "skipped", "cached"] = "pending"
    seconds: float | None = None
    limit_s: float | None = None
    phase: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """The state of the screen, but for cursors and scroll positions.

    `reason` says why the newest run was started, or why it was stopped.
    `result` is the last finished run, whatever became of it: its error and diagnostics are shown.
    `shown` is the last judged one: its numbers and panes are shown, and `is_current` tells whether
    they are of the bytes on disk. When it is False the numbers must be drawn as STALE. While a run
    on the NPU goes on, or after it has failed, `shown` may be the model's: its `device` says so.
    `is_old`: the user looks at an older run, which `result` and `shown` are in its place.
    """

    run: int = 0
    phase: Phase = Phase.STARTING
    kernel: str = ""
    reason: str = ""
    device: DeviceInfo | None = None
    steps: tuple[StepView, ...] = ()
    result: RunResult | None = None
    shown: RunResult | None = None
    is_current: bool = False
    is_old: bool = False
    watching: Watching | None = None
    missing: str | None = None

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The diagnostics of the last finished run, errors first."""
        if self.result is None:
            return ()
        return tuple(sorted(self.result.diagnostics, key=lambda d: d.severity != "error"))

    @property
    def mark(self) -> str:
        """What has to be said of all that is shown; nothing when it is of the bytes on disk."""
        if self.is_old and self.result is not None:
            return f"OLD RUN {self.result.run}"
        return "" if self.is_current else "STALE"

    @property
    def running_step(self) -> StepView | None:
        """The step that is running."""
        return next((s for s in self.steps if s.status == "running"), None)


def phase_of(result: RunResult) -> Phase:
    """The state that a finished run is in."""
    return _PHASE_OF_STATUS[result.status]


def counts(view: View, event: Event) -> bool:
    """Whether an event still counts: it is not of a run older than the newest one."""
    return event.run >= view.run


def reduce(view: View, event: Event) -> View:
    """The view after `event`; the same view when the event is of an older run."""
    if not counts(view, event):
        return view
    runs = view.phase is Phase.RUNNING and event.run == view.run
    match event:
        case Watching():
            return replace(view, watching=event)
        case Saved():
            return _stopped(view, Phase.WAITING)
        case Missing():
            return replace(_stopped(view, Phase.MISSING), missing=event.file)
        case Reverted():
            return _reverted(view, event)
        case RunStarted():
            return replace(
                view,
                run=event.run,
                phase=Phase.RUNNING,
                kernel=event.kernel,
                reason=event.reason,
                device=event.device,
                steps=tuple(StepView(name) for name in event.steps),
                is_current=False,
                missing=None,
            )
        case StepStarted() if runs:
            step = StepView(event.step, "running", limit_s=event.limit_s)
            return replace(view, steps=_with_step(view.steps, step))
        case PhaseSeen() if runs:
            steps = (
                replace(s, phase=event.phase.name) if s.name == event.step else s
                for s in view.steps
            )
            return replace(view, steps=tuple(steps))
        case ModelJudged() if runs:
            return replace(view, shown=event.result, is_current=True)
        case StepFinished() if runs:
            step = StepView(event.result.name, event.result.status, event.result.seconds)
            return replace(view, steps=_with_step(view.steps, step))
        case RunFinished() if runs:
            return _finished(view, event.result)
        case Explained() if view.result is not None and view.result.run == event.run:
            is_shown = view.shown is view.result
            return replace(
                view, result=event.result, shown=event.result if is_shown else view.shown
            )
        case RunCancelled() if runs:
            return replace(_stopped(view, Phase.CANCELLED), reason=event.reason)
        case _:
            return view


def _finished(view: View, result: RunResult) -> View:
    judged = result.verdict is not None
    by_model = view.is_current and view.shown is not None and view.shown.run == result.run
    return replace(
        _stopped(view, phase_of(result)),
        device=result.device,
        result=result,
        shown=result if judged else view.shown,
        is_current=judged or by_model,
    )


def _stopped(view: View, phase: Phase) -> View:
    """Nothing runs any more, and nothing shown is of the bytes on disk."""
    steps = (replace(s, status="pending") if s.status == "running" else s for s in view.steps)
    return replace(view, phase=phase, is_current=False, missing=None, steps=tuple(steps))


def _reverted(view: View, event: Reverted) -> View:
    if view.result is None or not view.result.run == view.run == event.run:
        return view
    return replace(
        view,
        phase=phase_of(view.result),
        is_current=view.result.verdict is not None,
        missing=None,
    )


def _with_step(steps: tuple[StepView, ...], step: StepView) -> tuple[StepView, ...]:
    return tuple(step if old.name == step.name else old for old in steps)
