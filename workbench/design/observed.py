"""What an execution on the model saw of a core's memory, as plain values.

Addresses are from 0 within the core's own memory; byte ranges are inclusive at both ends.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workbench.design.memory import Region
from workbench.design.model import Tile

Reach = Literal["stack", "input", "elsewhere"]
"""How a kernel came to write where it must not: by its stack, into an input object it holds, or
anywhere else in its core's memory."""


@dataclass(frozen=True, slots=True)
class HostPart:
    """Bytes of one host buffer, by its position among the sequence's arguments."""

    buffer: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Overwritten:
    """Bytes that kernel calls changed where they must not; `first` and `last` are in the region.

    `region` is None for memory that the design gives to nobody; `after` then names the region
    before it. `host` is where the bytes had come from, when they came from the host directly.
    """

    reach: Reach
    region: str | None
    after: str | None
    first: int
    last: int
    address: int
    """Of `first`, in the core's memory."""
    changed: int
    """How many bytes held other values afterwards, at the most in one call."""
    calls: int
    function: str
    where: str
    """file:line of the call."""
    host: tuple[HostPart, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalArray:
    """A local variable of a kernel that lives on the core's stack."""

    function: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class StageRecord:
    """What one core recorded of a stage, in the order of its calls.

    `dtype` is that of the elements in `data`, as NumPy names it, or bfloat16; `count` is how many
    were recorded, of which `data` holds the first: as many as the stage has.
    """

    tile: Tile
    name: str
    dtype: str
    where: str
    """file:line of the first NPU_STAGE that recorded any."""
    count: int
    data: bytes

    def to_json(self) -> dict[str, Any]:
        """A plain dict for `from_json`."""
        return {**asdict(self), "data": b64encode(self.data).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StageRecord:
        """What `to_json` wrote."""
        column, row = data["tile"]
        return cls(**{**data, "tile": (column, row), "data": b64decode(data["data"])})


@dataclass(frozen=True, slots=True)
class CoreMemory:
    """A core's memory after an execution.

    `stack_bytes` is the most that was used of the stack, callers' frames included as estimated;
    0 when no kernel was called. `memory` has the stack, the buffers and the kernel's data.
    """

    tile: Tile
    stack_bytes: int
    stack_limit: int
    stack_size_given: bool
    where: str
    """file:line of the core in the design."""
    memory: tuple[Region, ...]
    arrays: tuple[LocalArray, ...] = ()
    overwritten: tuple[Overwritten, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A plain dict for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CoreMemory:
        """What `to_json` wrote."""
        column, row = data["tile"]
        return cls(
            tile=(column, row),
            stack_bytes=data["stack_bytes"],
            stack_limit=data["stack_limit"],
            stack_size_given=data["stack_size_given"],
            where=data["where"],
            memory=tuple(Region(**region) for region in data["memory"]),
            arrays=tuple(LocalArray(**array) for array in data["arrays"]),
            overwritten=tuple(
                Overwritten(**{**item, "host": tuple(HostPart(**part) for part in item["host"])})
                for item in data["overwritten"]
            ),
        )
