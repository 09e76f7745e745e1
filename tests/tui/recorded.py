"""Events of real runs for whole screens, with what differs from run to run made the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.device.npu.workload import Latency
from workbench.loop.engine import Engine
from workbench.loop.events import Event, LogLines, PhaseSeen, RunFinished, StepFinished
from workbench.loop.result import NpuReport, RunResult
from workbench.loop.target import Options

LATENCY = Latency(first_us=412, min_us=138, median_us=143, p95_us=171, count=20)
SECONDS: Mapping[str, float] = {
    **{"load": 0.06, "compile": 0.11, "run": 0.26, "judge": 0.02, "model": 0.26},
    **{"archive": 0.04, "aiecc": 48.3},
}


async def recorded(project: Path, options: Options) -> list[Event]:
    """What a run of this project tells a front end, all that explains it included."""
    events: list[Event] = []
    before = Path.cwd()
    os.chdir(project)  # paths are shown from where we are
    try:
        engine = Engine(options, events.append)
        await engine.check()
        await engine.close()
    finally:
        os.chdir(before)
    return [_steady(event) for event in events if not isinstance(event, LogLines | PhaseSeen)]


def _steady(event: Event) -> Event:
    match event:
        case StepFinished():
            name = event.result.name
            step = replace(event.result, status="ok", command=(), seconds=SECONDS[name])
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
