"""Object FIFOs at run time: the objects of each pool, who may touch them, and what a core holds.

A pool is a ring of buffers with counting semaphores, as the toolchain lowers it to locks. Its
objects may be filled in parts (a join) or emptied in parts (a distribute): each part is a lane
with semaphores of its own, and an end that handles whole objects takes all lanes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.design.model import Design, Pool, Tile
from workbench.device.model.memory import Memory
from workbench.device.model.scheduler import Wait
from workbench.errors import DesignError


class PoolState:
    """The ring of one pool. `lanes` is in how many parts its objects are filled or emptied."""

    def __init__(self, pool: Pool, lanes: int, memory: Memory) -> None:
        self.pool = pool
        filled = len(pool.init)
        self.addresses = [memory.address(f"{pool.name}_buff_{i}") for i in range(pool.depth)]
        for address, content in zip(self.addresses, pool.init, strict=False):
            memory.bytes[address : address + len(content)] = bytearray(content)
        self.free = [pool.depth - filled] * lanes
        self.full = [filled] * lanes
        self.written = [filled % pool.depth] * lanes
        """Per lane, the ring index that is filled next."""
        self.read = [0] * lanes
        """Per lane, the ring index that is emptied next."""

    def lanes_of(self, slot: int, whole: bool) -> tuple[int, ...]:
        """The lanes of an end: all of them for whole objects, else its own."""
        return tuple(range(len(self.free))) if whole else (slot,)


@dataclass(frozen=True, slots=True)
class Port:
    """One end's view of a pool: fills it (a producer) or empties it (a consumer)."""

    state: PoolState
    lanes: tuple[int, ...]
    fills: bool

    @property
    def available(self) -> int:
        """Objects that this end could take now."""
        counts = self.state.free if self.fills else self.state.full
        return min(counts[lane] for lane in self.lanes)

    def take(self, count: int) -> None:
        """Take objects; there must be that many."""
        counts = self.state.free if self.fills else self.state.full
        for lane in self.lanes:
            counts[lane] -= count

    def give(self, count: int) -> None:
        """Hand objects on: filled ones to the reader, emptied ones back to the writer."""
        state = self.state
        counts = state.full if self.fills else state.free
        places = state.written if self.fills else state.read
        for lane in self.lanes:
            counts[lane] += count
            places[lane] = (places[lane] + count) % state.pool.depth

    def address(self, index: int = 0) -> int:
        """Where the `index`-th object after the last one handed on lies."""
        places = self.state.written if self.fills else self.state.read
        return self.state.addresses[(places[self.lanes[0]] + index) % self.state.pool.depth]

    def until_available(self, describe: str) -> Wait:
        """Wait for one object."""
        return Wait(lambda: self.available >= 1, lambda: describe)


class CorePort:
    """What one core holds of one FIFO's end. Acquires are cumulative, as aiecc counts them."""

    def __init__(self, fifo: str, port: Port) -> None:
        self.fifo = fifo
        self.port = port
        self.held = 0
        self.released = 0
        """Objects handed on since the start."""

    def acquire(self, count: int) -> Iterator[Wait]:
        """Hold `count` objects in total, waiting for those that are missing."""
        missing = count - self.held
        if missing > 0:
            wait = Wait(lambda: self.port.available >= missing, lambda: self._waiting(count))
            while not wait.ready():
                yield wait
            self.port.take(missing)
            self.held = count

    def release(self, count: int, where: str) -> None:
        """Hand on the oldest `count` objects; DesignError when fewer are held."""
        if count > self.held:
            raise DesignError(
                f"the core releases {count} of @{self.fifo} and holds {self.held}: cannot release "
                "more elements than are already acquired",
                where=where,
            )
        self.port.give(count)
        self.held -= count
        self.released += count

    def access(self, index: int, where: str) -> int:
        """The address of the `index`-th held object; DesignError when it isn't held."""
        if not 0 <= index < self.held:
            raise DesignError(
                f"the core accesses object {index} of @{self.fifo} and holds {self.held}: accessed "
                "farther than number of acquired elements (index out of bounds)",
                where=where,
            )
        return self.port.address(index)

    def _waiting(self, count: int) -> str:
        kind = "Produce" if self.port.fills else "Consume"
        depth = self.port.state.pool.depth
        state = "free" if self.port.fills else "filled"
        return (
            f"waits to acquire {count} of {self.fifo} for {kind}: {self.held} held, "
            f"{self.port.available} of {depth} {state}"
        )


class Fifos:
    """All pools of a design and the ports of its cores."""

    def __init__(self, design: Design, memory: Memory) -> None:
        self._design = design
        lanes = {name: 1 for name in design.pools}
        for route in design.routes.values():
            for end in (route.source, *route.targets):
                if end.pool is not None:
                    lanes[end.pool] = max(lanes[end.pool], end.slot + 1)
        self.states = {
            name: PoolState(pool, lanes[name], memory) for name, pool in design.pools.items()
        }
        self._ports: dict[tuple[str, Tile, bool], CorePort] = {}

    def port(self, pool: str, slot: int, length: int, *, fills: bool) -> Port:
        """The port of an end that handles `length` elements of each object."""
        state = self.states[pool]
        whole = length >= state.pool.object.elements
        return Port(state, state.lanes_of(slot, whole), fills)

    def held_by(self, tile: Tile) -> list[CorePort]:
        """The ports of the core at `tile` that hold objects."""
        return [port for (_, at, _), port in self._ports.items() if at == tile and port.held]

    def core_port(self, fifo: str, tile: Tile, kind: str) -> CorePort:
        """What the core at `tile` holds of `fifo` as "Produce" or "Consume"."""
        fills = kind == "Produce"
        key = (fifo, tile, fills)
        if key not in self._ports:
            route = self._design.routes[fifo]
            ends = (route.source,) if fills else route.targets
            end = next((e for e in ends if e.tile == tile and e.pool is not None), None)
            if end is None or end.pool is None:
                raise DesignError(f"core {tile} has no end of @{fifo} to {kind.lower()}")
            self._ports[key] = CorePort(
                fifo, self.port(end.pool, end.slot, end.length, fills=fills)
            )
        return self._ports[key]
