"""An engine at work on the small project, all it tells, and whether that was ever untrue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest

from tests.process.procs import until
from tests.projects import Project, marked
from workbench import manifest
from workbench.loop.engine import Engine
from workbench.loop.events import Event, RunCancelled, RunFinished, RunStarted
from workbench.loop.result import RunResult
from workbench.loop.target import Options
from workbench.loop.view import View, reduce

SECONDS = 60.0
"""Longest wait for anything; a machine may be busy."""

Kind = TypeVar("Kind")


class Loop:
    """An engine, its events, and the view that they add up to."""

    def __init__(self, project: Project, options: Options) -> None:
        self.project = project
        self.events: list[Event] = []
        self.view = View()
        self.lies: list[str] = []
        """Events after which something was shown as current that was not."""
        self.tell: Callable[[Event], None] = self._note
        self.engine = Engine(options, lambda event: self.tell(event))

    def _note(self, event: Event) -> None:
        self.events.append(event)
        self.view = reduce(self.view, event)
        shown = self.view.shown
        if self.view.is_current and (
            shown is None
            or shown.source_sha256 != manifest.sha256_file(self.project.kernel)
            or manifest.file_hashes(shown.files) != shown.files
        ):
            self.lies.append(f"{event}")

    def all(self, kind: type[Kind]) -> list[Kind]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def started(self) -> list[int]:
        """The runs that began."""
        return [event.run for event in self.all(RunStarted)]

    @property
    def results(self) -> list[RunResult]:
        """The runs that ended with a result."""
        return [event.result for event in self.all(RunFinished)]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        await until(condition, SECONDS)

    async def begun(self, run: int) -> None:
        """Wait until a run has begun."""
        await self.until(lambda: self.started and self.started[-1] >= run)

    async def finished(self, run: int) -> RunResult:
        """The result of a run, once there is one."""
        await self.until(lambda: self.results and self.results[-1].run >= run)
        assert self.results[-1].run == run, self.events
        return self.results[-1]

    def check_order(self) -> None:
        """Runs follow one another, and each that began ends once, before the next begins."""
        assert self.started == sorted(set(self.started))
        ends = [e.run for e in self.events if isinstance(e, RunFinished | RunCancelled)]
        assert ends == sorted(set(ends))
        running = 0
        for event in self.events:
            if isinstance(event, RunStarted):
                assert not running
                running = event.run
            elif isinstance(event, RunFinished | RunCancelled):
                assert running == event.run
                running = 0


Watching = Callable[..., AbstractAsyncContextManager[Loop]]


@pytest.fixture
def watching(project: Project, mark: str) -> Watching:
    """Watches the project; afterwards nothing was untrue, and no process is left."""

    @asynccontextmanager
    async def watch(**options: Any) -> AsyncIterator[Loop]:
        loop = Loop(project, Options(str(project.kernel), **options))
        task = asyncio.create_task(loop.engine.watch())
        try:
            yield loop
        finally:
            await loop.engine.close()
            assert marked(mark) == []
            async with asyncio.timeout(SECONDS):
                await task
        loop.check_order()
        assert loop.lies == []

    return watch
