"""Pieces of text that several operations share, and how an operation is made from them."""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Attribute, Block, Region, SSAValue

from workbench.design.dialect import CLASSES, DesignOp, DesignParser
from workbench.design.plain import plain


def make(
    name: str,
    values: dict[str, object],
    *,
    operands: Sequence[SSAValue] = (),
    results: Sequence[Attribute] = (),
    regions: Sequence[Region] = (),
    successors: Sequence[Block] = (),
) -> DesignOp:
    """An operation with its plain values."""
    op = CLASSES[name].create(
        operands=operands, result_types=results, regions=regions, successors=successors
    )
    op.plain = values
    return op


def attributes(p: DesignParser) -> dict[str, object]:
    """The attribute dictionary at this place, or an empty one."""
    return {key: plain(value) for key, value in p.parse_optional_attr_dict().items()}


def symbol(p: DesignParser) -> str:
    """A symbol, as `@name` or, in older texts, as a string."""
    text = p.parse_optional_str_literal()
    return p.parse_symbol_name().data if text is None else text


def integers(p: DesignParser) -> list[int]:
    """A list of integer literals in square brackets."""
    return p.parse_comma_separated_list(p.Delimiter.SQUARE, p.parse_integer)


def dimensions(p: DesignParser) -> tuple[tuple[int, int], ...]:
    """`[<size = 4, stride = 1>, ...]`."""

    def pair() -> tuple[int, int]:
        with p.in_angle_brackets():
            values: dict[str, int] = {}
            for last in (False, True):
                key = p.parse_keyword_in(("size", "stride"))
                p.parse_punctuation("=")
                values[key] = p.parse_integer()
                if not last:
                    p.parse_punctuation(",")
        if len(values) != 2:
            p.raise_error("a dimension needs one size and one stride")
        return values["size"], values["stride"]

    return tuple(p.parse_comma_separated_list(p.Delimiter.SQUARE, pair))


def memref_type(p: DesignParser) -> MemRefType:
    """A memref type."""
    at = p.pos
    found = p.parse_type()
    if not isinstance(found, MemRefType):
        p.raise_error("memref type expected", at)
    return found


def tile_operand(p: DesignParser) -> SSAValue:
    """A value that stands for a tile."""
    return p.resolve_operand(p.parse_unresolved_operand(), IndexType())
