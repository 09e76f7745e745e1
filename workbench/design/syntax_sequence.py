"""The text of what runtime sequences contain, and of standard operations xDSL reads too narrowly."""

from __future__ import annotations

from xdsl.dialects.builtin import (
    FunctionType,
    IndexType,
    IntegerType,
    MemRefType,
    TensorType,
)
from xdsl.ir import SSAValue

from workbench.design.dialect import DesignOp, DesignParser, Syntax, refusal
from workbench.design.text import attributes, dimensions, make, symbol

DYNAMIC = None
"""Stands for a value given by an operand, in lists of offsets, sizes and strides."""


def _items(p: DesignParser, operands: list[SSAValue]) -> tuple[int | None, ...]:
    """`[0, %n, 4]`: numbers, with None for operands, which are appended to `operands`."""

    def item() -> int | None:
        operand = p.parse_optional_unresolved_operand()
        if operand is None:
            return p.parse_integer()
        operands.append(p.defined(operand))
        return DYNAMIC

    return tuple(p.parse_comma_separated_list(p.Delimiter.SQUARE, item))


def memcpy(p: DesignParser) -> DesignOp:
    """`aiex.npu.dma_memcpy_nd(%x[offsets][sizes][strides]) {metadata = @f, …} : memref<…>`.

    Texts of 2024 begin with two tile coordinates and may give three strides only.
    """
    name = "aiex.npu.dma_memcpy_nd"
    operands: list[SSAValue] = []
    with p.in_parens():
        while p.parse_optional_integer() is not None:
            p.parse_punctuation(",")
        unresolved = p.parse_unresolved_operand()
        p.parse_optional_punctuation(",")
        offsets = _items(p, operands)
        sizes = _items(p, operands)
        strides = _items(p, operands)
        if p.parse_optional_punctuation(","):
            raise refusal(name, "packet headers", p.here())
    values = attributes(p)
    p.parse_punctuation(":")
    operands.insert(0, p.resolve_operand(unresolved, p.parse_type()))
    if "packet" in values:
        raise refusal(name, "packet headers", p.here())
    values.update(offsets=offsets, sizes=sizes, strides=strides)
    return make(name, values, operands=operands)


def task(p: DesignParser) -> DesignOp:
    """`%t = aiex.dma_configure_task_for @f { aie.dma_bd(…) aie.end } {issue_token = true}`."""
    name = symbol(p)
    region = p.parse_region()
    values = attributes(p)
    values["fifo"] = name
    return make(
        "aiex.dma_configure_task_for", values, results=[IndexType()], regions=[region]
    )


def _on_task(name: str) -> Syntax:
    def parse(p: DesignParser) -> DesignOp:
        with p.in_parens():
            operand = p.resolve_operand(p.parse_unresolved_operand(), IndexType())
        return make(name, attributes(p), operands=[operand])

    return parse


def descriptor(p: DesignParser) -> DesignOp:
    """`aie.dma_bd(%b : memref<…>, offset, length, [<size, stride>, …])`; all but %b optional."""
    numbers: list[int] = []
    dims: tuple[tuple[int, int], ...] = ()
    with p.in_parens():
        unresolved = p.parse_unresolved_operand()
        p.parse_punctuation(":")
        operand = p.resolve_operand(unresolved, p.parse_type())
        while p.parse_optional_punctuation(","):
            if p.next_is("["):
                if dims:
                    raise refusal("aie.dma_bd", "padding", p.here())
                dims = dimensions(p)
            elif (number := p.parse_optional_integer()) is not None:
                numbers.append(number)
            else:
                raise refusal("aie.dma_bd", "padding and computed lengths", p.here())
    values = attributes(p)
    for key, what in (("packet", "packet headers"), ("const_pad", "padding")):
        if key in values:
            raise refusal("aie.dma_bd", what, p.here())
    offset = numbers[0] if numbers else values.get("offset", 0)
    length = numbers[1] if len(numbers) > 1 else values.get("len")
    return make(
        "aie.dma_bd", {"offset": offset, "length": length, "dimensions": dims}, operands=[operand]
    )


def next_descriptor(p: DesignParser) -> DesignOp:
    """`aie.next_bd ^block`."""
    successor = p.parse_successor()
    return make("aie.next_bd", attributes(p), successors=[successor])


def parameter(p: DesignParser) -> DesignOp:
    """`aiex.npu.rtp_write(@buffer, index, value)`; the value may be an operand."""
    operands: list[SSAValue] = []
    value: int | None = None
    with p.in_parens():
        name = symbol(p)
        p.parse_punctuation(",")
        index = p.parse_integer()
        p.parse_punctuation(",")
        if (operand := p.parse_optional_unresolved_operand()) is not None:
            operands.append(p.defined(operand))
        else:
            value = p.parse_integer()
    attributes(p)
    if p.parse_optional_punctuation(":"):
        p.parse_type()
    values = {"buffer": name, "index": index, "value": value}
    return make("aiex.npu.rtp_write", dict(values), operands=operands)


def _attributes_only(name: str) -> Syntax:
    return lambda p: make(name, attributes(p))


PREDICATES = ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")


def compare(p: DesignParser) -> DesignOp:
    """`arith.cmpi slt, %a, %b : i32`; older texts quote the predicate."""
    at = p.pos
    predicate = p.parse_optional_str_literal() or p.parse_identifier()
    if predicate not in PREDICATES:
        p.raise_error(f"unknown predicate {predicate}", at)
    p.parse_punctuation(",")
    left = p.parse_unresolved_operand()
    p.parse_punctuation(",")
    right = p.parse_unresolved_operand()
    attributes(p)
    p.parse_punctuation(":")
    kind = p.parse_type()
    operands = [p.resolve_operand(left, kind), p.resolve_operand(right, kind)]
    return make(
        "arith.cmpi", {"predicate": predicate}, operands=operands, results=[IntegerType(1)]
    )


def cast(p: DesignParser) -> DesignOp:
    """`memref.cast %x : T to U`."""
    unresolved = p.parse_unresolved_operand()
    attributes(p)
    p.parse_punctuation(":")
    operand = p.resolve_operand(unresolved, p.parse_type())
    p.parse_keyword("to")
    return make("memref.cast", {}, operands=[operand], results=[p.parse_type()])


def copy(p: DesignParser) -> DesignOp:
    """`memref.copy %a, %b : T to U`."""
    source = p.parse_unresolved_operand()
    p.parse_punctuation(",")
    target = p.parse_unresolved_operand()
    attributes(p)
    p.parse_punctuation(":")
    operands = [p.resolve_operand(source, p.parse_type())]
    p.parse_keyword("to")
    operands.append(p.resolve_operand(target, p.parse_type()))
    return make("memref.copy", {}, operands=operands)


def global_constant(p: DesignParser) -> DesignOp:
    """`memref.global "public" @x : memref<…>`, which older designs name their host buffers with."""
    p.parse_optional_str_literal()
    p.parse_optional_keyword("constant")
    name = p.parse_symbol_name().data
    p.parse_punctuation(":")
    kind = p.parse_type()
    if p.parse_optional_punctuation("=") and not p.parse_optional_keyword("uninitialized"):
        p.parse_keyword("dense")
        if isinstance(kind, MemRefType):
            p.parse_dense_int_or_fp_elements_attr(TensorType(kind.element_type, kind.get_shape()))
    attributes(p)
    return make("memref.global", {"name": name})


def call(p: DesignParser) -> DesignOp:
    """`func.call @f(%a, …) : (T, …) -> (U, …)`."""
    callee = p.parse_symbol_name().data
    unresolved = p.parse_comma_separated_list(p.Delimiter.PAREN, p.parse_unresolved_operand)
    attributes(p)
    p.parse_punctuation(":")
    at = p.pos
    kind: FunctionType = p.parse_function_type()
    operands = p.resolve_operands(unresolved, kind.inputs.data, at)
    return make(
        "func.call", {"callee": callee}, operands=operands, results=list(kind.outputs.data)
    )




SEQUENCE_SYNTAX: dict[str, Syntax] = {
    "aiex.npu.dma_memcpy_nd": memcpy,
    "aiex.npu.dma_wait": _attributes_only("aiex.npu.dma_wait"),
    "aiex.npu.sync": _attributes_only("aiex.npu.sync"),
    "aiex.npu.load_pdi": _attributes_only("aiex.npu.load_pdi"),
    "aiex.npu.rtp_write": parameter,
    "aiex.dma_configure_task_for": task,
    "aiex.dma_start_task": _on_task("aiex.dma_start_task"),
    "aiex.dma_await_task": _on_task("aiex.dma_await_task"),
    "aiex.dma_free_task": _on_task("aiex.dma_free_task"),
    "aie.dma_bd": descriptor,
    "aie.next_bd": next_descriptor,
    "arith.cmpi": compare,
    "memref.cast": cast,
    "memref.copy": copy,
    "memref.global": global_constant,
    "func.call": call,
}

