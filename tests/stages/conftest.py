"""A kernel with stages, its spec and its design, through the real build, model and spec process."""

from __future__ import annotations

import textwrap
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio

from tests.memory.conftest import DESIGN
from workbench.build import build_kernel, find_clang
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import ANY_OBJECT, Workload
from workbench.loop.buffers import host_buffers
from workbench.loop.stages import stage_results
from workbench.spec.cases import Request
from workbench.spec.load import load_case
from workbench.verdict.findings import Finding
from workbench.verdict.stages import StageResult

SPEC = """\
import numpy as np
from workbench.spec import Criterion, HostBuffer, Scalar, Spec, Stage, Tensor, uniform


def halved(tensors, scalars, earlier):
    return tensors["x"][:256] // 2


def scaled(tensors, scalars, earlier):
    return scalars["n"] * earlier["halved"]


{functions}


SPEC = Spec(
    design="design.mlir",
    function="kernel",
    buffers=[
        HostBuffer((Tensor("x", "int32", (512,)),)),
        HostBuffer((Tensor("y", "int32", (256,)),), "out"),
    ],
    scalars=[Scalar("n", argument=2, value=3)],
    reference=lambda tensors, scalars: tensors["x"][:256] // 2 * np.int32(scalars["n"]),
    inputs={{"some": uniform(-1000, 1000)}},
    stages=[{stages}],
)
"""

STAGES = 'Stage("halved", "int32", (256,), halved), Stage("scaled", "int32", (256,), scaled)'

SOUND = """\
for (int i = 0; i < 256; i++) {
    int32_t half = x[i] >> 1;
    NPU_STAGE("halved", &half, 1);
    y[i] = half * n;
}
NPU_STAGE("scaled", y, 256);
"""


def kernel(body: str) -> str:
    """A kernel of this body: `kernel(x, y, n)` of 512 words in, 256 out and a scalar."""
    return (
        '#include <stdint.h>\n#include "npu_workbench.h"\n'
        '#ifdef __cplusplus\nextern "C"\n#endif\n'
        "void kernel(const int32_t *x, int32_t *y, int32_t n) {\n" + body + "}\n"
    )


@dataclass(slots=True)
class Bench:
    """Explains kernels by their stages; `log` is what was said on the way."""

    folder: Path
    device: ModelDevice
    log: list[str] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        """Generated files."""
        return self.folder / "cache"

    def spec(self, stages: str = STAGES, functions: str = "") -> None:
        """Save a spec of these stages."""
        text = SPEC.format(stages=stages, functions=textwrap.dedent(functions))
        (self.folder / "kernel.py").write_text(text)

    async def explain(
        self,
        text: str,
        name: str = "kernel.c",
        *,
        scalar: int = 3,
        stack: str = "",
        limit_s: float = 30.0,
        passed: bool = False,
    ) -> tuple[tuple[StageResult, ...], tuple[Finding, ...]]:
        """Build a kernel of this text and explain it, called with `scalar`."""
        design, source = self.folder / "design.mlir", self.folder / name
        design.write_text(DESIGN.format(depth=2, scalar=scalar, stack=stack), encoding="utf-8")
        source.write_text(text)
        return await self.explain_file(source, self.folder / "kernel.py", limit_s, passed=passed)

    async def explain_file(
        self, source: Path, spec: Path, limit_s: float = 60.0, *, passed: bool = False
    ) -> tuple[tuple[StageResult, ...], tuple[Finding, ...]]:
        """Explain a kernel by the stages that a spec names."""
        say, clang = self.log.extend, find_clang()
        loaded, case = await load_case(Request(spec, self.cache, None, 42), say, 60)
        built = await build_kernel(str(source), clang, self.cache, say, 60)
        assert built.library is not None, self.log
        promise = loaded.promise
        work = Workload(
            promise.design,
            {ANY_OBJECT: built.library},
            self.cache,
            tuple(host_buffers(promise, case.inputs)),
            tuple(buffer.direction == "out" for buffer in promise.buffers),
            promise.allocation,
        )
        return await stage_results(
            str(source),
            built.source_sha256,
            built.headers,
            clang,
            loaded,
            case,
            work,
            self.device,
            say,
            limit_s,
            passed=passed,
        )


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    device = ModelDevice()
    bench = Bench(tmp_path, device)
    bench.spec()
    yield bench
    await device.close()
