"""Which bytes a DMA touches, in order: offsets, sizes and strides as addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from workbench.design.model import End, Pool
from workbench.device.model.memory import Memory

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """`nbytes` bytes in the order they travel: from `start` on, or in runs of equal length."""

    start: int
    nbytes: int
    runs: Places | None = None
    """Where each run begins, from `start`; None when all bytes are one run."""

    def read(self, memory: Memory, position: int, end: int) -> Bytes:
        """Bytes `position` to `end` of what travels; a copy."""
        if self.runs is None:
            return memory.bytes[self.start + position : self.start + end].copy()
        return memory.bytes[self.places(np.arange(position, end))]

    def write(self, memory: Memory, position: int, data: Bytes) -> None:
        """Put `data` where the bytes from `position` on belong."""
        end = position + data.size
        if self.runs is None:
            memory.bytes[self.start + position : self.start + end] = data
        else:
            memory.bytes[self.places(np.arange(position, end))] = data

    def places(self, positions: Places) -> Places:
        """The addresses of bytes by their positions in the order they travel."""
        if self.runs is None:
            return self.start + positions
        run, inside = np.divmod(positions, self.nbytes // self.runs.size)
        return self.start + self.runs[run] + inside

    def moved(self, by: int) -> Pattern:
        """The same pattern, `by` bytes further on."""
        return Pattern(self.start + by, self.nbytes, self.runs)

    @property
    def lowest(self) -> int:
        """The first address touched."""
        return self.start + (0 if self.runs is None else int(self.runs.min()))

    @property
    def end(self) -> int:
        """One past the last address touched."""
        if self.runs is None:
            return self.start + self.nbytes
        return self.start + int(self.runs.max()) + self.nbytes // self.runs.size


def pattern(start: int, dimensions: Sequence[tuple[int, int]], item_bytes: int) -> Pattern:
    """The pattern of (size, stride) pairs in elements, outermost first, from byte `start` on."""
    nbytes = item_bytes * prod(size for size, _ in dimensions)
    outer = [(size, stride * item_bytes) for size, stride in dimensions if size != 1]
    run = item_bytes
    while outer and outer[-1][1] == run:
        run *= outer.pop()[0]
    if not outer:
        return Pattern(start, nbytes)
    runs = np.zeros(1, np.int64)
    for size, stride in outer:
        runs = (runs[:, None] + np.arange(size, dtype=np.int64) * stride).ravel()
    return Pattern(start, nbytes, runs)


def end_patterns(end: End, pool: Pool) -> tuple[tuple[int, Pattern], ...]:
    """What passes at one end of a route, an object of the pool after another.

    One entry a transfer: the slice of the object that it fills or empties, and the bytes that it
    moves, from the object's address on.
    """
    item = pool.object.item_bytes
    slots = range(end.slot, end.slot + end.slots)
    parts = pool.slices[end.slot : end.slot + end.slots]
    if end.slots == 1:
        parts = ((end.offset, end.length),)
    return tuple(
        (slot, pattern(offset * item, end.dimensions or ((length, 1),), item))
        for slot, (offset, length) in zip(slots, parts, strict=True)
    )
