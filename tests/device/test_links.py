"""Links through a mem tile or a core's: forward, distribute, join, repeat."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.conftest import Run
from tests.device.designs import (
    consume,
    copier,
    core,
    design,
    each,
    endless,
    fifo,
    free,
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


def test_a_broadcast_reaches_ends_of_other_sizes(run: Run) -> None:
    """The mem tile gathers two objects into one of its own, the core takes them singly."""
    text = design(
        fifo("in", "%shim", "%mem, %a", V16),
        fifo("double", "%mem", "%d", V32),
        "aie.objectfifo.link [@in] -> [@double] ([] [])\n",
        fifo("out0", "%a", "%shim", V16),
        fifo("out1", "%d", "%shim", V32),
        copier("a", V16, "in", "out0"),
        copier("d", V32, "double", "out1"),
        sequence(
            {"x": V64, "y": V64, "z": V64},
            transfer("in", "x", V64, sizes="64", number=0)
            + transfer("out0", "y", V64, sizes="64", number=1)
            + transfer("out1", "z", V64, sizes="64", number=2)
            + wait("out0")
            + wait("out1"),
        ),
    )
    x = numbers(64)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x)
    assert np.array_equal(z, x)


def _distribute(kind: str, offsets: str, parts: int) -> str:
    names = ", ".join(f"@part{i}" for i in range(parts))
    return f"    aie.objectfifo.link [@in] -> [{names}] ([] [{offsets}])\n"


def _join(offsets: str, parts: int) -> str:
    names = ", ".join(f"@back{i}" for i in range(parts))
    return f"    aie.objectfifo.link [{names}] -> [@out] ([{offsets}] [])\n"


def test_a_mem_tile_distributes_and_joins(run: Run) -> None:
    """Parts of several sizes; core n multiplies by n + 2."""

    def worker(tile: str, number: int, count: int) -> str:
        kind = f"{count}xi32"
        inside = f"""
            %x = memref.load %from[%i] : memref<{kind}>
            %n = arith.constant {number + 2} : i32
            %y = arith.muli %x, %n : i32
            memref.store %y, %to[%i] : memref<{kind}>
        """
        source, target = f"part{number}", f"back{number}"
        return endless(
            tile,
            consume("from", source, kind)
            + produce("to", target, kind)
            + each(count, inside)
            + free(source)
            + send(target),
        )

    sizes, offsets = (16, 8, 32, 8), "0, 16, 24, 56"
    text = design(
        fifo("in", "%shim", "%mem", V64),
        *(
            fifo(f"part{i}", "%mem", f"%{t}", f"{n}xi32")
            for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))
        ),
        *(
            fifo(f"back{i}", f"%{t}", "%mem", f"{n}xi32")
            for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))
        ),
        fifo("out", "%mem", "%shim", V64),
        _distribute(V64, offsets, 4),
        _join(offsets, 4),
        *(worker(t, i, n) for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))),
        through(V64, 192),
    )
    x = numbers(192)
    factors = np.repeat([2, 3, 4, 5], sizes).astype(np.int32)
    assert np.array_equal(run(text, x, zeros(192))[1], (x.reshape(3, 64) * factors).ravel())


def test_a_slow_part_of_a_distribute_doesnt_hold_up_the_others(run: Run) -> None:
    """Each part has locks of its own: a takes all its parts before d takes any."""
    text = design(
        fifo("in", "%shim", "%mem", V32, depth="4 : i32"),
        fifo("part0", "%mem", "%a", V16),
        fifo("part1", "%mem", "%d", V16),
        _distribute(V32, "0, 16", 2),
        fifo("first", "%a", "%shim", V16),
        fifo("start", "%a", "%d", "1xi32", depth="[1, 1]"),
        fifo("second", "%d", "%shim", V16),
        core(
            "a",
            each(
                4,
                consume("from", "part0", V16)
                + produce("to", "first", V16)
                + f"memref.copy %from, %to : memref<{V16}> to memref<{V16}>\n"
                + free("part0")
                + send("first"),
            )
            + produce("go", "start", "1xi32")
            + send("start"),
        ),
        core(
            "d",
            consume("go", "start", "1xi32")
            + free("start")
            + each(
                4,
                consume("from", "part1", V16)
                + produce("to", "second", V16)
                + f"memref.copy %from, %to : memref<{V16}> to memref<{V16}>\n"
                + free("part1")
                + send("second"),
            ),
        ),
        sequence(
            {"x": "128xi32", "y": "64xi32", "z": "64xi32"},
            transfer("in", "x", "128xi32", sizes="128", number=0)
            + transfer("first", "y", "64xi32", sizes="64", number=1)
            + transfer("second", "z", "64xi32", sizes="64", number=2)
            + wait("first")
            + wait("second"),
        ),
    )
    x = numbers(128)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x.reshape(4, 32)[:, :16].ravel())
    assert np.array_equal(z, x.reshape(4, 32)[:, 16:].ravel())


@pytest.mark.parametrize(("outer", "inner"), [(64, 16), (16, 64), (16, 8), (8, 16), (32, 32)])
def test_a_forwarding_link_cuts_into_other_objects(run: Run, outer: int, inner: int) -> None:
    kind, inside = f"{outer}xi32", f"{inner}xi32"
    text = design(
        fifo("in", "%shim", "%mem", kind),
        fifo("to_core", "%mem", "%a", inside),
        fifo("from_core", "%a", "%mem", inside),
        fifo("out", "%mem", "%shim", kind),
        "aie.objectfifo.link [@in] -> [@to_core] ([] [])\n",
        "aie.objectfifo.link [@from_core] -> [@out] ([] [0])\n",
        map_plus_one(inside, inner),
        through(kind, 192),
    )
    x = numbers(192)
    assert np.array_equal(run(text, x, zeros(192))[1], x + 1)


def map_plus_one(kind: str, count: int) -> str:
    inside = f"""
        %x = memref.load %from[%i] : memref<{kind}>
        %n = arith.constant 1 : i32
        %y = arith.addi %x, %n : i32
        memref.store %y, %to[%i] : memref<{kind}>
    """
    return endless(
        "a",
        consume("from", "to_core", kind)
        + produce("to", "from_core", kind)
        + each(count, inside)
        + free("to_core")
        + send("from_core"),
    )


def test_a_mem_tile_passes_through_with_no_core_at_all(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%mem", V16),
        fifo("out", "%mem", "%shim", V16),
        "aie.objectfifo.link [@in] -> [@out] ()\n",
        through(V16, 80),
    )
    x = numbers(80)
    assert np.array_equal(run(text, x, zeros(80))[1], x)


def test_a_core_tile_passes_through_too(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("out", "%a", "%shim", V16),
        "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        through(V16, 80),
    )
    x = numbers(80)
    assert np.array_equal(run(text, x, zeros(80))[1], x)


@pytest.mark.parametrize("repeat", [1, 2, 3])
def test_repeat_count_sends_each_object_again(run: Run, repeat: int) -> None:
    text = design(
        fifo("in", "%shim", "%mem", V16),
        fifo("mid", "%mem", "%a", V16, attributes=f"{{repeat_count = {repeat} : i32}}"),
        "aie.objectfifo.link [@in] -> [@mid] ([] [])\n",
        fifo("out", "%a", "%shim", V16),
        copier("a", V16, "mid", "out"),
        through(V16, 64, V16, 64 * repeat),
    )
    x = numbers(64)
    expected = np.repeat(x.reshape(4, 16), repeat, axis=0).ravel()
    assert np.array_equal(run(text, x, zeros(64 * repeat))[1], expected)


def test_initial_objects_in_a_mem_tile(run: Run) -> None:
    """Sent again and again, since only the mem tile's DMA hands them back."""
    text = design(
        fifo("weights", "%mem", "%a", "4xi32", init="= [dense<[1, 2, 3, 4]>, dense<7>]"),
        fifo("out", "%a", "%shim", "4xi32"),
        copier("a", "4xi32", "weights", "out"),
        sequence({"y": "8xi32"}, transfer("out", "y", "8xi32", sizes="8") + wait("out")),
    )
    (y,) = run(text, zeros(8))
    assert y.tolist() == [1, 2, 3, 4, 7, 7, 7, 7]
