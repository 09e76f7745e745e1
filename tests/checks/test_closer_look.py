"""The whole closer look: built, executed on the model in a process of its own, said in words."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path

import numpy as np
import pytest

from tests.projects import Project
from workbench import manifest
from workbench.build import find_clang
from workbench.build.kernel import SourceChanged
from workbench.build.sanitize import build_sanitized
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import ANY_OBJECT, Workload
from workbench.loop.checked import closer_look
from workbench.verdict.findings import Finding

WRAPPED = """\
#include <stdint.h>

enum { N = 64 };

static int8_t clamp(int32_t value) { return value < -128 ? -128 : value > 127 ? 127 : value; }

void attention_64x64(const int8_t *qkv, int8_t *out, uint32_t shift) {
    const int8_t *q = qkv, *k = qkv + N * N;
    for (int i = 0; i < N; i++) {
        int8_t scores[N], max = -128;
        for (int j = 0; j < N; j++) {
            int32_t dot = 0;
            for (int d = 0; d < N; d++) dot += q[i * N + d] * k[j * N + d];
            scores[j] = clamp(dot >> shift);
            max = scores[j] > max ? scores[j] : max;
        }
        for (int j = 0; j < N; j++) {
            int8_t x = scores[j] - max;
            out[i * N + j] = x;
        }
    }
}
"""

LIMIT_S = 2
"""For each build and each execution: one of the kernels here never ends."""

Found = tuple[tuple[Finding, ...], tuple[str, ...]]


async def look(kernel: Path | str, design: Path | str, cache: Path, *sizes: int) -> Found:
    """A closer look with the report's inputs in the first buffer; `sizes` are of them all."""
    state = np.random.RandomState(42)
    first = state.randint(-64, 64, size=sizes[0]).astype(np.int8).view(np.uint8)
    rest = [np.zeros(size, np.uint8) for size in sizes[1:]]
    work = Workload(
        design=str(design),
        libraries={ANY_OBJECT: Path("unused")},
        cache=cache,
        buffers=(first, *rest),
        outputs=(False, *(True for _ in rest)),
        allocation="bank-aware",
    )
    digest = manifest.sha256_file(kernel)
    assert digest is not None
    device = ModelDevice()
    try:
        return await closer_look(
            str(kernel), digest, find_clang(), work, device, lambda lines: None, LIMIT_S
        )
    finally:
        await device.close()


async def look_at(project: Project) -> Found:
    return await look(project.kernel, project.design, project.folder / ".cache", 256, 256)


@pytest.mark.parametrize(
    "name", ["attention", "attention_polynomial", "attention_piecewise", "attention_int32"]
)
async def test_our_kernels_are_clean(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(ours)
    design = "mlir/attention_64x64_report.mlir"
    assert await look(f"kernels/{name}.c", design, tmp_path, 12288, 4096) == ((), ())


async def test_four_cores_are_counted_together(ours: Path, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.c"
    kernel.write_text(WRAPPED)
    ((one,), _) = await look(
        kernel, ours / "mlir" / "attention_64x64_report.mlir", tmp_path, 12288, 4096
    )
    ((four,), _) = await look(
        kernel, ours / "mlir" / "attention_4core.mlir", tmp_path, 4 * 12288, 4 * 4096
    )
    assert one.evidence["evaluations"] == 4096
    assert four.evidence["evaluations"] == 4 * 4096


async def test_the_wrapped_subtraction(ours: Path, tmp_path: Path) -> None:
    kernel = tmp_path / "kernel.c"
    kernel.write_text(WRAPPED)
    design = ours / "mlir" / "attention_64x64_report.mlir"
    findings, notes = await look(kernel, design, tmp_path, 12288, 4096)
    q, k, _ = (
        np.random.RandomState(42).randint(-64, 64, (3, 64, 64)).astype(np.int32)
    )  # as `look` draws them
    scores = np.clip((q @ k.T) >> 4, -128, 127)
    wrapped = int(np.count_nonzero(scores - scores.max(axis=1, keepdims=True) < -128))
    (finding,) = findings
    assert notes == ()
    assert (finding.id, finding.where) == ("implicit-truncation", f"{kernel}:18:24")
    assert finding.message == (
        "-255 becomes 1 where int is narrowed to int8_t, "
        f"in {wrapped:,} of 4,096 evaluations ({wrapped / 4096:.1%})".replace("%", " %")
    )


@pytest.mark.parametrize(
    ("statements", "id_", "ending"),
    [
        ("volatile int d = 0; out[0] = (int8_t)(factor / d);", "division-by-zero", "by zero"),
        ("volatile intptr_t at = 0; *(int8_t *)at = 1;", "null-pointer", "null pointer"),
        # Certain to go wrong: what the compiler leaves of it may end in any way.
        ("*(int8_t *)(intptr_t)(factor - factor) = 1;", "null-pointer", "scale "),
        ("int8_t x = factor * 100; out[0] = x; for (;;) out[1]++;", "implicit-truncation", "2 s"),
        ("int8_t x = factor * 100; out[0] = x; exit(3);", "implicit-truncation", "exit 3"),
    ],
)
async def test_what_was_counted_outlives_the_process(
    project: Project, statements: str, id_: str, ending: str
) -> None:
    project.with_body(statements)
    findings, (note,) = await look_at(project)
    finding = next(f for f in findings if f.id == id_)
    lines = project.kernel.read_text().splitlines()
    where = re.fullmatch(rf"{project.kernel}:(\d+):\d+", finding.where or "")
    assert where is not None
    assert statements in lines[int(where[1]) - 1]
    assert note.startswith("the checks of the arithmetic cover what ran until scale ")
    assert ending in note


async def test_a_kernel_that_does_not_compile_is_a_note(project: Project) -> None:
    project.kernel.write_text("int x = ;\n")
    findings, notes = await look_at(project)
    assert findings == ()
    assert notes == (
        "the kernel's arithmetic is not checked: expected expression",
        "what a core lacks is not looked for: expected expression",
    )


async def test_a_kernel_without_anything_to_check(project: Project) -> None:
    project.kernel.write_text("void scale(const void *in, void *out, int factor) {}\n")
    assert await look_at(project) == ((), ())


async def test_a_kernel_saved_meanwhile_is_not_looked_at(project: Project) -> None:
    digest = manifest.sha256_file(project.kernel)
    assert digest is not None
    project.with_body("out[0] = 1;")
    work = Workload(str(project.design), {}, project.folder / ".cache", (), (), "bank-aware")
    with pytest.raises(SourceChanged):
        await closer_look(
            str(project.kernel), digest, find_clang(), work, ModelDevice(), lambda lines: None, 60
        )


async def test_a_cancelled_look_leaves_nothing(project: Project) -> None:
    project.with_body("for (;;) out[0]++;")
    task = asyncio.create_task(look_at(project))
    cache = project.folder / ".cache"
    async with asyncio.timeout(20):
        while not list(cache.glob("check-*/*.checks")):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(cache.glob("check-*")) == []


async def test_the_same_content_is_built_once(project: Project) -> None:
    async def build() -> tuple[bool, str]:
        built = await build_sanitized(
            str(project.kernel), find_clang(), project.folder / ".own", 60
        )
        assert manifest.sha256_file(project.kernel) == built.source_sha256
        return built.cached, str(built.library)

    first = await build()
    assert first[0] is False
    assert await build() == (True, first[1])
    project.edit(project.header, "256", "255")
    assert (await build())[0] is False
    project.edit(project.header, "255", "256")
    assert await build() == (True, first[1])
    os.truncate(first[1], 100)
    assert (await build())[0] is False
