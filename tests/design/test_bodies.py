"""What read operations hold: the promises of `workbench.design.operations`, one by one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.design.texts import CORE, FIFOS, acquire, read
from workbench.design import operations
from workbench.design.model import Body, ConstantArgument, MemRef, Op
from workbench.design.operations import (
    CASTS,
    CORE_OPERATIONS,
    FLOAT_BINARY,
    FUNCTION_OPERATIONS,
    INTEGER_BINARY,
    SEQUENCE_OPERATIONS,
)
from workbench.design.syntax_sequence import PREDICATES
from workbench.errors import DesignError

VALUES = """
      %i = arith.constant 2 : i32
      %j = arith.constant 3 : i32
      %w = arith.constant 3 : i64
      %s = arith.constant -3 : i8
      %f = arith.constant 1.5 : f32
      %g = arith.constant 2.5 : f32
      %h = arith.constant 1.0 : bf16
      %t = arith.constant true
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c9 = arith.constant 9 : index
"""
GRID = '    %grid = aie.buffer(%core) {sym_name = "grid"} : memref<4x4xi32>\n'


def _core(text: str) -> Body:
    return read(core=VALUES + text, declarations=GRID).cores[0].body


def _only(body: Body, name: str) -> Op:
    (found,) = (op for op in body.walk() if op.name == name)
    return found


def _last(body: Body, name: str) -> Op:
    return [op for op in body.walk() if op.name == name][-1]


def _number(body: Body, value: object) -> int:
    """The number of the constant with this value."""
    found = (
        op.results[0]
        for op in body.walk()
        if op.name == "arith.constant"
        and op.attributes["value"] == value
        and type(op.attributes["value"]) is type(value)
    )
    return next(found)


# Scalars


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("-1 : i8", -1, "i8"),
        ("0xFF : i8", -1, "i8"),
        ("255 : i8", -1, "i8"),
        ("4294967295 : i32", -1, "i32"),
        ("0xFFFFFFFF : index", 0xFFFFFFFF, "index"),
        ("9223372036854775807 : index", (1 << 63) - 1, "index"),
        ("0x7FFFFFFFFFFFFFFF : index", (1 << 63) - 1, "index"),
        ("9223372036854775807 : i64", (1 << 63) - 1, "i64"),
        ("true", True, "i1"),
        ("false", False, "i1"),
        ("1.5 : f32", 1.5, "f32"),
        ("1.000000e+00 : bf16", 1.0, "bf16"),
        ("0.1 : f32", 0.10000000149011612, "f32"),
    ],
)
def test_constants(text: str, value: object, kind: str) -> None:
    op = _last(_core(f"      %x = arith.constant {text}\n"), "arith.constant")
    assert op.attributes == {"value": value}
    assert type(op.attributes["value"]) is type(value)
    assert op.result_types == (kind,)


@pytest.mark.parametrize("name", sorted(INTEGER_BINARY))
def test_integer_operations(name: str) -> None:
    body = _core(f"      %x = {name} %i, %j : i32\n")
    op = _only(body, name)
    assert op.operands == (_number(body, 2), _number(body, 3))
    assert (op.result_types, op.attributes) == (("i32",), {})


@pytest.mark.parametrize("name", sorted(FLOAT_BINARY))
def test_float_operations(name: str) -> None:
    op = _only(_core(f"      %x = {name} %f, %g : f32\n"), name)
    assert (op.operand_types, op.attributes) == (("f32", "f32"), {})


def test_flags_are_dropped() -> None:
    body = _core(
        "      %x = arith.addi %i, %j overflow<nsw> : i32\n"
        "      %y = arith.addf %f, %g fastmath<fast> : f32\n"
    )
    assert _only(body, "arith.addi").attributes == _only(body, "arith.addf").attributes == {}


_CASTS = {
    "extsi": ("%s", "i8", "i32"),
    "extui": ("%s", "i8", "i32"),
    "trunci": ("%i", "i32", "i8"),
    "index_cast": ("%c0", "index", "i32"),
    "index_castui": ("%i", "i32", "index"),
    "extf": ("%h", "bf16", "f32"),
    "truncf": ("%f", "f32", "bf16"),
    "sitofp": ("%i", "i32", "f32"),
    "uitofp": ("%i", "i32", "f32"),
    "fptosi": ("%f", "f32", "i32"),
    "fptoui": ("%f", "f32", "i32"),
    "bitcast": ("%f", "f32", "i32"),
}


@pytest.mark.parametrize("name", sorted(CASTS))
def test_casts(name: str) -> None:
    value, source, target = _CASTS[name.removeprefix("arith.")]
    op = _only(_core(f"      %x = {name} {value} : {source} to {target}\n"), name)
    assert (op.operand_types, op.result_types, op.attributes) == ((source,), (target,), {})


@pytest.mark.parametrize("predicate", PREDICATES)
@pytest.mark.parametrize("quote", ["", '"'])
def test_integer_comparisons(predicate: str, quote: str) -> None:
    op = _only(
        _core(f"      %x = arith.cmpi {quote}{predicate}{quote}, %i, %j : i32\n"), "arith.cmpi"
    )
    assert op.attributes == {"predicate": predicate}
    assert op.result_types == ("i1",)


@pytest.mark.parametrize(
    "predicate",
    [
        *("false", "oeq", "ogt", "oge", "olt", "ole", "one", "ord"),
        *("ueq", "ugt", "uge", "ult", "ule", "une", "uno", "true"),
    ],
)
def test_float_comparisons(predicate: str) -> None:
    op = _only(_core(f"      %x = arith.cmpf {predicate}, %f, %g : f32\n"), "arith.cmpf")
    assert op.attributes == {"predicate": predicate}


def test_an_unknown_predicate() -> None:
    with pytest.raises(DesignError, match="unknown predicate lt"):
        _core("      %x = arith.cmpi lt, %i, %j : i32\n")


def test_select_and_negf() -> None:
    body = _core("      %x = arith.select %t, %i, %j : i32\n      %y = arith.negf %f : f32\n")
    values = (_number(body, True), _number(body, 2), _number(body, 3))
    assert _only(body, "arith.select").operands == values
    assert _only(body, "arith.negf").operands == (_number(body, 1.5),)


# Control flow


def test_a_loop_with_carried_values() -> None:
    body = _core(
        "      %r = scf.for %k = %c0 to %c9 step %c1 iter_args(%acc = %i) -> (i32) {\n"
        "        %n = arith.addi %acc, %j : i32\n"
        "        scf.yield %n : i32\n      }\n"
        "      %after = arith.muli %r, %r : i32\n"
    )
    loop = _only(body, "scf.for")
    assert loop.operands == tuple(_number(body, value) for value in (0, 9, 1, 2))
    (block,) = loop.regions[0].blocks
    assert block.argument_types == ("index", "i32")
    assert [op.name for op in block.ops] == ["arith.addi", "scf.yield"]
    assert block.ops[1].operands == block.ops[0].results
    assert _only(body, "arith.muli").operands == loop.results * 2


def test_a_loop_without_values_ends_in_a_yield_all_the_same() -> None:
    loop = _only(_core("      scf.for %k = %c0 to %c9 step %c1 {\n      }\n"), "scf.for")
    (end,) = loop.regions[0].blocks[0].ops
    assert (end.name, end.operands, end.line) == ("scf.yield", (), loop.line)


def test_an_if_with_and_without_else() -> None:
    body = _core(
        "      scf.if %t {\n      }\n"
        "      %r = scf.if %t -> (i32) {\n        scf.yield %i : i32\n"
        "      } else {\n        scf.yield %j : i32\n      }\n"
    )
    without, both = (op for op in body.walk() if op.name == "scf.if")
    assert [len(region.blocks) for region in without.regions] == [1, 0]
    assert [len(region.blocks) for region in both.regions] == [1, 1]
    assert both.result_types == ("i32",)


def test_a_while() -> None:
    body = _core(
        "      %r = scf.while (%x = %i) : (i32) -> i32 {\n"
        "        %more = arith.cmpi slt, %x, %j : i32\n"
        "        scf.condition(%more) %x : i32\n"
        "      } do {\n      ^bb0(%y : i32):\n"
        "        %n = arith.addi %y, %j : i32\n        scf.yield %n : i32\n      }\n"
    )
    op = _only(body, "scf.while")
    before, after = (region.blocks[0] for region in op.regions)
    assert op.operands == (_number(body, 2),)
    condition = before.ops[-1]
    assert condition.name == "scf.condition"
    assert condition.operands == (before.ops[0].results[0], *before.arguments)
    assert after.ops[-1].name == "scf.yield"


def test_branches_between_blocks() -> None:
    body = _core(
        "      cf.cond_br %t, ^one(%i, %j : i32, i32), ^two(%i : i32)\n"
        "    ^one(%p : i32, %q : i32):\n      cf.br ^two(%p : i32)\n"
        "    ^two(%r : i32):\n"
    )
    choice, jump = _only(body, "cf.cond_br"), _only(body, "cf.br")
    assert (choice.successors, choice.attributes) == ((1, 2), {"counts": (2, 1)})
    two, three = _number(body, 2), _number(body, 3)
    assert choice.operands == (_number(body, True), two, three, two)
    assert (jump.successors, jump.attributes) == ((2,), {})
    assert [len(block.arguments) for block in body.region.blocks] == [0, 2, 1]


def test_calls_and_functions_with_a_body() -> None:
    text = """
    func.func private @kernel(i32) -> i32
    func.func @twice(%x : i32, %m : memref<4xi32>) -> i32 {
      %i = arith.constant 5 : i32
      %y = call @kernel(%x) : (i32) -> i32
      %z = func.call @kernel(%i) : (i32) -> i32
      return %z : i32
    }
"""
    core = """
      %i = arith.constant 2 : i32
      %r = func.call @twice(%i, %buffer) : (i32, memref<4xi32>) -> i32
"""
    buffer = '    %buffer = aie.buffer(%core) {sym_name = "b"} : memref<4xi32>\n'
    design = read(declarations=text + buffer, core=core)
    twice, kernel = design.functions["twice"], design.functions["kernel"]
    assert kernel.body is None
    assert kernel.arguments == kernel.results == ("i32",)
    assert twice.body is not None
    (block,) = twice.body.region.blocks
    assert block.argument_types == ("i32", MemRef((4,), "i32"))
    call = _only(design.cores[0].body, "func.call")
    assert call.attributes == {"callee": "twice"}
    assert call.result_types == ("i32",)
    inner = [op for op in twice.body.walk() if op.name == "func.call"]
    assert [op.attributes for op in inner] == [{"callee": "kernel"}] * 2
    assert _only(twice.body, "func.return").operands == inner[1].results
    arguments = [call.arguments for call in design.kernel_calls()]
    assert arguments == [(None,), (ConstantArgument(5, "i32", inner[0].line - 1),)]


# Memory


def test_loads_and_stores() -> None:
    body = _core(
        "      %x = memref.load %grid[%c0, %c1] : memref<4x4xi32>\n"
        "      memref.store %x, %grid[%c1, %c0] : memref<4x4xi32>\n"
    )
    ((grid, name),) = body.buffers
    load, store = _only(body, "memref.load"), _only(body, "memref.store")
    zero, one = _number(body, 0), _number(body, 1)
    assert name == "grid"
    assert load.operands == (grid, zero, one)
    assert store.operands == (*load.results, grid, one, zero)
    assert load.operand_types[0] == MemRef((4, 4), "i32")


def test_a_subview_with_literals_and_values() -> None:
    body = _core(
        "      %v = memref.subview %grid[1, %c1] [1, 2] [1, 1] : "
        "memref<4x4xi32> to memref<1x2xi32, strided<[4, 1], offset: ?>>\n"
    )
    op = _only(body, "memref.subview")
    assert op.attributes == {"offsets": (1, None), "sizes": (1, 2), "strides": (1, 1)}
    assert op.operands == (body.buffers[0][0], _number(body, 1))
    assert op.result_types == (MemRef((1, 2), "i32", (4, 1), None),)


@pytest.mark.parametrize(
    ("lists", "kind", "what"),
    [
        ("[0, 0] [1, 2] [1, %c1]", "memref<1x2xi32, strided<[4, ?]>>", "stride"),
        ("[0, 0] [%c1, 2] [1, 1]", "memref<?x2xi32, strided<[4, 1]>>", "size"),
    ],
)
def test_shapes_known_only_at_run_time_are_refused(lists: str, kind: str, what: str) -> None:
    with pytest.raises(DesignError, match=f"{what} known only at run time"):
        _core(f"      %v = memref.subview %grid{lists} : memref<4x4xi32> to {kind}\n")


def test_a_subview_that_drops_a_dimension() -> None:
    body = _core(
        "      %v = memref.subview %grid[2, 0] [1, 4] [1, 1] : "
        "memref<4x4xi32> to memref<4xi32, strided<[1], offset: 8>>\n"
    )
    op = _only(body, "memref.subview")
    assert op.attributes == {"offsets": (2, 0), "sizes": (1, 4), "strides": (1, 1)}
    assert op.result_types == (MemRef((4,), "i32", (1,), 8),)


def test_casts_and_other_views_of_memory() -> None:
    body = _core(
        "      %a = memref.reinterpret_cast %grid to offset: [4], sizes: [8], strides: [1] : "
        "memref<4x4xi32> to memref<8xi32, strided<[1], offset: 4>>\n"
        "      %b = memref.collapse_shape %grid [[0, 1]] : memref<4x4xi32> into memref<16xi32>\n"
        "      %c = memref.expand_shape %b [[0, 1]] output_shape [2, 8] : "
        "memref<16xi32> into memref<2x8xi32>\n"
        "      %d = memref.cast %b : memref<16xi32> to memref<16xi32, strided<[1]>>\n"
        "      memref.copy %b, %b : memref<16xi32> to memref<16xi32>\n"
    )
    assert _only(body, "memref.reinterpret_cast").attributes == {
        "offsets": (4,),
        "sizes": (8,),
        "strides": (1,),
    }
    assert _only(body, "memref.collapse_shape").result_types == (MemRef((16,), "i32"),)
    assert _only(body, "memref.expand_shape").result_types == (MemRef((2, 8), "i32"),)
    assert _only(body, "memref.cast").result_types == (MemRef((16,), "i32", (1,), 0),)
    assert len(_only(body, "memref.copy").operands) == 2


# FIFOs


def test_acquire_access_release() -> None:
    body = _core(CORE)
    got = _only(body, "aie.objectfifo.acquire")
    assert got.attributes == {
        "fifo": "in",
        "port": "Consume",
        "count": 1,
        "object": MemRef((16,), "i32"),
    }
    access = _only(body, "aie.objectfifo.subview.access")
    assert (access.operands, access.attributes) == (got.results, {"index": 0})
    assert access.result_types == (MemRef((16,), "i32"),)
    release = _only(body, "aie.objectfifo.release")
    assert release.attributes == {"fifo": "in", "port": "Consume", "count": 1}


@pytest.mark.parametrize("count", [", 2", ""])
def test_an_acquire_that_gives_the_objects_is_an_acquire_with_accesses(count: str) -> None:
    new = _core(
        f"      %x, %y = aie.objectfifo.acquire @in(Consume{count}) :\n"
        "        memref<16xi32>, memref<16xi32>\n"
        "      %v = memref.load %y[%c0] : memref<16xi32>\n"
    )
    got = _only(new, "aie.objectfifo.acquire")
    first, second = (op for op in new.walk() if op.name == "aie.objectfifo.subview.access")
    kind = MemRef((16,), "i32")
    assert got.attributes == {"fifo": "in", "port": "Consume", "count": 2, "object": kind}
    assert first.operands == second.operands == got.results
    assert (first.attributes, second.attributes) == ({"index": 0}, {"index": 1})
    assert _only(new, "memref.load").operands[0] == second.results[0]
    assert len({*got.results, *first.results, *second.results}) == 3


def test_counts_are_cumulative() -> None:
    """A sliding window: two objects, then one more a turn."""
    _core(
        acquire("in", "Consume", 2)
        + "      scf.for %k = %c0 to %c9 step %c1 {\n"
        + acquire("in", "Consume", 3)
        + "        aie.objectfifo.release @in(Consume, 1)\n      }\n"
        + "      aie.objectfifo.release @in(Consume, 2)\n"
    )


def test_a_loop_that_keeps_more_than_it_began_with_is_refused() -> None:
    """aiecc takes three objects in every turn; but a loop that it unrolls in full is right."""
    loop = (
        "      scf.for %k = %c0 to %c9 step %c1 {\n"
        + acquire("in", "Consume", 3)
        + "        aie.objectfifo.release @in(Consume, 1)\n      }\n"
    )
    with pytest.raises(DesignError, match="begins with 0 of @in held and ends with 2"):
        _core(loop)
    _core(loop.replace("%c9 step", "%c1 step"))
    _core("      %c4 = arith.constant 4 : index\n" + loop.replace("%c9 step", "%c4 step"))


def test_a_release_in_a_loop_of_perhaps_one_turn_is_left_to_the_run() -> None:
    _core(
        acquire("in", "Consume", 1)
        + "      scf.for %k = %c0 to %c1 step %c1 {\n"
        + "        aie.objectfifo.release @in(Consume, 1)\n      }\n"
    )


def test_a_release_in_one_branch_is_left_to_the_run() -> None:
    _core(
        acquire("in", "Consume", 1)
        + "      scf.if %t {\n        aie.objectfifo.release @in(Consume, 1)\n      }\n"
        + "      aie.objectfifo.release @in(Consume, 1)\n"
    )


# Sequences


def _sequence(text: str, declarations: str = "") -> Body:
    sequence = read(sequence=text, declarations=declarations).sequence
    assert sequence is not None
    return sequence.body


def test_the_arguments_of_a_sequence() -> None:
    sequence = read().sequence
    assert sequence is not None
    assert sequence.arguments == (MemRef((64,), "i32"),) * 2
    assert sequence.body.region.blocks[0].arguments == (0, 1)


def test_a_transfer_with_literals() -> None:
    body = _sequence(
        "aiex.npu.dma_memcpy_nd(%host[0, 0, 2, 4][2, 1, 3, 8][32, 0, 16, 1]) "
        "{metadata = @in, id = 3 : i64, issue_token = true} : memref<64xi32>\n"
    )
    op = _only(body, "aiex.npu.dma_memcpy_nd")
    assert op.operands == (0,)
    assert op.attributes == {
        "metadata": "in",
        "id": 3,
        "issue_token": True,
        "offsets": (0, 0, 2, 4),
        "sizes": (2, 1, 3, 8),
        "strides": (32, 0, 16, 1),
    }


def test_a_transfer_with_values() -> None:
    body = _sequence(
        "%zero = arith.constant 0 : i64\n%one = arith.constant 1 : i64\n"
        "%n = arith.constant 64 : i64\n"
        "aiex.npu.dma_memcpy_nd(%host[%zero, 0, 0, %zero][1, %one, 1, %n][0, 0, 0, %one]) "
        "{metadata = @in, id = 3 : i64} : memref<64xi32>\n"
    )
    op = _only(body, "aiex.npu.dma_memcpy_nd")
    zero, one, n = (_number(body, value) for value in (0, 1, 64))
    assert op.operands == (0, zero, zero, one, n, one)
    assert op.attributes["offsets"] == (None, 0, 0, None)
    assert op.attributes["sizes"] == (1, None, 1, None)
    assert op.attributes["strides"] == (0, 0, 0, None)
    assert op.attributes["issue_token"] is False


def test_constants_from_outside_move_into_the_body() -> None:
    body = _sequence(
        "aiex.npu.dma_memcpy_nd(%host[0, 0, 0, 0][1, 1, 1, %n][0, 0, 0, 1]) "
        "{metadata = @in, id = 3 : i64} : memref<64xi32>\n",
        declarations="    %n = arith.constant 64 : i64\n",
    )
    first, copy = body.region.blocks[0].ops
    assert first.name == "arith.constant"
    assert copy.operands == (0, *first.results)


def test_other_outer_values_have_no_meaning_inside() -> None:
    with pytest.raises(DesignError, match=r"can't use the result of aie\.tile from outside"):
        _core("      %x = arith.addi %core, %c0 : index\n")


def test_waits() -> None:
    body = _sequence(
        "aiex.npu.dma_wait {symbol = @out}\n"
        "aiex.npu.sync {column = 0 : i32, row = 0 : i32, direction = 0 : i32, channel = 1 : i32, "
        "column_num = 1 : i32, row_num = 1 : i32}\n"
        "aiex.npu.load_pdi {device_ref = @main}\n"
    )
    assert _only(body, "aiex.npu.dma_wait").attributes == {"symbol": "out"}
    assert _only(body, "aiex.npu.sync").attributes == {
        "column": 0,
        "row": 0,
        "direction": 0,
        "channel": 1,
        "column_num": 1,
        "row_num": 1,
    }
    assert _only(body, "aiex.npu.load_pdi").attributes == {"device_ref": "main"}


@pytest.mark.parametrize(
    ("given", "offset", "length", "dimensions"),
    [
        ("", 0, 64, ()),
        (", 8", 8, 64, ()),
        (", 8, 16", 8, 16, ()),
        (" offset = 8 len = 16", 8, 16, ()),
        (" len = 4", 0, 4, ()),
        (" offset = 0 len = 8 sizes = [2, 4] strides = [16, 1]", 0, 8, ((2, 16), (4, 1))),
        (", 0, 16, [<size = 4, stride = 16>, <size = 4, stride = 1>]", 0, 16, ((4, 16), (4, 1))),
        (", 0, 4, [<size = 3, stride = 0>, <size = 1, stride = 0>, <size = 1, stride = 0>, "
         "<size = 4, stride = 1>]", 0, 4, ((3, 0), (1, 0), (1, 0), (4, 1))),
    ],
)  # fmt: skip
def test_a_descriptor(
    given: str, offset: int, length: int, dimensions: tuple[tuple[int, int], ...]
) -> None:
    body = _sequence(
        "%t = aiex.dma_configure_task_for @in {\n"
        f"  aie.dma_bd(%host : memref<64xi32>{given}) {{bd_id = 0 : i32}}\n  aie.end\n}}\n"
    )
    op = _only(body, "aie.dma_bd")
    assert op.operands == (0,)
    assert op.attributes == {"offset": offset, "length": length, "dimensions": dimensions}


def test_a_task() -> None:
    body = _sequence(
        "%t = aiex.dma_configure_task_for @out {\n  aie.dma_bd(%result : memref<64xi32>, 0, 64)\n"
        "  aie.end\n} {issue_token = true, repeat_count = 3 : i32}\n"
        "aiex.dma_start_task(%t)\naiex.dma_await_task(%t)\naiex.dma_free_task(%t)\n"
    )
    op = _only(body, "aiex.dma_configure_task_for")
    assert op.attributes == {"fifo": "out", "issue_token": True, "repeat_count": 3}
    assert [inner.name for inner in op.regions[0].blocks[0].ops] == ["aie.dma_bd", "aie.end"]
    for name in ("aiex.dma_start_task", "aiex.dma_await_task", "aiex.dma_free_task"):
        assert _only(body, name).operands == op.results


def test_a_task_of_several_descriptors() -> None:
    body = _sequence(
        "%t = aiex.dma_configure_task_for @in {\n  aie.dma_bd(%host : memref<64xi32>, 0, 16)\n"
        "  aie.next_bd ^next\n^next:\n  aie.dma_bd(%host : memref<64xi32>, 32, 16)\n  aie.end\n}\n"
    )
    op = _only(body, "aiex.dma_configure_task_for")
    assert op.attributes == {"fifo": "in", "issue_token": False, "repeat_count": 0}
    first, second = op.regions[0].blocks
    assert [inner.name for inner in first.ops] == ["aie.dma_bd", "aie.next_bd"]
    assert first.ops[1].successors == (1,)
    assert [inner.name for inner in second.ops] == ["aie.dma_bd", "aie.end"]


_RTP = '    %rtp = aie.buffer(%core) {sym_name = "rtp"} : memref<16xi32>\n'


def test_parameters() -> None:
    body = _sequence(
        "%v = arith.constant 9 : i32\naiex.npu.rtp_write(@rtp, 3, -5)\n"
        'aiex.npu.rtp_write("rtp", 4, %v) : i32\n',
        declarations=_RTP,
    )
    literal, computed = (op for op in body.walk() if op.name == "aiex.npu.rtp_write")
    assert literal.attributes == {"buffer": "rtp", "index": 3, "value": -5}
    assert literal.operands == ()
    assert computed.attributes == {"buffer": "rtp", "index": 4, "value": None}
    assert computed.operands == (_number(body, 9),)


def test_typed_parameters_of_later_versions() -> None:
    body = _sequence("aiex.npu.rtp_write(@rtp, 3 : ui32, -5 : i32)\n", declarations=_RTP)
    op = _only(body, "aiex.npu.rtp_write")
    assert op.attributes == {"buffer": "rtp", "index": 3, "value": -5}


def test_a_loop_in_a_sequence() -> None:
    body = _sequence(
        "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
        "scf.for %k = %c0 to %c1 step %c1 {\n  aiex.npu.dma_wait {symbol = @out}\n}\n"
    )
    assert [op.name for op in body.walk()][2:] == ["scf.for", "aiex.npu.dma_wait", "scf.yield"]


# The table and the sets


def _documented() -> set[str]:
    assert operations.__doc__ is not None
    rows = re.findall(r"^\| ([a-z][^|]*) \|", operations.__doc__, re.MULTILINE)
    return {name.strip() for row in rows for name in row.split(",")}


@pytest.mark.parametrize(
    "name", sorted(CORE_OPERATIONS | FUNCTION_OPERATIONS | SEQUENCE_OPERATIONS)
)
def test_every_supported_operation_stands_in_the_table(name: str) -> None:
    known: Callable[[str], bool] = _documented().__contains__
    assert known(name) or name.startswith("arith.")


def test_the_default_design_uses_its_fifos() -> None:
    assert set(read(fifos=FIFOS).routes) == {"in", "out"}
