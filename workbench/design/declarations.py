"""From the operations of a device to the model's declarations: tiles, FIFOs, links, buffers, …"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation, SSAValue

from workbench.design.body import Where, check_memref, plain_of
from workbench.design.dialect import DesignOp
from workbench.design.hardware import ROWS, columns
from workbench.design.model import (
    Buffer,
    Fifo,
    Link,
    MemRef,
    ShimAllocation,
    Tile,
    Type,
)
from workbench.design.plain import plain, plain_type
from workbench.errors import DesignError

_T = TypeVar("_T")


class Declarations:
    """Reads the operations of one device; knows which value stands for which tile and buffer."""

    def __init__(self, target: str, ops: Iterable[Operation], where: Where) -> None:
        self._where = where
        self._columns = columns(target) or 0
        self._target = target
        self.tiles: dict[SSAValue, Tile] = {}
        self.buffers: dict[SSAValue, str] = {}
        self._symbols: dict[str, Operation] = {}
        self._ops = tuple(ops)
        for op in self._ops:
            if op.name == "aie.tile":
                self.tiles[op.results[0]] = self._tile(op)

    def plain(self, op: Operation) -> dict[str, object]:
        """The plain values of an operation of ours."""
        assert isinstance(op, DesignOp)
        return plain_of(op, self._where)

    def declare(self, name: str, op: Operation) -> str:
        """Note a symbol of the device. Raises DesignError when there is one of that name."""
        if name in self._symbols:
            raise DesignError(
                f"redefinition of symbol named '{name}'",
                where=self._where(op),
                hint=f"the first is at {self._where(self._symbols[name])}",
            )
        self._symbols[name] = op
        return name

    def tile_of(self, value: SSAValue, op: Operation) -> Tile:
        """The tile that a value stands for. Raises DesignError when it is no `aie.tile`."""
        if value not in self.tiles:
            raise DesignError(f"{op.name} needs an aie.tile", where=self._where(op))
        return self.tiles[value]

    def line(self, op: Operation) -> int:
        """The line of an operation."""
        return int(self._where(op).rpartition(":")[2])

    def _tile(self, op: Operation) -> Tile:
        values = self.plain(op)
        column, row = _typed(values["column"], int), _typed(values["row"], int)
        for what, index, count in (("column", column, self._columns), ("row", row, ROWS)):
            if not 0 <= index < count:
                raise DesignError(
                    f"{what} index ({index}) must be less than the number of {what}s in the "
                    f"device ({count})",
                    where=self._where(op),
                    hint=f"the device is {self._target}",
                )
        return column, row

    def fifo(self, op: Operation) -> Fifo:
        """An `aie.objectfifo`."""
        values = self.plain(op)
        kind = _typed(values["type"], MemRef)
        check_memref(kind, self._where(op))
        producer, *consumers = (self.tile_of(tile, op) for tile in op.operands)
        return Fifo(
            name=self.declare(_typed(values["name"], str), op),
            producer=producer,
            consumers=tuple(consumers),
            depths=_typed(values["depths"], tuple),
            object=kind,
            to_stream=_typed(values["to_stream"], tuple),
            from_stream=_typed(values["from_stream"], tuple),
            via_dma=bool(values.get("via_DMA")) or "repeat_count" in values,
            repeat_count=_typed(values.get("repeat_count", 1), int),
            init=_typed(values["init"], tuple),
            line=self.line(op),
        )

    def link(self, op: Operation) -> Link:
        """An `aie.objectfifo.link`."""
        values = self.plain(op)
        inputs, outputs, sources, targets = (
            _typed(values[key], tuple)
            for key in ("inputs", "outputs", "input_offsets", "output_offsets")
        )
        return Link(inputs, outputs, sources, targets, self.line(op))

    def buffer(self, op: Operation) -> Buffer:
        """An `aie.buffer`; one without a name gets one that no symbol can have."""
        values = self.plain(op)
        kind = plain_type(op.results[0].type)
        assert isinstance(kind, MemRef)
        check_memref(kind, self._where(op))
        given = values.get("sym_name")
        line = self.line(op)
        name = f"(buffer in line {line})" if given is None else _typed(given, str)
        self.buffers[op.results[0]] = self.declare(name, op)
        init = values["init"]
        return Buffer(
            name=name,
            tile=self.tile_of(op.operands[0], op),
            type=kind,
            address=_optional(values.get("address"), int),
            bank=_optional(values.get("mem_bank"), int),
            init=_optional(init, bytes),
            line=line,
            before_tiles=self._before_tiles(op),
        )

    def _before_tiles(self, op: Operation) -> bool:
        last = max(at for at, other in enumerate(self._ops) if other.name == "aie.tile")
        return self._ops.index(op) < last

    def shim_allocation(self, op: Operation) -> ShimAllocation:
        """An `aie.shim_dma_allocation`."""
        values = self.plain(op)
        column = _typed(values["column"], int)
        if op.operands:
            column = self.tile_of(op.operands[0], op)[0]
        return ShimAllocation(
            name=self.declare(_typed(values["name"], str), op),
            direction=_typed(values["direction"], str),
            channel=_typed(values["channel"], int),
            column=column,
            line=self.line(op),
        )

    def signature(self, op: FuncOp) -> tuple[str, tuple[Type, ...], tuple[Type, ...], str | None]:
        """A function's name, argument types, result types and `link_with`."""
        name = self.declare(op.sym_name.data, op)
        kind = op.function_type
        inputs, outputs = (
            tuple(plain_type(item) for item in items.data) for items in (kind.inputs, kind.outputs)
        )
        for item in (*inputs, *outputs):
            if isinstance(item, MemRef):
                check_memref(item, self._where(op))
        given = op.attributes.get("link_with")
        return name, inputs, outputs, _optional(plain(given) if given else None, str) or None


def _typed(value: object, kind: type[_T]) -> _T:
    """What the syntax functions are known to have stored."""
    assert isinstance(value, kind), f"{value!r} is no {kind.__name__}"
    return value


def _optional(value: object, kind: type[_T]) -> _T | None:
    return None if value is None else _typed(value, kind)
