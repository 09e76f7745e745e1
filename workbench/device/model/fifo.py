"""Object FIFOs at run time: the objects of each pool, who may touch them, and what a core holds.

A pool is a ring of buffers with counting semaphores, as the toolchain lowers it to locks. Where a
link distributes or joins, its objects are filled or emptied in slices: each slice is a lane with
semaphores of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.design.model import Design, Pool, Tile
from workbench.device.model.memory import Memory
from workbench.device.model.scheduler import Wait
from workbench.errors import DesignError


class PoolState:
    """The ring of one pool; every list has an entry a lane."""

    def __init__(self, pool: Pool, memory: Memory) -> None:
        self.pool = pool
        filled, lanes = len(pool.init), len(pool.slices)
        self.addresses = [memory.address(f"{pool.name}_buff_{i}") for i in range(pool.depth)]
        for address, content in zip(self.addresses, pool.init, strict=False):
            memory.bytes[address : address + len(content)] = bytearray(content)
        self.free = [pool.depth - filled] * lanes
        self.full = [filled] * lanes
        self.written = [filled % pool.depth] * lanes
        """The ring index that is filled next."""
        self.read = [0] * lanes
        """The ring index that is emptied next."""


@dataclass(frozen=True, slots=True)
class Port:
    """One end's view of a lane of a pool: fills it (a producer) or empties it (a consumer)."""

    state: PoolState
    lane: int
    fills: bool

    @property
    def available(self) -> int:
        """Objects that this end could take now."""
        return (self.state.free if self.fills else self.state.full)[self.lane]

    def take(self, count: int) -> None:
        """Take objects; there must be that many."""
        (self.state.free if self.fills else self.state.full)[self.lane] -= count

    def give(self, count: int) -> None:
        """Hand objects on: filled ones to the reader, emptied ones back to the writer."""
        state, lane = self.state, self.lane
        counts, places = (state.full, state.written) if self.fills else (state.free, state.read)
        counts[lane] += count
        places[lane] = (places[lane] + count) % state.pool.depth

    def address(self, index: int = 0) -> int:
        """Where the `index`-th object after the last one handed on lies."""
        place = (self.state.written if self.fills else self.state.read)[self.lane]
        return self.state.addresses[(place + index) % self.state.pool.depth]


Subview = tuple["CorePort", int]
"""What an acquire gives: the port, and the number of the first object it held then."""


class CorePort:
    """What one core holds of one FIFO's end. Acquires are cumulative, as aiecc counts them."""

    def __init__(self, fifo: str, port: Port) -> None:
        self.fifo = fifo
        self.port = port
        self.held = 0
        self.released = 0
        """Objects handed on since the start."""

    def acquire(self, count: int, where: str, also: Callable[[], str]) -> Iterator[Wait]:
        """Hold `count` objects in total, waiting for those that are missing.

        `also` says what else the core holds, for a deadlock's report.
        """
        missing = count - self.held
        if missing > 0:
            yield from Wait(
                lambda: self.port.available >= missing,
                lambda: self._waiting(count) + also(),
                "core is stuck" if self.port.fills else "core starves",
                where,
            ).until_ready()
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

    def access(self, number: int, where: str) -> int:
        """The address of the object of this number; DesignError when it isn't held."""
        index = number - self.released
        if not 0 <= index < self.held:
            fate = "has been released" if index < 0 else "isn't acquired"
            raise DesignError(
                f"the core accesses an object of @{self.fifo} that {fate}; it holds {self.held}",
                where=where,
            )
        return self.port.address(index)

    def _waiting(self, count: int) -> str:
        """Who has the objects of the pool that this end waits for."""
        depth, available = self.port.state.pool.depth, self.port.available
        some = f"{count} of {self.fifo}" if count > 1 else self.fifo
        kind, done = ("Produce", "free") if self.port.fills else ("Consume", "filled")
        parts = [f"{available} of {depth} {done}"]
        if self.held:
            parts.append(f"{self.held} held")
        rest = depth - available - self.held
        if rest and self.port.fills:
            parts.append(f"{rest} filled and not yet taken")
        return f"waits to acquire {some} for {kind}: {', '.join(parts)}"


class Fifos:
    """All pools of a design and the ports of its cores."""

    def __init__(self, design: Design, memory: Memory) -> None:
        self._design = design
        self.states = {name: PoolState(pool, memory) for name, pool in design.pools.items()}
        self._ports: dict[tuple[str, Tile, bool], CorePort] = {}

    def holding(self, tile: Tile, but: CorePort) -> str:
        """What the core at `tile` holds beside one FIFO, as words to append."""
        others = [
            f"{p.held} of {p.fifo}{'' if p.released else ' (none released so far)'}"
            for p in self.held_by(tile)
            if p is not but
        ]
        return f", while it holds {' and '.join(others)}" if others else ""

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
            # A FIFO in memory that both ends see has its one pool on one of their tiles.
            pool = next(end.pool for end in ends if end.tile == tile)
            assert pool is not None
            self._ports[key] = CorePort(fifo, Port(self.states[pool], 0, fills))
        return self._ports[key]
