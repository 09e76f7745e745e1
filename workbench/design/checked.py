"""What checks compiled into a kernel saw of its arithmetic, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Class = Literal["int", "uint", "float", "other"]


@dataclass(frozen=True, slots=True)
class CType:
    """A C type by the name its author gave it; `bits` is 0 for what is neither int nor float."""

    name: str
    kind: Class
    bits: int = 0

    @property
    def low(self) -> int:
        """The smallest value of an integer type."""
        return -(1 << (self.bits - 1)) if self.kind == "int" else 0

    @property
    def high(self) -> int:
        """The largest value of an integer type."""
        return (1 << (self.bits - (self.kind == "int"))) - 1


Check = Literal[
    "add_overflow",
    "sub_overflow",
    "mul_overflow",
    "negate_overflow",
    "divrem_overflow",
    "shift_out_of_bounds",
    "out_of_bounds",
    "implicit_conversion",
    "explicit_conversion",
    "float_cast_overflow",
    "type_mismatch_v1",
]
"""What is checked, by the names of clang's UBSan; `explicit_conversion` is our own."""


@dataclass(frozen=True, slots=True)
class CheckHit:
    """A check that failed: `hits` of `evaluations` times. Line and column are 1-based.

    `types` and `values` (of the first failure) depend on the check:

    - overflows: (the type), operands; a division too;
    - shift: (of the left operand, of the right one), operands;
    - index: (of the array, of the index), index;
    - conversions: (from, to), value before and, of integers, after;
    - type mismatch: (of what is accessed), address, alignment that it needs, 1 for a store.
    """

    check: Check
    file: str
    line: int
    column: int
    types: tuple[CType, ...]
    values: tuple[int | float, ...]
    hits: int
    evaluations: int

    @property
    def where(self) -> str:
        """The place as "file:line:column"."""
        return f"{self.file}:{self.line}:{self.column}"
