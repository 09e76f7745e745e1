"""xDSL's types and attributes as plain Python values."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import (
    AnyFloat,
    ArrayAttr,
    DenseArrayBase,
    DictionaryAttr,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    IntegerType,
    MemRefType,
    StridedLayoutAttr,
    StringAttr,
    SymbolRefAttr,
    TensorType,
    UnitAttr,
    f32,
    i1,
)
from xdsl.ir import Attribute

from workbench.design.model import ELEMENT_BYTES, MemRef, Type

if TYPE_CHECKING:
    from workbench.design.dialect import DesignParser


UNKNOWN = -1
"""A size or stride that is known only at run time; `body.check_memref` refuses it."""


def plain_type(kind: Attribute) -> Type:
    """A type: `MemRef` for memrefs, its MLIR spelling for anything else."""
    if not isinstance(kind, MemRefType):
        return str(kind)
    strides: tuple[int, ...] | None = None
    offset: int | None = 0
    if isinstance(kind.layout, StridedLayoutAttr):
        strides = tuple(
            item.data if isinstance(item, IntAttr) else UNKNOWN for item in kind.layout.strides
        )
        offset = kind.layout.offset.data if isinstance(kind.layout.offset, IntAttr) else None
    return MemRef(tuple(kind.get_shape()), str(kind.element_type), strides, offset)


def plain(value: Attribute) -> object:
    """An attribute: numbers, strings, booleans (unit), tuples, dictionaries, types."""
    match value:
        case StringAttr():
            return value.data
        case IntegerAttr():
            return bool(value.value.data) if value.type == i1 else value.value.data
        case FloatAttr():
            return value.value.data
        case SymbolRefAttr():
            return ".".join(name.data for name in (value.root_reference, *value.nested_references))
        case UnitAttr():
            return True
        case ArrayAttr():
            return tuple(plain(item) for item in value.data)
        case DenseArrayBase():
            return tuple(value.get_values())
        case DictionaryAttr():
            return {key: plain(item) for key, item in value.data.items()}
        case _:
            return plain_type(value)


def dense_bytes(p: DesignParser, kind: MemRefType) -> bytes:
    """The `<…>` of a dense literal as little-endian bytes of a buffer of type `kind`."""
    element = str(kind.element_type)
    if element not in ELEMENT_BYTES or not isinstance(kind.element_type, IntegerType | AnyFloat):
        p.raise_error(f"initial values of type {element} are not supported by the model device")
    # xDSL has no literals of bf16 numbers; they are rounded here.
    literal_type = f32 if element == "bf16" else kind.element_type
    literal = p.parse_dense_int_or_fp_elements_attr(TensorType(literal_type, kind.get_shape()))
    return pack(list(literal.get_values()), element)


def pack(values: Sequence[object], element: str) -> bytes:
    """Values as the bytes that a memref of this element type holds."""
    if element == "f32":
        return np.array(values, np.float32).tobytes()
    if element == "bf16":
        return b"".join(struct.pack("<H", bf16_bits(float(str(value)))) for value in values)
    size = ELEMENT_BYTES[element]
    mask = (1 << (8 * size)) - 1
    return b"".join((int(str(value)) & mask).to_bytes(size, "little") for value in values)


def bf16_bits(value: float) -> int:
    """The bits of a bf16, rounded to nearest even from the float32 nearest to `value`."""
    with np.errstate(over="ignore"):
        bits = int(np.float32(value).view(np.uint32))
    if bits & 0x7FFFFFFF > 0x7F800000:
        return bits >> 16 | 0x40
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
