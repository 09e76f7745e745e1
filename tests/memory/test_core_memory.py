"""What a kernel can do to its core's memory, each told by its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.memory.conftest import WORDS, RunKernel
from workbench import Simulated, simulate
from workbench.errors import BuildError, CrashError, DesignError, HangError, OutOfBoundsError

COPY = "for (int i = 0; i < WORDS; i++) y[i] = x[i];"
BIG_ARRAY = """
  volatile int local[512];
  for (int i = 0; i < 512; i++) local[i] = 7 * i;
  for (int i = 0; i < WORDS; i++) y[i] = x[i] + local[i];
"""


def ids(result: Simulated) -> list[str]:
    return [finding.id for finding in result.findings]


def test_a_kernel_that_does_no_harm_has_no_findings(run_kernel: RunKernel) -> None:
    result = run_kernel(COPY)
    assert np.array_equal(result[1], np.arange(WORDS))
    assert result.findings == ()
    assert result.cores[0].stack_bytes <= 256


def test_a_stack_overrun_changes_the_input_as_on_the_core(run_kernel: RunKernel) -> None:
    result = run_kernel(BIG_ARRAY)
    first, *rest = result.findings
    assert first.id == "stack-overrun"
    assert "in_cons_buff_0" in first.message
    assert first.evidence["stack_bytes"] == 160 + 2048
    assert "local (2,048 B)" in first.hint
    assert {f.id for f in rest} == {"input-overwritten", "nondeterministic"}
    # x[i] lies at 1024 + 4 i, local[j] at 160 + 4 j: they are one memory.
    local = 7 * np.arange(512)
    x = np.arange(512)
    x[:296] = local[216:]
    assert np.array_equal(result[1], x[:WORDS] + local[:WORDS])
    assert np.array_equal(result.arithmetic[1], np.arange(WORDS) + local[:WORDS])


def test_the_stack_size_that_is_recommended_is_enough(run_kernel: RunKernel) -> None:
    size = run_kernel(BIG_ARRAY).findings[0].evidence["stack_size"]
    mended = run_kernel(BIG_ARRAY, stack=f", stack_size = {size} : i32")
    assert mended.findings == ()
    assert np.array_equal(mended[1], mended.arithmetic[1])


def test_a_static_array_is_no_stack(run_kernel: RunKernel) -> None:
    result = run_kernel(BIG_ARRAY.replace("volatile", "static volatile"))
    assert result.findings == ()
    data = {region.name: region.bytes for region in result.cores[0].memory}
    assert data["(kernel data)"] == 2048


def test_frames_of_called_functions_add_up(run_kernel: RunKernel) -> None:
    body = """
  extern int deeper(int);
  volatile int local[64];
  local[n] = 3;
  for (int i = 0; i < WORDS; i++) y[i] = x[i] + deeper(i) - i + local[n] - 3;
}
__attribute__((noinline)) int deeper(int v) {
  volatile int mine[96];
  for (int i = 0; i < 96; i++) mine[i] = v;
  return mine[v % 96];
"""
    result = run_kernel(body)
    assert np.array_equal(result[1], np.arange(WORDS))
    assert result.cores[0].stack_bytes == 160 + 256 + 384
    assert {array.name: array.bytes for array in result.cores[0].arrays} == {
        "local": 256,
        "mine": 384,
    }


def test_an_input_that_is_written(run_kernel: RunKernel) -> None:
    result = run_kernel("x[3] = 99;" + COPY)
    (finding,) = result.findings
    assert finding.id == "input-overwritten"
    assert (finding.evidence["first"], finding.evidence["last"]) == (12, 12)


def test_a_write_past_the_output_inside_the_core(run_kernel: RunKernel) -> None:
    result = run_kernel(COPY + "y[WORDS] = 5;")
    finding = result.findings[0]
    assert finding.id == "out-of-bounds"
    assert "out_buff_1, which the core doesn't hold" in finding.message


def test_a_write_into_memory_that_nobody_has(run_kernel: RunKernel) -> None:
    result = run_kernel(COPY + "y[2 * WORDS + 1] = 5;")
    assert "4 bytes after the end of out_buff_1" in result.findings[0].message


@pytest.mark.parametrize(
    ("write", "words"),
    [
        ("x[-300] = 1;", "before the start"),
        ("y[17000] = 1;", "after the end"),
        ("y[-9000] = 1;", "before the start"),
    ],
)
def test_a_write_outside_the_core(run_kernel: RunKernel, write: str, words: str) -> None:
    with pytest.raises(OutOfBoundsError, match=words) as caught:
        run_kernel(COPY + write)
    assert "core (0,2)" in caught.value.message
    assert (caught.value.where or "").endswith("kernel.c:4")
    assert (caught.value.hint or "").endswith("design.mlir:18")


def test_a_fault_is_told_as_a_buffer_and_an_offset(run_kernel: RunKernel) -> None:
    with pytest.raises(OutOfBoundsError, match=r"touches out_buff_1\+66,"):
        run_kernel(COPY + "y[17000] = 1;")


def test_elements_that_nobody_wrote(run_kernel: RunKernel) -> None:
    result = run_kernel("for (int i = 8; i < WORDS; i++) y[i] = x[i];")
    assert ids(result) == ["output-not-written"]
    assert result.findings[0].evidence["count"] == 8


def test_a_local_array_read_before_it_is_set(run_kernel: RunKernel) -> None:
    result = run_kernel(COPY + "volatile int z[4]; z[1] = 2; y[5] = z[2] + z[1];")
    assert "uninitialised-read" in ids(result)
    assert result.findings[0].evidence["first"] == [5]


def test_static_data_makes_runs_differ(run_kernel: RunKernel) -> None:
    result = run_kernel(COPY + "static int runs; y[0] = runs++;")
    assert ids(result) == ["nondeterministic"]
    assert result.findings[0].evidence["period"] is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("y[0] = *(volatile int *)0;", "null pointer"),
        ("y[0] = x[0] / n;", "by zero"),
        ("*(volatile char *)0x123456789000 = 1;", "SIGSEGV at address 0x123456789000"),
        ("__builtin_trap();", "SIGILL"),
    ],
)
def test_crashes(run_kernel: RunKernel, body: str, words: str) -> None:
    with pytest.raises(CrashError, match=words):
        run_kernel(body)


def test_endless_recursion(run_kernel: RunKernel) -> None:
    body = """
  extern int again(int);
  y[0] = again(n);
}
__attribute__((noinline, optnone)) int again(int v) { volatile int z[4]; z[0] = v; return again(v + 1) + z[0];
"""  # noqa: E501
    with pytest.raises(CrashError, match=r"SIGSEGV|out-of-bounds"):
        run_kernel(body)


def test_a_hang_is_killed(run_kernel: RunKernel) -> None:
    with pytest.raises(HangError, match=r"kernel ran for more than 0\.5 s"):
        run_kernel("for (volatile int i = 0;;) i++;", time_limit_s=0.5)


def test_arrays_without_a_constant_size_are_refused(run_kernel: RunKernel) -> None:
    with pytest.raises(BuildError, match="variable length array") as caught:
        run_kernel("volatile int z[n + 1]; z[n] = 1; y[0] = z[n];")
    assert caught.value.where is not None
    assert "kernel.c:4:" in caught.value.where
    with pytest.raises(BuildError, match="only known at run time"):
        run_kernel("volatile int *z = __builtin_alloca(n + 4); z[n] = 1; y[0] = z[n];")


def test_buffers_that_do_not_fit(run_kernel: RunKernel) -> None:
    with pytest.raises(DesignError, match="exceeded available memory") as caught:
        run_kernel(COPY, stack=", stack_size = 65000 : i32")
    assert "in_cons_buff_0" in str(caught.value)


def test_every_core_has_static_data_of_its_own(project: Path) -> None:
    folder = project / "two-cores"
    folder.mkdir()
    (folder / "count.c").write_text(
        "void count(int *x, int *y) { static int calls; calls++; y[0] = x[0] + calls; }"
    )
    fifo = "!aie.objectfifo<memref<1xi32>>"
    view = "!aie.objectfifosubview<memref<1xi32>>"
    core = """
  aie.core(%c{n}) {{
    %a = aie.objectfifo.acquire @{source}(Consume, 1) : {view}
    %x = aie.objectfifo.subview.access %a[0] : {view} -> memref<1xi32>
    %b = aie.objectfifo.acquire @{target}(Produce, 1) : {view}
    %y = aie.objectfifo.subview.access %b[0] : {view} -> memref<1xi32>
    func.call @count(%x, %y) : (memref<1xi32>, memref<1xi32>) -> ()
    aie.objectfifo.release @{source}(Consume, 1)
    aie.objectfifo.release @{target}(Produce, 1)
    aie.end
  }}"""
    cores = core.format(n=2, source="in", target="mid", view=view)
    cores += core.format(n=3, source="mid", target="out", view=view)
    (folder / "design.mlir").write_text(f"""
aie.device(npu1_1col) {{
  func.func private @count(memref<1xi32>, memref<1xi32>) attributes {{link_with = "count.o"}}
  %s = aie.tile(0, 0)
  %c2 = aie.tile(0, 2)
  %c3 = aie.tile(0, 3)
  aie.objectfifo @in(%s, {{%c2}}, 1 : i32) : {fifo}
  aie.objectfifo @mid(%c2, {{%c3}}, 1 : i32) : {fifo}
  aie.objectfifo @out(%c3, {{%s}}, 1 : i32) : {fifo}
{cores}
  aie.runtime_sequence(%in : memref<1xi32>, %out : memref<1xi32>) {{
    aiex.npu.dma_memcpy_nd(%in[0, 0, 0, 0][1, 1, 1, 1][0, 0, 0, 1]) {{metadata = @in, id = 0 : i64}} : memref<1xi32>
    aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 1][0, 0, 0, 1]) {{metadata = @out, id = 1 : i64}} : memref<1xi32>
    aiex.npu.dma_wait {{symbol = @out}}
  }}
}}""")  # noqa: E501
    x = np.array([40], np.int32)
    kernels = {"count.o": folder / "count.c"}
    result = simulate(folder / "design.mlir", [x, np.zeros_like(x)], kernels=kernels)
    assert result[1].tolist() == [42]
    assert any("runs once" in note for note in result.notes)
