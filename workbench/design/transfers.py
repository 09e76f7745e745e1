"""What a runtime sequence may ask of the shim's DMA.

Rules and words are those of mlir-aie's verifiers of `npu.dma_memcpy_nd` (AIEXDialect.cpp), of
`aie.dma_bd` (AIEDialect.cpp) and of the lowering of tasks (AIEDMATasksToNPU). Dimensions in their
messages count from the innermost, 0. A contiguous transfer may be of any length, as in the versions
of 2026; those of 2025 want it written as `[1, 1, 1, n][0, 0, 0, 1]`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NoReturn, cast

from workbench.design.hardware import LIMITS, SHIM_MAX_REPEAT, TRANSFER_GRANULE_BYTES, kind
from workbench.design.model import Body, Design, Dimensions, MemRef, Op, Sequence
from workbench.errors import DesignError

_List = tuple[int | None, ...]
_SHIM = LIMITS["shim"]
_SYNC_KEYS = ("column", "row", "direction", "channel", "column_num", "row_num")


def check_sequence(design: Design, sequence: Sequence) -> None:
    """Refuse what the toolchain refuses in a runtime sequence, as far as constants tell.

    Raises DesignError.
    """
    check = _Check(design, _constants(sequence.body))
    for op in sequence.body.walk():
        match op.name:
            case "aiex.npu.dma_memcpy_nd":
                check.copy(op)
            case "aiex.dma_configure_task_for":
                check.task(op)
            case "aiex.npu.dma_wait":
                check.wait(op)
            case "aiex.npu.rtp_write":
                check.parameter(op)
            case "aiex.npu.sync":
                check.sync(op)


def _constants(body: Body) -> dict[int, int]:
    return {
        op.results[0]: value
        for op in body.walk()
        if op.name == "arith.constant" and isinstance(value := op.attributes["value"], int)
    }


@dataclass(frozen=True, slots=True)
class _Check:
    design: Design
    constants: dict[int, int]

    def refuse(self, op: Op, message: str, hint: str | None = None) -> NoReturn:
        raise DesignError(message, where=f"{self.design.path}:{op.line}", hint=hint)

    def channel(self, op: Op, name: str) -> None:
        """Whether a name stands for a shim's DMA channel."""
        if name in self.design.shim_allocations:
            return
        fifo = self.design.fifos.get(name)
        if fifo is None:
            self.refuse(
                op,
                f"@{name} is neither an aie.objectfifo nor an aie.shim_dma_allocation",
                self.names(),
            )
        if all(kind(tile) != "shim" for tile in (fifo.producer, *fifo.consumers)):
            self.refuse(op, f"@{name} has no end on a shim tile", self.names())

    def names(self) -> str | None:
        fifos = self.design.fifos.values()
        ends = [f for f in fifos if any(kind(t) == "shim" for t in (f.producer, *f.consumers))]
        names = [f"@{name}" for name in (*(f.name for f in ends), *self.design.shim_allocations)]
        return f"there: {', '.join(names)}" if names else None

    def copy(self, op: Op) -> None:
        """An `npu.dma_memcpy_nd`."""
        self.channel(op, str(op.attributes["metadata"]))
        number, buffer = op.attributes["id"], op.operand_types[0]
        if not isinstance(number, int) or not 0 <= number < _SHIM.descriptors:
            self.refuse(
                op,
                "BD ID exceeds the maximum ID",
                f"id is {number}; a shim tile has 0 to {_SHIM.descriptors - 1}",
            )
        offsets, sizes, strides = self.lists(op)
        if isinstance(buffer, MemRef):
            self.pattern(op, buffer, sizes, strides)
            self.offset(op, buffer, offsets, strides)
        else:
            self.refuse(op, f"a memref is transferred, not a {buffer}")

    def lists(self, op: Op) -> tuple[_List, _List, _List]:
        """Offsets, sizes and strides, outermost first, with the values of constant operands."""
        operands = iter(op.operands[1:])
        offsets, sizes, strides = (
            tuple(
                self.constants.get(next(operands)) if entry is None else entry
                for entry in cast("_List", op.attributes[key])
            )
            for key in ("offsets", "sizes", "strides")
        )
        return offsets, sizes, strides

    def offset(self, op: Op, buffer: MemRef, offsets: _List, strides: _List) -> None:
        known = [(a, b) for a, b in zip(offsets, strides, strict=True) if a != 0]
        if any(a is None or b is None for a, b in known):
            return
        start = sum((a or 0) * (b or 0) for a, b in known) * buffer.item_bytes
        if start % TRANSFER_GRANULE_BYTES:
            self.refuse(op, "Offset must be 4-byte-aligned", f"it is {start} bytes")

    def pattern(self, op: Op, buffer: MemRef, sizes: _List, strides: _List) -> None:
        """The rules of sizes and strides."""
        if buffer.item_bytes > TRANSFER_GRANULE_BYTES:
            self.refuse(op, "Maximum element bit width allowed is 32bits")
        if buffer.bytes < TRANSFER_GRANULE_BYTES:
            self.refuse(op, "Minimum data transfer size required is 32bits")
        problem = _problem(sizes[::-1], strides[::-1], buffer.item_bytes)
        if problem is not None:
            self.refuse(op, problem)

    def task(self, op: Op) -> None:
        """An `aiex.dma_configure_task_for` and its descriptors."""
        self.channel(op, str(op.attributes["fifo"]))
        repeat = op.attributes["repeat_count"]
        if not isinstance(repeat, int) or not 0 <= repeat < 256:
            self.refuse(op, "repeat_count must be from 0 to 255", f"it is {repeat}")
        descriptors = [
            inner
            for region in op.regions
            for block in region.blocks
            for inner in block.ops
            if inner.name == "aie.dma_bd"
        ]
        if not descriptors:
            self.refuse(op, "a task needs an aie.dma_bd")
        for descriptor in descriptors:
            self.descriptor(descriptor)

    def descriptor(self, op: Op) -> None:
        buffer = op.operand_types[0]
        if not isinstance(buffer, MemRef):
            self.refuse(op, f"a memref is transferred, not a {buffer}")
        offset, length = cast("int", op.attributes["offset"]), cast("int", op.attributes["length"])
        dimensions = cast("Dimensions", op.attributes["dimensions"])
        if length < 1:
            self.refuse(op, f"the length must be positive, it is {length}")
        if offset < 0 or offset * buffer.item_bytes % TRANSFER_GRANULE_BYTES:
            self.refuse(
                op,
                "bd address must be 4 byte (32b) aligned",
                f"the offset is {offset * buffer.item_bytes} bytes",
            )
        if not dimensions:
            self.pattern(op, buffer, (1, 1, 1, length), (0, 0, 0, 1))
            return
        if len(dimensions) > 4:
            self.refuse(op, "At most four data layout transformation dimensions may be provided")
        padding = ((1, 0),) * (4 - len(dimensions))
        sizes, strides = zip(*(*padding, *dimensions), strict=True)
        self.pattern(op, buffer, sizes, strides)
        covered = math.prod(sizes[1:])
        if covered != length:
            self.refuse(
                op,
                "Buffer descriptor length does not match length of transfer expressed by lowest "
                "three dimensions of data layout transformation strides/wraps",
                f"{length} elements against {covered}",
            )

    def wait(self, op: Op) -> None:
        name = op.attributes.get("symbol")
        if not isinstance(name, str):
            self.refuse(op, "aiex.npu.dma_wait requires attribute 'symbol'")
        if name not in self.design.fifos and name not in self.design.shim_allocations:
            self.refuse(op, "couldn't find symbol in parent device", f"there is no @{name}")
        self.channel(op, name)

    def parameter(self, op: Op) -> None:
        name, index = op.attributes["buffer"], op.attributes["index"]
        buffer = next((b for b in self.design.buffers if b.name == name), None)
        if buffer is None:
            self.refuse(op, f'there is no aie.buffer with sym_name "{name}"')
        assert isinstance(index, int)
        if not 0 <= index < buffer.type.elements:
            self.refuse(op, f"index {index} is outside @{name}, a {buffer.type}")

    def sync(self, op: Op) -> None:
        for key in _SYNC_KEYS:
            if not isinstance(op.attributes.get(key), int):
                self.refuse(op, f"aiex.npu.sync requires attribute '{key}'")


def _problem(sizes: _List, strides: _List, item_bytes: int) -> str | None:
    """What is wrong with a transfer of these sizes and strides, innermost first."""
    for i, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        if size is not None and size < 1:
            return f"Size {i} must be a positive integer"
        if size is None or size == 1 or stride is None:
            continue
        if i < 3 and stride < 1:
            return f"Stride {i} must be a positive integer"
        if stride < 0:
            return f"Stride {i} must be a non-negative integer"
    return (
        _granule_problem(sizes[0], strides, item_bytes)
        or _wrap_problem(sizes, strides, item_bytes)
        or _stride_problem(sizes, strides, item_bytes)
    )


def _granule_problem(size: int | None, strides: _List, item_bytes: int) -> str | None:
    granule = TRANSFER_GRANULE_BYTES
    if size is not None and size * item_bytes % granule:
        return (
            f"Transfer sizes must be multiples of {granule} bytes. {size} elements at {item_bytes} "
            f"bytes each equal {size * item_bytes} bytes, which is not divisible by {granule}"
        )
    for i, stride in enumerate(strides):
        if stride is None or (i == 0 and stride == 1):
            continue
        if stride * item_bytes % granule:
            return (
                f"Stride {i} is {stride} elements * {item_bytes} bytes = {stride * item_bytes} "
                f"bytes, which is not divisible by {granule}"
            )
    return None


def _wrap_problem(sizes: _List, strides: _List, item_bytes: int) -> str | None:
    if not _contiguous(sizes, strides):
        for i, unit in ((0, item_bytes / TRANSFER_GRANULE_BYTES), (1, 1.0)):
            size = sizes[i]
            if size is not None and size * unit > _SHIM.max_wrap:
                return f"Size {i} exceeds the [0:{_SHIM.max_wrap}] range"
    if sizes[3] is not None and sizes[3] > SHIM_MAX_REPEAT:
        return f"Size 3 exceeds the [1:{SHIM_MAX_REPEAT}] range"
    return None


def _contiguous(sizes: _List, strides: _List) -> bool:
    """Whether the inner three dimensions are one run of elements."""
    if strides[0] != 1 or None in (*sizes[:3], *strides[:3]):
        return False
    first, second, third = (size or 0 for size in sizes[:3])
    return (second == 1 or strides[1] == first) and (third == 1 or strides[2] == first * second)


def _stride_problem(sizes: _List, strides: _List, item_bytes: int) -> str | None:
    for i, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        if stride is None or (i > 0 and size == 1):
            continue
        if stride * item_bytes // TRANSFER_GRANULE_BYTES > _SHIM.max_stride:
            return f"Stride {i} exceeds the [1:{_SHIM.max_stride}] range"
    return None
