"""Links: which FIFOs share one pool, and which part of its objects each of them moves.

Rules and words are those of mlir-aie's ObjectFifoLinkOp verifier and of
AIEObjectFifoStatefulTransform.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from workbench.design.hardware import kind
from workbench.design.model import End, Fifo, Link, Tile
from workbench.errors import DesignError


@dataclass(frozen=True, slots=True)
class Junction:
    """What a link comes to: a tile, and one pool there that all its FIFOs use."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tile: Tile
    owner: str
    """The FIFO whose end at the tile has the pool."""
    pool: str
    slices: tuple[tuple[int, int], ...]
    """(offset, length) in elements, one for each input of a join or output of a distribute."""

    def is_input(self, fifo: str) -> bool:
        """Whether a FIFO of the link brings objects to the tile."""
        return fifo in self.inputs

    def end(self, end: End, fifo: Fifo, owner: Fifo) -> End:
        """What the end of `fifo` at the tile moves of the shared pool.

        A mem tile moves the owner's whole object through a forwarding link; a core's DMA moves
        as many elements as the FIFO's own objects have.
        """
        end = replace(end, pool=self.pool)
        if len(self.slices) == 1:
            length = owner.object.elements if kind(self.tile) == "mem" else fifo.object.elements
            return replace(end, length=length)
        if fifo.name == self.owner:
            return replace(end, slots=len(self.slices))
        parts = self.inputs if self.is_input(fifo.name) else self.outputs
        slot = parts.index(fifo.name)
        offset, length = self.slices[slot]
        return replace(end, slot=slot, offset=offset, length=length)


def consumer_pool(fifo: Fifo, index: int) -> str:
    """The name of a consumer's pool, as the toolchain gives it."""
    return f"{fifo.name}_cons" if len(fifo.consumers) == 1 else f"{fifo.name}_{index}_cons"


def junctions(path: str, fifos: Mapping[str, Fifo], links: Iterable[Link]) -> dict[str, Junction]:
    """The junction of each linked FIFO. Raises DesignError for a link the toolchain refuses."""
    found: dict[str, Junction] = {}
    for link in links:
        where = f"{path}:{link.line}"
        for name in (*link.inputs, *link.outputs):
            if name not in fifos:
                raise DesignError(f"@{name} is no aie.objectfifo", where=where)
            if name in found or (*link.inputs, *link.outputs).count(name) > 1:
                raise DesignError(
                    "objectfifo cannot be in more than one ObjectFifoLinkOp",
                    where=where,
                    hint=f"@{name} is",
                )
        junction = _junction(fifos, link, where)
        found.update(dict.fromkeys((*link.inputs, *link.outputs), junction))
    return found


def _junction(fifos: Mapping[str, Fifo], link: Link, where: str) -> Junction:
    inputs = [fifos[name] for name in link.inputs]
    outputs = [fifos[name] for name in link.outputs]
    if not inputs or not outputs:
        raise DesignError("ObjectFifoLinkOp needs an input and an output", where=where)
    join, distribute = len(inputs) > 1, len(outputs) > 1
    if join and distribute:
        raise DesignError(
            "ObjectFifoLinkOp does not support 'join' and 'distribute' at the same time",
            where=where,
        )
    tile = outputs[0].producer
    if any(tile not in fifo.consumers for fifo in inputs) or any(
        fifo.producer != tile for fifo in outputs
    ):
        raise DesignError(
            "ObjectFifoLinkOp must have a link point, i.e., a shared tile between objectFifos",
            where=where,
        )
    if kind(tile) == "shim" or ((join or distribute) and kind(tile) != "mem"):
        raise DesignError(
            "ObjectFifoLinkOp join and distribute are unavailable on compute or shim tiles"
            if kind(tile) != "shim"
            else "a link on a shim tile has no memory for its objects",
            where=where,
            hint=f"the link is on tile {tile}",
        )
    if join:
        owner, offsets = outputs[0], link.input_offsets
        _check_offsets("src", "input", offsets, len(inputs), link.output_offsets, "join", where)
    elif distribute:
        owner, offsets = inputs[0], link.output_offsets
        _check_offsets(
            "dst", "output", offsets, len(outputs), link.input_offsets, "distribute", where
        )
        _check_distribute(inputs[0], outputs, tile, where)
    else:
        owner, offsets = _forward_owner(inputs[0], outputs[0], where), (0,)
    pool = owner.name if owner is outputs[0] else consumer_pool(owner, owner.consumers.index(tile))
    slices = _slices(offsets, owner, where)
    return Junction(link.inputs, link.outputs, tile, owner.name, pool, slices)


def _forward_owner(source: Fifo, target: Fifo, where: str) -> Fifo:
    if target.init and source.object.elements > target.object.elements:
        raise DesignError(
            f"objects of @{source.name} don't fit the initialised ones of @{target.name}",
            where=where,
        )
    if target.init or target.object.elements > source.object.elements:
        return target
    return source


def _check_offsets(
    side: str,
    fifos: str,
    offsets: tuple[int, ...],
    count: int,
    others: tuple[int, ...],
    what: str,
    where: str,
) -> None:
    if len(offsets) != count:
        raise DesignError(
            f"number of provided {side} offsets must be equal to the number of {fifos} objectFifos",
            where=where,
            hint=f"there are {len(offsets)} for {count}",
        )
    if others:
        other = "dst" if side == "src" else "src"
        raise DesignError(f"{other} offsets should be empty for {what}", where=where)


def _check_distribute(source: Fifo, outputs: list[Fifo], tile: Tile, where: str) -> None:
    if source.from_stream[source.consumers.index(tile)]:
        raise DesignError(
            "currently does not support objectFifos with dimensionsFromStreamPerConsumer",
            where=where,
            hint=f"@{source.name} is distributed",
        )
    if len({fifo.repeat_count for fifo in outputs}) > 1:
        raise DesignError("repeat counts of output object FIFOs must be equal", where=where)


def _slices(offsets: tuple[int, ...], owner: Fifo, where: str) -> tuple[tuple[int, int], ...]:
    """Each slice reaches to where the next begins, the last to the object's end."""
    ends = (*offsets[1:], owner.object.elements)
    slices = tuple((start, end - start) for start, end in zip(offsets, ends, strict=True))
    if offsets[0] < 0 or any(length <= 0 for _, length in slices):
        raise DesignError(
            f"the offsets {list(offsets)} don't rise within the {owner.object.elements} elements "
            f"of @{owner.name}",
            where=where,
        )
    return slices
