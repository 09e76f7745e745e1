"""A kernel's stages: its recording build executed, and compared with the spec's golden ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.build import Clang
from workbench.build.kernel import SourceChanged
from workbench.build.recording import build_recording, marks_stages
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import Constant, Workload
from workbench.errors import BuildError, WorkbenchError
from workbench.settings import LIMITS
from workbench.spec.cases import Case, LoadedSpec, Request
from workbench.spec.stages import load_golden

if TYPE_CHECKING:
    from workbench.spec.model import Promise
    from workbench.verdict.findings import Finding
    from workbench.verdict.stages import StageResult

OnLines = Callable[[list[str]], None]


async def stage_results(
    source: str,
    source_sha256: str,
    files: Iterable[str],
    clang: Clang,
    loaded: LoadedSpec,
    case: Case,
    work: Workload,
    device: ModelDevice,
    on_lines: OnLines,
    limit_s: float,
    *,
    passed: bool,
    defines: tuple[str, ...] = (),
) -> tuple[tuple[StageResult, ...], tuple[Finding, ...]]:
    """The stages, and what follows from them; nothing when the spec or the kernel has none.

    `source` is the kernel, of this content, `files` what it was compiled from and `defines` the
    macros that it was compiled with; `work` is the main run's, for any library of which the
    recording one stands in. `limit_s` is for both executions together. `passed` says whether the
    main run met its criteria.

    Whatever goes wrong is a finding. Raises SourceChanged when the source is another by now,
    OSError when the cache can't be written.
    """
    from workbench.verdict import stages as judged
    from workbench.verdict.stage_findings import stage_findings

    stages = loaded.promise.stages
    if not stages or not marks_stages((source, *files)):
        return (), ()
    try:
        library = await _library(source, source_sha256, clang, work.cache, on_lines, defines)
        recording = replace(work, libraries={name: library for name in work.libraries})
        room = {stage.name: stage.count for stage in stages}
        recorded = await device.record_stages(recording, room, on_lines, limit_s)
        arithmetic, in_memory = (
            judged.collect(stages, records) for records in (recorded.arithmetic, recorded.in_memory)
        )
        scalars = {scalar.name: scalar.value for scalar in loaded.promise.scalars} | case.scalars
        golden = await load_golden(
            Request(loaded.path, work.cache, case.set_name, case.seed),
            case.inputs,
            scalars,
            scalars | _passed(loaded.promise, recorded.constants),
            judged.complete(stages, arithmetic),
            on_lines,
            LIMITS.load,
        )
    except WorkbenchError as error:
        return (), (_unknown(error),)
    results = judged.measure_stages(stages, arithmetic, in_memory, golden.chain, golden.local)
    return results, stage_findings(stages, arithmetic, results, passed=passed)


async def _library(
    source: str,
    source_sha256: str,
    clang: Clang,
    cache: Path,
    on_lines: OnLines,
    defines: tuple[str, ...],
) -> Path:
    built = await build_recording(source, clang, cache, on_lines, LIMITS.compile, defines)
    if built.source_sha256 != source_sha256:
        raise SourceChanged
    if built.library is not None:
        return built.library
    first = next((d for d in built.diagnostics if d.severity == "error"), None)
    raise BuildError(
        f"the recording build failed: {first.message if first else 'the log says more'}",
        where=first.where if first and first.file else source,
        hint="NPU_STAGE takes a pointer to integers or floats: &m[0][0] of an array of arrays",
    )


def _passed(promise: Promise, constants: Iterable[Constant]) -> dict[str, float]:
    """The scalars that the design passes, where they are constants; of several calls, the first."""
    names = {scalar.argument: scalar.name for scalar in promise.scalars}
    found: dict[str, float] = {}
    for constant in constants:
        if constant.function == promise.function and constant.argument in names:
            found.setdefault(names[constant.argument], constant.value)
    return found


def _unknown(error: WorkbenchError) -> Finding:
    from workbench.verdict.findings import Finding

    return Finding(
        "stage-recording",
        "warning",
        f"the stages are unknown: {error.message}",
        error.hint or "mend this, and the verdict says where the error enters",
        where=error.where,
    )
