"""Run-time parameters: written by the sequence, read or polled by cores."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    core,
    design,
    endless,
    fifo,
    in_out,
    map_elements,
    numbers,
    produce,
    send,
    sequence,
    transfer,
    wait,
    zeros,
)
from workbench.errors import DesignError

V16 = "16xi32"


def _scaled(before: str, factor: str = "%f = memref.load %rtp[%c1] : memref<4xi32>") -> str:
    """A core that multiplies by a parameter that the sequence writes."""
    return design(
        in_out(V16),
        '%rtp = aie.buffer(%a) {sym_name = "rtp"} : memref<4xi32> = dense<1>\n',
        map_elements("a", 16, V16, f"{factor}\n%y = arith.muli %x, %f : i32"),
        sequence(
            {"x": V16, "y": V16},
            before
            + transfer("in", "x", V16, sizes="16", number=0)
            + transfer("out", "y", V16, sizes="16", number=1)
            + wait("out"),
        ),
    )


def test_a_parameter_is_read_after_an_acquire(load: Load) -> None:
    """Written before the data is sent, so that the core sees it; and it stays."""
    x = numbers(16)
    running = load(_scaled("aiex.npu.rtp_write(@rtp, 1, -7)\n"), x, x)
    assert np.array_equal(running(x, zeros(16))[1], x * -7)
    assert np.array_equal(running(x, zeros(16))[1], x * -7)


def test_a_parameter_that_isnt_written_keeps_its_initial_value(run: Run) -> None:
    x = numbers(16)
    assert np.array_equal(run(_scaled("aiex.npu.rtp_write(@rtp, 0, 9)\n"), x, zeros(16))[1], x)


def test_a_parameter_may_be_computed(run: Run) -> None:
    before = """
        %p = arith.constant 6 : i32
        %q = arith.muli %p, %p : i32
        aiex.npu.rtp_write(@rtp, 1, %q) : i32
    """
    x = numbers(16)
    assert np.array_equal(run(_scaled(before), x, zeros(16))[1], x * 36)


def test_parameters_are_words_whatever_the_buffer_holds(run: Run) -> None:
    """Word 1 of a buffer of bytes are its bytes 4 to 7."""
    text = design(
        '%rtp = aie.buffer(%a) {sym_name = "rtp"} : memref<12xi8> = dense<1>\n',
        fifo("out", "%a", "%shim", "12xi8"),
        core(
            "a",
            """
            %go = arith.constant 0 : i8
            scf.while : () -> () {
              %v = memref.load %rtp[%c0] : memref<12xi8>
              %z = arith.cmpi ne, %v, %go : i8
              scf.condition(%z)
            } do {
              scf.yield
            }
            """
            + produce("to", "out", "12xi8")
            + "memref.copy %rtp, %to : memref<12xi8> to memref<12xi8>\n"
            + send("out"),
        ),
        sequence(
            {"y": "12xi8"},
            "aiex.npu.rtp_write(@rtp, 1, 0x04030201)\naiex.npu.rtp_write(@rtp, 0, 0)\n"
            + transfer("out", "y", "12xi8", sizes="12")
            + wait("out"),
        ),
    )
    (y,) = run(text, np.zeros(12, np.int8))
    assert y.tolist() == [0, 0, 0, 0, 1, 2, 3, 4, 1, 1, 1, 1]


def test_a_parameter_beyond_its_buffer_is_refused(run: Run) -> None:
    text = _scaled("aiex.npu.rtp_write(@rtp, 1, 5)\n").replace(
        "4xi32> = dense<1>", "4xi8> = dense<1>"
    )
    text = text.replace("%rtp[%c1] : memref<4xi32>", "%rtp[%c1] : memref<4xi8>")
    text = text.replace("%f = memref.load", "%g = memref.load").replace(
        "%y = arith.muli", "%f = arith.extsi %g : i8 to i32\n%y = arith.muli"
    )
    with pytest.raises(DesignError, match="word 1 of rtp, which has 4 bytes"):
        run(text, numbers(16), zeros(16))


def test_a_core_polls_a_parameter_between_objects(run: Run) -> None:
    """The core goes on only when the sequence has told it to, and clears the flag."""
    kind = "4xi32"
    poll = """
        scf.while : () -> () {
          %flag = memref.load %rtp[%c0] : memref<1xi32>
          %none = arith.constant 0 : i32
          %idle = arith.cmpi eq, %flag, %none : i32
          scf.condition(%idle)
        } do {
          scf.yield
        }
        %got = memref.load %rtp[%c0] : memref<1xi32>
        %zero = arith.constant 0 : i32
        memref.store %zero, %rtp[%c0] : memref<1xi32>
    """
    body = (
        poll
        + produce("to", "out", kind)
        + "".join(
            f"%i{n} = arith.constant {n} : index\nmemref.store %got, %to[%i{n}] : memref<{kind}>\n"
            for n in range(4)
        )
        + send("out")
    )
    text = design(
        '%rtp = aie.buffer(%a) {sym_name = "rtp"} : memref<1xi32> = dense<0>\n',
        fifo("out", "%a", "%shim", kind),
        endless("a", body),
        sequence(
            {"y": "8xi32"},
            "aiex.npu.rtp_write(@rtp, 0, 5)\n"
            + transfer("out", "y", "8xi32", sizes="4")
            + wait("out")
            + "aiex.npu.rtp_write(@rtp, 0, 6)\n"
            + transfer("out", "y", "8xi32", offsets="0, 0, 0, 4", sizes="4")
            + wait("out"),
        ),
    )
    (y,) = run(text, zeros(8))
    assert y.tolist() == [5, 5, 5, 5, 6, 6, 6, 6]
