"""What operands the kernel seems to have taken for others, by the spec's own reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.errors import WorkbenchError
from workbench.spec.cases import Case, LoadedSpec, Request
from workbench.spec.what_if import load_what_if

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.verdict import Finding, Verdict


async def reading_findings(
    loaded: LoadedSpec,
    case: Case,
    verdict: Verdict,
    cache: Path,
    limit_s: float,
) -> tuple[Finding, ...]:
    """What a failed run's output says of the operands; nothing for a run that met its criteria.

    A spec that can't answer has said why when its case was computed: here it is no finding, and
    what it prints isn't shown again.
    """
    from workbench.verdict.readings import misread_operand

    if verdict.passed:
        return ()
    request = Request(loaded.path, cache, case.set_name, case.seed)
    try:
        guesses = await load_what_if(request, limit_s)
    except WorkbenchError:
        return ()
    told = [str(f.evidence["scalar"]) for f in verdict.findings if f.id == "scalar-mismatch"]
    device, reference = verdict.device.ravel(), verdict.reference.ravel()
    found = misread_operand(loaded.promise, device, reference, guesses, told)
    return () if found is None else (found,)
