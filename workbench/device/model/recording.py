"""Recording stages: what a kernel's NPU_STAGE hands over during one execution."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from workbench.design.model import Tile
from workbench.design.observed import StageRecord

Hook = Callable[[bytes, bytes, int, bytes, int, int | None, int], None]
"""Name, file, line, kind and size of an element, address, count: as in `npu_workbench.h`."""

HOOK = ctypes.CFUNCTYPE(
    None,
    ctypes.c_char_p,
    ctypes.c_char_p,
    ctypes.c_int,
    ctypes.c_char,
    ctypes.c_ulong,
    ctypes.c_void_p,
    ctypes.c_longlong,
)

_KINDS = {b"i": "int", b"u": "uint", b"f": "float", b"b": "bfloat"}


@dataclass(slots=True)
class _Part:
    where: str
    data: bytearray = field(default_factory=bytearray)
    count: int = 0


class Recorder:
    """Keeps each core's stages in the order of the calls, up to `room` elements of each."""

    def __init__(self, room: Mapping[str, int]) -> None:
        self._room = room
        self._parts: dict[tuple[Tile, str, str], _Part] = {}

    def hook(self, tile: Tile) -> Hook:
        """What the library of the core at `tile` calls."""

        def keep(
            name: bytes, file: bytes, line: int, kind: bytes, size: int, at: int | None, count: int
        ) -> None:
            stage, dtype = name.decode(errors="replace"), f"{_KINDS[kind]}{8 * size}"
            key = (tile, stage, dtype)
            if key not in self._parts:
                self._parts[key] = _Part(f"{file.decode(errors='replace')}:{line}")
            part = self._parts[key]
            room = self._room.get(stage, 0) - len(part.data) // size
            part.count += max(count, 0)
            if at is not None and (taken := min(count, room)) > 0:
                part.data += ctypes.string_at(at, taken * size)

        return keep

    def records(self) -> tuple[StageRecord, ...]:
        """All stages of all cores, core by core, in the order of their first call."""
        parts = sorted(self._parts.items(), key=lambda item: item[0][0])
        return tuple(
            StageRecord(tile, name, dtype, part.where, part.count, bytes(part.data))
            for (tile, name, dtype), part in parts
        )
