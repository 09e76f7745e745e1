"""The hardware numbers of the NPUs, in one place.

Source: mlir-aie `AIETargetModel.h` / `AIETargetModel.cpp` (memory sizes, banks, channels, buffer
descriptors, locks, columns) and aie-rt `xaiemlgbl_reginit.c` (register widths behind the limits of
a DMA's sizes and strides). npu1 is AIE2 (Phoenix, Hawk Point), npu2 is AIE2P (Strix, Krackan).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from workbench.design.model import Tile

ROWS = 6
FIRST_CORE_ROW = 2
CORE_MEMORY_BYTES = 64 * 1024
CORE_BANKS = 4
PROGRAM_MEMORY_BYTES = 16 * 1024
MEM_TILE_BYTES = 512 * 1024
MEM_TILE_BANKS = 8
MAX_LOCK_VALUE = 63
TRANSFER_GRANULE_BYTES = 4
"""A DMA moves whole 32-bit words."""

STACK_ALIGNMENT: Mapping[Literal["aie2", "aie2p"], int] = {"aie2": 32, "aie2p": 64}
"""A frame's alignment in bytes (Peano, AIE frame lowering)."""

STACK_MARGIN_BYTES = 256
"""Added to a stack need before a size is recommended: spills, the core's own frame and library
functions, at 32 to 64 bytes each (mlir-air#1354), are in no figure that a tool has."""

FAMILY_COLUMNS = {"npu1": 4, "npu2": 8}

Kind = Literal["shim", "mem", "core"]


@dataclass(frozen=True, slots=True)
class TileLimits:
    """What one tile has: memory in bytes, DMA channels a direction, descriptors, locks."""

    memory_bytes: int
    banks: int
    channels: int
    descriptors: int
    locks: int
    max_wrap: int
    """Largest size of an inner DMA dimension, in 32-bit words or elements."""
    max_stride: int
    """Largest stride of a DMA dimension, in 32-bit words."""


LIMITS: dict[Kind, TileLimits] = {
    "shim": TileLimits(0, 0, 2, 16, 16, 1023, 1 << 20),
    "mem": TileLimits(MEM_TILE_BYTES, MEM_TILE_BANKS, 6, 48, 64, 1023, 1 << 17),
    "core": TileLimits(CORE_MEMORY_BYTES, CORE_BANKS, 2, 16, 16, 255, 1 << 13),
}

SHIM_MAX_REPEAT = 64
"""Largest outermost (iteration) size of a shim transfer."""

_TARGET = re.compile(r"(npu1|npu2)(?:_([1-7])col)?")


def columns(target: str) -> int | None:
    """How many columns a target such as "npu1_1col" has; None for an unknown target."""
    match = _TARGET.fullmatch("npu1" if target == "npu" else target)
    if match is None:
        return None
    most = FAMILY_COLUMNS[match[1]]
    if match[2] is None:
        return most
    count = int(match[2])
    return count if count <= most else None


def kind(tile: Tile) -> Kind:
    """Whether a tile is a shim, a mem tile or a core, by its row."""
    row = tile[1]
    return "shim" if row == 0 else "mem" if row < FIRST_CORE_ROW else "core"


def limits(tile: Tile) -> TileLimits:
    """The limits of a tile of this kind."""
    return LIMITS[kind(tile)]


def stack_size_for(need_bytes: int, alignment: int = STACK_ALIGNMENT["aie2"]) -> int:
    """The `stack_size` to recommend for a need, both in bytes: with a margin, and aligned."""
    return -(-(need_bytes + STACK_MARGIN_BYTES) // alignment) * alignment


def sees(core: Tile, memory: Tile) -> bool:
    """Whether the tile `core` can address `memory` directly.

    A core sees its own memory and those to its south, north and west; a mem tile its neighbours'.
    """
    if kind(core) != kind(memory) or kind(core) == "shim":
        return False
    across, up = memory[0] - core[0], memory[1] - core[1]
    if kind(core) == "mem":
        return up == 0 and abs(across) <= 1
    return (across == 0 and abs(up) <= 1) or (across, up) == (-1, 0)
