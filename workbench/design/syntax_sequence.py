"""The text of what runtime sequences hold, and of standard operations xDSL reads too narrowly."""

from __future__ import annotations

import math

from xdsl.dialects.builtin import FunctionType, IndexType, IntegerType
from xdsl.ir import SSAValue
from xdsl.parser import Parser, UnresolvedOperand

from workbench.design.dialect import DesignOp, DesignParser, Syntax, refusal
from workbench.design.text import attributes, dimensions, make, memref_type, symbol
from workbench.errors import DesignError

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

    Texts of 2024 begin with two tile coordinates and leave out the innermost stride, which is 1.
    """
    name = "aiex.npu.dma_memcpy_nd"
    operands: list[SSAValue] = []
    with p.in_parens():
        while p.parse_optional_integer() is not None:
            p.parse_punctuation(",")
        unresolved = p.parse_unresolved_operand()
        p.parse_optional_punctuation(",")
        at = p.pos
        offsets = _items(p, operands)
        sizes = _items(p, operands)
        strides = _items(p, operands)
        if p.parse_optional_punctuation(","):
            raise refusal(name, "packet headers", p.operation_line())
    if len(strides) == 3:
        strides = (*strides, 1)
    if not len(offsets) == len(sizes) == len(strides) == 4:
        p.raise_error(f"{name} needs 4 offsets, 4 sizes and 4 strides", at)
    given = attributes(p)
    p.parse_punctuation(":")
    operands.insert(0, p.resolve_operand(unresolved, p.parse_type()))
    _refuse(p, name, given, _MEMCPY_REFUSED)
    values: dict[str, object] = {"offsets": offsets, "sizes": sizes, "strides": strides}
    values["metadata"] = _required(p, name, given, "metadata")
    values["id"] = _required(p, name, given, "id")
    values["issue_token"] = bool(given.get("issue_token", False))
    return make(name, values, operands=operands)


_PADDING = {f"d{i}_zero_{side}": "padding" for i in range(3) for side in ("before", "after")}
_MEMCPY_REFUSED = {"packet": "packet headers", **_PADDING}


def _refuse(p: DesignParser, name: str, given: dict[str, object], refused: dict[str, str]) -> None:
    """Refuse attributes that change what an operation does in ways that can't be modelled."""
    for key, what in refused.items():
        if given.get(key):
            raise refusal(f"{name} with {key}", what, p.operation_line())


def _required(p: DesignParser, name: str, given: dict[str, object], key: str) -> object:
    if key not in given:
        raise DesignError(f"{name} requires attribute '{key}'", where=p.operation_line())
    return given[key]


def task(p: DesignParser) -> DesignOp:
    """`%t = aiex.dma_configure_task_for @f { aie.dma_bd(…) aie.end } {issue_token = true}`."""
    name = symbol(p)
    region = p.parse_region()
    given = attributes(p)
    values: dict[str, object] = {"fifo": name}
    values["issue_token"] = bool(given.get("issue_token", False))
    values["repeat_count"] = given.get("repeat_count", 0)
    return make("aiex.dma_configure_task_for", values, results=[IndexType()], regions=[region])


def _on_task(name: str) -> Syntax:
    def parse(p: DesignParser) -> DesignOp:
        with p.in_parens():
            operand = p.resolve_operand(p.parse_unresolved_operand(), IndexType())
        return make(name, attributes(p), operands=[operand])

    return parse


def descriptor(p: DesignParser) -> DesignOp:
    """`aie.dma_bd(%b : memref<…>, offset, length, [<size, stride>, …])`; all but %b optional.

    Later versions name the parts: `%b : memref<…> offset = 0 len = 8 sizes = [8] strides = [1]`.
    """
    name = "aie.dma_bd"
    values: dict[str, object] = {"offset": 0, "dimensions": ()}
    with p.in_parens():
        unresolved = p.parse_unresolved_operand()
        p.parse_punctuation(":")
        kind = memref_type(p)
        operand = p.resolve_operand(unresolved, kind)
        values["length"] = math.prod(kind.get_shape())
        values.update(_listed_parts(p) if p.next_is(",") else _named_parts(p))
    given = attributes(p)
    _refuse(p, name, given, _DESCRIPTOR_REFUSED)
    values.update({ours: given[theirs] for theirs, ours in _PARTS.items() if theirs in given})
    return make(name, values, operands=[operand])


_PARTS = {"offset": "offset", "len": "length"}


def _listed_parts(p: DesignParser) -> dict[str, object]:
    values: dict[str, object] = {}
    while p.parse_optional_punctuation(","):
        if p.next_is("[") and "dimensions" not in values:
            values["dimensions"] = dimensions(p)
        elif p.next_is("["):
            raise refusal("aie.dma_bd", "padding", p.operation_line())
        else:
            values["length" if "offset" in values else "offset"] = _literal(p)
    return values


def _named_parts(p: DesignParser) -> dict[str, object]:
    values: dict[str, object] = {}
    lists: dict[str, list[int]] = {"sizes": [], "strides": []}
    while (key := p.parse_optional_keyword_in((*_PARTS, *lists))) is not None:
        p.parse_punctuation("=")
        if key in lists:
            lists[key] = p.parse_comma_separated_list(p.Delimiter.SQUARE, lambda: _literal(p))
        else:
            values[_PARTS[key]] = _literal(p)
    if len(lists["sizes"]) != len(lists["strides"]):
        p.raise_error("as many sizes as strides expected")
    values["dimensions"] = tuple(zip(lists["sizes"], lists["strides"], strict=True))
    return values


def _literal(p: DesignParser) -> int:
    number = p.parse_optional_integer()
    if number is None:
        raise refusal("aie.dma_bd", "a computed transfer", p.operation_line())
    return number


_DESCRIPTOR_REFUSED = {
    "packet": "packet headers",
    "pad_dimensions": "padding",
    "const_pad": "padding",
    "iter_size": "iterations of a descriptor",
    "iteration": "iterations of a descriptor",
}


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
        _skip_type(p)
        p.parse_punctuation(",")
        if (operand := p.parse_optional_unresolved_operand()) is not None:
            operands.append(p.defined(operand))
        else:
            value = p.parse_integer()
            _skip_type(p)
    attributes(p)
    _skip_type(p)
    values = {"buffer": name, "index": index, "value": value}
    return make("aiex.npu.rtp_write", dict(values), operands=operands)


def _skip_type(p: DesignParser) -> None:
    if p.parse_optional_punctuation(":"):
        p.parse_type()


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
    return make("arith.cmpi", {"predicate": predicate}, operands=operands, results=[IntegerType(1)])


def _cast(name: str) -> Syntax:
    """`name %x : T to U`."""

    def parse(p: DesignParser) -> DesignOp:
        unresolved = p.parse_unresolved_operand()
        attributes(p)
        p.parse_punctuation(":")
        operand = p.resolve_operand(unresolved, p.parse_type())
        p.parse_keyword("to")
        return make(name, {}, operands=[operand], results=[p.parse_type()])

    return parse


def while_loop(p: DesignParser) -> DesignOp:
    """`scf.while (%a = %x, …) : (T, …) -> (U, …) { … } do { … }`; no parentheses without values."""
    arguments: list[Parser.UnresolvedArgument] = []
    unresolved: list[UnresolvedOperand] = []

    def value() -> None:
        arguments.append(p.parse_argument(expect_type=False))
        p.parse_punctuation("=")
        unresolved.append(p.parse_unresolved_operand())

    if p.next_is("("):
        p.parse_comma_separated_list(p.Delimiter.PAREN, value)
    p.parse_punctuation(":")
    at = p.pos
    kind = p.parse_type()
    if not isinstance(kind, FunctionType) or len(kind.inputs.data) != len(arguments):
        p.raise_error("the types of the loop's values expected", at)
    operands = p.resolve_operands(unresolved, kind.inputs.data, at)
    before = p.parse_region(
        [a.resolve(t) for a, t in zip(arguments, kind.inputs.data, strict=True)]
    )
    p.parse_keyword("do")
    after = p.parse_region()
    attributes(p)
    return make(
        "scf.while", {}, operands=operands, results=kind.outputs.data, regions=[before, after]
    )


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
    p.parse_type()
    if p.parse_optional_punctuation("=") and not p.parse_optional_keyword("uninitialized"):
        p.parse_keyword("dense")
        p.skip_balanced("<", ">")
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
    return make("func.call", {"callee": callee}, operands=operands, results=list(kind.outputs.data))


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
    "scf.while": while_loop,
    "arith.index_castui": _cast("arith.index_castui"),
    "memref.cast": _cast("memref.cast"),
    "memref.copy": copy,
    "memref.global": global_constant,
    "func.call": call,
}
