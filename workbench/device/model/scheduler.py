"""A deterministic scheduler for cores, DMAs and the runtime sequence.

A process is a generator. It yields a `Wait` when it can't go on before something holds, or None to
let others run. Processes take turns in a fixed order, so that two executions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from workbench.errors import DeadlockError

Steps = Generator["Wait | None", None, None]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a process waits for; `describe` says it in words for a deadlock's report."""

    ready: Callable[[], bool]
    describe: Callable[[], str]


@dataclass(slots=True)
class Process:
    """A running program. `name` is None for one whose waiting nobody needs to hear of."""

    name: str | None
    steps: Steps
    wait: Wait | None = None
    done: bool = False

    def advance(self) -> bool:
        """Go on as far as possible; False when it could not go on at all."""
        if self.done or (self.wait is not None and not self.wait.ready()):
            return False
        try:
            self.wait = next(self.steps)
            while self.wait is not None and self.wait.ready():
                self.wait = next(self.steps)
        except StopIteration:
            self.done = True
            self.wait = None
        return True


def run_until(last: Process, processes: Sequence[Process]) -> None:
    """Let all run in turn until `last` is done; DeadlockError when nothing can go on."""
    while not last.done:
        if not _turn(processes):
            raise DeadlockError(_report(last, processes))


def run_while(pending: Callable[[], bool], processes: Sequence[Process]) -> None:
    """Let all run in turn while `pending` holds and anything can go on."""
    while pending() and _turn(processes):
        pass


def _turn(processes: Sequence[Process]) -> bool:
    moved = [process.advance() for process in processes]
    return any(moved)


def _report(last: Process, processes: Sequence[Process]) -> str:
    others = [p for p in processes if p is not last]
    waiting = [
        f"{p.name} {'has ended' if p.done else p.wait.describe() if p.wait else 'runs'}"
        for p in (*others, last)
        if p.name is not None
    ]
    return f"deadlock: {'; '.join(waiting)}"
