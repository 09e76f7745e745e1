"""Watching what kernel calls do to their core's memory: what they change and must not.

Around every call the core's memory is compared with what it was. A kernel may change the objects
it holds as a producer, the buffers that the design gives it, and its stack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from workbench.design.memory import STACK, Region
from workbench.design.model import Core, Design
from workbench.design.observed import HostPart, Overwritten, Reach
from workbench.device.model.fifo import Fifos
from workbench.device.model.memory import Memory

Origin = Callable[[str, int, tuple[int, int]], tuple[HostPart, ...]]
"""Host bytes behind bytes of an object: of a pool, the object's number, first and last byte."""


@dataclass(frozen=True, slots=True)
class _Zone:
    """Bytes of a core's memory and what a call may do to them."""

    start: int
    end: int
    name: str | None
    after: str | None = None
    pool: str | None = None
    number: int = 0
    """Of the object in it."""
    held: str = ""
    """"Produce" or "Consume" while the core holds it."""


class Observer:
    """Watches the calls of one core."""

    def __init__(
        self, design: Design, core: Core, fifos: Fifos, memory: Memory, origin: Origin
    ) -> None:
        self._core = core
        self._fifos = fifos
        self._memory = memory
        self._origin = origin
        self._bytes = memory.of_tile(core.tile)
        self._base = memory.tiles[core.tile]
        self._pools = {
            f"{pool.name}_buff_{index}": pool.name
            for pool in design.pools.values()
            for index in range(pool.depth)
        }
        self._regions = memory.maps[core.tile]
        self._given = {buffer.name for buffer in design.buffers}
        self._before: npt.NDArray[np.uint8] | None = None
        self._seen: dict[tuple[Reach, str | None, int], Overwritten] = {}

    @property
    def overwritten(self) -> tuple[Overwritten, ...]:
        """What was changed and must not be, by address."""
        return tuple(sorted(self._seen.values(), key=lambda found: found.address))

    def before(self) -> None:
        """A call is about to be made."""
        self._before = self._bytes.copy()

    def after(self, function: str, where: str, stack_end: int) -> None:
        """The call is over; `stack_end` is the highest offset in the memory that it has used."""
        assert self._before is not None
        changed = np.flatnonzero(self._bytes != self._before)
        if changed.size == 0:
            return
        for zone in self._zones():
            hit = changed[(changed >= zone.start) & (changed < zone.end)]
            if hit.size:
                self._note(zone, hit, function, where, stack_end)

    def _zones(self) -> Iterator[_Zone]:
        """What a call must leave alone: all but its stack, its output and given buffers."""
        held = {
            port.port.address(index) - self._base: (port.port.fills, port.released + index)
            for port in self._fifos.held_by(self._core.tile)
            for index in range(port.held)
        }
        end, last = 0, None
        for region in (*self._regions, Region("", self._bytes.size, 0)):
            if region.address > end:
                yield _Zone(end, region.address, None, after=last)
            fills, number = held.get(region.address, (False, 0))
            consumes = region.address in held and not fills
            if region.name not in (STACK, "") and region.name not in self._given and not fills:
                pool = self._pools.get(region.name)
                kind = "Consume" if consumes else ""
                yield _Zone(region.address, region.end, region.name, None, pool, number, kind)
            end, last = region.end, region.name

    def _note(
        self,
        zone: _Zone,
        hit: npt.NDArray[np.intp],
        function: str,
        where: str,
        stack_end: int,
    ) -> None:
        by_stack = hit[hit < stack_end]
        groups: list[tuple[Reach, npt.NDArray[np.intp]]] = [("stack", by_stack)]
        if zone.held:
            groups.append(("input", hit))
        else:
            groups.append(("elsewhere", hit[hit >= stack_end]))
        for reach, places in groups:
            if places.size:
                self._add(reach, zone, places, function, where)

    def _add(
        self,
        reach: Reach,
        zone: _Zone,
        places: npt.NDArray[np.intp],
        function: str,
        where: str,
    ) -> None:
        first, last = int(places[0]) - zone.start, int(places[-1]) - zone.start
        host = () if zone.pool is None else self._origin(zone.pool, zone.number, (first, last))
        found = Overwritten(
            reach=reach,
            region=zone.name,
            after=zone.after,
            first=first,
            last=last,
            address=zone.start + first,
            changed=int(places.size),
            calls=1,
            function=function,
            where=where,
            host=host,
        )
        key = (reach, zone.name, zone.start)
        known = self._seen.get(key)
        self._seen[key] = found if known is None else _merged(known, found)


def _merged(a: Overwritten, b: Overwritten) -> Overwritten:
    """Both as one, told by the earlier call."""
    first = min(a.first, b.first)
    return replace(
        a,
        first=first,
        last=max(a.last, b.last),
        address=a.address - a.first + first,
        changed=max(a.changed, b.changed),
        calls=a.calls + 1,
        host=a.host if (a.last - a.first) >= (b.last - b.first) else b.host,
    )
