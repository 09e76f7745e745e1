"""Events of real runs for whole screens, with what differs from run to run made the same."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.device.npu.workload import Latency
from workbench.loop.engine import Engine
from workbench.loop.events import (
    Event,
    LogLines,
    PhaseSeen,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
)
from workbench.loop.result import NpuReport, RunResult
from workbench.loop.target import Options

LATENCY = Latency(first_us=412, min_us=138, median_us=143, p95_us=171, count=20)
SECONDS: Mapping[str, float] = {
    **{"load": 0.06, "compile": 0.11, "run": 0.26, "judge": 0.02, "model": 0.26},
    **{"archive": 0.04, "aiecc": 48.3},
}


async def recorded(
    project: Path, options: Options, edit: Callable[[], object] | None = None
) -> list[Event]:
    """What a run of this project tells a front end, all that explains it included.

    With an `edit`, also what a run after that tells.
    """
    events: list[Event] = []
    before = Path.cwd()
    os.chdir(project)  # paths are shown from where we are
    engine = Engine(options, events.append)
    try:
        await engine.check()
        if edit is not None:
            edit()
            events.append(Saved(1, (options.kernel,)))
            await engine.check()
        await engine.close()
    finally:
        os.chdir(before)
    return [_steady(event) for event in _in_order(events)]


def _in_order(events: Iterable[Event]) -> Iterator[Event]:
    """Where load runs beside compile it ends after that; only what a compiler says is logged."""
    beside, loaded = False, None
    for event in events:
        match event:
            case PhaseSeen():
                continue
            case LogLines() if event.step != "compile":
                continue
            case RunStarted():
                beside, loaded = event.steps[0] == "compile", None
            case StepFinished() if event.result.name == "load" and beside:
                loaded = event
                continue
            case StepStarted() if loaded is not None and event.step == "run":
                yield loaded
        yield event


def _steady(event: Event) -> Event:
    match event:
        case StepFinished():
            name, failed = event.result.name, event.result.status == "failed"
            seconds, status = SECONDS[name], event.result.status if failed else "ok"
            step = replace(event.result, status=status, command=(), seconds=seconds)
            return replace(event, result=step)
        case RunFinished():
            return replace(event, result=_same(event.result))
        case _:
            return event


def _same(result: RunResult) -> RunResult:
    seconds = sum(SECONDS[step.name] for step in result.steps)
    npu = _alike(result.npu) if result.npu is not None else None
    return replace(result, seconds=seconds, npu=npu, materials=None)


def _alike(npu: NpuReport) -> NpuReport:
    told: Mapping[str, Any] = {
        **npu.provenance,
        **{"headers": {}, "objects": {}, "images": {}, "xclbin": None, "instructions": None},
    }
    return replace(npu, folder=".workbench/npu", provenance=told, latency=LATENCY)
