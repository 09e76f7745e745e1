"""The steps that every device shares: load (the spec, its inputs and reference), and judge."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import manifest
from workbench.loop.progress import Progress
from workbench.loop.target import Options, shown
from workbench.spec.load import load_case

if TYPE_CHECKING:
    from workbench.spec.cases import Case, LoadedSpec
    from workbench.verdict import Evidence, Verdict


async def read(
    progress: Progress, options: Options, spec: Path, limit_s: float
) -> tuple[LoadedSpec, Case]:
    """The load step. Importing torch and computing a reference can take long; hanging can't.

    The promise is that of this case: an input set may have its own values for scalars.
    """
    with progress.step("load", limit_s):
        loaded, case = await load_case(options.request(spec), progress.log("load"), limit_s)
    design = options.design or loaded.promise.design
    progress.depends_on({**loaded.files, **manifest.file_hashes([design])})
    progress.know(design=shown(design), set_name=case.set_name)
    return replace(loaded, promise=loaded.promise.with_scalars(case.scalars)), case


def verdict_of(
    loaded: LoadedSpec, case: Case, outputs: Mapping[str, Any], evidence: Evidence
) -> Verdict:
    """The verdict on `outputs` (tensors by name, in storage dtype), the inputs' regime in it."""
    from workbench.verdict import judge, with_findings
    from workbench.verdict.regime import input_regime

    known = replace(evidence, inputs=case.inputs, ideal=case.ideal)
    verdict = judge(loaded.promise, outputs, case.reference, known)
    regime = input_regime(loaded.promise, case.inputs, case.regime)
    return with_findings(verdict, [regime]) if regime else verdict


async def judged(
    progress: Progress,
    loaded: LoadedSpec,
    case: Case,
    outputs: Mapping[str, Any],
    evidence: Evidence,
) -> Verdict:
    """The judge step; `outputs` are tensors by name, in storage dtype."""
    with progress.step("judge"):
        verdict = await asyncio.to_thread(verdict_of, loaded, case, outputs, evidence)
    progress.know(verdict=verdict, status="pass" if verdict.passed else "fail")
    return verdict
