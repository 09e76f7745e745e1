"""A finished run as one JSON object: the contract of `check --json` and `watch --json`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError
from workbench.loop.result import MODEL_STEP, NpuReport, RunResult
from workbench.loop.target import shown

if TYPE_CHECKING:
    from workbench.design.observed import CoreMemory
    from workbench.verdict import Metrics, Verdict
    from workbench.verdict.stages import StageResult

SCHEMA = 1


def to_json(value: object) -> str:
    """`value` on one line of strict JSON: NaN and infinity become null, half a surrogate "?"."""
    return json.dumps(_strict(value), allow_nan=False)


def _strict(value: object) -> object:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case str():
            # A file's name may hold bytes that are no UTF-8; Python keeps them as half surrogates.
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {_strict(key): _strict(item) for key, item in value.items()}
        case list() | tuple():
            return [_strict(item) for item in value]
    return value


def record(result: RunResult) -> dict[str, Any]:
    """What is known of a run; null where it is undefined or the run didn't get that far."""
    verdict = result.verdict
    return {
        "schema": SCHEMA,
        "run": result.run,
        "kernel": result.kernel,
        "source_sha256": result.source_sha256,
        "spec": result.spec,
        "design": result.design,
        "status": result.status,
        "error": error_record(result.error),
        "device": asdict(result.device),
        "seconds": result.seconds,
        "steps": [asdict(step) for step in result.steps if step.name != MODEL_STEP],
        "inputs": {"set": result.set_name, "seed": result.seed},
        **(_nothing_judged() if verdict is None else _judged(verdict)),
        "findings": [asdict(finding) for finding in result.findings],
        "stages": [_stage(stage) for stage in result.stages],
        "diagnostics": [asdict(diagnostic) for diagnostic in result.diagnostics],
        "notes": list(result.notes),
        "provenance": {
            "files": {shown(path): digest for path, digest in sorted(result.files.items())},
            **(result.npu.provenance if result.npu else {}),
        },
        "npu": result.npu and _npu(result.npu),
        "model": _model(result),
        "comparison": result.comparison,
    }


def _stage(stage: StageResult) -> dict[str, Any]:
    """One stage; mae and max_abs are null where the kernel holds it in units of its own."""
    chain, local, memory = stage.chain, stage.local, stage.memory
    measured = None if stage.any_scale else chain
    return {
        "name": stage.name,
        "where": stage.where,
        "recorded": stage.recorded,
        "expected": stage.expected,
        "correlation": stage.correlation,
        "local_correlation": stage.local_correlation,
        "local_error": stage.local_error,
        "saturated": stage.saturated,
        "slope": chain and chain.slope,
        "local_slope": local and local.slope,
        "mae": measured and measured.mae,
        "max_abs": measured and measured.max_abs,
        "min": stage.low,
        "max": stage.high,
        "golden_min": stage.golden_low,
        "golden_max": stage.golden_high,
        "temperature": stage.temperature,
        "damaged": stage.damaged,
        "memory_correlation": memory and memory.correlation,
    }


def error_record(error: WorkbenchError | None) -> dict[str, str | None] | None:
    """An error's parts; null for none."""
    if error is None:
        return None
    return {"message": error.message, "where": error.where, "hint": error.hint}


def _npu(report: NpuReport) -> dict[str, Any]:
    """What is known of a run on the NPU beyond its verdict; times in microseconds."""
    return {
        "folder": report.folder,
        "cached": report.cached,
        "phases": [asdict(phase) for phase in report.phases],
        "messages": [
            {
                "step": one.step,
                "line": one.line,
                **{key: getattr(one.message, key) for key in ("id", "kind", "meaning", "mend")},
            }
            for one in report.explained
        ],
        "state": report.state,
        "latency": report.latency and asdict(report.latency),
    }


def _model(result: RunResult) -> dict[str, Any] | None:
    """The model's verdict beside the NPU's; null for a run that is the model's own."""
    if result.model is None:
        return None
    from workbench.verdict import cut_panes

    verdict = result.model
    step = next(step for step in result.steps if step.name == MODEL_STEP)
    return {
        "status": "pass" if verdict.passed else "fail",
        "seconds": step.seconds,
        "metrics": _metrics(verdict.metrics),
        "arithmetic": _metrics(verdict.arithmetic),
        "findings": [asdict(finding) for finding in verdict.findings],
        "panes": asdict(cut_panes(verdict.device, verdict.reference)),
    }


def _nothing_judged() -> dict[str, Any]:
    return {
        "metrics": None,
        "arithmetic": None,
        "output": None,
        "criteria": [],
        "parts": {},
        "health": {},
        "fit": None,
        "profile": None,
        "core": None,
        "cores": [],
        "panes": None,
        "worst": None,
    }


def _judged(verdict: Verdict) -> dict[str, Any]:
    from workbench.verdict import cut_panes
    from workbench.verdict.profile import fit, profile

    output = verdict.output
    return {
        "metrics": _metrics(verdict.metrics),
        "arithmetic": _metrics(verdict.arithmetic),
        "output": {
            "min": output.minimum,
            "max": output.maximum,
            "reference_min": output.reference_minimum,
            "reference_max": output.reference_maximum,
        },
        "criteria": [
            {**asdict(c.criterion), "value": c.value, "met": c.met, "tensor": c.tensor}
            for c in verdict.criteria
        ],
        "parts": {name: _metrics(metrics) for name, metrics in verdict.parts},
        "health": {name: asdict(health) for name, health in verdict.health.items()},
        "fit": asdict(fit(verdict.device, verdict.reference)),
        "profile": asdict(profile(verdict.device, verdict.reference)),
        "core": _core(_worst(verdict.cores)) if verdict.cores else None,
        "cores": [_core(core) for core in verdict.cores],
        "panes": asdict(cut_panes(verdict.device, verdict.reference)),
        "worst": dict(zip(("row", "column"), verdict.worst_element, strict=True)),
    }


def _worst(cores: Sequence[CoreMemory]) -> CoreMemory:
    """The core that is nearest to or furthest over its stack's limit."""
    return min(cores, key=lambda core: core.stack_limit - core.stack_bytes)


def _core(core: CoreMemory) -> dict[str, Any]:
    return {
        "tile": core.tile,
        "stack_bytes": core.stack_bytes,
        "stack_limit": core.stack_limit,
        "memory": [asdict(region) for region in core.memory],
    }


def _metrics(metrics: Metrics) -> dict[str, float | None]:
    from workbench.spec import METRICS

    return {name: metrics.value(name) for name in METRICS}
