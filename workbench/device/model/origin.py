"""Where the bytes of a FIFO's objects came from: back through links to the host's buffers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.design.model import Design, End
from workbench.design.observed import HostPart
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import end_patterns
from workbench.device.model.transfer import Transfers

Positions = npt.NDArray[np.int64]


def host_parts(
    design: Design,
    transfers: Transfers,
    memory: Memory,
    sizes: Sequence[int],
    pool: str,
    number: int,
    span: tuple[int, int],
) -> tuple[HostPart, ...]:
    """The host bytes behind bytes `span` (first and last) of the `number`-th object of a pool.

    Empty where they didn't come from the host, or haven't come yet; one part a host buffer.
    """
    inside = np.arange(span[0], span[1] + 1, dtype=np.int64)
    addresses = _trace(design, transfers, pool, number, inside)
    parts = []
    for index, (start, size) in enumerate(zip(memory.host, sizes, strict=True)):
        hit = addresses[(addresses >= start) & (addresses < start + size)] - start
        if hit.size:
            parts.append(HostPart(index, int(hit.min()), int(hit.max())))
    return tuple(parts)


def _trace(
    design: Design, transfers: Transfers, pool: str, number: int, inside: Positions
) -> Positions:
    """Addresses of the host bytes behind bytes of an object, as far as they can be traced."""
    for route in design.routes.values():
        for end in route.targets:
            if end.pool != pool or route.shared:
                continue
            order = _order(design, end)
            position = np.full(int(order.max()) + 1, -1, np.int64)
            position[order] = np.arange(order.size)
            reached = inside[inside < position.size]
            streamed = position[reached]
            streamed = streamed[streamed >= 0]
            if streamed.size == 0:
                continue
            stream = number * order.size + streamed
            if route.source.pool is None:
                return _from_host(transfers, route.fifo, stream)
            source = _order(design, route.source)
            repeats = design.fifos[route.fifo].repeat_count
            objects = np.unique(stream // (source.size * repeats))
            if objects.size == 1:
                deeper = source[stream % source.size]
                return _trace(design, transfers, route.source.pool, int(objects[0]), deeper)
    return np.empty(0, np.int64)


def _order(design: Design, end: End) -> Positions:
    """The bytes of an object in the order that an end streams them."""
    assert end.pool is not None
    passes = end_patterns(end, design.pools[end.pool])
    return np.concatenate([part.places(np.arange(part.nbytes)) for _, part in passes])


def _from_host(transfers: Transfers, fifo: str, stream: Positions) -> Positions:
    """The addresses of bytes of what the host has sent to `fifo` since the start."""
    found: list[Positions] = []
    start = 0
    for part in transfers.channels[fifo].sent:
        here = stream[(stream >= start) & (stream < start + part.nbytes)] - start
        found.append(part.places(here))
        start += part.nbytes
    return np.concatenate(found) if found else np.empty(0, np.int64)
