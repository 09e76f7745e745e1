"""A run's steps on the NPU: load, the model first, then compile, archive, aiecc, run, judge.

The model runs before anything is built for the NPU: it takes a second where aiecc takes a minute,
a deadlock that it shows would wedge the NPU too, and what the NPU gives is compared with it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import manifest
from workbench.build import Built
from workbench.build.aie.build import NpuBuilt, NpuJob, build_npu
from workbench.build.aie.find import Machine
from workbench.build.aie.steps import Report
from workbench.build.kernel import SourceChanged
from workbench.device.choose import MODEL
from workbench.device.model.device import ModelDevice
from workbench.device.model.stored import stored_design
from workbench.device.model.workload import FILLS, Outcome
from workbench.device.npu.device import NpuDevice
from workbench.device.npu.workload import LEAST_WAIT_MS, NpuOutcome, NpuWorkload
from workbench.errors import (
    BuildError,
    CrashError,
    DesignError,
    DeviceError,
    UsageError,
    WorkbenchError,
)
from workbench.loop import on_model
from workbench.loop.buffers import host_buffers, output_tensors, written_only
from workbench.loop.concerns import findings_of
from workbench.loop.events import ModelJudged, PhaseSeen
from workbench.loop.progress import Progress
from workbench.loop.result import MODEL_STEP, Materials, NpuReport, RunResult
from workbench.loop.steps import judged, read, verdict_of
from workbench.loop.target import Options, shown

if TYPE_CHECKING:
    from workbench.design.model import Design
    from workbench.settings import Settings
    from workbench.spec.cases import Case, LoadedSpec
    from workbench.verdict import Finding, Verdict
    from workbench.verdict.three_way import ThreeWay

MARGIN_MS = 2_000
"""What the NPU's process gets beyond the wait for a run, to tell how that ended."""


@dataclass(frozen=True, slots=True, eq=False)
class _OnModel:
    """What the model gave, and its verdict."""

    outcome: Outcome
    verdict: Verdict


async def run_on_npu(
    progress: Progress,
    options: Options,
    settings: Settings,
    spec: Path,
    model: ModelDevice,
    machine: Machine,
) -> None:
    """All steps; what comes of them is in `progress`. Raises WorkbenchError."""
    model.prepare()
    loaded, case = await read(progress, options, spec, settings.limits.load)
    if case.scalars:
        brought = ", ".join(f"{name} = {value:g}" for name, value in case.scalars.items())
        raise UsageError(
            f"input set {case.set_name} brings {brought}, but on the NPU the design decides",
            where=shown(loaded.path),
            hint="--device model passes it; for the NPU write a design that does",
        )
    on_the_model = await _run_model(progress, options, settings, loaded, case, model)
    design, built = await _build(progress, options, settings, loaded, machine)
    outcome = await _run(progress, options, settings, machine, loaded, case, built, on_the_model)
    await _judge(progress, loaded, case, design, outcome, on_the_model)


async def _run_model(
    progress: Progress,
    options: Options,
    settings: Settings,
    loaded: LoadedSpec,
    case: Case,
    device: ModelDevice,
) -> _OnModel | None:
    """The model's result; None when it can't execute what the NPU may well."""
    log = progress.log(MODEL_STEP)
    limit_s = options.run_limit_s(settings.limits.run)
    with progress.step(MODEL_STEP, settings.limits.compile + limit_s) as end:
        try:
            built = await on_model.compile_kernel(options, log, settings.limits.compile)
            progress.depends_on(manifest.file_hashes(built.headers))
            if built.library is None:
                raise on_model.build_error(built, shown(options.kernel_path))
            work = on_model.workload(options, built, loaded, case)
            outcome = await device.execute(work, log, limit_s)
        except WorkbenchError as error:
            if not _is_the_models_own(error):
                raise
            end.status = "failed"
            progress.note(f"the model can't tell what to expect: {error}")
            return None
        first, *later = (output_tensors(loaded.promise, run) for run in outcome.runs)
        known = on_model.evidence(loaded, outcome, later)
        verdict = await asyncio.to_thread(verdict_of, loaded, case, first, known)
    progress.note(*outcome.notes)
    materials = Materials(loaded, case, work, limit_s, options.changes.defines)
    progress.know(model=verdict, materials=materials)
    progress.emit(ModelJudged(progress.result.run, _of_the_model(progress.result, built, verdict)))
    return _OnModel(outcome, verdict)


def _of_the_model(result: RunResult, built: Built, verdict: Verdict) -> RunResult:
    """The run as the model alone has it: aiecc takes a minute, and the cause may be known now."""
    files = {**result.files, os.path.abspath(result.kernel): built.source_sha256}
    return replace(
        result,
        status="pass" if verdict.passed else "fail",
        device=MODEL,
        source_sha256=built.source_sha256,
        verdict=verdict,
        model=None,
        files=files,
    )


def _is_the_models_own(error: WorkbenchError) -> bool:
    """Whether an error is of what the model can't do, such as AIE's intrinsics."""
    refused = isinstance(error, DeviceError) and not isinstance(error, CrashError)
    return refused or isinstance(error, BuildError | DesignError)


async def _build(
    progress: Progress,
    options: Options,
    settings: Settings,
    loaded: LoadedSpec,
    machine: Machine,
) -> tuple[Design, NpuBuilt]:
    assert machine.toolchain is not None
    kernel = shown(options.kernel_path)
    run, emit = progress.result.run, progress.emit
    report = Report(
        progress.begun,
        progress.end,
        lambda step, phase: emit(PhaseSeen(run, step, phase)),
        lambda step, lines: progress.log(step)(lines),
    )
    while True:
        path = shown(options.design or loaded.promise.design)
        design = await asyncio.to_thread(stored_design, path, options.cache, None, None)
        progress.depends_on({path: design.sha256})
        job = NpuJob(
            (kernel,),
            design,
            machine.toolchain,
            settings,
            options.cache,
            loaded.promise.allocation,
        )
        try:
            built = await build_npu(job, report)
            break
        except SourceChanged:
            report.lines("compile", ["saved while it was built: building what is there now"])
    progress.know(
        source_sha256=built.source_sha256,
        diagnostics=built.diagnostics,
        npu=NpuReport(
            folder=str(built.folder),
            phases=built.phases,
            explained=built.explained,
            provenance=built.provenance,
            cached=built.cached,
        ),
    )
    progress.depends_on(manifest.file_hashes(built.headers))
    progress.depends_on({kernel: built.source_sha256})
    progress.know(concerns=findings_of(built.concerns))
    if built.error is not None:
        raise built.error
    return design, built


async def _run(
    progress: Progress,
    options: Options,
    settings: Settings,
    machine: Machine,
    loaded: LoadedSpec,
    case: Case,
    built: NpuBuilt,
    on_the_model: _OnModel | None,
) -> NpuOutcome:
    assert machine.runtime is not None
    assert built.xclbin is not None
    assert built.instructions is not None
    runtime, promise = machine.runtime, loaded.promise
    limit_s = options.run_limit_s(settings.limits.run)
    wait_ms = max(LEAST_WAIT_MS, round(limit_s * 1e3) - MARGIN_MS)
    work = NpuWorkload(
        xclbin=built.xclbin,
        instructions=built.instructions,
        buffers=tuple(host_buffers(promise, case.inputs)),
        outputs=written_only(promise),
        cache=options.cache,
        runs=len(on_the_model.outcome.runs) if on_the_model else 1,
        wait_ms=wait_ms,
        where=progress.result.design,
    )
    device = NpuDevice(runtime.python, runtime.pythonpath, runtime.xrt)
    limit_s = max(limit_s, (wait_ms + MARGIN_MS) / 1e3)
    with progress.step("run", limit_s):
        outcome = await device.execute(work, progress.log("run"), limit_s)
    known = progress.result.npu
    assert known is not None
    progress.note(*outcome.notes)
    progress.know(
        device=replace(progress.result.device, name=outcome.name),
        npu=replace(known, latency=outcome.latency, state=outcome.state),
    )
    return outcome


async def _judge(
    progress: Progress,
    loaded: LoadedSpec,
    case: Case,
    design: Design,
    outcome: NpuOutcome,
    on_the_model: _OnModel | None,
) -> None:
    from workbench.verdict import Evidence, with_findings

    promise = loaded.promise
    runs = [output_tensors(promise, run) for run in outcome.runs]
    refilled = output_tensors(promise, outcome.refilled)
    if on_the_model is None:
        known = Evidence(
            refilled=refilled, fills=FILLS, repeats=tuple(runs[1:]), spec=shown(loaded.path)
        )
        verdict = await judged(progress, loaded, case, runs[0], known)
        progress.know(verdict=with_findings(verdict, progress.result.concerns))
        return
    compared, alternating = await asyncio.to_thread(
        _compared, loaded, case, design, runs, on_the_model.outcome
    )
    seen = on_model.evidence(loaded, on_the_model.outcome, [])
    # Only damage that is as the model has it is known to be by the model's cause.
    arithmetic = None if compared.npu_differs else seen.arithmetic
    known = replace(seen, arithmetic=arithmetic, refilled=refilled)
    verdict = await judged(progress, loaded, case, runs[0], known)
    verdict = replace(verdict, arithmetic=on_the_model.verdict.arithmetic)
    more = [*compared.findings, *alternating, *progress.result.concerns]
    progress.know(verdict=with_findings(verdict, more), comparison=compared.sentence)


def _compared(
    loaded: LoadedSpec,
    case: Case,
    design: Design,
    runs: Sequence[Mapping[str, Any]],
    model: Outcome,
) -> tuple[ThreeWay, tuple[Finding, ...]]:
    """What follows from the pairs of reference, model and NPU, and from runs that alternate."""
    from workbench.verdict.three_way import bad_buffers, three_way

    promise = loaded.promise
    arithmetic = output_tensors(promise, model.arithmetic)
    in_memory = output_tensors(promise, model.runs[0])
    found = three_way(promise, case.reference, in_memory, runs[0], arithmetic)
    alternating = bad_buffers(promise, runs, arithmetic, design.pools.values(), model.cores)
    return found, (alternating,) if alternating else ()
