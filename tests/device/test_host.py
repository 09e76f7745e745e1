"""What host buffers and the state of a loaded design get from runs."""

from __future__ import annotations

import numpy as np

from tests.device.conftest import Load, Run
from tests.device.designs import (
    consume,
    copier,
    core,
    design,
    each,
    endless,
    fifo,
    free,
    in_out,
    map_elements,
    numbers,
    produce,
    send,
    sequence,
    through,
    transfer,
    wait,
    zeros,
)

V16, V32, V64 = "16xi32", "32xi32", "64xi32"


def test_host_buffers_that_the_design_reads_stay_as_they_are(run: Run) -> None:
    text = design(in_out(V16), copier("a", V16), through(V16, 64))
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(64))[0], x)


def test_a_device_of_several_columns(run: Run) -> None:
    """Two columns work on halves of a buffer; the westward neighbour's memory is shared."""
    tiles = """
        %s0 = aie.tile(0, 0)
        %s1 = aie.tile(1, 0)
        %a = aie.tile(0, 2)
        %b = aie.tile(1, 2)
    """
    text = design(
        fifo("in0", "%s0", "%a", V16),
        fifo("ab", "%a", "%b", V16),
        fifo("out1", "%b", "%s1", V16),
        fifo("in1", "%s1", "%b", V16),
        copier("a", V16, "in0", "ab"),
        endless(
            "b",
            consume("l", "ab", V16)
            + consume("r", "in1", V16)
            + produce("to", "out1", V16)
            + each(
                16,
                f"""
                %p = memref.load %l[%i] : memref<{V16}>
                %q = memref.load %r[%i] : memref<{V16}>
                %y = arith.subi %p, %q : i32
                memref.store %y, %to[%i] : memref<{V16}>
                """,
            )
            + free("ab", "in1")
            + send("out1"),
        ),
        sequence(
            {"x": "64xi32", "y": "32xi32"},
            transfer("in0", "x", "64xi32", sizes="32", number=0)
            + transfer("in1", "x", "64xi32", offsets="0, 0, 0, 32", sizes="32", number=0)
            + transfer("out1", "y", "32xi32", sizes="32", number=1)
            + wait("out1"),
        ),
        target="npu2_2col",
        tiles=tiles,
    )
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(32))[1], x[:32] - x[32:])


def test_state_stays_from_run_to_run(load: Load) -> None:
    """Which buffer is next, what the core counts, what lies in memory."""
    state = '%count = aie.buffer(%a) {sym_name = "count"} : memref<1xi32> = dense<10>\n'
    body = f"""
        {consume("from", "in", "4xi32")}
        {produce("to", "out", "4xi32")}
        %n = memref.load %count[%c0] : memref<1xi32>
        %one = arith.constant 1 : i32
        %m = arith.addi %n, %one : i32
        memref.store %m, %count[%c0] : memref<1xi32>
        {
        each(
            4,
            '''
            %x = memref.load %from[%i] : memref<4xi32>
            %y = arith.addi %x, %n : i32
            memref.store %y, %to[%i] : memref<4xi32>
        ''',
        )
    }
        {free("in")}{send("out")}
    """
    text = design(
        fifo("in", "%shim", "%a", "4xi32", depth="3 : i32"),
        fifo("out", "%a", "%shim", "4xi32", depth="[2, 2]"),
        state,
        endless("a", body),
        through("4xi32", 4),
    )
    x = numbers(4)
    running = load(text, x, x)
    for turn in range(7):
        assert np.array_equal(running(x + turn, zeros(4))[1], x + turn + 10 + turn)


def test_a_finite_core_serves_what_it_was_made_for(load: Load) -> None:
    text = design(
        in_out("4xi32"),
        core(
            "a",
            each(
                3,
                consume("from", "in", "4xi32")
                + produce("to", "out", "4xi32")
                + "memref.copy %from, %to : memref<4xi32> to memref<4xi32>\n"
                + free("in")
                + send("out"),
            ),
        ),
        through("4xi32", 12),
    )
    x = numbers(12)
    running = load(text, x, x)
    assert np.array_equal(running(x, zeros(12))[1], x)


def test_an_inout_buffer_is_read_and_written_in_place(run: Run) -> None:
    body = "%two = arith.constant 2 : i32\n%y = arith.muli %x, %two : i32\n"
    text = design(
        in_out(V16),
        map_elements("a", 16, V16, body),
        sequence(
            {"x": "48xi32"},
            transfer("in", "x", "48xi32", sizes="48", number=0)
            + transfer("out", "x", "48xi32", sizes="48", number=1)
            + wait("out"),
        ),
    )
    x = numbers(48)
    assert np.array_equal(run(text, x)[0], x * 2)


def test_a_later_transfer_reads_what_an_earlier_one_wrote(run: Run) -> None:
    """y = 2x, then z = 2y, all in one sequence."""
    body = "%two = arith.constant 2 : i32\n%y = arith.muli %x, %two : i32\n"
    text = design(
        in_out(V16),
        map_elements("a", 16, V16, body),
        sequence(
            {"x": "16xi32", "y": "16xi32", "z": "16xi32"},
            transfer("in", "x", "16xi32", sizes="16", number=0)
            + transfer("out", "y", "16xi32", sizes="16", number=1)
            + wait("out")
            + transfer("in", "y", "16xi32", sizes="16", number=0)
            + transfer("out", "z", "16xi32", sizes="16", number=1)
            + wait("out"),
        ),
    )
    x = numbers(16)
    _, y, z = run(text, x, zeros(16), zeros(16))
    assert np.array_equal(y, x * 2)
    assert np.array_equal(z, x * 4)
