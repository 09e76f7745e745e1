"""Which bytes of the host's buffers a design's sequence sends to the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from workbench.design.model import Design, Dimensions, MemRef, Op
from workbench.device.model.pattern import pattern

Mask = npt.NDArray[np.bool_]

_FIFO_OF = {"aiex.npu.dma_memcpy_nd": "metadata", "aiex.dma_configure_task_for": "fifo"}
"""Transfers, and the attribute that names their FIFO."""

_OTHERS = frozenset(
    {
        "arith.constant",
        "aiex.npu.dma_wait",
        "aiex.npu.sync",
        "aiex.npu.load_pdi",
        "aiex.npu.rtp_write",
        "aiex.dma_start_task",
        "aiex.dma_await_task",
        "aiex.dma_free_task",
    }
)
"""Operations of a sequence that neither move host data nor change what a transfer moves."""


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """The bytes of one host buffer that are sent, and the file:line of its first transfer."""

    mask: Mask
    where: str


def sent(design: Design, sizes: Sequence[int]) -> dict[int, Sent] | None:
    """By host buffer, for those of which anything is sent; `sizes` are the buffers' bytes.

    None when the sequence computes its transfers, so that only running it would tell.
    """
    sequence = design.sequence
    if sequence is None or len(sequence.body.region.blocks) != 1:
        return None
    (block,) = sequence.body.region.blocks
    buffers = {value: number for number, value in enumerate(block.arguments)}
    found: dict[int, Sent] = {}
    for op in block.ops:
        if op.name in _OTHERS:
            continue
        if op.name not in _FIFO_OF:
            return None
        parts = list(_parts(op))
        if any(value not in buffers for value, *_ in parts):
            return None
        if not _sends(design, str(op.attributes[_FIFO_OF[op.name]])):
            continue
        for value, offset, dimensions, item in parts:
            number = buffers[value]
            one = found.setdefault(
                number, Sent(np.zeros(sizes[number], np.bool_), f"{design.path}:{op.line}")
            )
            moved = pattern(offset * item, dimensions, item)
            places = moved.places(np.arange(moved.nbytes))
            one.mask[places[(places >= 0) & (places < sizes[number])]] = True
    return found


def _parts(op: Op) -> Iterator[tuple[int, int, Dimensions, int]]:
    """Of each descriptor: the buffer's value, the first element, the dimensions, bytes an element.

    A value of -1 stands for what isn't constant.
    """
    if op.name == "aiex.npu.dma_memcpy_nd":
        offsets, sizes, strides = (
            cast("tuple[int | None, ...]", op.attributes[key])
            for key in ("offsets", "sizes", "strides")
        )
        fixed = [x for x in (*offsets, *sizes, *strides) if x is not None]
        count = len(sizes)
        if len(fixed) < 3 * count:
            yield -1, 0, (), 1
            return
        first, size, stride = fixed[:count], fixed[count : 2 * count], fixed[2 * count :]
        at = sum(o * s for o, s in zip(first, stride, strict=True))
        item = cast("MemRef", op.operand_types[0]).item_bytes
        yield op.operands[0], at, tuple(zip(size, stride, strict=True)), item
        return
    for block in op.regions[0].blocks:
        for inner in block.ops:
            if inner.name == "aie.dma_bd":
                length = cast("int", inner.attributes["length"])
                dimensions = cast("Dimensions", inner.attributes["dimensions"])
                item = cast("MemRef", inner.operand_types[0]).item_bytes
                offset = cast("int", inner.attributes["offset"])
                yield inner.operands[0], offset, dimensions or ((length, 1),), item


def _sends(design: Design, fifo: str) -> bool:
    """Whether the host's end of a FIFO is the producer's."""
    route = design.routes.get(fifo)
    return route is not None and route.source.pool is None
