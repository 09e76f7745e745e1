"""Runs that complete: results, what was written, alternation, times, and how pyxrt is used."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.npu.conftest import INSTRUCTIONS, OVERRUN, TRIPLE, Folder, Npu, X, out
from workbench.device.model.workload import FILLS
from workbench.device.npu.workload import latency
from workbench.errors import UsageError


async def test_the_result_of_every_run(npu: Npu) -> None:
    outcome = await npu.run()
    assert len(outcome.runs) == 3
    for buffers in (*outcome.runs, outcome.refilled):
        assert np.array_equal(out(buffers), 3 * X[:256])
        assert np.array_equal(buffers[0].view(np.int32), X)
    assert (outcome.name, outcome.state, outcome.notes) == ("NPU Phoenix (double)", "COMPLETED", ())
    assert npu.lines[:2] == ["NPU Phoenix (double)", "first run: 121 us"]
    assert npu.leftovers() == []


async def test_pyxrt_is_used_as_it_must_be(npu: Npu) -> None:
    await npu.run(burst=4)
    assert npu.misuses() == []
    assert {call["alive"] for call in npu.named("hw_context")} == {1}
    sizes = [(call["flags"], call["size"], call["group"] & 0xFF) for call in npu.named("bo")]
    once = [("cacheable", len(INSTRUCTIONS), 1), ("host_only", 2048, 3), ("host_only", 1024, 4)]
    assert sizes == once * 2
    assert {call["timeout_ms"] for call in npu.named("wait")} == {8000}
    assert len(npu.named("run")) == 1 + 3 + 4


async def test_every_judged_run_gets_its_buffers_anew(npu: Npu) -> None:
    await npu.run(burst=4)
    order = [c for c in npu.calls() if c.get("call") == "run" or c.get("direction") == "TO_DEVICE"]
    judged = [later["call"] for _, later in pairwise(order) if later["call"] == "run"]
    before = [earlier["call"] for earlier, later in pairwise(order) if later["call"] == "run"]
    assert before == ["sync"] * 4 + ["run"] * 4
    assert len(judged) == 8


async def test_everything_is_let_go_in_order(npu: Npu) -> None:
    await npu.run(burst=0, runs=2)
    context = ["kernel", "bo", "bo", "bo", "context"]
    assert npu.dropped() == ["run", *context, "run", "run", *context, "device"]


async def test_unwritten_elements_are_known_by_two_fills(npu: Npu) -> None:
    outcome = await npu.run("unwritten")
    first, second = FILLS
    assert (outcome.runs[0][1][512:] == first).all()
    assert (outcome.refilled[1][512:] == second).all()
    assert np.array_equal(out(outcome.runs[0])[:128], 3 * X[:128])


@pytest.mark.parametrize("fault", ["garbage", "zeros"])
async def test_garbage_is_a_result_like_any_other(npu: Npu, fault: str) -> None:
    outcome = await npu.run(fault)
    assert outcome.state == "COMPLETED"
    assert not np.array_equal(out(outcome.runs[0]), 3 * X[:256])


async def test_one_bad_buffer_alternates(npu: Npu) -> None:
    first, second, third = (out(run) for run in (await npu.run("alternate")).runs)
    assert np.array_equal(first, third)
    assert not np.array_equal(first, second)
    assert np.array_equal(second, 3 * X[:256])


async def test_a_context_keeps_its_state_and_a_new_one_starts_over(
    built: Folder, runtime_folder: Path
) -> None:
    npu = Npu(built(OVERRUN), runtime_folder / "record")
    outcome = await npu.run()
    first, second, third = (out(run) for run in outcome.runs)
    assert np.array_equal(second, X[:256] - 1)  # buffer 1 lies out of the stack's reach
    assert np.array_equal(first, third)
    assert not np.array_equal(first, second)
    assert np.array_equal(out(outcome.refilled), first)


async def test_a_design_whose_cores_end_gives_its_one_result(
    built: Folder, runtime_folder: Path
) -> None:
    npu = Npu(built(TRIPLE, "1"), runtime_folder / "record")
    outcome = await npu.run(burst=4)
    assert len(outcome.runs) == 1
    assert np.array_equal(out(outcome.runs[0]), 3 * X[:256])
    assert (outcome.state, outcome.latency) == ("TIMEOUT", None)
    assert outcome.notes[0].startswith("run 2 did not end in 8 s (TIMEOUT")
    assert "the cores end" in outcome.notes[0]
    assert npu.misuses() == []
    assert len(npu.named("run")) == 3


async def test_one_run_a_context_where_that_is_known(built: Folder, runtime_folder: Path) -> None:
    npu = Npu(built(TRIPLE, "1"), runtime_folder / "record")
    outcome = await npu.run(runs=1)
    assert (len(outcome.runs), outcome.state, outcome.latency) == (1, "COMPLETED", None)


async def test_a_burst_that_stops_short_keeps_what_there_is(npu: Npu) -> None:
    outcome = await npu.run("timeout@8")
    assert len(outcome.runs) == 3
    assert outcome.state == "TIMEOUT"
    assert outcome.latency is not None
    assert outcome.latency.count == 3
    assert outcome.notes[0].startswith("run 7 did not end")
    assert npu.misuses() == []


async def test_times_of_a_warm_burst_with_the_first_run_apart(npu: Npu) -> None:
    times = (await npu.run("idle", burst=5)).latency
    assert times is not None
    assert times.first_us == 130_000
    assert (times.min_us, times.median_us, times.p95_us, times.count) == (120, 122, 124, 5)


async def test_slow_runs_end_the_burst_in_time(npu: Npu) -> None:
    times = (await npu.run("slow", burst_limit_s=1.0)).latency
    assert times is not None
    assert (times.median_us, times.count) == (300_000, 4)


async def test_what_xrt_warns_of_is_noted(npu: Npu) -> None:
    outcome = await npu.run("host-copy")
    assert "wrong context or group id" in outcome.notes[0]
    assert any("Reverting to host copy" in line for line in npu.lines)


async def test_opening_is_tried_again(npu: Npu) -> None:
    await npu.run("flaky@4")
    assert len(npu.named("device")) == 5


async def test_the_kernel_is_found_by_part_of_its_name(npu: Npu, tmp_path: Path) -> None:
    content = json.loads((npu.folder / "final.xclbin").read_text())
    xclbin = tmp_path / "named.xclbin"
    xclbin.write_text(json.dumps({**content, "kernels": ["other", "MLIR_AIE_main"]}))
    await npu.run(xclbin=xclbin)
    assert npu.named("kernel")[0]["name"] == "MLIR_AIE_main"


async def test_the_text_that_was_compiled_is_what_runs(npu: Npu, tmp_path: Path) -> None:
    content = json.loads((npu.folder / "final.xclbin").read_text())
    old = "void kernel(int *x, int *y) { for (int i = 0; i < 256; i++) y[i] = 7; }"
    xclbin = tmp_path / "stale.xclbin"
    xclbin.write_text(json.dumps({**content, "texts": {"kernel.o": old}}))
    assert (out((await npu.run(xclbin=xclbin)).runs[0]) == 7).all()


def test_too_short_a_wait_is_refused(npu: Npu) -> None:
    with pytest.raises(UsageError, match="4,999 ms is too short"):
        npu.work(wait_ms=4_999)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=60))
def test_figures_of_any_burst(times: list[int]) -> None:
    found = latency(5, times)
    assert found is not None
    assert found.min_us <= found.median_us <= max(times) / 1e3
    assert found.min_us <= found.p95_us <= max(times) / 1e3
    assert sum(time / 1e3 <= found.p95_us for time in times) >= 0.95 * len(times)
    assert sum(time / 1e3 < found.p95_us for time in times) < 0.95 * len(times)
    assert (found.first_us, found.count) == (0.005, len(times))


def test_no_figures_without_a_burst() -> None:
    assert latency(5, []) is None
