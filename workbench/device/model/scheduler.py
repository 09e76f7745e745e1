"""A deterministic scheduler for cores, DMAs and the runtime sequence.

A process is a generator. It yields a `Wait` when it can't go on before something holds, or None to
let others run. Processes take turns in a fixed order, so that two executions are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from workbench.errors import DeadlockError

Steps = Generator["Wait | None", None, None]

IDLE_TURNS = 1_000_000
"""Turns in which processes only go round loops before they count as going nowhere (seconds)."""

Kind = Literal["core starves", "core is stuck", "sequence", "source is dry", "dma is stuck", "rest"]


@dataclass(frozen=True, slots=True)
class Wait:
    """What a process waits for; `describe` says it in words for a deadlock's report."""

    ready: Callable[[], bool]
    describe: Callable[[], str]
    kind: Kind = "rest"
    where: str | None = None
    """file:line of the operation that waits."""

    def until_ready(self) -> Iterator[Wait]:
        """Yield until it holds."""
        while not self.ready():
            yield self


class Turn(Enum):
    """What became of a process's turn."""

    BLOCKED = auto()
    LOOPED = auto()
    """It went round a loop, and may do so without end."""
    MOVED = auto()


@dataclass(slots=True)
class Process:
    """A running program."""

    name: str
    steps: Steps
    wait: Wait | None = None
    done: bool = False

    def advance(self) -> Turn:
        """Go on as far as possible."""
        if self.done or (self.wait is not None and not self.wait.ready()):
            return Turn.BLOCKED
        turn = Turn.LOOPED if self.wait is None else Turn.MOVED
        try:
            self.wait = next(self.steps)
            while self.wait is not None:
                turn = Turn.MOVED
                if not self.wait.ready():
                    break
                self.wait = next(self.steps)
        except StopIteration:
            self.done = True
            self.wait = None
            turn = Turn.MOVED
        return turn


def run_until(last: Process, processes: Sequence[Process]) -> None:
    """Let all run in turn until `last` is done; DeadlockError when nothing can go on."""
    if not _run(lambda: not last.done, processes):
        raise _deadlock(last, processes)


def run_while(pending: Callable[[], bool], processes: Sequence[Process]) -> None:
    """Let all run in turn while `pending` holds and anything can go on."""
    _run(pending, processes)


def _run(wanted: Callable[[], bool], processes: Sequence[Process]) -> bool:
    """Let all run in turn while `wanted`; False when nothing can go on before it no longer is."""
    idle = 0
    while wanted():
        turns = {process.advance() for process in processes}
        if Turn.MOVED in turns:
            idle = 0
        elif Turn.LOOPED in turns and idle < IDLE_TURNS:
            idle += 1
        else:
            return False
    return True


def _deadlock(last: Process, processes: Sequence[Process]) -> DeadlockError:
    others = [process for process in processes if process is not last]
    starved = any(p.wait is not None and p.wait.kind == "core starves" for p in others)
    told = [_words(process) for process in (*others, last) if _is_telling(process, starved)]
    where = last.wait.where if last.wait is not None else None
    return DeadlockError(f"deadlock: {'; '.join(told)}", where=where)


def _is_telling(process: Process, starved: bool) -> bool:
    if process.wait is None:
        return True
    kind = process.wait.kind
    return kind != "rest" and (kind != "source is dry" or starved)


def _words(process: Process) -> str:
    if process.done:
        return f"{process.name} has ended"
    if process.wait is None:
        return f"{process.name} goes round a loop that nothing ends"
    line = process.wait.where.rpartition(":")[2] if process.wait.where else None
    at = f" (line {line})" if line else ""
    return f"{process.name} {process.wait.describe()}{at}"
