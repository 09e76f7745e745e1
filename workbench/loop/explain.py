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
from workbench.loop.checked import closer_look
from workbench.loop.devices import Devices
from workbench.loop.events import LogLines
from workbench.loop.progress import Emit
from workbench.loop.result import Materials, RunResult

if TYPE_CHECKING:
    from workbench.verdict.findings import Finding

LOG = "explain"
"""The name that the output of further builds and executions is logged under."""


async def explain(result: RunResult, devices: Devices, emit: Emit) -> RunResult:
    """The result with all that can be found out about it."""
    materials = result.materials
    crashed = isinstance(result.error, CrashError | HangError)
    if materials and result.source_sha256 and (result.verdict or crashed):
        try:
            findings, notes = await _look(result, materials, result.source_sha256, devices, emit)
        except SourceChanged:
            findings, notes = (), ("the kernel was saved meanwhile: its causes are not looked for",)
        except OSError as error:
            findings, notes = (), (f"causes are not looked for: {error.strerror or error}",)
        result = _with(result, findings, notes)
    return replace(result, explained=True)


async def _look(
    result: RunResult, materials: Materials, source_sha256: str, devices: Devices, emit: Emit
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    return await closer_look(
        result.kernel,
        source_sha256,
        find_clang(),
        materials.work,
        devices.model,
        lambda lines: emit(LogLines(result.run, LOG, tuple(lines))),
        materials.limit_s,
        defines=materials.defines,
        lint=result.npu is None,
    )


def _with(result: RunResult, findings: tuple[Finding, ...], notes: tuple[str, ...]) -> RunResult:
    """The result with more findings: its verdict's, or of a run that wasn't judged its own."""
    result = replace(result, notes=(*result.notes, *notes))
    if result.verdict is None:
        return replace(result, concerns=(*result.concerns, *findings))
    from workbench.verdict import with_findings

    return replace(result, verdict=with_findings(result.verdict, findings))
