"""Pools and routes: where a FIFO's objects lie, and how they travel.

The rules are the toolchain's (mlir-aie AIEObjectFifoStatefulTransform, and the verifiers of
AIEDialect.cpp), so that buffers have aiecc's names, sizes and order:

- A FIFO between two tiles that see one memory needs no DMA: one pool, in the producer's memory if
  the consumer sees that, else in the consumer's. Several consumers, a transform, a link, a repeat
  count or `via_DMA` force the DMA.
- With DMA each end that is no shim has a pool: `f` at the producer, `f_cons` at the consumer, or
  `f_0_cons`, `f_1_cons`, …
- A pool of a single-number depth on a core's tile holds one more than the core ever acquires at
  once, since the DMA works ahead; or just the one if that is the depth.
- The FIFOs of a link share the pool of one of them on the link's tile: the one with the larger
  object (the input's for equals), or the output's if that has initial values.
- DMA channels are given out in the order of the FIFOs in the text, the lowest free one first.

Pools stand in the order in which the toolchain makes them: FIFOs as in the text, for each the
producer's end and then the consumers', last one first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from workbench.design.fifos import check_dimensions, check_fifo
from workbench.design.hardware import kind, limits, sees
from workbench.design.links import Junction, consumer_pool, junctions
from workbench.design.model import Core, Dimensions, End, Fifo, Link, Pool, Route, Tile
from workbench.errors import DesignError


def lay_out(
    path: str, fifos: Mapping[str, Fifo], links: Iterable[Link], cores: Iterable[Core]
) -> tuple[dict[str, Pool], dict[str, Route]]:
    """The pools by name and the routes by FIFO.

    Raises DesignError for a FIFO or link that the toolchain refuses, or that has no DMA channel
    left.
    """
    for fifo in fifos.values():
        check_fifo(path, fifo)
    layout = _Layout(path, fifos, junctions(path, fifos, links), _most_acquired(cores))
    for fifo in fifos.values():
        layout.add(fifo)
    return layout.pools, {name: layout.route(fifo) for name, fifo in fifos.items()}


def _most_acquired(cores: Iterable[Core]) -> dict[tuple[Tile, str], int]:
    """How many objects of a FIFO the core of a tile acquires at most."""
    most: dict[tuple[Tile, str], int] = {}
    for core in cores:
        for op in core.body.walk():
            if op.name == "aie.objectfifo.acquire":
                key = core.tile, str(op.attributes["fifo"])
                count = op.attributes["count"]
                assert isinstance(count, int)
                most[key] = max(most.get(key, 0), count)
    return most


class _Layout:
    """Pools first, FIFO by FIFO; routes when all pools are there, since links look across."""

    def __init__(
        self,
        path: str,
        fifos: Mapping[str, Fifo],
        found: Mapping[str, Junction],
        acquired: Mapping[tuple[Tile, str], int],
    ) -> None:
        self._path = path
        self._fifos = fifos
        self._junctions = found
        self._acquired = acquired
        self._channels: dict[tuple[Tile, str], int] = {}
        self.pools: dict[str, Pool] = {}

    def add(self, fifo: Fifo) -> None:
        """Make the pools of one FIFO."""
        home = self._shared_home(fifo)
        if home is not None:
            self._pool(fifo.name, fifo, home, fifo.depths[0], fifo.init)
            return
        if self._owns(fifo, producer=True) and kind(fifo.producer) != "shim":
            depth = fifo.depths[0]
            if len(fifo.depths) == 1 and not fifo.init:
                depth = self._derived(fifo, fifo.producer, depth)
            self._pool(fifo.name, fifo, fifo.producer, depth, fifo.init)
        for index in reversed(range(len(fifo.consumers))):
            tile = fifo.consumers[index]
            if kind(tile) != "shim" and self._owns(fifo, producer=False, tile=tile):
                depth = self._consumer_depth(fifo, index)
                self._pool(consumer_pool(fifo, index), fifo, tile, depth, ())

    def _shared_home(self, fifo: Fifo) -> Tile | None:
        """The tile whose memory both ends use, or None if the FIFO needs the DMA."""
        if (
            fifo.via_dma
            or len(fifo.consumers) > 1
            or fifo.to_stream
            or any(fifo.from_stream)
            or fifo.name in self._junctions
        ):
            return None
        consumer = fifo.consumers[0]
        if sees(consumer, fifo.producer):
            return fifo.producer
        return consumer if sees(fifo.producer, consumer) else None

    def _owns(self, fifo: Fifo, *, producer: bool, tile: Tile | None = None) -> bool:
        """Whether this end has a pool of its own, not that of another FIFO in its link."""
        junction = self._junctions.get(fifo.name)
        if junction is None or junction.is_input(fifo.name) == producer:
            return True
        if tile is not None and tile != junction.tile:
            return True
        return junction.owner == fifo.name

    def _derived(self, fifo: Fifo, tile: Tile, depth: int) -> int:
        if kind(tile) != "core":
            return depth
        most = self._acquired.get((tile, fifo.name), 0)
        if most == 0 or (most == 1 and depth == 1):
            return depth
        return most + 1

    def _consumer_depth(self, fifo: Fifo, index: int) -> int:
        tile = fifo.consumers[index]
        if len(fifo.depths) == 1:
            return self._derived(fifo, tile, fifo.depths[0])
        depth = fifo.depths[index + 1]
        # A transform or a link makes the toolchain forget that a list gave this depth.
        forgotten = bool(fifo.from_stream[index]) or self._at_link(fifo, tile)
        return self._derived(fifo, tile, depth) if forgotten else depth

    def _at_link(self, fifo: Fifo, tile: Tile) -> bool:
        junction = self._junctions.get(fifo.name)
        return junction is not None and junction.is_input(fifo.name) and junction.tile == tile

    def _pool(self, name: str, fifo: Fifo, tile: Tile, depth: int, init: tuple[bytes, ...]) -> None:
        slices: tuple[tuple[int, int], ...] = ((0, fifo.object.elements),)
        junction = self._junctions.get(fifo.name)
        if junction is not None and junction.owner == fifo.name and tile == junction.tile:
            slices = junction.slices
        if name in self.pools:
            raise DesignError(
                f"redefinition of symbol named '{name}_buff_0'",
                where=f"{self._path}:{fifo.line}",
                hint=f"the pools of @{fifo.name} and @{self.pools[name].fifo} have one name",
            )
        self.pools[name] = Pool(
            name, fifo.name, tile, depth, fifo.object, init, fifo.line, slices=slices
        )

    def route(self, fifo: Fifo) -> Route:
        """The route of a FIFO; gives out its DMA channels."""
        home = self._shared_home(fifo)
        if home is not None:
            length = fifo.object.elements
            ends = (
                End(tile, fifo.name, length=length) for tile in (fifo.producer, fifo.consumers[0])
            )
            return Route(fifo.name, True, next(ends), tuple(ends))
        source = self._end(fifo, fifo.producer, fifo.name, fifo.to_stream, "output")
        targets = tuple(
            self._end(fifo, tile, consumer_pool(fifo, index), fifo.from_stream[index], "input")
            for index, tile in enumerate(fifo.consumers)
        )
        return Route(fifo.name, False, source, targets)

    def _end(
        self, fifo: Fifo, tile: Tile, name: str, dimensions: Dimensions, direction: str
    ) -> End:
        channel = self._channel(fifo, tile, direction)
        if kind(tile) == "shim":
            return End(tile, None, channel=channel)
        end = End(tile, name, length=fifo.object.elements, dimensions=dimensions, channel=channel)
        junction = self._junctions.get(fifo.name)
        joined = junction is not None and tile == junction.tile
        if (
            junction is not None
            and joined
            and junction.is_input(fifo.name) == (direction == "input")
        ):
            end = junction.end(end, fifo, self._fifos[junction.owner])
        assert end.pool is not None
        check_dimensions(self._path, fifo, end, self.pools[end.pool])
        return end

    def _channel(self, fifo: Fifo, tile: Tile, direction: str) -> int:
        """The next free DMA channel of a tile. Raises DesignError when there is none."""
        channel = self._channels.get((tile, direction), 0)
        if channel >= limits(tile).channels:
            raise DesignError(
                f"number of {direction} DMA channel exceeded!",
                where=f"{self._path}:{fifo.line}",
                hint=f"@{fifo.name} is one too many for the {channel} of tile {tile}",
            )
        self._channels[tile, direction] = channel + 1
        return channel
