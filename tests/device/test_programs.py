"""What core programs compute by themselves and with kernels: control flow, memrefs, calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    Array,
    consume,
    core,
    design,
    each,
    endless,
    fifo,
    free,
    in_out,
    map_elements,
    produce,
    release,
    send,
    sequence,
    through,
    transfer,
    wait,
)
from workbench.errors import DesignError

V16 = "16xi32"

Ints = npt.NDArray[np.int32]


def numbers(count: int) -> Ints:
    return np.random.default_rng(count).integers(-1000, 1000, count).astype(np.int32)


def zeros(count: int) -> Ints:
    return np.zeros(count, np.int32)


def one_object(body: str, kind: str = V16, out_kind: str | None = None) -> str:
    """A design whose core makes %to from %from, object by object."""
    count, out_count = (
        int(np.prod([int(n) for n in k.split("x")[:-1]] or [1])) for k in (kind, out_kind or kind)
    )
    element = kind.split("x")[-1]
    return design(
        in_out(kind, out_kind),
        endless(
            "a",
            consume("from", "in", kind)
            + produce("to", "out", out_kind or kind)
            + body
            + free("in")
            + send("out"),
        ),
        through(element, count, (out_kind or kind).split("x")[-1], out_count),
    )


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


COPY = f"""
    scf.for %i = %c0 to %n16 step %c1 {{
      %x = memref.load %from[%i] : memref<{V16}>
      VALUE
      memref.store %y, %to[%i] : memref<{V16}>
    }}
"""


def looped(value: str) -> str:
    return one_object("%n16 = arith.constant 16 : index\n" + COPY.replace("VALUE", value))


def test_an_if_gives_values(run: Run) -> None:
    text = looped("""
      %zero = arith.constant 0 : i32
      %below = arith.cmpi slt, %x, %zero : i32
      %y, %z = scf.if %below -> (i32, i32) {
        %n = arith.subi %zero, %x : i32
        scf.yield %n, %x : i32, i32
      } else {
        %n2 = arith.addi %x, %x : i32
        scf.yield %n2, %x : i32, i32
      }
    """)
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], np.where(x < 0, -x, x + x))


def test_an_if_without_else(run: Run) -> None:
    text = looped("""
      %zero = arith.constant 0 : i32
      %below = arith.cmpi slt, %x, %zero : i32
      scf.if %below {
        memref.store %zero, %from[%i] : memref<16xi32>
      }
      %y = memref.load %from[%i] : memref<16xi32>
    """)
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], np.maximum(x, 0))


def test_a_loop_carries_values_and_swaps_them(run: Run) -> None:
    """Fibonacci: both values change at once."""
    text = looped("""
      %zero = arith.constant 0 : i32
      %first = arith.constant 1 : i32
      %y, %z = scf.for %k = %c0 to %i step %c1 iter_args(%p = %zero, %q = %first) -> (i32, i32) {
        %s = arith.addi %p, %q : i32
        scf.yield %q, %s : i32, i32
      }
    """)
    fibonacci = [0, 1]
    while len(fibonacci) < 16:
        fibonacci.append(fibonacci[-1] + fibonacci[-2])
    assert run(text, zeros(16), zeros(16))[1].tolist() == fibonacci


def test_a_loop_that_never_runs_gives_what_it_started_with(run: Run) -> None:
    text = looped("""
      %y = scf.for %k = %c2 to %c1 step %c1 iter_args(%p = %x) -> (i32) {
        %s = arith.addi %p, %p : i32
        scf.yield %s : i32
      }
    """)
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], x)


def test_loops_step_over_and_count_down_from_negative(run: Run) -> None:
    text = looped("""
      %from_ = arith.constant -5 : index
      %to_ = arith.constant 9 : index
      %by = arith.constant 4 : index
      %zero = arith.constant 0 : index
      %sum = scf.for %k = %from_ to %to_ step %by iter_args(%p = %zero) -> (index) {
        %s = arith.addi %p, %k : index
        scf.yield %s : index
      }
      %y = arith.index_cast %sum : index to i32
    """)
    assert set(run(text, zeros(16), zeros(16))[1]) == {sum(range(-5, 9, 4))}


def test_a_loops_step_must_be_positive(run: Run) -> None:
    text = looped("""
      %none = arith.subi %c1, %c1 : index
      scf.for %k = %c0 to %c2 step %none { }
      %y = arith.addi %x, %x : i32
    """)
    with pytest.raises(DesignError, match=r"the step of scf\.for must be positive, it is 0"):
        run(text, zeros(16), zeros(16))


def test_a_while_computes_until_its_condition_fails(run: Run) -> None:
    """Collatz steps; the condition hands other values on than it was given."""
    text = looped("""
      %one = arith.constant 1 : i32
      %two = arith.constant 2 : i32
      %three = arith.constant 3 : i32
      %zero = arith.constant 0 : i32
      %y, %last = scf.while (%n = %x, %steps = %zero) : (i32, i32) -> (i32, i32) {
        %more = arith.cmpi sgt, %n, %one : i32
        scf.condition(%more) %steps, %n : i32, i32
      } do {
      ^bb0(%steps: i32, %n: i32):
        %bit = arith.andi %n, %one : i32
        %odd = arith.cmpi eq, %bit, %one : i32
        %next = scf.if %odd -> (i32) {
          %m = arith.muli %n, %three : i32
          %p = arith.addi %m, %one : i32
          scf.yield %p : i32
        } else {
          %h = arith.divsi %n, %two : i32
          scf.yield %h : i32
        }
        %count = arith.addi %steps, %one : i32
        scf.yield %next, %count : i32, i32
      }
    """)

    def steps(n: int) -> int:
        return 0 if n <= 1 else 1 + steps(3 * n + 1 if n % 2 else n // 2)

    x = np.arange(16, dtype=np.int32)
    assert run(text, x, zeros(16))[1].tolist() == [steps(n) for n in range(16)]


def test_branches_between_blocks(run: Run) -> None:
    """The lowered form: an endless loop and an inner one, by cf alone, with block arguments."""
    kind = V16
    body = f"""
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 16 : index
      cf.br ^outer
    ^outer:
      {consume("from", "in", kind)}
      {produce("to", "out", kind)}
      %zero = arith.constant 0 : i32
      cf.br ^inner(%c0, %zero : index, i32)
    ^inner(%i: index, %sum: i32):
      %go = arith.cmpi slt, %i, %n : index
      cf.cond_br %go, ^body(%i, %sum : index, i32), ^done
    ^body(%j: index, %old: i32):
      %x = memref.load %from[%j] : memref<{kind}>
      %new = arith.addi %old, %x : i32
      memref.store %new, %to[%j] : memref<{kind}>
      %k = arith.addi %j, %c1 : index
      cf.br ^inner(%k, %new : index, i32)
    ^done:
      {free("in")}{send("out")}
      cf.br ^outer
    """
    text = design(in_out(kind), f"aie.core(%a) {{\n{body}\n}}\n", through(kind, 64))
    x = numbers(64)
    expected = np.cumsum(x.reshape(4, 16), axis=1).ravel()
    assert np.array_equal(run(text, x, zeros(64))[1], expected)


def test_blocks_swap_their_arguments_at_once(run: Run) -> None:
    body = f"""
      {consume("from", "in", V16)}
      {produce("to", "out", V16)}
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = arith.constant 16 : index
      %p = arith.constant 1 : i32
      %q = arith.constant 2 : i32
      cf.br ^turn(%c0, %p, %q : index, i32, i32)
    ^turn(%i: index, %l: i32, %r: i32):
      memref.store %l, %to[%i] : memref<{V16}>
      %k = arith.addi %i, %c1 : index
      %go = arith.cmpi slt, %k, %n : index
      cf.cond_br %go, ^turn(%k, %r, %l : index, i32, i32), ^end
    ^end:
      {free("in")}{send("out")}
      aie.end
    """
    text = design(in_out(V16), f"aie.core(%a) {{\n{body}\n}}\n", through(V16, 16))
    assert run(text, zeros(16), zeros(16))[1].tolist() == [1, 2] * 8


@pytest.mark.parametrize("bound", ["0xFFFFFFFF", "4294967295", "9223372036854775807"])
def test_endless_loops(load: Load, bound: str) -> None:
    text = design(in_out(V16), map_elements("a", 16, V16, "%y = arith.addi %x, %x : i32"),
                  through(V16, 48)).replace("9223372036854775807", bound)  # fmt: skip
    x = numbers(48)
    running = load(text, x, x)
    for _ in range(3):
        assert np.array_equal(running(x, zeros(48))[1], x * 2)


def test_an_endless_while(load: Load) -> None:
    body = (
        "%yes = arith.constant true\n"
        "scf.while : () -> () {\nscf.condition(%yes)\n} do {\n"
        + consume("from", "in", V16)
        + produce("to", "out", V16)
        + f"memref.copy %from, %to : memref<{V16}> to memref<{V16}>\n"
        + free("in")
        + send("out")
        + "scf.yield\n}\n"
    )
    text = design(in_out(V16), core("a", body), through(V16, 48))
    x = numbers(48)
    running = load(text, x, x)
    for _ in range(3):
        assert np.array_equal(running(x, zeros(48))[1], x)


COUNT_UP = """
    %v = memref.load %n[%c0] : memref<1xi32>
    %one = arith.constant 1 : i32
    %w = arith.addi %v, %one : i32
    memref.store %w, %n[%c0] : memref<1xi32>
"""


@pytest.mark.parametrize(
    "loop",
    [
        f"scf.for %k = %c0 to %forever step %c1 {{\n{COUNT_UP}\n}}",
        f"%far = arith.addi %forever, %c0 : index\n"
        f"scf.for %k = %c0 to %far step %c1 {{\n{COUNT_UP}\n}}",
        f"%yes = arith.constant true\nscf.while : () -> () {{\nscf.condition(%yes)\n}} do {{\n"
        f"{COUNT_UP}\nscf.yield\n}}",
        f"cf.br ^turn\n^turn:\n{COUNT_UP}\ncf.br ^turn\n^never:",
    ],
    ids=["for", "computed", "while", "branch"],
)
def test_a_core_that_never_waits_lets_the_others_run(run: Run, loop: str) -> None:
    """An endless loop that only computes: the run ends with the sequence."""
    text = design(
        in_out(V16),
        '%n = aie.buffer(%d) {sym_name = "n"} : memref<1xi32> = dense<0>\n',
        core("d", loop),
        map_elements("a", 16, V16, "%y = arith.addi %x, %x : i32"),
        through(V16, 48),
    )
    x = numbers(48)
    assert np.array_equal(run(text, x, zeros(48))[1], x * 2)


def test_functions_with_bodies(run: Run) -> None:
    """Called from two cores, with several results, calling each other, looping and branching."""
    functions = f"""
    func.func @square(%v: i32) -> i32 {{
      %s = arith.muli %v, %v : i32
      return %s : i32
    }}
    func.func @both(%m: memref<{V16}>, %i: index) -> (i32, i32) {{
      %v = memref.load %m[%i] : memref<{V16}>
      %s = func.call @square(%v) : (i32) -> i32
      %zero = arith.constant 0 : i32
      %below = arith.cmpi slt, %v, %zero : i32
      cf.cond_br %below, ^minus(%s : i32), ^plus
    ^minus(%t: i32):
      %u = arith.subi %zero, %t : i32
      func.return %v, %u : i32, i32
    ^plus:
      func.return %v, %s : i32, i32
    }}
    """

    def caller(tile: str, source: str, target: str) -> str:
        inside = f"""
            %p, %q = func.call @both(%from, %i) : (memref<{V16}>, index) -> (i32, i32)
            %y = arith.addi %p, %q : i32
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
        functions,
        fifo("in", "%shim", "%a", V16),
        fifo("ab", "%a", "%d", V16),
        fifo("out", "%d", "%shim", V16),
        caller("a", "in", "ab"),
        caller("d", "ab", "out"),
        through(V16, 32),
    )
    x = np.arange(-16, 16, dtype=np.int32)

    def once(v: Ints) -> Ints:
        return v + np.sign(v) * v * v

    assert np.array_equal(run(text, x, zeros(32))[1], once(once(x)))


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
    text = one_object(body)
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
        run(one_object(body), zeros(16), zeros(16))


def test_a_layout_known_only_at_run_time_is_refused(run: Run) -> None:
    body = (
        "%p = memref.cast %from : memref<16xi32> to memref<16xi32, strided<[?], offset: ?>>\n"
        "%v = memref.load %p[%c1] : memref<16xi32, strided<[?], offset: ?>>\n"
    )
    with pytest.raises(DesignError, match="known only at run time"):
        run(one_object(body), zeros(16), zeros(16))


def test_a_copy_needs_two_alike(run: Run) -> None:
    body = "memref.copy %from, %to : memref<16xi32> to memref<8xi32>\n"
    with pytest.raises(DesignError, match=r"memref.copy needs two of one shape"):
        run(one_object(body, V16, "8xi32"), zeros(16), zeros(8))


def kernel_design(declaration: str, call: str, kind: str = V16, count: int = 48) -> str:
    body = (
        consume("from", "in", kind) + produce("to", "out", kind) + call + free("in") + send("out")
    )
    return design(declaration, in_out(kind), endless("a", body), through(kind, count))


def test_a_kernel_is_called(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @add_number(memref<16xi32>, memref<16xi32>, i32, i32)\n",
        "%n = arith.constant 7 : i32\n%k = arith.constant 16 : i32\n"
        "func.call @add_number(%from, %to, %n, %k) : "
        "(memref<16xi32>, memref<16xi32>, i32, i32) -> ()\n",
    )
    x = numbers(48)
    assert np.array_equal(run(text, x, zeros(48), library=library)[1], x + 7)


def test_several_kernels_are_called_and_give_results(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @largest(memref<16xi32>, i32) -> i32\n"
        "func.func private @add_number(memref<16xi32>, memref<16xi32>, i32, i32)\n"
        "func.func private @scale(memref<16xi32>, memref<16xi32>, i32)\n"
        '%middle = aie.buffer(%a) {sym_name = "middle"} : memref<16xi32>\n',
        "%k = arith.constant 16 : i32\n"
        "%m = func.call @largest(%from, %k) : (memref<16xi32>, i32) -> i32\n"
        "func.call @scale(%from, %middle, %k) : (memref<16xi32>, memref<16xi32>, i32) -> ()\n"
        "func.call @add_number(%middle, %to, %m, %k) : "
        "(memref<16xi32>, memref<16xi32>, i32, i32) -> ()\n",
    )
    x = numbers(48)
    rows = x.reshape(3, 16)
    expected = rows * 3 + rows.max(axis=1, keepdims=True)
    assert np.array_equal(run(text, x, zeros(48), library=library)[1], expected.ravel())


def test_static_data_is_each_cores_own_and_stays(load: Load, library: Path) -> None:
    def counter(tile: str, target: str) -> str:
        body = produce("to", target, "1xi32")
        body += "func.call @count_calls(%to) : (memref<1xi32>) -> ()\n" + send(target)
        return endless(tile, body)

    text = design(
        "func.func private @count_calls(memref<1xi32>)\n",
        fifo("p", "%a", "%shim", "1xi32"),
        fifo("q", "%d", "%shim", "1xi32"),
        counter("a", "p"),
        counter("d", "q"),
        sequence(
            {"x": "3xi32", "y": "2xi32"},
            transfer("p", "x", "3xi32", sizes="3", number=0)
            + transfer("q", "y", "2xi32", sizes="2", number=1)
            + wait("p")
            + wait("q"),
        ),
    )
    running = load(text, zeros(3), zeros(2), library=library)
    x, y = running(zeros(3), zeros(2))
    assert (x.tolist(), y.tolist()) == ([1, 2, 3], [1, 2])
    x, y = running(zeros(3), zeros(2))
    assert (x.tolist(), y.tolist()) == ([4, 5, 6], [3, 4])


def test_a_kernel_may_take_narrower_integers_than_declared(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @narrowed(memref<4xi32>, i32, i32)\n",
        "%p = arith.constant 200 : i32\n%q = arith.constant -3 : i32\n"
        "func.call @narrowed(%to, %p, %q) : (memref<4xi32>, i32, i32) -> ()\n",
        "4xi32",
        4,
    )
    found = run(text, zeros(4), zeros(4), library=library)[1]
    assert found.tolist()[:2] == [200, -3]


def test_scalars_of_every_kind_are_passed(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @scalars(memref<4xf32>, f32, i64, i1)\n",
        "%p = arith.constant 1.5 : f32\n%q = arith.constant -9000000000 : i64\n"
        "%r = arith.constant true\n"
        "func.call @scalars(%to, %p, %q, %r) : (memref<4xf32>, f32, i64, i1) -> ()\n",
        "4xf32",
        4,
    )
    found = run(text, np.zeros(4, np.float32), np.zeros(4, np.float32), library=library)[1]
    assert found[:3].tolist() == [1.5, float(np.float32(-9e9)), 1.0]


@pytest.mark.parametrize(
    ("name", "kind", "dtype", "plain"),
    [
        ("copy_bytes", "16xui8", np.uint8, lambda x: x),
        ("negate_halves", "16xbf16", np.uint16, lambda x: x ^ np.uint16(0x8000)),
    ],
)
def test_kernels_of_other_elements(
    run: Run, library: Path, name: str, kind: str, dtype: Any, plain: Any
) -> None:
    text = kernel_design(
        f"func.func private @{name}(memref<{kind}>, memref<{kind}>, i32)\n",
        "%k = arith.constant 16 : i32\n"
        f"func.call @{name}(%from, %to, %k) : (memref<{kind}>, memref<{kind}>, i32) -> ()\n",
        kind,
    )
    x: Array = np.random.default_rng(1).integers(1, 250, 48).astype(dtype)
    assert np.array_equal(run(text, x, np.zeros(48, dtype), library=library)[1], plain(x))


def test_a_kernel_gets_a_view_without_its_offset_as_with_aiecc(load: Load, library: Path) -> None:
    kind = "memref<8xi32, strided<[1], offset: 8>>"
    text = kernel_design(
        f"func.func private @add_number({kind}, memref<16xi32>, i32, i32)\n",
        f"%half = memref.subview %from[8] [8] [1] : memref<16xi32> to {kind}\n"
        "%n = arith.constant 0 : i32\n%k = arith.constant 8 : i32\n"
        f"func.call @add_number(%half, %to, %n, %k) : ({kind}, memref<16xi32>, i32, i32) -> ()\n",
        V16,
        16,
    )
    x = numbers(16)
    running = load(text, x, x, library=library)
    assert np.array_equal(running(x, zeros(16))[1][:8], x[:8])
    assert any("drops the offset of 8 elements of argument 0" in note for note in running.notes)


def test_a_view_with_an_offset_of_run_time_cant_be_passed(run: Run, library: Path) -> None:
    kind = "memref<8xi32, strided<[1], offset: ?>>"
    text = kernel_design(
        f"func.func private @add_number({kind}, memref<16xi32>, i32, i32)\n",
        f"%half = memref.subview %from[%c2] [8] [1] : memref<16xi32> to {kind}\n"
        "%n = arith.constant 0 : i32\n%k = arith.constant 8 : i32\n"
        f"func.call @add_number(%half, %to, %n, %k) : ({kind}, memref<16xi32>, i32, i32) -> ()\n",
    )
    with pytest.raises(DesignError, match="can't be passed to a kernel"):
        run(text, zeros(48), zeros(48), library=library)


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
