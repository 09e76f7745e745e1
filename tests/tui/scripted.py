"""A scripted engine and the runs it tells of, made by the real judge from real arrays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from textual.theme import Theme
from textual.widget import Widget

from workbench.build import Diagnostic, StepResult
from workbench.design.memory import STACK, Region
from workbench.design.observed import CoreMemory, HostPart, LocalArray, Overwritten
from workbench.device.choose import DeviceInfo
from workbench.errors import WorkbenchError
from workbench.loop.events import (
    Event,
    LogLines,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.result import RunResult, Status
from workbench.loop.target import Options
from workbench.settings import Settings
from workbench.spec import Criterion, HostBuffer, Scalar, Tensor
from workbench.spec.model import Promise
from workbench.tui.app import Emit, WorkbenchApp
from workbench.tui.themes import ThemeFile, load_theme
from workbench.verdict import Finding, Verdict, judge
from workbench.verdict.memory import memory_findings

Kernel = Callable[[npt.NDArray[np.int64]], npt.NDArray[Any]]
"""What a device makes of the reference."""

STEPS = ("compile", "load", "run", "judge")
MODEL = DeviceInfo("model", "core model", "no NPU here")
KERNEL = "kernels/attention.c"


MISMATCH = Finding(
    "scalar-mismatch",
    "error",
    "the design passes scale_shift = 4, the spec expects 3",
    "pass 3 in the design, or mend the value in kernels/attention.py",
    where="mlir/attention_64x64_report.mlir:24",
)


class ScriptedEngine:
    """Does what the app asks by writing it down; tests emit the events."""

    def __init__(self, options: Options, emit: Emit) -> None:
        self.emit = emit
        self.asked: list[str] = []
        self.closed = False
        self.watching = asyncio.Event()
        self.end = asyncio.Event()
        self.fail: Exception | None = None

    async def watch(self) -> None:
        self.watching.set()
        await self.end.wait()
        if self.fail is not None:
            raise self.fail

    def rerun(self) -> None:
        self.asked.append("rerun")

    def cancel(self) -> None:
        self.asked.append("cancel")

    async def close(self) -> None:
        self.closed = True


class App(WorkbenchApp):
    """The app on a scripted engine, with a clock that tests turn."""

    def __init__(
        self,
        kernel: str = KERNEL,
        theme: Theme | ThemeFile | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.now = 0.0
        self.engine: ScriptedEngine | None = None
        shown = theme or load_theme("dark")
        super().__init__(
            Options(kernel), lambda: self._make, lambda: self.now, shown, settings=settings
        )

    def _make(self, options: Options, emit: Emit) -> ScriptedEngine:
        self.engine = ScriptedEngine(options, emit)
        return self.engine

    def emit(self, *events: Event) -> None:
        assert self.engine is not None
        for event in events:
            self.engine.emit(event)


def verdict(
    error: Kernel = lambda x: x,
    *,
    dtype: str = "int8",
    shape: tuple[int, ...] = (64, 64),
    criteria: Sequence[Criterion] = (
        Criterion("correlation", ">=", 0.9999),
        Criterion("max_abs", "<=", 1),
        Criterion("exact", ">=", 0.995),
    ),
    findings: tuple[Finding, ...] = (),
) -> Verdict:
    """The verdict of a device that gives `error(reference)`."""
    reference = np.arange(np.prod(shape)).reshape(shape) * 7 % 128 - 64
    out = Tensor("out", dtype, shape)
    promise = Promise(
        "d.mlir",
        "f",
        (HostBuffer((out,), "out"),),
        (Scalar("scale_shift", 2, 3),),
        tuple(criteria),
        ("report",),
        "bank-aware",
    )
    stored = {"out": error(reference).astype(dtype)}
    judged = judge(promise, stored, {"out": reference.astype(dtype)})
    return replace(judged, findings=(*judged.findings, *findings))


def off_at(row: int, column: int, by: int) -> Kernel:
    """A device that is wrong in one element."""

    def error(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        device = reference.copy()
        device[row, column] += by
        return device

    return error


QKV = HostBuffer(tuple(Tensor(name, "int8", (64, 64)) for name in "qkv"), "in")
BUFFERS = (
    Region(STACK, 0, 1024),
    Region("of_QKV_cons_buff_0", 0x400, 12288),
    Region("of_QKV_cons_buff_1", 0x3400, 12288),
    Region("of_out_buff_0", 0x6400, 4096),
)


def core_memory(
    need: int = 600, tile: tuple[int, int] = (0, 2), more: tuple[Overwritten, ...] = ()
) -> CoreMemory:
    """A core whose stack needs so many bytes of 1,024; over that it overwrites q."""
    q = Overwritten(
        reach="stack",
        region="of_QKV_cons_buff_0",
        after=None,
        first=0,
        last=need - 1025,
        address=1024,
        changed=max(0, need - 1024),
        calls=1,
        function="f",
        where="d.mlir:32",
        host=(HostPart(0, 0, need - 1025),),
    )
    return CoreMemory(
        tile=tile,
        stack_bytes=need,
        stack_limit=1024,
        stack_size_given=False,
        where="d.mlir:19",
        memory=BUFFERS,
        arrays=(LocalArray("f", "scores", 2048),),
        overwritten=(*((q,) if need > 1024 else ()), *more),
    )


def with_memory(judged: Verdict, *cores: CoreMemory) -> Verdict:
    """The verdict with these cores and what is found in them."""
    found = memory_findings(cores, (QKV,), "; 7 output elements change with it")
    return replace(judged, cores=cores, findings=(*found, *judged.findings))


def result(
    run: int,
    status: Status = "pass",
    *,
    verdict: Verdict | None = None,
    error: WorkbenchError | None = None,
    diagnostics: tuple[Diagnostic, ...] = (),
) -> RunResult:
    return RunResult(
        run=run,
        status=status,
        kernel=KERNEL,
        device=MODEL,
        seed=42,
        seconds=0.42,
        source_sha256=f"{run:x}bcdef0123456789",
        spec="kernels/attention.py",
        set_name="report",
        diagnostics=diagnostics,
        verdict=verdict,
        error=error,
    )


def started(run: int, steps: tuple[str, ...] = STEPS) -> RunStarted:
    return RunStarted(run, KERNEL, "saved", MODEL, steps)


def a_run(
    finished: RunResult, log: Sequence[str] = ("clang: 0 warnings",), failed: str = ""
) -> list[Event]:
    """All events of a run; the step named `failed` is its last."""
    run = finished.run
    events: list[Event] = [Watching(run, (KERNEL,)), started(run)]
    for step in STEPS:
        events.append(StepStarted(run, step, 10))
        if step == "compile":
            events.append(LogLines(run, step, tuple(log)))
        events.append(
            StepFinished(run, StepResult(step, "failed" if step == failed else "ok", 0.06))
        )
        if step == failed:
            break
    return [*events, RunFinished(run, finished)]


def rows(widget: Widget) -> list[str]:
    """A widget's rows as text, without what only pads them."""
    return [widget.render_line(y).text.rstrip() for y in range(widget.size.height)]


def text_of(widget: Widget) -> str:
    return "\n".join(rows(widget))


def title_of(widget: Widget) -> str:
    return str(widget.border_title)


PASSED = result(1, "pass", verdict=verdict())
