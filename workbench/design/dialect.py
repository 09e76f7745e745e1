"""The parser of designs: xDSL's, with the aie and aiex operations and the line of each operation.

Operations of these dialects are parsed by the functions in `syntax.py`, which leave plain values
in `DesignOp.plain`. What the model device doesn't support is refused here by name, as soon as it
is met.

xDSL offers its subclasses no public way to skip text, to go back, or to name an unknown operation,
so `DesignParser` uses underscored methods of its base. Nothing else in the package does; xDSL is
pinned for that reason.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import ClassVar, TypeAlias

from xdsl.context import Context
from xdsl.dialects import arith, builtin, cf, func, memref, scf
from xdsl.dialects.builtin import LocationAttr, UnknownLoc
from xdsl.ir import (
    Attribute,
    Dialect,
    Operation,
    OpTraits,
    ParametrizedAttribute,
    SSAValue,
    TypeAttribute,
)
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser, Parser
from xdsl.parser.core import UnresolvedOperand
from xdsl.utils.mlir_lexer import MLIRTokenKind

from workbench.errors import DesignError


class DesignOp(Operation):
    """An operation of our own syntax; `plain` holds what its text says."""

    plain: dict[str, object]
    traits: ClassVar[OpTraits] = OpTraits(tuple)


Syntax: TypeAlias = "Callable[[DesignParser], DesignOp]"


class Places:
    """Positions in a text as lines and columns, counted from 1."""

    def __init__(self, text: str, path: str) -> None:
        self.path = path
        self._starts = [0]
        self._starts += [at + 1 for at, character in enumerate(text) if character == "\n"]

    def line(self, position: int) -> int:
        """The line of a position."""
        return bisect.bisect_right(self._starts, position)

    def place(self, position: int) -> str:
        """file:line:column of a position."""
        line = self.line(position)
        return f"{self.path}:{line}:{position - self._starts[line - 1] + 1}"


class DesignParser(Parser):
    """Parses one design; knows which device and sequence are wanted and skips the others."""

    def __init__(
        self, text: str, places: Places, *, device: str | None, sequence: str | None
    ) -> None:
        super().__init__(_context(), text, places.path)
        self._places = places
        self.wanted = {"device": device, "sequence": sequence}
        self.taken: dict[str, str] = {}
        """What was read, by kind: its name."""
        self.skipped: dict[str, list[str]] = {"device": [], "sequence": []}
        self.notes: list[str] = []
        self._lines: dict[Operation, int] = {}
        self._operation_at = 0

    def operation_line(self) -> str:
        """file:line where the operation that is being read begins, until a region in it is read."""
        return f"{self._places.path}:{self._places.line(self._operation_at)}"

    @property
    def path(self) -> str:
        """The design's file."""
        return self._places.path

    def line_of(self, op: Operation) -> int:
        """The line of an operation; of what holds it, if the text leaves the operation out."""
        while op not in self._lines and (parent := op.parent_op()) is not None:
            op = parent
        return self._lines.get(op, 1)

    def parse_operation(self) -> Operation:
        """Parse one operation and remember its line."""
        self._operation_at = self.pos
        line = self._places.line(self.pos)
        op = super().parse_operation()
        self._lines[op] = line
        return op

    def _get_op_by_name(self, name: str) -> type[Operation]:
        found = self.ctx.get_optional_op(name, dialect_stack=self._parser_state.dialect_stack)
        if found is None:
            raise DesignError(
                f"{name} is not an operation that the model device knows",
                where=self.operation_line(),
                hint="mend its name, or run this design on the npu",
            )
        return found

    def parse_optional_location(self) -> LocationAttr | None:
        """Skip `loc(...)`: lines come from the text itself."""
        if self.parse_optional_characters("loc") is None:
            return None
        self.skip_balanced("(", ")")
        return UnknownLoc()

    def _parse_alias_def(self) -> None:
        if self._current_token.text.startswith("#loc"):
            self._consume_token()
            self.parse_punctuation("=")
            self.parse_optional_location()
            return
        super()._parse_alias_def()  # type: ignore[no-untyped-call]  # xDSL leaves it untyped

    def skip_balanced(self, opening: str, closing: str) -> None:
        """Skip from an opening bracket to the one that closes it."""
        depth = 0
        while True:
            text = self._current_token.text
            depth += (text == opening) - (text == closing)
            if self._current_token.kind == MLIRTokenKind.EOF:
                self.raise_error(f"'{closing}' expected")
            self._consume_token()
            if depth == 0:
                return

    def next_is(self, text: str) -> bool:
        """Whether the next token is `text`, which stays unread."""
        return self._current_token.text == text

    def rewind(self, position: int) -> None:
        """Go on parsing from an earlier position."""
        self._resume_from(position)

    def defined(self, operand: UnresolvedOperand) -> SSAValue:
        """The value of an operand whose type the text doesn't repeat."""
        values = self.ssa_values.get(operand.operand_name)
        if values is None or operand.index >= len(values):
            self.raise_error(f"%{operand.operand_name} is used before it is defined", operand.span)
        return values[operand.index]

    def takes(self, kind: str, name: str) -> bool:
        """Whether the device or sequence `name` is the one to read; records the choice."""
        wanted = self.wanted[kind]
        if kind in self.taken or (wanted is not None and wanted != name):
            self.skipped[kind].append(name)
            return False
        self.taken[kind] = name
        return True


class _OfOneType(ParametrizedAttribute):
    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        with parser.in_angle_brackets():
            return [parser.parse_type()]


@irdl_attr_definition
class FifoType(_OfOneType, TypeAttribute):
    """`!aie.objectfifo<memref<…>>`."""

    name = "aie.objectfifo"
    element: Attribute


@irdl_attr_definition
class SubviewType(_OfOneType, TypeAttribute):
    """`!aie.objectfifosubview<memref<…>>`."""

    name = "aie.objectfifosubview"
    element: Attribute


class _Skipped(ParametrizedAttribute):
    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> list[Attribute]:
        if isinstance(parser, DesignParser) and parser.next_is("<"):
            parser.skip_balanced("<", ">")
        return []


@irdl_attr_definition
class PacketInfo(_Skipped):
    """`#aie.packet_info<…>` in attributes that mean nothing to the model (`controller_id`)."""

    name = "aie.packet_info"


@irdl_attr_definition
class DlSpec(_Skipped):
    """`#dlti.dl_spec<…>`, a module attribute of lowered texts."""

    name = "dlti.dl_spec"


CLASSES: dict[str, type[DesignOp]] = {}
"""Every operation of ours by name; filled by `design_op`."""


def design_op(name: str, syntax: Syntax) -> type[DesignOp]:
    """Register an operation class whose custom text is parsed by `syntax`."""
    CLASSES[name] = type(name, (DesignOp,), {"name": name, "parse": staticmethod(syntax)})
    return CLASSES[name]


def refused_op(name: str, what: str) -> type[DesignOp]:
    """An operation class that refuses to be read."""

    def refuse(parser: DesignParser) -> DesignOp:
        raise refusal(name, what, parser.operation_line())

    return design_op(name, refuse)


def refusal(name: str, what: str, where: str) -> DesignError:
    """The error for an operation that the model device doesn't support."""
    return DesignError(
        f"{name} is not supported by the model device",
        where=where,
        hint=f"{what} can't be modelled; use object FIFOs, or run this design on the npu",
    )


_CACHED: list[Context] = []


def _context() -> Context:
    if not _CACHED:
        _CACHED.append(_build_context())
    return _CACHED[0]


def _build_context() -> Context:
    from workbench.design.syntax import OPERATIONS

    own = {op.name: op for op in OPERATIONS}
    context = Context()
    context.load_dialect(builtin.Builtin)
    for dialect in (arith.Arith, cf.Cf, func.Func, memref.MemRef, scf.Scf):
        operations = [op for op in dialect.operations if op.name not in own]
        context.load_dialect(Dialect(dialect.name, operations, list(dialect.attributes)))
    for op in own.values():
        context.load_op(op)
    for attribute in (FifoType, SubviewType, PacketInfo, DlSpec):
        context.load_attr_or_type(attribute)
    return context
