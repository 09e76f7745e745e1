"""Which bytes a DMA touches, in order: offsets, sizes and strides as addresses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.device.model.memory import Memory

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """`nbytes` bytes in the order they travel: from `start` on, or at `start` + each offset."""

    start: int
    nbytes: int
    offsets: npt.NDArray[np.int64] | None = None

    def read(self, memory: Memory) -> Bytes:
        """The bytes, as one copy."""
        if self.offsets is None:
            return memory.bytes[self.start : self.start + self.nbytes].copy()
        return memory.bytes[self.offsets + self.start]

    def write(self, memory: Memory, position: int, data: Bytes) -> None:
        """Put `data` where the bytes from `position` on belong."""
        end = position + data.size
        if self.offsets is None:
            memory.bytes[self.start + position : self.start + end] = data
        else:
            memory.bytes[self.offsets[position:end] + self.start] = data

    @property
    def lowest(self) -> int:
        """The first address touched."""
        return self.start + (int(self.offsets.min()) if self.offsets is not None else 0)

    @property
    def end(self) -> int:
        """One past the last address touched."""
        last = int(self.offsets.max()) + 1 if self.offsets is not None else self.nbytes
        return self.start + last


def pattern(start: int, dimensions: Sequence[tuple[int, int]], item_bytes: int) -> Pattern:
    """The pattern of (size, stride) pairs in elements, outermost first, from byte `start` on."""
    step = 1
    contiguous = True
    for size, stride in reversed(dimensions):
        contiguous &= size == 1 or stride == step
        step *= size
    nbytes = step * item_bytes
    if contiguous:
        return Pattern(start, nbytes)
    offsets = np.zeros(1, np.int64)
    for size, stride in dimensions:
        offsets = (
            offsets[:, None] + np.arange(size, dtype=np.int64) * (stride * item_bytes)
        ).ravel()
    offsets = (offsets[:, None] + np.arange(item_bytes, dtype=np.int64)).ravel()
    return Pattern(start, nbytes, offsets)
