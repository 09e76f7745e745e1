"""Where things lie in a tile's data memory: the stack, then buffers as AMD's allocator puts them.

Addresses are from 0 within the tile's own memory (0x70000 in a core's view of itself). Both schemes
and their words are those of mlir-aie's AIEAssignBuffers.cpp as of 2025. Versions from mid-2026 on
fill holes below buffers with an address, and align large buffers on npu2 to 64 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.design import hardware
from workbench.design.model import Buffer, Design, Tile
from workbench.errors import DesignError

ALIGNMENT = 32
"""Buffers start at multiples of this many bytes, the width of a tile's load and store bus."""

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


def memory_map(design: Design, tile: Tile, allocation: str) -> tuple[Region, ...]:
    """The regions of a tile's memory by address.

    `allocation` is "basic-sequential" or "bank-aware": the latter falls back to the former when
    the buffers don't fit the banks, as aiecc does without --alloc-scheme. Raises DesignError when
    they don't fit at all, or when an address or bank that the design gives can't be had.
    """
    space = _Space.of(design, tile)
    if allocation == "bank-aware":
        regions, misfit = _bank_aware(space)
        if misfit is None:
            return _sorted(regions)
        space.refuse_dropped_banks()
    return _basic_sequential(space, "" if allocation != "bank-aware" else _FALLEN_BACK)


def allocation_notes(design: Design, tile: Tile, allocation: str) -> tuple[str, ...]:
    """The allocator's warnings about a tile for which `memory_map` gives a map."""
    space = _Space.of(design, tile)
    if allocation == "bank-aware":
        misfit = _bank_aware(space)[1]
        if misfit is None:
            return ()
        return (f"tile {tile}: {_misfit_words(misfit)} {_FALLING_BACK}",)
    return tuple(
        f"tile {tile}: basic-sequential allocation ignores mem_bank; dropping the pin on: {b.name}"
        for b in space.wanted
        if b.bank is not None and b.address is None
    )


def reached_by_stack(regions: Iterable[Region], stack_bytes: int) -> list[str]:
    """The regions that a stack of this many bytes grows into, by name."""
    return [r.name for r in regions if r.name != STACK and r.address < stack_bytes]


def describe(regions: Iterable[Region]) -> str:
    """A memory map in the allocator's own notation, a line a region."""
    return "\n".join(
        f"  {r.name} : {r.address:#x}-{max(r.address, r.end - 1):#x} ({r.bytes} bytes)"
        for r in regions
    )


_FALLING_BACK = "Bank-aware allocation failed, trying basic sequential allocation."
_FALLEN_BACK = "Basic sequential allocation also failed."


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A buffer to be placed; `address` and `bank` are what the design insists on."""

    name: str
    bytes: int
    line: int
    address: int | None = None
    bank: int | None = None

    def at(self, address: int) -> Region:
        return Region(self.name, address, self.bytes)


@dataclass(frozen=True, slots=True)
class _Space:
    """A tile's memory before anything is placed."""

    path: str
    tile: Tile
    line: int
    stack: int
    wanted: tuple[_Wanted, ...]
    """In the order of the lowered text, which decides between buffers of one size."""

    @classmethod
    def of(cls, design: Design, tile: Tile) -> _Space:
        core = design.core(tile)
        wanted = tuple(_wanted(design, tile))
        line = core.line if core is not None else wanted[0].line if wanted else 1
        return cls(design.path, tile, line, core.stack_size if core is not None else 0, wanted)

    @property
    def limits(self) -> hardware.TileLimits:
        return hardware.limits(self.tile)

    @property
    def bank_bytes(self) -> int:
        return self.limits.memory_bytes // self.limits.banks

    def regions(self, placed: Iterable[Region]) -> list[Region]:
        """The stack and what was placed."""
        return [*([Region(STACK, 0, self.stack)] if self.stack else []), *placed]

    def pinned(self) -> list[_Wanted]:
        """The buffers with an address, lowest first. Raises DesignError where they overlap."""
        found = sorted((b for b in self.wanted if b.address is not None), key=_address)
        taken = Region(STACK, 0, self.stack)
        for buffer in found:
            region = buffer.at(_address(buffer))
            if region.address % ALIGNMENT:
                bits = ALIGNMENT * 8
                raise self.refusal(buffer, f"pre-allocated address must be aligned to {bits} bits")
            if region.end > self.limits.memory_bytes:
                raise self.refusal(
                    buffer,
                    "address attribute would place the buffer past the end of the tile's memory",
                )
            if region.address < taken.end:
                name = "stack" if taken.name == STACK else f"buffer {taken.name!r}"
                raise self.refusal(
                    buffer,
                    f"buffer {buffer.name!r} at address {region.address:#x} overlaps with {name} "
                    f"at {taken.address:#x} ({taken.bytes} bytes)",
                )
            taken = region
        return found

    def refuse_dropped_banks(self) -> None:
        """Raise DesignError if falling back would lose a bank that the design insists on."""
        for buffer in self.wanted:
            if buffer.bank is not None and buffer.address is None:
                raise self.refusal(
                    buffer,
                    "bank-aware allocation failed; falling back to basic-sequential would silently "
                    f"drop the mem_bank pin on: {buffer.name}",
                )

    def refusal(self, buffer: _Wanted, message: str) -> DesignError:
        return DesignError(message, where=f"{self.path}:{buffer.line}")


def _address(buffer: _Wanted) -> int:
    return buffer.address or 0


def _sorted(regions: Iterable[Region]) -> tuple[Region, ...]:
    return tuple(sorted(regions, key=lambda region: region.address))


def _wanted(design: Design, tile: Tile) -> list[_Wanted]:
    """The buffers of a tile in the order of the text that the allocator sees.

    Each pool is inserted right after the last tile, before those that were inserted earlier.
    """
    early, late = (
        [_declared(b) for b in design.buffers if b.tile == tile and b.before_tiles == before]
        for before in (True, False)
    )
    pools = [
        _Wanted(f"{pool.name}_buff_{index}", pool.object.bytes, pool.line)
        for pool in reversed(design.pools.values())
        if pool.tile == tile
        for index in range(pool.depth)
    ]
    return [*early, *pools, *late]


def _declared(buffer: Buffer) -> _Wanted:
    return _Wanted(buffer.name, buffer.type.bytes, buffer.line, buffer.address, buffer.bank)


def _basic_sequential(space: _Space, failed_before: str) -> tuple[Region, ...]:
    """From the stack's end upwards, the largest first, around the buffers with an address."""
    pinned = [buffer.at(_address(buffer)) for buffer in space.pinned()]
    placed: list[Region] = []
    address = space.stack
    ahead = list(pinned)
    for buffer in _largest_first(b for b in space.wanted if b.address is None):
        address = _aligned(address)
        while ahead and address + buffer.bytes > ahead[0].address:
            address = _aligned(ahead.pop(0).end)
        placed.append(buffer.at(address))
        address += buffer.bytes
    regions = _sorted(space.regions([*pinned, *placed]))
    if max((region.end for region in regions), default=0) > space.limits.memory_bytes:
        raise _overflow(space, regions, failed_before)
    return regions


def _bank_aware(space: _Space) -> tuple[list[Region], _Wanted | None]:
    """Each buffer in the next bank with room, the largest first; or the first that finds none.

    Within a bank everything goes above what has an address there. Raises DesignError for an
    address or bank that can't be had.
    """
    size, banks = space.bank_bytes, space.limits.banks
    free = [size * bank for bank in range(banks)]
    free[0] = space.stack
    placed: list[Region] = []

    def place(buffer: _Wanted, bank: int) -> bool:
        start = _aligned(free[bank])
        if start + buffer.bytes > size * (bank + 1):
            return False
        placed.append(buffer.at(start))
        free[bank] = start + buffer.bytes
        return True

    for buffer in space.pinned():
        placed.append(buffer.at(_address(buffer)))
        for bank in range(_address(buffer) // size, (placed[-1].end - 1) // size + 1):
            free[bank] = min(placed[-1].end, size * (bank + 1))
    open_ones = [buffer for buffer in space.wanted if buffer.address is None]
    for buffer in open_ones:
        if buffer.bank is None:
            continue
        if not 0 <= buffer.bank < banks:
            raise space.refusal(buffer, "mem_bank attribute value is out of range")
        if not place(buffer, buffer.bank):
            raise space.refusal(
                buffer,
                f"would override existing mem_bank: {buffer.name} needs {buffer.bytes} bytes in "
                f"bank {buffer.bank}, which has {size * (buffer.bank + 1) - free[buffer.bank]} of "
                f"{size} left",
            )
    first = 0
    for buffer in _largest_first(b for b in open_ones if b.bank is None):
        order = ((first + step) % banks for step in range(banks))
        found = next((bank for bank in order if place(buffer, bank)), None)
        if found is None or placed[-1].address < space.stack:
            return [], buffer
        first = (found + 1) % banks
    return space.regions(placed), None


def _largest_first(buffers: Iterable[_Wanted]) -> list[_Wanted]:
    return sorted(buffers, key=lambda buffer: -buffer.bytes)


def _aligned(address: int) -> int:
    return -(-address // ALIGNMENT) * ALIGNMENT


def _misfit_words(buffer: _Wanted) -> str:
    return f'Failed to allocate buffer: "{buffer.name}" with size: {buffer.bytes} bytes.'


def _overflow(space: _Space, regions: Sequence[Region], failed_before: str) -> DesignError:
    limit = space.limits.memory_bytes
    first = next(region for region in regions if region.end > limit)
    line = next((b.line for b in space.wanted if b.name == first.name), space.line)
    words = f". {failed_before}" if failed_before else ""
    return DesignError(
        f"'aie.tile' op allocated buffers exceeded available memory: {regions[-1].end:,} of "
        f"{limit:,} bytes on tile {space.tile}{words}\nMemoryMap:\n{describe(regions)}\n",
        where=f"{space.path}:{line}",
        hint="make objects, FIFO depths or the stack smaller",
    )
