"""The text of the aie and aiex operations, in the spellings of 2024, 2025 and 2026.

One function an operation: it reads what follows the operation's name. Operands are xDSL values;
everything else becomes a plain value in `DesignOp.plain`.
"""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, IndexType, IntegerAttr, MemRefType
from xdsl.ir import SSAValue
from xdsl.parser import Parser

from workbench.design.dialect import (
    DesignOp,
    DesignParser,
    FifoType,
    SubviewType,
    Syntax,
    design_op,
    refusal,
    refused_op,
)
from workbench.design.plain import dense_bytes, plain
from workbench.design.syntax_sequence import SEQUENCE_SYNTAX
from workbench.design.text import (
    attributes,
    dimensions,
    integers,
    make,
    memref_type,
    symbol,
    tile_operand,
)
from workbench.design.unsupported import UNSUPPORTED
from workbench.errors import DesignError


def device(p: DesignParser) -> DesignOp:
    """`aie.device(target) @name { … } {attributes}`; skipped unless it is the wanted one."""
    with p.in_parens():
        target = p.parse_identifier()
    named = p.parse_optional_symbol_name()
    start = p.pos
    p.skip_balanced("{", "}")
    values = attributes(p)
    name = named.data if named else str(values.get("sym_name", "main"))
    values.update(target=target, name=name)
    if not p.takes("device", name):
        return make("aie.device", {**values, "skipped": True})
    p.rewind(start)
    region = p.parse_region()
    attributes(p)
    return make("aie.device", values, regions=[region])


def sequence(p: DesignParser) -> DesignOp:
    """`aie.runtime_sequence @name(%a : memref<…>, …) { … }`; skipped unless wanted."""
    named = p.parse_optional_symbol_name()
    name = named.data if named else "sequence"
    if not p.takes("sequence", name):
        p.skip_balanced("(", ")")
        p.skip_balanced("{", "}")
        attributes(p)
        return make("aie.runtime_sequence", {"name": name, "skipped": True})

    def argument() -> Parser.Argument:
        found = p.parse_argument()
        p.parse_optional_location()
        return found

    arguments = p.parse_comma_separated_list(p.Delimiter.PAREN, argument)
    region = p.parse_region(arguments)
    attributes(p)
    return make("aie.runtime_sequence", {"name": name}, regions=[region])


def tile(p: DesignParser) -> DesignOp:
    """`aie.tile(column, row)`."""
    with p.in_parens():
        column = p.parse_integer()
        p.parse_punctuation(",")
        row = p.parse_integer()
    attributes(p)
    return make("aie.tile", {"column": column, "row": row}, results=[IndexType()])


def core(p: DesignParser) -> DesignOp:
    """`aie.core(%tile) { … } {stack_size = …, link_with = …}`; attributes may come first."""
    begin = p.operation_line()
    with p.in_parens():
        where = tile_operand(p)
    values = {} if _body_is_next(p) else attributes(p)
    region = p.parse_region()
    values.update(attributes(p))
    if "elf_file" in values:
        raise DesignError(
            "a core with an elf_file has no program that the model can read",
            where=begin,
            hint="give the core its body",
        )
    return make("aie.core", values, operands=[where], results=[IndexType()], regions=[region])


def _body_is_next(p: DesignParser) -> bool:
    """Whether the next `{` opens a region, not an attribute dictionary."""
    start = p.pos
    p.parse_punctuation("{")
    name = p.parse_optional_identifier_or_str_literal()
    assigned = name is not None and p.next_is("=")
    flag = name is not None and "." not in name and (p.next_is(",") or p.next_is("}"))
    p.rewind(start)
    return not (assigned or flag)


def fifo(p: DesignParser) -> DesignOp:
    """`aie.objectfifo @name(%p, {%c, …}, depth) : !aie.objectfifo<memref<…>> = [dense<…>, …]`."""
    name = symbol(p)
    tiles: list[SSAValue] = []
    from_stream: list[tuple[tuple[int, int], ...]] = []

    def consumer() -> None:
        tiles.append(tile_operand(p))
        given = p.parse_optional_keyword("dimensionsFromStream")
        from_stream.append(dimensions(p) if given else ())

    with p.in_parens():
        tiles.append(tile_operand(p))
        to_stream = dimensions(p) if p.parse_optional_keyword("dimensionsToStream") else ()
        p.parse_punctuation(",")
        p.parse_comma_separated_list(p.Delimiter.BRACES, consumer)
        p.parse_punctuation(",")
        depth = _depths(p)
    values = _fifo_attributes(p)
    p.parse_punctuation(":")
    at = p.pos
    kind = p.parse_type()
    if not isinstance(kind, FifoType) or not isinstance(kind.element, MemRefType):
        p.raise_error("!aie.objectfifo<memref<...>> expected", at)
    init = _initial_objects(p, kind.element) if p.parse_optional_punctuation("=") else ()
    values.update(name=name, depths=depth, to_stream=to_stream, from_stream=tuple(from_stream))
    values.update(type=plain(kind.element), init=init)
    return make("aie.objectfifo", values, operands=tiles)


_FIFO_REFUSED = {
    "aie_stream": "core streams",
    "disable_synchronization": "FIFOs without locks",
    "iter_count": "FIFOs that end",
    "padDimensions": "padding",
    "plio": "PLIO",
    "transport": "transports of later versions",
}
_FIFO_KNOWN = {"via_DMA", "repeat_count", "via_shared_mem", "aie_stream_port"}


def _fifo_attributes(p: DesignParser) -> dict[str, object]:
    values = attributes(p)
    for key, value in values.items():
        if key not in _FIFO_KNOWN and not (key in _FIFO_REFUSED and value is False):
            what = _FIFO_REFUSED.get(key, "an unknown attribute")
            raise refusal(f"aie.objectfifo with {key}", what, p.operation_line())
    return values


def _depths(p: DesignParser) -> tuple[int, ...]:
    at = p.pos
    value = p.parse_attribute()
    items = value.data if isinstance(value, ArrayAttr) else (value,)
    depths = tuple(item.value.data for item in items if isinstance(item, IntegerAttr))
    if not depths or len(depths) != len(items):
        p.raise_error("the depth must be an integer or a list of integers", at)
    return depths


def dense(p: DesignParser, kind: MemRefType) -> bytes:
    """`dense<…>` with or without a type after it, as the bytes of a buffer of type `kind`."""
    p.parse_keyword("dense")
    found = dense_bytes(p, kind)
    if p.parse_optional_punctuation(":"):
        p.parse_type()
    return found


def _initial_objects(p: DesignParser, kind: MemRefType) -> tuple[bytes, ...]:
    return tuple(p.parse_comma_separated_list(p.Delimiter.SQUARE, lambda: dense(p, kind)))


def link(p: DesignParser) -> DesignOp:
    """`aie.objectfifo.link [@a, …] -> [@b, …] ([offsets] [offsets])`."""
    inputs = p.parse_comma_separated_list(p.Delimiter.SQUARE, lambda: symbol(p))
    p.parse_punctuation("->")
    outputs = p.parse_comma_separated_list(p.Delimiter.SQUARE, lambda: symbol(p))
    source: list[int] = []
    target: list[int] = []
    if p.parse_optional_punctuation("("):
        if not p.next_is(")"):
            source = integers(p)
            p.parse_optional_punctuation(",")
            target = integers(p)
        p.parse_punctuation(")")
    values = attributes(p)
    values.update(inputs=tuple(inputs), outputs=tuple(outputs))
    values.update(input_offsets=tuple(source), output_offsets=tuple(target))
    return make("aie.objectfifo.link", values)


def _port(p: DesignParser, *, counted: bool = True) -> dict[str, object]:
    name = symbol(p)
    values: dict[str, object] = {"fifo": name}
    with p.in_parens():
        values["port"] = p.parse_keyword_in(("Produce", "Consume"))
        if counted or p.next_is(","):
            p.parse_punctuation(",")
            values["count"] = p.parse_integer()
    return values


def acquire(p: DesignParser) -> DesignOp:
    """`%v = aie.objectfifo.acquire @f(Consume, n) : !aie.objectfifosubview<memref<…>>`.

    In later versions it gives the objects themselves: `%a, %b = … : memref<…>, memref<…>`.
    """
    values = _port(p, counted=False)
    attributes(p)
    p.parse_punctuation(":")
    at = p.pos
    kinds = p.parse_comma_separated_list(p.Delimiter.NONE, p.parse_type)
    if isinstance(kinds[0], SubviewType) and len(kinds) == 1:
        element = kinds[0].element
    elif all(isinstance(kind, MemRefType) and kind == kinds[0] for kind in kinds):
        element = kinds[0]
    else:
        p.raise_error("!aie.objectfifosubview<memref<...>> or memrefs of one type expected", at)
    count = values.setdefault("count", len(kinds))
    if isinstance(kinds[0], MemRefType) and count != len(kinds):
        p.raise_error(f"acquires {count} objects but names {len(kinds)} of them", at)
    return make("aie.objectfifo.acquire", {**values, "object": plain(element)}, results=kinds)


def release(p: DesignParser) -> DesignOp:
    """`aie.objectfifo.release @f(Consume, n)`."""
    values = _port(p)
    attributes(p)
    return make("aie.objectfifo.release", values)


def access(p: DesignParser) -> DesignOp:
    """`%m = aie.objectfifo.subview.access %v[i] : !aie.objectfifosubview<T> -> T`."""
    view = p.parse_unresolved_operand()
    with p.in_square_brackets():
        index = p.parse_integer()
    attributes(p)
    p.parse_punctuation(":")
    kind = p.parse_type()
    p.parse_punctuation("->")
    at = p.pos
    result = memref_type(p)
    if not isinstance(kind, SubviewType) or kind.element != result:
        p.raise_error("the access must have the subview's memref type", at)
    operand = p.resolve_operand(view, kind)
    return make(
        "aie.objectfifo.subview.access", {"index": index}, operands=[operand], results=[result]
    )


def buffer(p: DesignParser) -> DesignOp:
    """`%b = aie.buffer(%tile) {sym_name = "b", address = …} : memref<…> = dense<…>`."""
    with p.in_parens():
        where = tile_operand(p)
    values = attributes(p)
    p.parse_punctuation(":")
    kind = memref_type(p)
    values["init"] = dense(p, kind) if p.parse_optional_punctuation("=") else None
    return make("aie.buffer", values, operands=[where], results=[kind])


def shim_allocation(p: DesignParser) -> DesignOp:
    """`aie.shim_dma_allocation @x(MM2S, 0, column)` or `@x(%tile, MM2S, 0)`."""
    name = symbol(p)
    operands: list[SSAValue] = []
    with p.in_parens():
        if (where := p.parse_optional_unresolved_operand()) is not None:
            operands.append(p.resolve_operand(where, IndexType()))
            p.parse_punctuation(",")
        direction = p.parse_keyword_in(("MM2S", "S2MM"))
        p.parse_punctuation(",")
        channel = p.parse_integer()
        column = p.parse_integer() if p.parse_optional_punctuation(",") else -1
    attributes(p)
    values = {"name": name, "direction": direction, "channel": channel, "column": column}
    return make("aie.shim_dma_allocation", dict(values), operands=operands)


def nothing(name: str) -> Syntax:
    """An operation of attributes only."""
    return lambda p: make(name, attributes(p))


def _operations() -> list[type[DesignOp]]:
    own: dict[str, Syntax] = {
        "aie.device": device,
        "aie.runtime_sequence": sequence,
        "aiex.runtime_sequence": sequence,
        "aie.tile": tile,
        "aie.core": core,
        "aie.end": nothing("aie.end"),
        "aie.objectfifo": fifo,
        "aie.objectfifo.link": link,
        "aie.objectfifo.acquire": acquire,
        "aie.objectfifo.release": release,
        "aie.objectfifo.subview.access": access,
        "aie.buffer": buffer,
        "aie.shim_dma_allocation": shim_allocation,
        **SEQUENCE_SYNTAX,
    }
    supported = [design_op(name, syntax) for name, syntax in own.items()]
    return supported + [refused_op(name, what) for name, what in UNSUPPORTED.items()]


OPERATIONS: list[type[DesignOp]] = _operations()
