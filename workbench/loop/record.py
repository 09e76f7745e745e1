"""A finished run as one JSON object: the contract of `check --json` and `watch --json`."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from workbench.loop.result import RunResult

if TYPE_CHECKING:
    from workbench.verdict import Metrics, Panes, Verdict

SCHEMA = 1


def record(result: RunResult) -> dict[str, Any]:
    """What is known of a run; null where it is undefined or the run didn't get that far."""
    verdict = result.verdict
    error = result.error
    return {
        "schema": SCHEMA,
        "run": result.run,
        "kernel": result.kernel,
        "source_sha256": result.source_sha256,
        "spec": result.spec,
        "design": result.design,
        "status": result.status,
        "error": error and {"message": error.message, "where": error.where, "hint": error.hint},
        "device": asdict(result.device),
        "seconds": result.seconds,
        "steps": [asdict(step) for step in result.steps],
        "inputs": {"set": result.set_name, "seed": result.seed},
        **(_nothing_judged() if verdict is None else _judged(verdict)),
        "stages": [],
        "core": None,
        "diagnostics": [asdict(diagnostic) for diagnostic in result.diagnostics],
        "notes": list(result.notes),
    }


def _nothing_judged() -> dict[str, Any]:
    return {
        "metrics": None,
        "arithmetic": None,
        "output": None,
        "criteria": [],
        "findings": [],
        "panes": None,
    }


def _judged(verdict: Verdict) -> dict[str, Any]:
    from workbench.verdict import cut_panes

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
            {**asdict(c.criterion), "value": c.value, "met": c.met} for c in verdict.criteria
        ],
        "findings": [asdict(finding) for finding in verdict.findings],
        "panes": _panes(cut_panes(verdict.device, verdict.reference)),
        "worst": dict(zip(("row", "column"), verdict.worst_element, strict=True)),
    }


def _metrics(metrics: Metrics) -> dict[str, float | None]:
    from workbench.spec import METRICS

    return {name: metrics.value(name) for name in METRICS}


def _panes(panes: Panes) -> dict[str, Any]:
    def numbers(pane: tuple[tuple[float, ...], ...]) -> list[list[float | None]]:
        return [[x if math.isfinite(x) else None for x in row] for row in pane]

    return {
        "row": panes.row,
        "column": panes.column,
        "reference": numbers(panes.reference),
        "device": numbers(panes.device),
        "difference": numbers(panes.difference),
    }
