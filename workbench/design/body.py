"""From xDSL operations to the plain `Body` of a core, a function or a sequence.

`operations.py` says what each operation holds afterwards.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from xdsl.ir import Block as XBlock
from xdsl.ir import Operation, SSAValue
from xdsl.ir import Region as XRegion

from workbench.design.dialect import DesignOp
from workbench.design.model import ELEMENT_BYTES, Block, Body, MemRef, Op, Region, Type
from workbench.design.plain import plain, plain_type
from workbench.errors import DesignError

Where = Callable[[Operation], str]
"""file:line of an operation."""

_DYNAMIC = -(1 << 63)
"""MLIR's mark for an entry of a static list that an operand gives."""

_FLOAT_PREDICATES = (
    "false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true".split()  # noqa: SIM905
)


class BodyReader:
    """Numbers the values of one body and converts its operations."""

    def __init__(
        self,
        line: Callable[[Operation], int],
        where: Where,
        supported: frozenset[str],
        buffers: Mapping[SSAValue, str],
        what: str,
    ) -> None:
        self._line = line
        self._where = where
        self._supported = supported
        self._known_buffers = buffers
        self._what = what
        self._numbers: dict[SSAValue, int] = {}
        self._count = itertools.count()
        self._buffers: list[tuple[int, str]] = []
        self._outer_constants: list[Op] = []
        self._user: Operation | None = None

    def read(self, region: XRegion) -> Body:
        """The plain body; constants from outside are moved to its beginning.

        Raises DesignError for an operation, type or outer value that has no meaning here.
        """
        found = self._region(region)
        if self._outer_constants:
            first = found.blocks[0]
            ops = (*self._outer_constants, *first.ops)
            first = Block(first.arguments, first.argument_types, ops)
            found = Region((first, *found.blocks[1:]))
        return Body(found, tuple(self._buffers))

    def _region(self, region: XRegion) -> Region:
        blocks = list(region.blocks)
        for block in blocks:
            self._define(block)
        return Region(tuple(self._block(block, blocks) for block in blocks))

    def _define(self, block: XBlock) -> None:
        for value in block.args:
            self._numbers[value] = next(self._count)
        for op in block.ops:
            for value in op.results:
                self._numbers[value] = next(self._count)

    def _block(self, block: XBlock, blocks: list[XBlock]) -> Block:
        return Block(
            tuple(self._numbers[value] for value in block.args),
            tuple(self._type(value, block.parent_op()) for value in block.args),
            tuple(plain_op for op in block.ops for plain_op in self._op(op, blocks)),
        )

    def _op(self, op: Operation, blocks: list[XBlock]) -> Iterator[Op]:
        if op.name not in self._supported:
            raise DesignError(
                f"{op.name} is not supported in {self._what}",
                where=self._where(op),
                hint="the model device has no meaning for it there",
            )
        self._user = op
        found = self._convert(op, blocks)
        if op.name == "aie.objectfifo.acquire" and isinstance(found.result_types[0], MemRef):
            yield from self._with_accesses(found)
        else:
            yield found

    def _with_accesses(self, acquire: Op) -> Iterator[Op]:
        """The acquire and accesses of one that gives objects where others give a subview."""
        view = next(self._count)
        kind = f"!aie.objectfifosubview<{acquire.result_types[0]}>"
        yield replace(acquire, results=(view,), result_types=(kind,))
        for index, (result, item) in enumerate(
            zip(acquire.results, acquire.result_types, strict=True)
        ):
            yield Op(
                "aie.objectfifo.subview.access",
                acquire.line,
                (view,),
                (result,),
                (kind,),
                (item,),
                {"index": index},
            )

    def _convert(self, op: Operation, blocks: list[XBlock]) -> Op:
        operands = tuple(self._number(value) for value in op.operands)
        return Op(
            op.name,
            self._line(op),
            operands,
            tuple(self._numbers[value] for value in op.results),
            tuple(self._type(value, op) for value in op.operands),
            tuple(self._type(value, op) for value in op.results),
            _attributes(op, self._where),
            tuple(self._region(region) for region in op.regions),
            tuple(blocks.index(block) for block in op.successors),
        )

    def _number(self, value: SSAValue) -> int:
        number = self._numbers.get(value)
        if number is not None:
            return number
        number = self._numbers[value] = next(self._count)
        owner = value.owner
        if value in self._known_buffers:
            self._buffers.append((number, self._known_buffers[value]))
        elif isinstance(owner, Operation) and owner.name == "arith.constant":
            self._outer_constants.append(self._convert(owner, []))
        else:
            name = owner.name if isinstance(owner, Operation) else "a block argument"
            user = self._user
            raise DesignError(
                f"{self._what} can't use the result of {name} from outside",
                where=self._where(user) if user is not None else None,
            )
        return number

    def _type(self, value: SSAValue, op: Operation | None) -> Type:
        kind = plain_type(value.type)
        if isinstance(kind, MemRef):
            check_memref(kind, self._where(op) if op is not None else None)
        return kind


def _attributes(op: Operation, where: Where) -> dict[str, object]:
    """What `operations.py` promises for this operation, and nothing else."""
    if isinstance(op, DesignOp):
        return plain_of(op, where)
    given = {key: plain(value) for key, value in {**op.attributes, **op.properties}.items()}
    match op.name:
        case "arith.constant":
            return {"value": given["value"]}
        case "arith.cmpf":
            return {"predicate": _FLOAT_PREDICATES[int(str(given["predicate"]))]}
        case "cf.cond_br":
            segments = given["operandSegmentSizes"]
            assert isinstance(segments, tuple)
            return {"counts": (segments[1], segments[2])}
        case "memref.subview" | "memref.reinterpret_cast":
            return {
                key: _entries(given[f"static_{key}"]) for key in ("offsets", "sizes", "strides")
            }
        case _:
            return {}


def _entries(static: object) -> tuple[int | None, ...]:
    assert isinstance(static, tuple)
    return tuple(None if entry == _DYNAMIC else int(entry) for entry in static)


def plain_of(op: DesignOp, where: Where) -> dict[str, object]:
    """The plain values of an operation of ours.

    Raises DesignError for one in generic form, whose text our syntax has not read.
    """
    if not hasattr(op, "plain"):
        raise DesignError(
            f"{op.name} in generic form can't be read",
            where=where(op),
            hint="print the design without --mlir-print-op-generic",
        )
    return op.plain


def check_memref(kind: MemRef, where: str | None) -> None:
    """Refuse a memref that the model has no memory for.

    Raises DesignError for an unknown element type or a size known only at run time.
    """
    if kind.element not in ELEMENT_BYTES:
        raise DesignError(
            f"{kind}: elements of type {kind.element} are not supported by the model device",
            where=where,
            hint=f"use one of {', '.join(ELEMENT_BYTES)}",
        )
    for what, numbers in (("size", kind.shape), ("stride", kind.strides or ())):
        if any(number < 0 for number in numbers):
            raise DesignError(
                f"a memref of {kind.element} with a {what} known only at run time is not supported",
                where=where,
                hint=f"give every dimension its {what}",
            )
