"""The report's kernels with some of their faults mended: the first finding is one that is left."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from workbench.loop.engine import Engine
from workbench.loop.target import Options
from workbench.verdict.findings import Finding

ROOT = Path(__file__).parents[2]

DESIGN = "mlir/attention_64x64_report.mlir"

MENDS = {
    "clamp": ("#define CLAMP_SCORES 1", "#define CLAMP_SCORES 0"),
    "shift": ("arith.constant 4 : i32", "arith.constant 3 : i32"),
    "stack": (
        '{link_with = "attention_64x64.o"}',
        '{link_with = "attention_64x64.o", stack_size = 16384 : i32}',
    ),
}
"""What to write for what, in the order in which the faults hide what comes after them."""

KERNELS = ("polynomial", "piecewise")

SOME = [mends for n in (1, 2, 3) for mends in itertools.combinations(MENDS, n)]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kernels in a project, whose cache keeps what their spec computed."""
    folder = tmp_path_factory.mktemp("mends")
    (folder / "npu-workbench.toml").touch()
    for part in ("kernels", "mlir"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


async def findings(project: Path, name: str, mends: tuple[str, ...]) -> tuple[Finding, ...]:
    """What a check says of a kernel with these faults mended, in its own order."""
    kernel, design = project / f"kernels/attention_{name}.c", project / DESIGN
    for file, own in ((kernel, ("clamp",)), (design, ("shift", "stack"))):
        text = (ROOT / file.relative_to(project)).read_text()
        for old, new in (MENDS[mend] for mend in own if mend in mends):
            assert text.count(old) == 1
            text = text.replace(old, new)
        file.write_text(text)
    engine = Engine(Options(str(kernel), device="model"), lambda event: None)
    try:
        result = await engine.check()
    finally:
        await engine.close()
    assert result.status == "fail", result.error
    return result.findings


@pytest.mark.parametrize("mends", SOME, ids="+".join)
@pytest.mark.parametrize("name", KERNELS)
async def test_the_first_finding_is_a_fault_that_is_left(
    project: Path, name: str, mends: tuple[str, ...]
) -> None:
    found = await findings(project, name, mends)
    stages = [f.evidence["stage"] for f in found if f.id == "error-enters-at"]
    assert stages == ["exp" if "clamp" in mends else "clamped"]
    cut = [f.evidence["stage"] for f in found if f.id == "stage-saturated"]
    assert cut == ([] if "clamp" in mends else ["clamped"])
    left = next((fault for fault in MENDS if fault not in mends), "exp")
    named = {"clamp": "error-enters-at", "shift": "scalar-mismatch", "stack": "stack-overrun"}
    assert found[0].id == named.get(left, "error-enters-at")
    assert found[0].severity == "error"
    if left == "clamp":
        assert "% saturated" in found[0].message


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "polynomial",
            "correlation 1.0000 -> 0.9916, exp(x / 73.3) instead of exp(x), "
            "never below 32 of 64, where 96.7 % of its sum lies and 0.0 % should",
        ),
        (
            "piecewise",
            "correlation 1.0000 -> 0.9816, "
            "never below 1 of 256, where 18.7 % of its sum lies and 0.0 % should",
        ),
    ],
)
async def test_an_exponential_that_stops_falling(project: Path, name: str, said: str) -> None:
    first, *others = await findings(project, name, tuple(MENDS))
    assert first.message == f"the error enters at exp: {said}"
    assert first.hint.startswith("compare what makes exp with the spec's function over the whole")
    kernel = project / f"kernels/attention_{name}.c"
    lines = kernel.read_text().splitlines()
    line = next(n for n, text in enumerate(lines, 1) if 'NPU_STAGE("exp"' in text)
    assert str(first.where).endswith(f"{kernel.name}:{line}")
    temperature = [f for f in others if f.id == "stage-temperature"]
    assert [(f.severity, f.hint) for f in temperature] == (
        [("error", first.hint)] if name == "polynomial" else []
    )
