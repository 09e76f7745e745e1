"""What the engine tells its front ends. Every event carries the id of the run it speaks of.

An event about a run older than the engine's newest is never shown as current; `view.reduce` is the
one place that decides so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.build import StepResult
from workbench.device.choose import DeviceInfo
from workbench.loop.result import RunResult

if TYPE_CHECKING:
    from workbench.build.aie.phases import Phase


@dataclass(frozen=True, slots=True)
class Watching:
    """How saves are noticed: by events of the file system, or by polling and why."""

    run: int
    files: tuple[str, ...]
    polling_because: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """Files on disk are no longer what run `run` was made from: what is shown is stale."""

    run: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reverted:
    """The files are again exactly what the finished run `run` was made from."""

    run: int


@dataclass(frozen=True, slots=True)
class Missing:
    """The kernel isn't there; the next save of it starts a run."""

    run: int
    file: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run began; `steps` are the names of the steps it will go through."""

    run: int
    kernel: str
    reason: str
    device: DeviceInfo
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step began; `limit_s` is its time limit."""

    run: int
    step: str
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class LogLines:
    """Output of a step, raw: may hold ANSI sequences and anything else a program can print."""

    run: int
    step: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelJudged:
    """In a run on the NPU, which takes long to build: what the model makes of the same bytes."""

    run: int
    result: RunResult


@dataclass(frozen=True, slots=True)
class PhaseSeen:
    """A step's tool told where it is."""

    run: int
    step: str
    phase: Phase


@dataclass(frozen=True, slots=True)
class StepFinished:
    """A step ended."""

    run: int
    result: StepResult


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run ended with a result, good or bad."""

    run: int
    result: RunResult


@dataclass(frozen=True, slots=True)
class Explained:
    """More is known of why a finished run came out as it did: the same result, more findings."""

    run: int
    result: RunResult


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """A run was stopped, by a newer save or by the user."""

    run: int
    reason: str


Event = (
    Watching
    | Saved
    | Reverted
    | Missing
    | RunStarted
    | StepStarted
    | LogLines
    | PhaseSeen
    | ModelJudged
    | StepFinished
    | RunFinished
    | Explained
    | RunCancelled
)
