"""A run as it goes on: what is known of it so far, and whom to tell."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.build import Artifact, StepResult, StepStatus
from workbench.errors import UsageError, WorkbenchError
from workbench.loop.events import Event, LogLines, StepFinished, StepStarted
from workbench.loop.result import RunResult
from workbench.loop.target import shown

Emit = Callable[[Event], None]


@dataclass(slots=True)
class StepEnd:
    """What a step reports of itself; it is failed unless it ends without an error."""

    status: StepStatus = "ok"
    command: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


@dataclass(slots=True)
class Progress:
    """What is known of a run so far, and whom to tell. `steps` are those it goes through."""

    result: RunResult
    emit: Emit
    steps: tuple[str, ...] = ()
    ended: dict[str, StepResult] = field(default_factory=dict)

    def know(self, **what: Any) -> None:
        """Note fields of the result."""
        self.result = replace(self.result, **what)

    def depends_on(self, files: Mapping[str, str | None]) -> None:
        """Note files that the result is made from."""
        absolute = {os.path.abspath(path): digest for path, digest in files.items()}
        self.know(files={**self.result.files, **absolute})

    def note(self, *notes: str) -> None:
        """Note sentences that a reader of the result should know."""
        self.know(notes=(*self.result.notes, *notes))

    def log(self, step: str) -> Callable[[list[str]], None]:
        """Where a step's output goes."""
        return lambda lines: self.emit(LogLines(self.result.run, step, tuple(lines)))

    def begun(self, name: str, limit_s: float | None = None) -> None:
        """Tell that a step has begun."""
        self.emit(StepStarted(self.result.run, name, limit_s))

    def end(self, step: StepResult) -> None:
        """Note a finished step, and tell of it."""
        self.ended[step.name] = step
        self.emit(StepFinished(self.result.run, step))

    @contextmanager
    def step(self, name: str, limit_s: float | None = None) -> Iterator[StepEnd]:
        """A step, from its beginning to its end; a cancelled one has no end."""
        self.begun(name, limit_s)
        started = time.monotonic()
        end = StepEnd()
        failure: WorkbenchError | None = None
        try:
            with system_errors():
                yield end
        except WorkbenchError as error:
            end.status = "failed"
            failure = error
        seconds = time.monotonic() - started
        self.end(StepResult(name, end.status, seconds, end.command, end.artifacts))
        if failure is not None:
            raise failure

    def finish(self, started: float) -> RunResult:
        """The result, with a line for every step."""
        none = {name: StepResult(name, "skipped", 0.0) for name in self.steps}
        steps = {**none, **self.ended}
        self.know(steps=tuple(steps.values()), seconds=time.monotonic() - started)
        return self.result


@contextmanager
def system_errors() -> Iterator[None]:
    """What the system refuses is for the user to mend, as any other error of a run."""
    try:
        yield
    except OSError as error:
        where = shown(error.filename) if isinstance(error.filename, str | Path) else None
        raise UsageError(error.strerror or str(error), where=where) from error
