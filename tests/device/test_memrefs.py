"""Memrefs in core programs: elements, ranks, views, buffers in reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    consume,
    core,
    design,
    each,
    endless,
    fifo,
    free,
    in_out,
    map_elements,
    numbers,
    one_object,
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

V16 = "16xi32"


@pytest.mark.parametrize(
    ("kind", "dtype"),
    [
        ("i8", np.int8),
        ("ui8", np.uint8),
        ("i16", np.int16),
        ("i32", np.int32),
        ("bf16", np.uint16),
        ("f32", np.float32),
    ],
)
def test_elements_of_every_type_are_loaded_and_stored(run: Run, kind: str, dtype: Any) -> None:
    body = f"%y = arith.select %yes, %x, %x : {kind}"
    text = design(
        in_out(f"16x{kind}"),
        map_elements("a", 16, f"16x{kind}", f"%yes = arith.constant true\n{body}"),
        through(f"16x{kind}", 48),
    )
    x = np.random.default_rng(1).integers(0, 255, 48).astype(dtype)
    x[:3] = [0, 1, 127]
    assert np.array_equal(run(text, x, np.zeros(48, dtype))[1], x)


def test_elements_of_64_bits_live_in_the_core(run: Run) -> None:
    """They can't travel as such (a DMA moves 32-bit words), but a core computes with them."""
    body = """
        %w = arith.extsi %x : i32 to i64
        %sq = arith.muli %w, %w : i64
        memref.store %sq, %wide[%i] : memref<16xi64>
        %back = memref.load %wide[%i] : memref<16xi64>
        %s = arith.constant 20 : i64
        %high = arith.shrsi %back, %s : i64
        %y = arith.trunci %high : i64 to i32
    """
    text = design(
        in_out(V16),
        '%wide = aie.buffer(%a) {sym_name = "wide"} : memref<16xi64>\n',
        map_elements("a", 16, V16, body),
        through(V16, 16),
    )
    x = numbers(16) * 100_000
    expected = (x.astype(np.int64) ** 2 >> 20).astype(np.int32)
    assert np.array_equal(run(text, x, zeros(16))[1], expected)


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_memrefs_of_every_rank(run: Run, rank: int) -> None:
    """Transposed by their indices; a memref of rank 0 holds one element."""
    shape = (2, 3, 4, 2)[:rank]
    kind = "".join(f"{n}x" for n in shape) + "i32"
    turned = "".join(f"{n}x" for n in reversed(shape)) + "i32"
    names = [f"%i{n}" for n in range(rank)]
    body = f"""
        %x = memref.load %from[{", ".join(names)}] : memref<{kind}>
        %one = arith.constant 1 : i32
        %y = arith.addi %x, %one : i32
        memref.store %y, %to[{", ".join(reversed(names))}] : memref<{turned}>
    """
    for n, size in reversed(list(enumerate(shape))):
        body = each(size, body, f"i{n}")
    count = int(np.prod(shape))
    text = design(
        in_out(kind, turned),
        endless(
            "a",
            consume("from", "in", kind)
            + produce("to", "out", turned)
            + body
            + free("in")
            + send("out"),
        ),
        through("i32", count * 2),
    )
    x = numbers(count * 2)
    expected = np.concatenate([(part.reshape(shape) + 1).T.ravel() for part in x.reshape(2, -1)])
    assert np.array_equal(run(text, x, zeros(count * 2))[1], expected)


def test_views_of_rows_and_columns(run: Run) -> None:
    """A row, a strided column, a view of a view, with offsets known only at run time."""
    body = f"""
        {consume("from", "in", "4x8xi32")}
        {produce("to", "out", "4xi32")}
        %row = memref.subview %from[2, 0] [1, 8] [1, 1] : memref<4x8xi32> to memref<8xi32, strided<[1], offset: 16>>
        %some = memref.subview %row[%k] [3] [2] : memref<8xi32, strided<[1], offset: 16>> to memref<3xi32, strided<[2], offset: ?>>
        %column = memref.subview %from[0, %k] [4, 1] [1, 1] : memref<4x8xi32> to memref<4xi32, strided<[8], offset: ?>>
        %v0 = memref.load %row[%c1] : memref<8xi32, strided<[1], offset: 16>>
        %v1 = memref.load %some[%c2] : memref<3xi32, strided<[2], offset: ?>>
        %v2 = memref.load %column[%c1] : memref<4xi32, strided<[8], offset: ?>>
        memref.store %v0, %to[%c0] : memref<4xi32>
        memref.store %v1, %to[%c1] : memref<4xi32>
        memref.store %v2, %to[%c2] : memref<4xi32>
        %c3 = arith.constant 3 : index
        %part = memref.subview %to[3] [1] [1] : memref<4xi32> to memref<1xi32, strided<[1], offset: 3>>
        memref.store %v2, %part[%c0] : memref<1xi32, strided<[1], offset: 3>>
        {free("in")}{send("out")}
    """  # noqa: E501
    text = design(
        in_out("4x8xi32", "4xi32"),
        core("a", "%two = arith.constant 2 : index\n%k = arith.addi %two, %c1 : index\n" + body),
        through("i32", 32, "i32", 4),
    )
    x = numbers(32)
    m = x.reshape(4, 8)
    assert run(text, x, zeros(4))[1].tolist() == [m[2, 1], m[2, 3 + 4], m[1, 3], m[1, 3]]


def test_a_cast_of_a_view_drops_its_offset_as_aiecc_does(load: Load) -> None:
    """Row 2 is asked for, row 0 comes; and the design's author is told."""
    body = """
        %row = memref.subview %from[%c2, 0] [1, 8] [1, 1] : memref<4x8xi32> to memref<8xi32, strided<[1], offset: ?>>
        %plain = memref.cast %row : memref<8xi32, strided<[1], offset: ?>> to memref<8xi32>
        memref.copy %plain, %to : memref<8xi32> to memref<8xi32>
    """  # noqa: E501
    text = one_object(body, "4x8xi32", "8xi32")
    x = numbers(32)
    running = load(text, x, x[:8])
    assert np.array_equal(running(x, zeros(8))[1], x[:8])
    line = 1 + next(n for n, t in enumerate(text.splitlines()) if "memref.cast" in t)
    (note,) = running.notes
    assert note.startswith(f"some.mlir:{line}: aiecc drops the view's offset")


def test_a_cast_that_keeps_the_layout_keeps_the_offset(load: Load) -> None:
    body = """
        %row = memref.subview %from[2, 0] [1, 8] [1, 1] : memref<4x8xi32> to memref<8xi32, strided<[1], offset: 16>>
        %same = memref.cast %row : memref<8xi32, strided<[1], offset: 16>> to memref<8xi32, strided<[1], offset: ?>>
        memref.copy %same, %to : memref<8xi32, strided<[1], offset: ?>> to memref<8xi32>
    """  # noqa: E501
    x = numbers(32)
    running = load(one_object(body, "4x8xi32", "8xi32"), x, x[:8])
    assert np.array_equal(running(x, zeros(8))[1], x[16:24])
    assert running.notes == ()


def test_a_reinterpretation_counts_from_the_beginning_of_all(run: Run) -> None:
    """Whatever view it is given."""
    body = """
        %row = memref.subview %from[2, 0] [1, 8] [1, 1] : memref<4x8xi32> to memref<8xi32, strided<[1], offset: 16>>
        %part = memref.reinterpret_cast %row to offset: [3], sizes: [2, 4], strides: [16, 2] : memref<8xi32, strided<[1], offset: 16>> to memref<2x4xi32, strided<[16, 2], offset: 3>>
        %to2 = memref.expand_shape %to [[0, 1]] output_shape [2, 4] : memref<8xi32> into memref<2x4xi32>
        memref.copy %part, %to2 : memref<2x4xi32, strided<[16, 2], offset: 3>> to memref<2x4xi32>
    """  # noqa: E501
    x = numbers(32)
    expected = np.concatenate([x[3:11:2], x[19:27:2]])
    found = run(one_object(body, "4x8xi32", "8xi32"), x, zeros(8))[1]
    assert np.array_equal(found, expected)


def test_collapsed_and_expanded_shapes_are_the_same_memory(run: Run) -> None:
    body = """
        %flat = memref.collapse_shape %from [[0, 1]] : memref<4x4xi32> into memref<16xi32>
        %cube = memref.expand_shape %to [[0, 1, 2]] output_shape [2, 4, 2] : memref<16xi32> into memref<2x4x2xi32>
        %five = arith.constant 5 : index
        %v = memref.load %flat[%five] : memref<16xi32>
        memref.store %v, %cube[%c1, %c2, %c1] : memref<2x4x2xi32>
    """  # noqa: E501
    x = numbers(16)
    found = run(one_object(body, "4x4xi32", V16), x, zeros(16))[1]
    assert found[8 + 4 + 1] == x[5]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "%k = arith.constant 16 : index\n%v = memref.load %from[%k] : memref<16xi32>\n",
            r"memref.load\[16\] is outside 16",
        ),
        (
            "%m = arith.subi %c0, %c1 : index\n%v = memref.load %from[%m] : memref<16xi32>\n",
            r"memref.load\[-1\] is outside 16",
        ),
        (
            "%k = arith.constant 8 : index\n%m = arith.addi %k, %k : index\n"
            "%v = arith.constant 0 : i32\nmemref.store %v, %to[%m] : memref<16xi32>\n",
            r"memref.store\[16\] is outside 16",
        ),
        (
            "%w = memref.subview %from[%c2] [15] [1] : memref<16xi32> to "
            "memref<15xi32, strided<[1], offset: ?>>\n",
            r"memref.subview\[2\] is outside 16",
        ),
        (
            "%w = memref.reinterpret_cast %from to offset: [8], sizes: [16], strides: [1] : "
            "memref<16xi32> to memref<16xi32, strided<[1], offset: 8>>\n",
            r"memref.reinterpret_cast\[8\] is outside 16",
        ),
    ],
)
def test_an_access_outside_names_its_line(run: Run, body: str, message: str) -> None:
    text = one_object(body, V16)
    with pytest.raises(DesignError, match=message) as error:
        run(text, zeros(16), zeros(16))
    last = body.strip().splitlines()[-1]
    line = 1 + next(n for n, t in enumerate(text.splitlines()) if t.strip() == last)
    assert error.value.where == f"some.mlir:{line}"


def test_a_view_of_another_type_than_it_makes_is_refused(run: Run) -> None:
    body = (
        "%w = memref.subview %from[0, 0] [4, 2] [1, 1] : memref<4x8xi32> to "
        "memref<4x2xi32, strided<[2, 1]>>\n"
    )
    with pytest.raises(DesignError):
        run(one_object(body, "4x8xi32", "8xi32"), zeros(32), zeros(8))


def test_a_view_that_came_through_a_branch_cant_be_cast(run: Run) -> None:
    view = "memref<8xi32, strided<[1], offset: ?>>"
    body = f"""
        %l = memref.subview %from[%c0] [8] [1] : memref<16xi32> to {view}
        %r = memref.subview %from[%c2] [8] [1] : memref<16xi32> to {view}
        %yes = arith.constant true
        %w = arith.select %yes, %l, %r : {view}
        %p = memref.cast %w : {view} to memref<8xi32>
    """
    with pytest.raises(DesignError, match="can't tell what this memref is a view of"):
        run(one_object(body, V16), zeros(16), zeros(16))


def test_a_layout_known_only_at_run_time_is_refused(run: Run) -> None:
    body = (
        "%p = memref.cast %from : memref<16xi32> to memref<16xi32, strided<[?], offset: ?>>\n"
        "%v = memref.load %p[%c1] : memref<16xi32, strided<[?], offset: ?>>\n"
    )
    with pytest.raises(DesignError, match="known only at run time"):
        run(one_object(body, V16), zeros(16), zeros(16))


def test_a_copy_needs_two_alike(run: Run) -> None:
    body = "memref.copy %from, %to : memref<16xi32> to memref<8xi32>\n"
    with pytest.raises(DesignError, match=r"memref.copy needs two of one shape"):
        run(one_object(body, V16, "8xi32"), zeros(16), zeros(8))


def test_a_neighbours_buffer_is_in_reach_and_a_far_one_isnt(run: Run) -> None:
    """Core b writes what core a reads, told by a FIFO without data of its own."""

    def text(tile: str) -> str:
        return design(
            f'%spot = aie.buffer(%{tile}) {{sym_name = "spot"}} : memref<4xi32> = dense<3>\n',
            fifo("told", "%b", "%a", "1xi32"),
            fifo("out", "%a", "%shim", "4xi32"),
            core(
                "b",
                "%n = arith.constant 42 : i32\nmemref.store %n, %spot[%c1] : memref<4xi32>\n"
                + produce("t", "told", "1xi32")
                + send("told"),
            ),
            core(
                "a",
                consume("t", "told", "1xi32")
                + produce("to", "out", "4xi32")
                + "memref.copy %spot, %to : memref<4xi32> to memref<4xi32>\n"
                + release("told", "Consume")
                + send("out"),
            ),
            sequence({"y": "4xi32"}, transfer("out", "y", "4xi32", sizes="4") + wait("out")),
        )

    for tile in ("a", "b"):
        assert run(text(tile), zeros(4))[0].tolist() == [3, 42, 3, 3]
    with pytest.raises(DesignError, match=r"\(0, 3\) can't reach the memory of tile \(0, 5\)"):
        run(text("d"), zeros(4))
