"""The attention kernels' stages: the figures that tell where the report's error really enters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stages.conftest import Bench
from workbench.verdict.findings import Finding

KERNELS = Path(__file__).parents[2] / "kernels"

FIGURES = {
    "piecewise": {
        "scores": 1.0000,
        "clamped": 0.8345,
        "exp": 0.1413,
        "weights": 0.1444,
        "output": 0.1942,
    },
    "polynomial": {"scores": 1.0000, "clamped": 0.8345, "output": 0.1909},
    "int32": {"scores": 1.0000, "output": 0.9160},
}
"""Correlations with golden stages, computed from the kernels' arithmetic written in NumPy."""

IN_MEMORY = {"piecewise": (0.112, 0.165), "polynomial": (0.1761, 0.1761), "int32": (0.85, 0.86)}
"""From and to: the output's correlation once the stack overwrites the queries."""


async def report(bench: Bench, name: str) -> tuple[dict[str, float], dict[str, Finding]]:
    source = KERNELS / f"attention_{name}.c"
    stages, found = await bench.explain_file(source, KERNELS / "attention_report.py")
    output = stages[-1].memory
    assert output is not None
    low, high = IN_MEMORY[name]
    assert low - 1e-3 <= (output.correlation or 0) <= high + 1e-3
    findings = {finding.id: finding for finding in found}
    assert len(findings) == len(found)
    assert findings["stage-scaled"].evidence["slope"] == pytest.approx(0.5, abs=1e-4)
    assert findings["damage-enters-at"].evidence["stage"] == "scores"
    return {stage.name: stage.correlation or 0 for stage in stages}, findings


@pytest.mark.parametrize("name", ["piecewise", "polynomial"])
async def test_the_error_enters_at_the_clamp(bench: Bench, name: str) -> None:
    correlations, findings = await report(bench, name)
    assert list(correlations) == ["scores", "clamped", "exp", "weights", "output"]
    assert {key: correlations[key] for key in FIGURES[name]} == pytest.approx(
        FIGURES[name], abs=1e-3
    )
    saturated, entry = findings["stage-saturated"], findings["error-enters-at"]
    assert saturated.evidence["saturated"] == pytest.approx(0.848, abs=1e-3)
    assert saturated.message.startswith("84.8 % of clamped saturate at -128 or 127")
    assert entry.message == (
        "the error enters at clamped: correlation 1.0000 -> 0.8345, 84.8 % saturated"
    )
    source = KERNELS / f"attention_{name}.c"
    lines = source.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if 'NPU_STAGE("clamped"' in text)
    assert saturated.where == entry.where == f"{source}:{line}"


async def test_int32_has_another_temperature(bench: Bench) -> None:
    correlations, findings = await report(bench, "int32")
    assert list(correlations) == ["scores", "exp", "weights", "output"]
    assert {key: correlations[key] for key in FIGURES["int32"]} == pytest.approx(
        FIGURES["int32"], abs=1e-3
    )
    assert findings["error-enters-at"].evidence["stage"] == "exp"
    temperature = findings["stage-temperature"]
    assert temperature.severity == "error"
    # Scores are shifted right by eight places before their exponentials are looked up.
    assert temperature.evidence["temperature"] == pytest.approx(256, rel=0.15)
    assert "about 2^8" in temperature.message
    assert "stage-saturated" not in findings


async def test_the_honest_kernel_has_nothing_to_say(bench: Bench) -> None:
    stages, findings = await bench.explain_file(KERNELS / "attention.c", KERNELS / "attention.py")
    assert findings == ()
    assert [stage.name for stage in stages] == ["scores", "exp", "weights", "output"]
    for stage in stages:
        assert (stage.correlation or 0) > 0.99999
        assert (stage.local_error or 0) < 1e-4
        assert stage.saturated == 0
        assert stage.damaged == 0


async def test_four_cores_are_one_stage(bench: Bench) -> None:
    stages, findings = await bench.explain_file(
        KERNELS / "attention.c", KERNELS / "attention_4core.py"
    )
    assert findings == ()
    assert [(stage.name, stage.recorded) for stage in stages] == [
        (name, 4 * 64 * 64) for name in ("scores", "exp", "weights", "output")
    ]
    assert all((stage.local_error or 0) < 1e-4 for stage in stages)
