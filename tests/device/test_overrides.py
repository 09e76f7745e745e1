"""Constants and stacks in place of the design's."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.device.designs import (
    PATH,
    Ints,
    consume,
    design,
    endless,
    free,
    in_out,
    numbers,
    produce,
    send,
    through,
)
from workbench.design.model import Design
from workbench.design.read import parse_design
from workbench.device.model.context import Context
from workbench.device.model.overrides import overridden
from workbench.device.model.workload import Override
from workbench.errors import DesignError

V16 = "16xi32"
TYPES = "(memref<16xi32>, memref<16xi32>, i32, i32)"
DECLARED = f"func.func private @add_number{TYPES}\n"
CONSTANTS = "%n = arith.constant 7 : i32\n%k = arith.constant 16 : i32\n"
CALL = f"func.call @add_number(%from, %to, %n, %k) : {TYPES} -> ()\n"

INNER = f"""
func.func private @inner(%from : memref<16xi32>, %to : memref<16xi32>) {{
  {CONSTANTS}
  {CALL}
  return
}}
"""


def called(call: str, declared: str = DECLARED) -> Design:
    body = consume("from", "in", V16) + produce("to", "out", V16) + call + free("in") + send("out")
    return parse_design(design(declared, in_out(V16), endless("a", body), through(V16, 48)), PATH)


def of(argument: int, value: float, function: str = "add_number") -> Override:
    return Override("number", function, argument, value, "on trial")


def result(made: Design, x: Ints, library: Path, folder: Path) -> Ints:
    copies = (folder / f"copy-{n}.so" for n in itertools.count())
    context = Context(made, {"": library}, [x.nbytes] * 2, "bank-aware", copies)
    found = context.run([x.view(np.uint8), np.zeros(x.nbytes, np.uint8)])
    return found[1].view(np.int32)


TWICE = (
    CONSTANTS
    + f"scf.for %i = %c0 to %c1 step %c1 {{\n{CALL}\n}}\n"
    + f"func.call @add_number(%to, %to, %k, %k) : {TYPES} -> ()\n"
)
DESIGNS = {
    "a constant": (CONSTANTS + CALL, DECLARED, 7, 1),
    "inside a function": (
        "func.call @inner(%from, %to) : (memref<16xi32>, memref<16xi32>) -> ()\n",
        DECLARED + INNER,
        7,
        1,
    ),
    "every call of it": (TWICE, DECLARED, 7 + 16, 2),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_what_is_passed(name: str, library: Path, tmp_path: Path) -> None:
    call, declared, before, times = DESIGNS[name]
    made, x = called(call, declared), numbers(48)
    assert np.array_equal(result(made, x, library, tmp_path), x + before)
    (tmp_path / "again").mkdir()
    other, notes = overridden(made, [of(2, -3)], None)
    assert np.array_equal(result(other, x, library, tmp_path / "again"), x - 3 * times)
    was = "7 and 16" if times == 2 else "7"
    assert notes == (f"number = -3 passed on trial in place of the design's {was}",)
    passed = [call.arguments[2] for call in other.kernel_calls()]
    assert [constant and constant.value for constant in passed] == [-3] * times


def test_what_a_core_computes_is_replaced_too(library: Path, tmp_path: Path) -> None:
    made = called(CONSTANTS + "%m = arith.muli %n, %k : i32\n" + CALL.replace("%n", "%m"))
    other, notes = overridden(made, [of(2, 5)], None)
    x = numbers(48)
    assert np.array_equal(result(other, x, library, tmp_path), x + 5)
    assert notes == ("number = 5 passed on trial in place of the design's own value",)


def test_the_same_value_is_nothing_to_speak_of() -> None:
    assert overridden(called(CONSTANTS + CALL), [of(2, 7)], None)[1] == ()


def test_other_functions_are_left_alone() -> None:
    made = called(CONSTANTS + CALL)
    other, notes = overridden(made, [of(2, 9, "scale")], None)
    assert other.kernel_calls() == made.kernel_calls()
    assert notes == ()


@pytest.mark.parametrize("argument", [0, 4])
def test_no_scalar_there(argument: int) -> None:
    with pytest.raises(DesignError, match=f"argument {argument} of @add_number is no scalar"):
        overridden(called(CONSTANTS + CALL), [of(argument, 9)], None)


@pytest.mark.parametrize(
    ("kind", "value", "passed"),
    [("i32", 2**32 - 1, -1), ("i8", 200, -56), ("i1", 1, True), ("f32", 2, 2.0), ("i64", 5.0, 5)],
)
def test_a_value_is_held_as_its_type_is(kind: str, value: float, passed: float) -> None:
    one = {"i1": "true", "f32": "1.0 : f32"}.get(kind, f"1 : {kind}")
    made = called(
        f"%n = arith.constant {one}\nfunc.call @f(%n) : ({kind}) -> ()\n",
        f"func.func private @f({kind})\n",
    )
    other, _ = overridden(made, [of(0, value, "f")], None)
    (call,) = other.kernel_calls()
    (constant,) = call.arguments
    assert constant is not None
    assert (type(constant.value), constant.value, constant.type) == (type(passed), passed, kind)


def test_a_stack_for_every_core() -> None:
    made = called(CONSTANTS + CALL)
    other, notes = overridden(made, [], 8192)
    assert [(core.stack_size, core.stack_size_given) for core in other.cores] == [(8192, True)]
    assert notes == ("the stack of core (0,2) has 8,192 bytes in place of the design's 1,024",)
