"""Stages through the command: in the record, and as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.headless.command import check
from tests.headless.contract import breaches
from workbench.loop.words import stage_lines
from workbench.verdict.metrics import Metrics
from workbench.verdict.stages import StageResult


def test_the_record_has_them(ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ours)
    answer = check("kernels/attention_piecewise.c").record
    assert breaches(answer) == []
    stages = {stage["name"]: stage for stage in answer["stages"]}
    assert list(stages) == ["scores", "clamped", "exp", "weights", "output"]
    assert stages["clamped"]["correlation"] == pytest.approx(0.8345, abs=1e-3)
    assert stages["clamped"]["saturated"] == pytest.approx(0.848, abs=1e-3)
    assert stages["output"]["correlation"] == answer["arithmetic"]["correlation"]
    assert stages["output"]["memory_correlation"] == pytest.approx(
        answer["metrics"]["correlation"], abs=0.05
    )
    first = [finding["id"] for finding in answer["findings"][:3]]
    assert first == ["error-enters-at", "scalar-mismatch", "stack-overrun"]


def test_the_table() -> None:
    def metrics(correlation: float | None) -> Metrics:
        return Metrics(correlation=correlation, within_5=0, exact=0, worst=0)

    sound = StageResult(
        "a", "k.c:1", 4, 4, False, metrics(1.0), metrics(None), low=-1.0, high=2.5, saturated=0.848
    )
    assert stage_lines([]) == []
    assert stage_lines([sound, StageResult("longer", None, 0, 4, False)]) == [
        "  stage   correlation      local  saturated  range",
        "  a           1.00000  undefined     84.8 %  -1..2.5000",
        "  longer    undefined  undefined  undefined  undefined",
    ]
