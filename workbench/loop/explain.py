"""After the verdict: what takes longer, and says why a run came out as it did.

A finished run is shown at once. Then further builds and executions of the same kernel look for
causes, each on its own; what they find joins the verdict's findings. A newer save ends it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.build import find_clang
from workbench.build.kernel import SourceChanged
from workbench.errors import CrashError, HangError
from workbench.loop.causes import named_causes, proven_faults
from workbench.loop.checked import closer_look
from workbench.loop.devices import Devices
from workbench.loop.events import LogLines
from workbench.loop.progress import Emit
from workbench.loop.result import Materials, RunResult
from workbench.loop.stages import OnLines, stage_results
from workbench.loop.together import both

if TYPE_CHECKING:
    from workbench.verdict.findings import Finding
    from workbench.verdict.stages import StageResult

LOG = "explain"
"""The name that the output of further builds and executions is logged under."""


async def explain(result: RunResult, devices: Devices, emit: Emit) -> RunResult:
    """The result with all that can be found out about it."""
    materials = result.materials
    crashed = isinstance(result.error, CrashError | HangError)
    if materials and result.source_sha256 and (result.verdict or crashed):
        try:
            result = await _look(result, materials, result.source_sha256, devices, emit)
        except SourceChanged:
            why = "the kernel was saved meanwhile: its causes are not looked for"
            result = _with(result, (), (why,))
        except OSError as error:
            why = f"causes are not looked for: {error.strerror or error}"
            result = _with(result, (), (why,))
    return replace(result, explained=True)


async def _look(
    result: RunResult, materials: Materials, source_sha256: str, devices: Devices, emit: Emit
) -> RunResult:
    def on_lines(lines: list[str]) -> None:
        emit(LogLines(result.run, LOG, tuple(lines)))

    looks = both(
        closer_look(
            result.kernel,
            source_sha256,
            find_clang(),
            materials.work,
            devices.model,
            on_lines,
            materials.limit_s,
            defines=materials.defines,
            lint=result.npu is None,
        ),
        named_causes(result, materials, on_lines),
    )
    ((findings, notes), named), (stages, entering) = await both(
        looks, _stages(result, materials, source_sha256, devices, on_lines)
    )
    findings = (*findings, *named, *entering)
    findings = (*findings, *proven_faults(result, findings))
    return replace(_with(result, findings, notes), stages=stages)


async def _stages(
    result: RunResult,
    materials: Materials,
    source_sha256: str,
    devices: Devices,
    on_lines: OnLines,
) -> tuple[tuple[StageResult, ...], tuple[Finding, ...]]:
    """The stages of a judged run; one that crashed would do so while they are recorded as well."""
    verdict = result.model or result.verdict
    if verdict is None:
        return (), ()
    return await stage_results(
        result.kernel,
        source_sha256,
        result.files.keys() - materials.loaded.files.keys(),
        find_clang(),
        materials.loaded,
        materials.case,
        materials.work,
        devices.model,
        on_lines,
        materials.limit_s,
        passed=verdict.passed,
        defines=materials.defines,
    )


def _with(result: RunResult, findings: tuple[Finding, ...], notes: tuple[str, ...]) -> RunResult:
    """The result with more findings: its verdict's, or of a run that wasn't judged its own."""
    result = replace(result, notes=(*result.notes, *notes))
    if result.verdict is None:
        return replace(result, concerns=(*result.concerns, *findings))
    from workbench.verdict import with_findings

    return replace(result, verdict=with_findings(result.verdict, findings))
