"""Asked to run again, to stop, to close: at any moment, and nothing is left behind."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.engine.conftest import SECONDS, Loop, Watching
from tests.engine.test_saves import slow, version
from tests.process.procs import until
from tests.projects import KERNEL, Project, marked
from workbench import manifest
from workbench.loop.engine import Engine
from workbench.loop.events import (
    Event,
    LogLines,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
)
from workbench.loop.result import STEPS
from workbench.loop.target import Options
from workbench.loop.view import Phase
from workbench.settings import Limits

HANGS = KERNEL.replace("for (", "for (volatile int forever = 1; forever;) {}\n    for (")

seeds = itertools.count(1000)
"""A seed that no test has used needs a spec's process, since its case is in no cache."""


async def test_rerun(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.engine.rerun()
        assert (await loop.finished(2)).status == "pass"
        assert loop.all(RunStarted)[-1].reason == "asked for"
        assert loop.view.is_current


async def test_rerun_while_it_runs_begins_again(project: Project, watching: Watching) -> None:
    project.kernel.write_text(slow(1))
    async with watching() as loop:
        await loop.begun(1)
        loop.engine.rerun()
        await loop.begun(2)
        loop.engine.rerun()
        loop.engine.rerun()
        assert (await loop.finished(4)).status == "pass"
        assert [result.run for result in loop.results] == [4]


async def test_cancel(project: Project, watching: Watching, mark: str) -> None:
    project.kernel.write_text(HANGS)
    async with watching() as loop:
        loop.engine.cancel()
        await loop.until(lambda: loop.all(StepStarted) and loop.all(StepStarted)[-1].step == "run")
        loop.engine.cancel()
        loop.engine.cancel()
        assert (loop.view.phase, loop.view.reason) == (Phase.CANCELLED, "stopped")
        await loop.until(lambda: marked(mark) == [])
        project.kernel.write_text(KERNEL)
        assert (await loop.finished(loop.view.run + 1)).status == "pass"


async def test_a_hang_is_killed_and_the_next_save_runs(
    project: Project, watching: Watching
) -> None:
    project.kernel.write_text(HANGS)
    async with watching(time_limit_s=0.3) as loop:
        assert (await loop.finished(1)).status == "hang"
        assert (loop.view.phase, loop.view.is_current) == (Phase.HANG, False)
        project.kernel.write_text(KERNEL)
        assert (await loop.finished(2)).status == "pass"


async def test_a_crash_is_a_result_and_the_next_save_runs(
    project: Project, watching: Watching
) -> None:
    project.with_body("*(volatile int *)0 = 1;")
    async with watching() as loop:
        assert (await loop.finished(1)).status == "crash"
        project.kernel.write_text(KERNEL)
        assert (await loop.finished(2)).status == "pass"


@pytest.mark.parametrize("step", STEPS["model"])
async def test_closing_in_the_middle_of_a_step(watching: Watching, step: str) -> None:
    async with watching(seed=next(seeds)) as loop:
        loop.project.kernel.write_text(slow(next(seeds)))
        await loop.until(lambda: step in [event.step for event in loop.all(StepStarted)])


async def test_closing_at_once(watching: Watching) -> None:
    async with watching() as loop:
        pass
    assert loop.started == []
    async with watching() as loop:
        await asyncio.sleep(0)
    assert loop.results == []


async def test_closing_with_cancelled_runs_that_are_still_ending(watching: Watching) -> None:
    async with watching(seed=next(seeds)) as loop:
        await loop.until(lambda: loop.all(StepStarted))
        for _ in range(3):
            loop.engine.rerun()
            await asyncio.sleep(0)


async def test_closing_between_a_save_and_its_run(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.kernel.write_text(version(1))
        await loop.until(lambda: loop.all(Saved))
    assert loop.started == [1]


async def test_nothing_runs_once_it_is_closed(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        await loop.engine.close()
        told = len(loop.events)
        loop.engine.rerun()
        loop.engine.cancel()
        await loop.engine.watch()
        assert len(loop.events) == told


async def test_cancelling_the_watch_itself(project: Project, mark: str) -> None:
    project.kernel.write_text(HANGS)
    loop = Loop(project, Options(str(project.kernel)))
    task = asyncio.create_task(loop.engine.watch())
    await loop.until(lambda: "run" in [event.step for event in loop.all(StepStarted)])
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await loop.engine.close()
    assert marked(mark) == []


class Meddler:
    """Writes a new version of the kernel the first time that a condition on an event holds."""

    def __init__(self, project: Project, kind: type[Event], step: str) -> None:
        self.kernel = project.kernel
        self.text = version(next(seeds))
        self._kind, self._step = kind, step
        self._done = False

    def __call__(self, event: Event) -> None:
        step = event.result.name if isinstance(event, StepFinished) else getattr(event, "step", "")
        if not self._done and isinstance(event, self._kind) and step == self._step:
            self._done = True
            self.kernel.write_text(self.text)


async def test_a_source_saved_while_it_is_compiled_is_compiled_again(project: Project) -> None:
    project.kernel.write_text(f'#warning "read by now"\n{KERNEL}// {next(seeds)}\n')
    meddle = Meddler(project, LogLines, "compile")
    lines: list[str] = []

    def emit(event: Event) -> None:
        meddle(event)
        if isinstance(event, LogLines):
            lines.extend(event.lines)

    engine = Engine(Options(str(project.kernel)), emit)
    try:
        result = await engine.check()
    finally:
        await engine.close()
    assert result.status == "pass"
    assert result.source_sha256 == manifest.sha256_bytes(meddle.text.encode())
    assert "saved while it was compiled" in lines[-1]
    assert result.diagnostics == ()


@pytest.mark.parametrize(
    ("kind", "step"), [(StepStarted, "compile"), (StepStarted, "run"), (StepFinished, "judge")]
)
async def test_a_save_that_nobody_has_noticed_when_a_run_ends(
    watching: Watching, kind: type[Event], step: str
) -> None:
    async with watching() as loop:
        meddle = Meddler(loop.project, kind, step)
        tell = loop.tell

        def meddling(event: Event) -> None:
            meddle(event)
            tell(event)

        loop.tell = meddling
        await loop.until(lambda: loop.results)
        await loop.until(lambda: loop.view.is_current)
        assert loop.results[-1].source_sha256 == manifest.sha256_bytes(meddle.text.encode())
        assert len(loop.results) == 1


async def test_a_state_that_only_the_run_has_seen(watching: Watching) -> None:
    async with watching() as loop:
        kernel = loop.project.kernel
        here, there = kernel.read_text(), version(next(seeds))
        for run, text in enumerate((there, here), start=2):
            await loop.finished(run - 1)
            kernel.write_text(text)
        await loop.finished(3)
        tell = loop.tell

        def flicker(event: Event) -> None:
            tell(event)
            # Both states are built: between these two events the watcher gets no turn.
            if event == StepStarted(4, "compile", Limits().compile):
                kernel.write_text(there)
            elif event.run == 4 and isinstance(event, StepFinished):
                kernel.write_text(here)

        loop.tell = flicker
        loop.engine.rerun()
        result = await loop.finished(5)
        assert result.source_sha256 == manifest.sha256_bytes(here.encode())
        assert [result.run for result in loop.results] == [1, 2, 3, 5]


async def test_a_check_that_is_cancelled(project: Project, mark: str) -> None:
    project.kernel.write_text(HANGS)
    events: list[Event] = []
    engine = Engine(Options(str(project.kernel)), events.append)
    task = asyncio.create_task(engine.check())
    await until(
        lambda: any(isinstance(e, StepStarted) and e.step == "run" for e in events), SECONDS
    )
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.close()
    assert marked(mark) == []
    assert not any(isinstance(event, RunFinished | RunCancelled) for event in events)
