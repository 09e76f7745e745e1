"""Where things lie in a tile's data memory: the stack, then buffers as AMD's allocator puts them.

Addresses are from 0 within the tile's own memory (0x70000 in a core's view of itself).
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.design import hardware
from workbench.design.model import Design, Tile
from workbench.errors import DesignError

ALIGNMENT = 32
"""Buffers start at multiples of this many bytes (mlir-aie AIEAssignBuffers.cpp)."""

STACK = "(stack)"


@dataclass(frozen=True, slots=True)
class Region:
    """A named piece of a tile's memory: `address` and `bytes` within that memory."""

    name: str
    address: int
    bytes: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.bytes


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str
    bytes: int
    address: int | None
    line: int


def memory_map(design: Design, tile: Tile, allocation: str) -> tuple[Region, ...]:
    """The regions of a tile's memory by address; DesignError when they don't fit.

    `allocation` is "bank-aware" or "basic-sequential", as in aiecc's --alloc-scheme.
    """
    core = design.core(tile)
    stack = core.stack_size if core is not None else 0
    regions = [Region(STACK, 0, stack)] if stack else []
    wanted = sorted(_buffers(design, tile), key=lambda buffer: -buffer.bytes)
    fixed = [Region(b.name, b.address, b.bytes) for b in wanted if b.address is not None]
    regions += fixed
    address = stack
    for buffer in wanted:
        if buffer.address is None:
            address = _free_address(address, buffer.bytes, fixed)
            regions.append(Region(buffer.name, address, buffer.bytes))
            address += buffer.bytes
    regions.sort(key=lambda region: region.address)
    limit = hardware.limits(tile).memory_bytes
    if regions and max(region.end for region in regions) > limit:
        raise _overflow(design, tile, regions, limit)
    return tuple(regions)


def _buffers(design: Design, tile: Tile) -> list[_Wanted]:
    found = [
        _Wanted(f"{pool.name}_buff_{index}", pool.object.bytes, None, pool.line)
        for pool in design.pools.values()
        if pool.tile == tile
        for index in range(pool.depth)
    ]
    found += [
        _Wanted(buffer.name, buffer.type.bytes, buffer.address, buffer.line)
        for buffer in design.buffers
        if buffer.tile == tile
    ]
    return found


def _free_address(address: int, size: int, fixed: list[Region]) -> int:
    """The first aligned address from `address` on where `size` bytes touch no fixed buffer."""
    while True:
        address = -(-address // ALIGNMENT) * ALIGNMENT
        hit = [r for r in fixed if r.address < address + size and address < r.end]
        if not hit:
            return address
        address = max(region.end for region in hit)


def _overflow(design: Design, tile: Tile, regions: list[Region], limit: int) -> DesignError:
    lines = {buffer.name: buffer.line for buffer in _buffers(design, tile)}
    first = next(region for region in regions if region.end > limit)
    core = design.core(tile)
    line = lines.get(first.name) or (core.line if core is not None else 1)
    return DesignError(
        f"'aie.tile'({tile[0]}, {tile[1]}) allocated buffers exceeded available memory: "
        f"{max(r.end for r in regions):,} of {limit:,} bytes; MemoryMap: {describe(regions)}",
        where=f"{design.path}:{line}",
        hint="make objects or FIFO depths smaller",
    )


def describe(regions: list[Region] | tuple[Region, ...]) -> str:
    """A memory map in one line, in the allocator's own notation."""
    return ", ".join(f"{r.name} : {r.address:#x}-{r.end - 1:#x} ({r.bytes} bytes)" for r in regions)
