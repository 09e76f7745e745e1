"""The runtime sequence: what transfers move, what is waited for, which parameters are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.device.conftest import Load, Run
from tests.device.designs import (
    PATH,
    copier,
    design,
    fifo,
    in_out,
    numbers,
    sequence,
    through,
    transfer,
    wait,
    zeros,
)
from workbench.errors import DesignError

V16 = "16xi32"


def _walk(offsets: list[int], sizes: list[int], strides: list[int]) -> list[int]:
    """The elements that a transfer touches, in order: nested loops, as its definition has it."""
    first = sum(o * s for o, s in zip(offsets, strides, strict=True))
    found = [first]
    for size, stride in zip(sizes, strides, strict=True):
        found = [at + i * stride for at in found for i in range(size)]
    return found


PASSED = design(
    fifo("in", "%shim", "%mem", "4xi32"),
    fifo("out", "%mem", "%shim", "4xi32"),
    "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
    sequence({"x": "4096xi32", "y": "4096xi32"}, "SEQUENCE"),
)
"""Hands on whatever comes, 4 elements at a time."""


@st.composite
def _walks(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """Offsets, sizes and strides within 4096 elements, a multiple of 4 elements in all."""
    sizes = [draw(st.integers(1, 4)) for _ in range(3)] + [4 * draw(st.integers(1, 3))]
    strides = [draw(st.integers(0 if i == 0 else 1, 60)) for i in range(3)]
    strides.append(draw(st.integers(1, 9)))
    offsets = [draw(st.integers(0, 3)) for _ in range(4)]
    return offsets, sizes, strides


def _text(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(walk=_walks())
def test_a_sending_transfer_gathers(run: Run, walk: tuple[list[int], list[int], list[int]]) -> None:
    offsets, sizes, strides = walk
    places = _walk(offsets, sizes, strides)
    body = (
        transfer(
            "in", "x", "4096xi32",
            offsets=_text(offsets), sizes=_text(sizes), strides=_text(strides), number=0,
        )
        + transfer("out", "y", "4096xi32", sizes=str(len(places)), number=1)
        + wait("out")
    )  # fmt: skip
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    assert np.array_equal(y[: len(places)], x[places])
    assert not y[len(places) :].any()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(walk=_walks())
def test_a_receiving_transfer_scatters(
    run: Run, walk: tuple[list[int], list[int], list[int]]
) -> None:
    offsets, sizes, strides = walk
    places = _walk(offsets, sizes, strides)
    body = (
        transfer("in", "x", "4096xi32", sizes=str(len(places)), number=0)
        + transfer(
            "out", "y", "4096xi32",
            offsets=_text(offsets), sizes=_text(sizes), strides=_text(strides), number=1,
        )
        + wait("out")
    )  # fmt: skip
    x = numbers(4096)
    expected = zeros(4096)
    for value, place in zip(x, places, strict=False):
        expected[place] = value
    assert np.array_equal(run(PASSED.replace("SEQUENCE", body), x, expected * 0)[1], expected)


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.int8, "i8"), (np.uint8, "ui8"), (np.int16, "i16"), (np.uint16, "bf16")]
)
def test_small_elements_are_counted_as_elements(run: Run, dtype: Any, kind: str) -> None:
    """The transpose of blocks of 4 elements."""
    text = design(
        fifo("in", "%shim", "%mem", f"16x{kind}"),
        fifo("out", "%mem", "%shim", f"16x{kind}"),
        "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        sequence(
            {"x": f"8x32x{kind}", "y": f"256x{kind}"},
            transfer("in", "x", f"8x32x{kind}", sizes="1, 8, 8, 4", strides="0, 4, 32, 1", number=0)
            + transfer("out", "y", f"256x{kind}", sizes="256", number=1)
            + wait("out"),
        ),
    )
    x = np.random.default_rng(3).integers(0, 127, (8, 32)).astype(dtype)
    y = run(text, x, np.zeros(256, dtype))[1]
    assert np.array_equal(y, x.reshape(8, 8, 4).transpose(1, 0, 2).ravel())


def test_a_stride_of_zero_sends_again(run: Run) -> None:
    body = (
        transfer("in", "x", "4096xi32", sizes="3, 1, 1, 8", strides="0, 0, 0, 1", number=0)
        + transfer("out", "y", "4096xi32", sizes="24", number=1)
        + wait("out")
    )
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    assert np.array_equal(y[:24], np.tile(x[:8], 3))


def test_transfers_queue_on_one_channel(run: Run) -> None:
    body = "".join(
        transfer("in", "x", "4096xi32", offsets=f"0, 0, 0, {16 * n}", sizes="8", number=n)
        for n in (3, 1, 2)
    )
    body += transfer("out", "y", "4096xi32", offsets="0, 0, 0, 100", sizes="12", number=4)
    body += transfer("out", "y", "4096xi32", offsets="0, 0, 0, 0", sizes="12", number=5)
    body += wait("out") * 2
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    stream = np.concatenate([x[48:56], x[16:24], x[32:40]])
    assert np.array_equal(y[100:112], stream[:12])
    assert np.array_equal(y[:12], stream[12:])


def test_sizes_and_strides_may_be_values(run: Run) -> None:
    """In the spelling of 2025, in a loop, with arithmetic on the offsets."""
    body = """
        %n0 = arith.constant 0 : i64
        %n1 = arith.constant 1 : i64
        %n4 = arith.constant 4 : i64
        %n8 = arith.constant 8 : i64
        %i0 = arith.constant 0 : index
        %i1 = arith.constant 1 : index
        %i3 = arith.constant 3 : index
        scf.for %i = %i0 to %i3 step %i1 {
          %n = arith.index_cast %i : index to i64
          %to = arith.muli %n, %n8 : i64
          %from = arith.muli %to, %n4 : i64
          aiex.npu.dma_memcpy_nd(%x[%n0, %n0, %n0, %from][%n1, %n1, %n1, %n8][%n0, %n0, %n0, %n1]) {metadata = @in, id = 0 : i64} : memref<4096xi32>
          aiex.npu.dma_memcpy_nd(%y[%n0, %n0, %n0, %to][%n1, %n1, %n1, %n8][%n0, %n0, %n0, %n1]) {metadata = @out, id = 1 : i64} : memref<4096xi32>
          aiex.npu.dma_wait {symbol = @out}
        }
    """  # noqa: E501
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    assert np.array_equal(y[:24], np.concatenate([x[:8], x[32:40], x[64:72]]))


def test_a_transfer_beyond_its_buffer_is_refused(run: Run) -> None:
    body = transfer("in", "x", "4096xi32", offsets="0, 0, 0, 8", sizes="8", number=0)
    with pytest.raises(DesignError, match="bytes 32 to 63 of a host buffer of 48 bytes") as error:
        run(PASSED.replace("SEQUENCE", body), zeros(12), zeros(4))
    assert str(error.value.where).startswith(f"{PATH}:")


def test_a_size_known_only_at_run_time_must_be_positive(run: Run) -> None:
    body = """
        %n0 = arith.constant 0 : i64
        %n1 = arith.constant 1 : i64
        %none = arith.subi %n1, %n1 : i64
        aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, %none, 8][0, 0, 0, 1]) {metadata = @in, id = 0 : i64} : memref<4096xi32>
    """  # noqa: E501
    with pytest.raises(DesignError, match="must be positive"):
        run(PASSED.replace("SEQUENCE", body), zeros(4096), zeros(4096))


def _task(name: str, fifo_name: str, blocks: str, attributes: str = "") -> str:
    return f"%{name} = aiex.dma_configure_task_for @{fifo_name} {{\n{blocks}\n}} {attributes}\n"


def _run_task(*names: str) -> str:
    return "".join(f"aiex.dma_start_task(%{name})\n" for name in names)


def test_tasks_are_configured_started_awaited_and_freed(run: Run) -> None:
    """Started in another order than configured."""
    body = (
        _task("late", "in", "aie.dma_bd(%x : memref<4096xi32>, 0, 8)\naie.end")
        + _task("early", "in", "aie.dma_bd(%x : memref<4096xi32>, 100, 8)\naie.end")
        + _task("back", "out", "aie.dma_bd(%y : memref<4096xi32>, 4, 16)\naie.end",
                "{issue_token = true}")
        + _run_task("early", "late", "back")
        + "aiex.dma_await_task(%back)\naiex.dma_free_task(%early)\naiex.dma_free_task(%late)\n"
    )  # fmt: skip
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    assert np.array_equal(y[4:20], np.concatenate([x[100:108], x[:8]]))


def test_a_task_repeats_its_chain_of_descriptors(run: Run) -> None:
    """repeat_count = n is n + 1 runs of the whole chain."""
    chain = """
        aie.dma_bd(%x : memref<4096xi32>, 0, 4)
        aie.next_bd ^second
      ^second:
        aie.dma_bd(%x : memref<4096xi32>, 64, 8, [<size = 2, stride = 16>, <size = 4, stride = 1>])
        aie.end
    """
    body = (
        _task("go", "in", chain, "{repeat_count = 2 : i32}")
        + _task("back", "out", "aie.dma_bd(%y : memref<4096xi32>, 0, 36)\naie.end",
                "{issue_token = true}")
        + _run_task("go", "back")
        + "aiex.dma_await_task(%back)\n"
    )  # fmt: skip
    x = numbers(4096)
    y = run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1]
    once = np.concatenate([x[:4], x[64:68], x[80:84]])
    assert np.array_equal(y[:36], np.tile(once, 3))


def test_a_sent_transfer_with_a_token_can_be_waited_for(run: Run) -> None:
    body = (
        transfer("in", "x", "4096xi32", sizes="8", number=0, token=True)
        + transfer("out", "y", "4096xi32", sizes="8", number=1)
        + wait("in")
        + wait("out")
    )
    x = numbers(4096)
    assert np.array_equal(run(PASSED.replace("SEQUENCE", body), x, zeros(4096))[1][:8], x[:8])


def test_a_sync_waits_for_a_channel_by_number(run: Run) -> None:
    sync = "aiex.npu.sync {column = 0 : i32, row = 0 : i32, direction = 0 : i32, channel = 0 : i32, column_num = 1 : i32, row_num = 1 : i32}\n"  # noqa: E501
    body = (
        transfer("in", "x", "4096xi32", sizes="8", number=0)
        + transfer("out", "y", "4096xi32", sizes="8", number=1)
        + sync
    )
    text = PASSED.replace("SEQUENCE", body)
    x = numbers(4096)
    assert np.array_equal(run(text, x, zeros(4096))[1][:8], x[:8])
    with pytest.raises(DesignError, match="S2MM 1 of column 0, which no FIFO uses"):
        run(text.replace("channel = 0", "channel = 1"), x, x)


def test_output_nobody_waits_for_comes_and_is_noted(load: Load) -> None:
    body = transfer("in", "x", "4096xi32", sizes="8", number=0)
    body += transfer("out", "y", "4096xi32", sizes="8", number=1)
    x = numbers(4096)
    running = load(PASSED.replace("SEQUENCE", body), x, x)
    assert np.array_equal(running(x, zeros(4096))[1][:8], x[:8])
    (note,) = running.notes
    assert "ends without waiting for a transfer from @out" in note
    assert "may read its buffer before" in note


def test_of_several_outputs_each_must_be_waited_for(load: Load) -> None:
    body = transfer("in", "x", "4096xi32", sizes="24", number=0)
    for n in range(3):
        body += transfer(
            "out", "y", "4096xi32", offsets=f"0, 0, 0, {8 * n}", sizes="8", number=n + 1
        )
    x = numbers(4096)
    running = load(PASSED.replace("SEQUENCE", body + wait("out")), x, x)
    # A further run doesn't live on the tokens of the one before.
    for _ in range(2):
        running(x, zeros(4096))
        (note,) = running.notes
        assert "2 transfers from @out" in note
    running = load(PASSED.replace("SEQUENCE", body + wait("out") * 3), x, x)
    running(x, zeros(4096))
    assert running.notes == ()


def test_a_task_without_token_that_a_later_one_covers_is_awaited(load: Load) -> None:
    """Transfers of a channel end in their order: the last one's token speaks for all."""
    blocks = "aie.dma_bd(%y : memref<4096xi32>, {}, 4)\naie.end"
    body = (
        transfer("in", "x", "4096xi32", sizes="8", number=0)
        + _task("first", "out", blocks.format(0))
        + _task("last", "out", blocks.format(4), "{issue_token = true}")
        + _run_task("first", "last")
        + "aiex.dma_await_task(%last)\n"
    )
    x = numbers(4096)
    running = load(PASSED.replace("SEQUENCE", body), x, x)
    assert np.array_equal(running(x, zeros(4096))[1][:8], x[:8])
    assert running.notes == ()


def test_input_that_nobody_takes_is_noted_and_stays_on_its_way(load: Load) -> None:
    """A run that sends too much leaves it for the next run, as the NPU's DMA does."""
    text = design(
        in_out("4xi32"),
        copier("a", "4xi32"),
        sequence(
            {"x": "64xi32", "y": "4xi32"},
            transfer("in", "x", "64xi32", sizes="64", number=0)
            + transfer("out", "y", "4xi32", sizes="4", number=1)
            + wait("out"),
        ),
    )
    x = np.arange(64, dtype=np.int32)
    running = load(text, x, x[:4])
    assert running(x, zeros(4))[1].tolist() == [0, 1, 2, 3]
    assert any("transfer of @in hasn't ended" in note for note in running.notes)
    assert running(x, zeros(4))[1].tolist() == [4, 5, 6, 7]


def test_a_transfer_that_ends_within_an_object_is_noted(load: Load) -> None:
    text = design(in_out("16xi32"), copier("a", "16xi32"), through("16xi32", 16, "16xi32", 8))
    x = numbers(16)
    running = load(text, x, x[:8])
    assert np.array_equal(running(x, zeros(8))[1], x[:8])
    assert any("end within an object: 32 bytes" in note for note in running.notes)


def test_a_descriptor_rewritten_in_use_is_noted(load: Load) -> None:
    body = transfer("in", "x", "4096xi32", sizes="8", number=1)
    body += transfer("in", "x", "4096xi32", offsets="0, 0, 0, 8", sizes="8", number=1)
    body += transfer("out", "y", "4096xi32", sizes="16", number=2) + wait("out")
    x = numbers(4096)
    running = load(PASSED.replace("SEQUENCE", body), x, x)
    running(x, zeros(4096))
    assert any("has id 1 as that of line" in note for note in running.notes)
