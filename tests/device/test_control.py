"""What core programs compute by themselves: loops, branches, functions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    Ints,
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
    send,
    through,
    zeros,
)
from workbench.errors import DesignError

V16 = "16xi32"


COPY = f"""
    scf.for %i = %c0 to %n16 step %c1 {{
      %x = memref.load %from[%i] : memref<{V16}>
      VALUE
      memref.store %y, %to[%i] : memref<{V16}>
    }}
"""


def looped(value: str) -> str:
    return one_object("%n16 = arith.constant 16 : index\n" + COPY.replace("VALUE", value), V16)


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
