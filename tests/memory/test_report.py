"""The report's kernels, as silicon ran them: issue of the stack that overruns into Q."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
REPORT = "mlir/attention_64x64_report.mlir"


def check(kernel: str, *options: str) -> dict[str, Any]:
    """What `check --json` says."""
    command = [sys.executable, "-P", "-m", "workbench.cli", "check", "--json", kernel, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def finding(answer: dict[str, Any], wanted: str) -> dict[str, Any]:
    return next(found for found in answer["findings"] if found["id"] == wanted)


@pytest.fixture(scope="module")
def polynomial() -> dict[str, Any]:
    return check("kernels/attention_polynomial.c")


@pytest.fixture(scope="module")
def int32() -> dict[str, Any]:
    return check("kernels/attention_int32.c")


@pytest.fixture(scope="module")
def piecewise() -> dict[str, Any]:
    return check("kernels/attention_piecewise.c")


def test_polynomial_is_what_silicon_printed(polynomial: dict[str, Any]) -> None:
    metrics = polynomial["metrics"]
    assert metrics["correlation"] == pytest.approx(0.176, abs=0.0005)
    assert metrics["mae"] == pytest.approx(31.78, abs=0.005)
    assert metrics["rmse"] == pytest.approx(36.74, abs=0.005)
    assert metrics["within_5"] == pytest.approx(0.087, abs=0.0005)
    assert (polynomial["output"]["min"], polynomial["output"]["max"]) == (-15, 14)
    assert polynomial["arithmetic"]["correlation"] == pytest.approx(0.1909, abs=0.00005)


def test_int32_and_piecewise_are_near_what_silicon_printed(
    int32: dict[str, Any], piecewise: dict[str, Any]
) -> None:
    assert 0.83 <= int32["metrics"]["correlation"] <= 0.88
    assert 95 <= int32["metrics"]["max_abs"] <= 115
    assert (int32["output"]["min"], int32["output"]["max"]) == (-61, 62)
    assert 0.10 <= piecewise["metrics"]["correlation"] <= 0.17
    assert piecewise["arithmetic"]["correlation"] == pytest.approx(0.1942, abs=0.00005)


@pytest.mark.parametrize(
    ("kernel", "low", "high"),
    [("polynomial", 4100, 4700), ("piecewise", 4100, 4700), ("int32", 2400, 2900)],
)
def test_the_overrun_is_named_down_to_the_rows(
    kernel: str, low: int, high: int, request: pytest.FixtureRequest
) -> None:
    answer = request.getfixturevalue(kernel)
    overrun = finding(answer, "stack-overrun")
    assert overrun["severity"] == "error"
    assert low <= overrun["evidence"]["stack_bytes"] <= high
    assert overrun["evidence"]["stack_limit"] == 1024
    assert overrun["evidence"]["overwrites"] == ["of_QKV_cons_buff_0"]
    last = (overrun["evidence"]["stack_bytes"] - 1024 - 1) // 64
    assert overrun["evidence"]["tensors"] == [f"q rows 0-{last}"]
    assert f"of_QKV_cons_buff_0 = q rows 0-{last}" in overrun["message"]
    assert overrun["where"] == f"{REPORT}:19"
    assert "of_QKV_cons_buff_0 = q rows 0-" in finding(answer, "input-overwritten")["message"]
    assert finding(answer, "nondeterministic")["evidence"]["period"] == 2
    assert answer["core"]["stack_bytes"] == overrun["evidence"]["stack_bytes"]


def test_the_memory_map_is_that_of_the_linker_script(polynomial: dict[str, Any]) -> None:
    places = {region["name"]: region["address"] for region in polynomial["core"]["memory"]}
    assert places == {
        "(stack)": 0,
        "of_QKV_cons_buff_0": 0x400,
        "of_QKV_cons_buff_1": 0x3400,
        "of_out_buff_0": 0x6400,
        "of_out_buff_1": 0x7400,
    }


def test_the_honest_kernel_needs_no_more_than_its_stack() -> None:
    answer = check("kernels/attention.c")
    assert answer["status"] == "pass"
    assert {found["severity"] for found in answer["findings"]} == {"info"}
    assert answer["metrics"] == answer["arithmetic"]
    assert 0 < answer["core"]["stack_bytes"] <= answer["core"]["stack_limit"]


@pytest.mark.parametrize("kernel", ["polynomial", "piecewise", "int32"])
def test_a_large_stack_is_the_mend(kernel: str, tmp_path: Path) -> None:
    text = (ROOT / REPORT).read_text()
    mended = tmp_path / "mended.mlir"
    mended.write_text(text.replace("link_with =", "stack_size = 8192 : i32, link_with ="))
    answer = check(f"kernels/attention_{kernel}.c", "--design", str(mended))
    found = {one["id"] for one in answer["findings"]}
    assert "scalar-mismatch" in found
    assert not found & {"stack-overrun", "input-overwritten", "nondeterministic", "error-pattern"}
    assert answer["metrics"] == answer["arithmetic"]
