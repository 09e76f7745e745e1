"""What an object FIFO and its transforms may say.

Rules and words are those of mlir-aie's ObjectFifoCreateOp and DMABDOp verifiers (AIEDialect.cpp).
"""

from __future__ import annotations

import math

from workbench.design.hardware import Kind, kind
from workbench.design.model import End, Fifo, Pool
from workbench.errors import DesignError

_MAX_DIMENSIONS: dict[Kind, int] = {"shim": 0, "mem": 4, "core": 3}


def check_fifo(path: str, fifo: Fifo) -> None:
    """Refuse a FIFO that the toolchain's verifier refuses.

    Raises DesignError.
    """
    problem = _problem(fifo)
    if problem is not None:
        raise DesignError(problem, where=f"{path}:{fifo.line}", hint=f"in @{fifo.name}")


def _problem(fifo: Fifo) -> str | None:
    depths, ends = fifo.depths, (fifo.producer, *fifo.consumers)
    from_shim = kind(fifo.producer) == "shim"
    transformed_shims = any(
        dims and kind(tile) == "shim"
        for tile, dims in zip(fifo.consumers, fifo.from_stream, strict=True)
    )
    rules: tuple[tuple[bool, str], ...] = (
        (
            len(depths) not in (1, len(ends)),
            "does not have enough depths specified for producer and for each consumer",
        ),
        (min(depths) < 1, "the depth must be at least 1"),
        (not fifo.consumers, "an objectfifo needs a consumer"),
        (
            len(set(fifo.consumers)) < len(fifo.consumers),
            "two consumers on one tile can't be told apart",
        ),
        (
            all(kind(tile) == "shim" for tile in ends),
            "an objectfifo from shim to shim has no memory for its objects",
        ),
        (
            from_shim and bool(fifo.to_stream),
            "`dimensionsToStream` data layout transformations are not supported on shim tile "
            "producers",
        ),
        (
            transformed_shims,
            "`dimensionsFromStreamPerConsumer` data layout transformations are not supported on "
            "shim tile consumers",
        ),
        (
            from_shim and fifo.repeat_count != 1,
            "`repeat_count` unavailable for shim tiles",
        ),
        (fifo.repeat_count < 1, "`repeat_count` must be at least 1"),
        (from_shim and bool(fifo.init), "`init_values` unavailable for shim tiles"),
        (
            bool(fifo.init) and len(fifo.init) != depths[0],
            "`init_values` does not initialize all objects",
        ),
    )
    return next((problem for broken, problem in rules if broken), None)


def check_dimensions(path: str, fifo: Fifo, end: End, pool: Pool) -> None:
    """Refuse a transform that the DMA of the end's tile can't do on the pool's objects.

    Raises DesignError.
    """
    problem = _dimensions_problem(end, pool) if end.dimensions else None
    if problem is not None:
        raise DesignError(problem, where=f"{path}:{fifo.line}", hint=f"in @{fifo.name}")


def _dimensions_problem(end: End, pool: Pool) -> str | None:
    most, given = _MAX_DIMENSIONS[kind(end.tile)], end.dimensions
    if len(given) > most:
        return (
            f"Cannot give more than {most} dimensions for step sizes and wraps in this tile "
            f"(got {len(given)} dimensions)"
        )
    elements = pool.object.elements
    for size, stride in given:
        if size < 1:
            return "Invalid size; must be a positive integer"
        if stride < 1:
            return "Invalid step size; must be a positive integer"
        if stride > elements:
            return f"Step size {stride} exceeds memref size {elements}"
        if size > 1023:
            return "Size may not exceed 1023"
    offset = pool.slices[end.slot + end.slots - 1][0]
    last = offset + sum((size - 1) * stride for size, stride in given)
    if last >= elements:
        return (
            "Specified stride(s) and size(s) result in out of bounds access in buffer, for index "
            f"{last} in memref of length {elements}"
        )
    covered = math.prod(size for size, _ in given)
    for _, length in pool.slices[end.slot : end.slot + end.slots]:
        moved = length if end.slots > 1 else end.length
        if covered != moved:
            return f"a transform of {covered} elements of {moved} is not supported by the model"
    if pool.object.item_bytes < 4 and given[-1][1] != 1:
        return "For <32b width datatypes, inner-most dim stride must be 1"
    return None
