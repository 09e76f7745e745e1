"""Objects between cores: chains, broadcasts, windows, initial objects."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.conftest import Run
from tests.device.designs import (
    access,
    acquire,
    consume,
    copier,
    core,
    design,
    each,
    endless,
    fifo,
    forever,
    free,
    in_out,
    numbers,
    produce,
    release,
    send,
    sequence,
    through,
    transfer,
    wait,
    zeros,
)
from workbench.errors import DesignError

V16, V32, V64 = "16xi32", "32xi32", "64xi32"


def test_a_core_passes_objects_on(run: Run) -> None:
    text = design(in_out(V16), copier("a", V16), through(V16, 64))
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(64))[1], x)


def test_cores_in_a_chain_each_do_their_part(run: Run) -> None:
    """a and c are no neighbours: in by DMA, a-b in shared memory, b-d by DMA."""

    def step(tile: str, source: str, target: str, number: int) -> str:
        inside = f"""
            %x = memref.load %from[%i] : memref<{V16}>
            %n = arith.constant {number} : i32
            %z = arith.muli %x, %n : i32
            %y = arith.addi %z, %n : i32
            memref.store %y, %to[%i] : memref<{V16}>
        """
        return endless(
            tile,
            consume("from", source, V16)
            + produce("to", target, V16)
            + each(16, inside)
            + free(source)
            + send(target),
        )

    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("ab", "%a", "%b", V16),
        fifo("bd", "%b", "%d", V16),
        fifo("out", "%d", "%shim", V16),
        step("a", "in", "ab", 2),
        step("b", "ab", "bd", 3),
        step("d", "bd", "out", 5),
        through(V16, 48),
    )
    x = numbers(48)
    assert np.array_equal(run(text, x, zeros(48))[1], ((x * 2 + 2) * 3 + 3) * 5 + 5)


@pytest.mark.parametrize("depth", ["1 : i32", "2 : i32", "4 : i32", "[2, 3]"])
def test_neighbours_share_memory_at_any_depth(run: Run, depth: str) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("ab", "%a", "%b", V16, depth=depth),
        fifo("out", "%b", "%shim", V16),
        copier("a", V16, "in", "ab"),
        copier("b", V16, "ab", "out"),
        through(V16, 96),
    )
    x = numbers(96)
    assert np.array_equal(run(text, x, zeros(96))[1], x)


def test_a_broadcast_reaches_every_consumer(run: Run) -> None:
    """With depths of their own; each core adds its number, and b takes twice as long."""

    def adder(tile: str, target: str, number: int) -> str:
        inside = f"""
            %x = memref.load %from[%i] : memref<{V16}>
            %n = arith.constant {number} : i32
            %y = arith.addi %x, %n : i32
            memref.store %y, %to[%i] : memref<{V16}>
        """
        return endless(
            tile,
            consume("from", "in", V16)
            + produce("to", target, V16)
            + each(16, inside)
            + free("in")
            + send(target),
        )

    text = design(
        fifo("in", "%shim", "%a, %b, %d", V16, depth="[2, 1, 3, 4]"),
        fifo("out0", "%a", "%shim", V16),
        fifo("out1", "%b", "%shim", V16),
        fifo("mid", "%d", "%c", V16),
        endless("c", consume("drop", "mid", V16) + free("mid")),
        adder("a", "out0", 1),
        adder("b", "out1", 10),
        adder("d", "mid", 100),
        sequence(
            {"x": "64xi32", "y": "64xi32", "z": "64xi32"},
            transfer("in", "x", "64xi32", sizes="64", number=0)
            + transfer("out1", "z", "64xi32", sizes="64", number=2)
            + transfer("out0", "y", "64xi32", sizes="64", number=1)
            + wait("out0")
            + wait("out1"),
        ),
    )
    x = numbers(64)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x + 1)
    assert np.array_equal(z, x + 10)


def test_repeat_count_on_a_cores_fifo(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("out", "%a", "%shim", V16, attributes="{repeat_count = 3 : i32}"),
        copier("a", V16),
        through(V16, 32, V16, 96),
    )
    x = numbers(32)
    expected = np.repeat(x.reshape(2, 16), 3, axis=0).ravel()
    assert np.array_equal(run(text, x, zeros(96))[1], expected)


def test_initial_objects_come_first(run: Run) -> None:
    """The producer's objects are full before anybody runs; what it makes comes after them."""
    text = design(
        fifo("in", "%shim", "%a", "4xi32"),
        fifo(
            "out",
            "%a",
            "%shim",
            "4xi32",
            init="= [dense<[1, 2, 3, 4]> : memref<4xi32>, dense<9> : memref<4xi32>]",
        ),
        copier("a", "4xi32"),
        through("4xi32", 8, "4xi32", 16),
    )
    x = numbers(8)
    expected = np.concatenate([[1, 2, 3, 4, 9, 9, 9, 9], x])
    assert np.array_equal(run(text, x, zeros(16))[1], expected)


def test_a_sliding_window_counts_what_is_held(run: Run) -> None:
    """acquire 3, release 1: only one more is taken each time, and the window moves by one.

    Two are acquired before the loop, since aiecc counts for every turn as for the first.
    """
    kind = "4xi32"
    inside = f"""
        %x0 = memref.load %line0[%i] : memref<{kind}>
        %x1 = memref.load %line1[%i] : memref<{kind}>
        %x2 = memref.load %line2[%i] : memref<{kind}>
        %s = arith.addi %x0, %x1 : i32
        %y = arith.addi %s, %x2 : i32
        memref.store %y, %to[%i] : memref<{kind}>
    """
    window = acquire("line0", "in", "Consume", kind, 3)
    window += access("line1", "line0_view", kind, 1) + access("line2", "line0_view", kind, 2)
    body = window + produce("to", "out", kind) + each(4, inside) + free("in") + send("out")
    text = design(
        fifo("in", "%shim", "%a", kind, depth="4 : i32"),
        fifo("out", "%a", "%shim", kind),
        core("a", consume("first", "in", kind, 2) + forever(body)),
        through(kind, 32, kind, 24),
    )
    x = numbers(32)
    rows = x.reshape(8, 4)
    expected = rows[:-2] + rows[1:-1] + rows[2:]
    assert np.array_equal(run(text, x, zeros(24))[1], expected.ravel())


@pytest.mark.parametrize(
    ("first", "body", "message"),
    [
        ("", consume("w", "in", V16, 3) + free("in"), "begins with 0 of @in held and ends with 2"),
        ("", consume("w", "in", V16), "begins with 0 of @in held and ends with 1"),
        (
            consume("f", "in", V16, 2),
            consume("w", "in", V16) + free("in"),
            "begins with 2 of @in held and ends with 1",
        ),
        (
            "",
            each(2, consume("w", "in", V16, 2) + free("in")),
            "begins with 0 of @in held and ends with 1",
        ),
    ],
)
def test_a_loop_that_aiecc_miscounts_is_refused(
    run: Run, first: str, body: str, message: str
) -> None:
    text = design(in_out(V16), core("a", first + forever(body)), through(V16, 16))
    with pytest.raises(DesignError, match=message) as error:
        run(text, numbers(16), zeros(16))
    assert error.value.where is not None


def test_several_objects_are_held_and_released_at_once(run: Run) -> None:
    """Two objects in, swapped into two objects out."""
    kind = "4xi32"
    body = (
        consume("first", "in", kind, 2)
        + access("second", "first_view", kind, 1)
        + produce("left", "out", kind, 2)
        + access("right", "left_view", kind, 1)
        + f"memref.copy %first, %right : memref<{kind}> to memref<{kind}>\n"
        + f"memref.copy %second, %left : memref<{kind}> to memref<{kind}>\n"
        + release("in", "Consume", 2)
        + release("out", "Produce", 2)
    )
    text = design(
        fifo("in", "%shim", "%a", kind, depth="2 : i32"),
        fifo("out", "%a", "%shim", kind, depth="3 : i32"),
        endless("a", body),
        through(kind, 32),
    )
    x = numbers(32)
    expected = x.reshape(4, 2, 4)[:, ::-1].ravel()
    assert np.array_equal(run(text, x, zeros(32))[1], expected)


def test_acquiring_what_is_held_gives_the_same_object(run: Run) -> None:
    kind = "4xi32"
    body = (
        consume("from", "in", kind)
        + consume("again", "in", kind)
        + produce("to", "out", kind)
        + f"memref.copy %again, %to : memref<{kind}> to memref<{kind}>\n"
        + free("in")
        + send("out")
    )
    text = design(in_out(kind), endless("a", body), through(kind, 16))
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], x)


def test_an_object_that_was_handed_on_cant_be_accessed(run: Run) -> None:
    """Though the core holds another one by then."""
    kind = "4xi32"
    body = (
        consume("first", "in", kind)
        + free("in")
        + consume("second", "in", kind)
        + access("old", "first_view", kind, 0)
    )
    text = design(in_out(kind), core("a", body), through(kind, 8))
    with pytest.raises(DesignError, match="object of @in that has been released; it holds 1"):
        run(text, numbers(8), zeros(8))


def test_a_fifo_of_a_core_with_itself_remembers(run: Run) -> None:
    """A running sum in an object that the core sends to itself."""
    body = f"""
        {consume("from", "in", "4xi32")}
        {consume("old", "memory", "1xi32")}
        {produce("new", "memory", "1xi32")}
        {produce("to", "out", "4xi32")}
        %start = memref.load %old[%c0] : memref<1xi32>
        %four = arith.constant 4 : index
        %end = scf.for %i = %c0 to %four step %c1 iter_args(%sum = %start) -> (i32) {{
            %x = memref.load %from[%i] : memref<4xi32>
            %y = arith.addi %sum, %x : i32
            memref.store %y, %to[%i] : memref<4xi32>
            scf.yield %y : i32
        }}
        memref.store %end, %new[%c0] : memref<1xi32>
        {free("in", "memory")}{send("memory", "out")}
    """
    first = produce("zero", "memory", "1xi32") + (
        "%none = arith.constant 5 : i32\n"
        "memref.store %none, %zero[%c0] : memref<1xi32>\n" + send("memory")
    )
    text = design(
        in_out("4xi32"),
        fifo("memory", "%a", "%a", "1xi32"),
        core("a", first + f"scf.for %turn = %c0 to %forever step %c1 {{\n{body}\n}}"),
        through("4xi32", 16),
    )
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], 5 + np.cumsum(x))
