"""The device's data memory on this machine: every tile's memory and the host's buffers.

All of it is one mapping, so that an address within it (a plain int) is all that a design, a DMA
and a kernel need. Between the tiles lie guard pages: a kernel that leaves its tile's memory dies
on the spot instead of writing into a neighbour.
"""

from __future__ import annotations

import ctypes
import mmap
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.design import hardware
from workbench.design.memory import Region, memory_map
from workbench.design.model import Design, Tile
from workbench.errors import DeviceError

GUARD_BYTES = 64 * 1024
"""Unmapped space on both sides of each tile's memory."""

APART_BYTES = 256 * 1024
"""Room for a core's stack where it can't touch buffers."""

FORMATS = {
    "i1": "B",
    "i8": "b",
    "si8": "b",
    "ui8": "B",
    "i16": "h",
    "si16": "h",
    "ui16": "H",
    "i32": "i",
    "si32": "i",
    "ui32": "I",
    "i64": "q",
    "si64": "q",
    "ui64": "Q",
    "bf16": "H",
    "f32": "f",
}
"""Element types of MLIR as formats of `struct`."""


class Memory:
    """The memory of one execution.

    `fill` is what every byte holds before anything is written. `stack_apart` puts the cores' stacks
    outside their memory, where they can't touch buffers.
    """

    def __init__(
        self,
        design: Design,
        host_bytes: Sequence[int],
        allocation: str,
        *,
        fill: int = 0,
        stack_apart: bool = False,
    ) -> None:
        self.maps: dict[Tile, tuple[Region, ...]] = {}
        self.tiles: dict[Tile, int] = {}
        """Where each tile's memory begins."""
        self.stacks: dict[Tile, int] = {}
        """Where each core's stack begins."""
        self.host: tuple[int, ...] = ()
        """Where each host buffer begins."""
        self._names: dict[str, int] = {}
        spans: list[tuple[int, int]] = []
        end = GUARD_BYTES
        for tile in sorted({*design.tiles, *(core.tile for core in design.cores)}):
            size = hardware.limits(tile).memory_bytes
            if size:
                self.maps[tile] = memory_map(design, tile, allocation)
                self.tiles[tile] = end
                spans.append((end, size))
                end += size + GUARD_BYTES
        self.stacks = {core.tile: self.tiles[core.tile] for core in design.cores}
        for tile in self.stacks if stack_apart else ():
            self.stacks[tile] = end
            spans.append((end, APART_BYTES))
            end += APART_BYTES + GUARD_BYTES
        for size in host_bytes:
            room = -(-max(size, 1) // mmap.PAGESIZE) * mmap.PAGESIZE
            self.host = (*self.host, end)
            spans.append((end, room))
            end += room + mmap.PAGESIZE
        self._map = mmap.mmap(-1, end)
        _in_use.add(self)
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(self._map, np.uint8)
        self.base = int(self.bytes.ctypes.data)
        """The address in this process of the mapping's first byte."""
        for start, size in spans:
            self.bytes[start : start + size] = fill
        self._guard(spans, end)
        whole: Any = memoryview(self._map)
        self.views = {letter: whole.cast(letter) for letter in set(FORMATS.values())}
        """The mapping as elements of each format."""
        for tile, regions in self.maps.items():
            for region in regions:
                self._names[region.name] = self.tiles[tile] + region.address

    def address(self, name: str) -> int:
        """Where the buffer of this name lies in the mapping."""
        return self._names[name]

    def of_tile(self, tile: Tile) -> npt.NDArray[np.uint8]:
        """The bytes of a tile's memory."""
        start = self.tiles[tile]
        return self.bytes[start : start + hardware.limits(tile).memory_bytes]

    def _guard(self, spans: Sequence[tuple[int, int]], end: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        prot_none = 0
        start = 0
        for begin, size in (*spans, (end, 0)):
            if begin > start:
                failed = libc.mprotect(
                    ctypes.c_void_p(self.base + start), ctypes.c_size_t(begin - start), prot_none
                )
                if failed:
                    raise DeviceError(f"mprotect failed with errno {ctypes.get_errno()}")
            start = begin + size


_in_use: weakref.WeakSet[Memory] = weakref.WeakSet()


@dataclass(frozen=True, slots=True)
class Place:
    """An address in a tile's memory or its guard pages.

    `offset` is from the memory's first byte, negative before it. `region` is the last one that
    begins at or before it, and `within` the distance from there.
    """

    tile: Tile
    offset: int
    region: str
    within: int


def place_of_address(address: int) -> Place | None:
    """Where an address of this process is; None when it is in no tile's memory."""
    for memory in list(_in_use):
        for tile, start in memory.tiles.items():
            offset = address - memory.base - start
            if -GUARD_BYTES <= offset < hardware.limits(tile).memory_bytes + GUARD_BYTES:
                below = [r for r in memory.maps[tile] if r.address <= offset] or memory.maps[tile]
                nearest = below[-1] if offset >= 0 else below[0]
                return Place(tile, offset, nearest.name, offset - nearest.address)
    return None
