"""The project's own kernels through the command: what is shipped, and what the report had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.headless.command import check
from tests.headless.contract import breaches

REFERENCES = """
import sys
import numpy as np
import torch

stored = {}
for name, end in (("report", 64), ("uniform", 128)):
    draw = np.random.RandomState(42).randint
    q, k, v = (torch.from_numpy(draw(-end, end, (64, 64), np.int8)).float() for _ in range(3))
    for shift in range(3, 17):
        weights = torch.softmax(q @ k.T / 2**shift, dim=-1)
        out = (weights @ v).clamp(-128, 127).round().to(torch.int8)
        stored[f"{name}-{shift}"] = out.numpy()
np.savez(sys.argv[1], **stored)
"""

SPEC = """
from dataclasses import replace
from pathlib import Path

import attention
import numpy as np

from workbench.spec import Scalar


def reference(tensors, scalars):
    with np.load(Path(__file__).with_name("references.npz")) as stored:
        return stored["{name}-{shift}"]


SPEC = replace(
    attention.SPEC,
    design="../mlir/attention_shift_{shift}.mlir",
    scalars=[Scalar("scale_shift", argument=2, value={shift})],
    inputs={{"{name}": attention.SPEC.inputs["{name}"]}},
    reference=reference,
)
"""


@pytest.fixture(scope="session")
def references(ours: Path) -> Path:
    """PyTorch's results at every shift, computed in one process since importing it takes long."""
    path = ours / "kernels" / "references.npz"
    subprocess.run([sys.executable, "-c", REFERENCES, path], check=True)
    return path


def figures(metrics: dict[str, Any]) -> tuple[float, ...]:
    """Correlation, MAE, RMSE and the share within 5, as findings.md prints them."""
    return (
        round(metrics["correlation"], 4),
        round(metrics["mae"], 2),
        round(metrics["rmse"], 2),
        round(100 * metrics["within_5"], 1),
    )


def assert_shipped(record: dict[str, Any]) -> None:
    """Whether the kernel keeps what it promises."""
    assert breaches(record) == []
    assert record["status"] == "pass"
    assert [finding["id"] for finding in record["findings"]] == ["input-regime"]
    assert record["metrics"]["correlation"] >= 0.9999
    assert record["metrics"]["exact"] >= 0.995
    assert record["metrics"]["max_abs"] <= 1
    assert record["arithmetic"] == record["metrics"]
    assert all(criterion["met"] for criterion in record["criteria"])


@pytest.mark.parametrize("inputs", ["report", "uniform"])
def test_attention(ours: Path, monkeypatch: pytest.MonkeyPatch, inputs: str) -> None:
    monkeypatch.chdir(ours)
    done = check("kernels/attention.c", "--inputs", inputs)
    assert (done.code, done.err) == (0, "")
    record = done.record
    assert_shipped(record)
    assert record["inputs"] == {"set": inputs, "seed": 42}
    if inputs == "report":
        ends = {"min": -64, "max": 63, "reference_min": -64, "reference_max": 63}
        assert record["output"] == ends


@pytest.mark.parametrize(
    ("inputs", "shift"),
    [*(("report", shift) for shift in range(3, 17)), ("uniform", 3), ("uniform", 16)],
)
def test_attention_at_every_shift(
    ours: Path, references: Path, monkeypatch: pytest.MonkeyPatch, inputs: str, shift: int
) -> None:
    monkeypatch.chdir(ours)
    spec = Path("kernels", f"attention_{inputs}_{shift}.py")
    spec.write_text(SPEC.format(name=inputs, shift=shift))
    design = Path("mlir/attention_64x64.mlir").read_text()
    passes = "%scale_shift = arith.constant 3 : i32"
    assert passes in design
    Path("mlir", f"attention_shift_{shift}.mlir").write_text(
        design.replace(passes, passes.replace("3", str(shift), 1))
    )
    done = check("kernels/attention.c", "--spec", spec)
    assert (done.code, done.err) == (0, "")
    assert_shipped(done.record)


FIGURES = {
    "polynomial": ((0.1909, 31.70, 36.66, 8.7), (-15, 14), 69),
    "piecewise": ((0.1942, 31.37, 36.53, 9.4), (-29, 30), 81),
    "int32": ((0.9160, 14.43, 18.40, 26.7), (-61, 62), 62),
}

REFERENCE_ROWS = [[-15, -52, -27, 61, -42, -29, -8, 23], [-50, -17, 45, -49, 3, -15, 56, -14]]

SILICON_ROWS = {
    "polynomial": [[3, -6, -1, 3, -4, -1, 8, -8], [3, -6, -1, 0, -3, -1, 7, -8]],
    "piecewise": [[8, -11, -6, 8, -8, -3, 12, -11], [4, -8, 0, -8, -6, 1, 9, -12]],
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_reports_kernels(ours: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(ours)
    done = check(f"kernels/attention_{name}.c")
    assert (done.code, done.err) == (1, "")
    record = done.record
    assert breaches(record) == []
    arithmetic, _, largest = FIGURES[name]
    assert figures(record["arithmetic"]) == arithmetic
    assert record["arithmetic"]["max_abs"] == largest
    panes = record["panes"]
    assert (panes["row"], panes["column"]) == (0, 0)
    assert panes["reference"][:2] == REFERENCE_ROWS
    if name in SILICON_ROWS:
        assert panes["device"][:2] == SILICON_ROWS[name]
    scalar = next(f for f in record["findings"] if f["id"] == "scalar-mismatch")
    assert (scalar["evidence"]["passed"], scalar["evidence"]["expected"]) == (4, 3)
