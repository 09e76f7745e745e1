"""The attention specs load, promise what they should, and PyTorch agrees with exact arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.kernels.tiles import KERNELS, PROJECT, RANGES, drawn, reference
from workbench.loop.target import Options, find_spec
from workbench.spec.cases import Request, cached_case
from workbench.spec.load import load_case


async def test_report_spec_and_its_case(tmp_path: Path) -> None:
    request = Request(KERNELS / "attention_report.py", tmp_path, None, 42)
    log: list[str] = []
    loaded, case = await load_case(request, log.extend, 60)
    assert log == []
    assert {str(KERNELS / n) for n in ("attention.py", "attention_report.py")} <= set(loaded.files)
    assert cached_case(request, loaded) is not None
    promise = loaded.promise
    assert Path(promise.design) == PROJECT / "mlir" / "attention_64x64_report.mlir"
    assert promise.allocation == "basic-sequential"
    assert [(c.metric, c.op, c.target) for c in promise.criteria] == [
        ("correlation", ">=", 0.95),
        ("mae", "<", 2.0),
        ("within_5", ">=", 0.95),
    ]

    assert case.set_name == "report"
    tile = drawn(42, *RANGES["report"])
    for name in "qkv":
        assert np.array_equal(case.inputs[name], getattr(tile, name))
    assert np.array_equal(case.reference["out"], reference(tile, 3))


def test_each_kernel_finds_its_spec() -> None:
    found = {path.name: find_spec(Options(str(path))).name for path in KERNELS.glob("attention*.c")}
    assert found == {
        "attention.c": "attention.py",
        "attention_polynomial.c": "attention_report.py",
        "attention_piecewise.c": "attention_report.py",
        "attention_int32.c": "attention_report.py",
    }
