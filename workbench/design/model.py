"""A design as plain values: what the MLIR text says, with the line of everything, and no parser.

All classes are frozen and picklable. Tiles are (column, row); sizes are in bytes where the name
says so and in elements elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

Tile: TypeAlias = tuple[int, int]
"""(column, row): row 0 is the shim, row 1 the mem tile, rows 2 to 5 are cores."""

Dimensions: TypeAlias = tuple[tuple[int, int], ...]
"""(size, stride) pairs in elements, outermost first; empty means contiguous."""

ELEMENT_BYTES = {
    "i1": 1,
    "i8": 1,
    "ui8": 1,
    "si8": 1,
    "i16": 2,
    "ui16": 2,
    "si16": 2,
    "i32": 4,
    "ui32": 4,
    "si32": 4,
    "i64": 8,
    "ui64": 8,
    "si64": 8,
    "bf16": 2,
    "f32": 4,
}
"""Element types that a memref may have, with their size in memory."""

DEFAULT_STACK_BYTES = 1024
"""A core's stack when the design sets no `stack_size` (mlir-aie AIEOps.td, CoreOp)."""


@dataclass(frozen=True, slots=True)
class MemRef:
    """A memref type: shape, element type by its MLIR name, strides in elements (or row-major)."""

    shape: tuple[int, ...]
    element: str
    strides: tuple[int, ...] | None = None
    """In elements; None when row-major. Fewer than the shape has when one isn't a known number."""
    offset: int | None = 0
    """In elements; None when known only at run time."""

    @property
    def elements(self) -> int:
        """How many elements the shape holds (1 for rank 0)."""
        return math.prod(self.shape)

    @property
    def item_bytes(self) -> int:
        """Bytes of one element."""
        return ELEMENT_BYTES[self.element]

    @property
    def bytes(self) -> int:
        """Bytes of a contiguous buffer of this type."""
        return self.elements * self.item_bytes

    def __str__(self) -> str:
        return f"memref<{''.join(f'{n}x' for n in self.shape)}{self.element}>"


Type: TypeAlias = MemRef | str
"""A memref, or a scalar or opaque type by its MLIR spelling ("i32", "index", "bf16")."""


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One operation; values are numbers that are unique within their `Body`."""

    name: str
    line: int
    operands: tuple[int, ...]
    results: tuple[int, ...]
    operand_types: tuple[Type, ...]
    result_types: tuple[Type, ...]
    attributes: dict[str, object]
    regions: tuple[Region, ...] = ()
    successors: tuple[int, ...] = ()
    """Indices of blocks in the region that holds this operation."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A basic block with its arguments."""

    arguments: tuple[int, ...]
    argument_types: tuple[Type, ...]
    ops: tuple[Op, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A list of blocks; the first is the entry."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The program of a core, a function or a sequence."""

    region: Region
    buffers: tuple[tuple[int, str], ...] = ()
    """Values that stand for an `aie.buffer` declared outside, with its name."""

    def walk(self) -> Iterator[Op]:
        """Every operation, outer before inner, in the order of the text."""
        return _walk(self.region)


def _walk(region: Region) -> Iterator[Op]:
    for block in region.blocks:
        for op in block.ops:
            yield op
            for inner in op.regions:
                yield from _walk(inner)


@dataclass(frozen=True, slots=True)
class Fifo:
    """An `aie.objectfifo` as written."""

    name: str
    producer: Tile
    consumers: tuple[Tile, ...]
    depths: tuple[int, ...]
    """One number for all, or the producer's and then each consumer's."""
    object: MemRef
    to_stream: Dimensions
    from_stream: tuple[Dimensions, ...]
    """One entry a consumer."""
    via_dma: bool
    """Asked for, or implied by a repeat count."""
    repeat_count: int
    """How often each object is sent; 1 when not given."""
    init: tuple[bytes, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Link:
    """An `aie.objectfifo.link`; offsets are in elements of the larger object."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_offsets: tuple[int, ...]
    output_offsets: tuple[int, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """An `aie.buffer`."""

    name: str
    tile: Tile
    type: MemRef
    address: int | None
    bank: int | None
    init: bytes | None
    line: int
    before_tiles: bool = False
    """Declared before the last tile; decides ties of the allocator."""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A `func.func`: a declaration of a kernel, or a function with a body."""

    name: str
    arguments: tuple[Type, ...]
    results: tuple[Type, ...]
    link_with: str | None
    body: Body | None
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """An `aie.core`: where it is, its stack and its program."""

    tile: Tile
    stack_size: int
    """Bytes, DEFAULT_STACK_BYTES when the design gives none."""
    stack_size_given: bool
    link_with: str | None
    body: Body
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """A runtime sequence; its arguments are the host buffers by position."""

    name: str
    arguments: tuple[Type, ...]
    body: Body
    line: int


@dataclass(frozen=True, slots=True)
class ShimAllocation:
    """An `aie.shim_dma_allocation`."""

    name: str
    direction: str
    channel: int
    column: int
    line: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The objects of one end of a FIFO: `depth` buffers in one tile's memory."""

    name: str
    """Buffers are `<name>_buff_<i>`, as aiecc names them."""
    fifo: str
    tile: Tile
    depth: int
    object: MemRef
    init: tuple[bytes, ...]
    line: int
    slices: tuple[tuple[int, int], ...] = ()
    """(offset, length) in elements of the parts that an object is filled or emptied in, each with
    its own pair of locks: several where a link distributes or joins, else the whole object."""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a route: a pool's slice that a DMA channel reads or writes, or the shim.

    Where `slots` is more than one, an object passes as that many transfers, one a slice of the
    pool and in their order: `offset` and `length` then describe the whole object, and `dimensions`
    apply to each slice from its own offset (mlir-aie AIEObjectFifoStatefulTransform).
    """

    tile: Tile
    pool: str | None
    """None at a shim."""
    offset: int = 0
    """First element of the slice within the object."""
    length: int = 0
    """Elements of the slice."""
    slot: int = 0
    """Which slice of the object, for a link that distributes or joins."""
    slots: int = 1
    """How many slices of the object pass, from `slot` on."""
    dimensions: Dimensions = ()
    channel: int = -1
    """The DMA channel, numbered as the toolchain does; -1 without DMA."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a FIFO's objects travel: over a DMA stream, or in memory that both ends see."""

    fifo: str
    shared: bool
    source: End
    targets: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class KernelCall:
    """A call of a kernel function in a core's program."""

    function: str
    tile: Tile
    line: int
    arguments: tuple[ConstantArgument | None, ...]
    """The value of each argument if it is a compile-time constant."""


@dataclass(frozen=True, slots=True)
class ConstantArgument:
    """A compile-time constant given to a kernel, with the line that defines it."""

    value: int | float
    type: str
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """One device of an MLIR file, and the runtime sequence chosen from it."""

    path: str
    sha256: str
    target: str
    """Such as "npu1" or "npu2_1col"."""
    device: str
    """The device's symbol; "main" when the text gives none."""
    tiles: tuple[Tile, ...]
    fifos: dict[str, Fifo]
    links: tuple[Link, ...]
    buffers: tuple[Buffer, ...]
    functions: dict[str, Function]
    cores: tuple[Core, ...]
    sequence: Sequence | None
    shim_allocations: dict[str, ShimAllocation]
    pools: dict[str, Pool]
    routes: dict[str, Route]
    notes: tuple[str, ...]
    """What a reader should know: devices or sequences not chosen, placeholders replaced."""

    def core(self, tile: Tile) -> Core | None:
        """The core at `tile`, if the design programs one."""
        return next((core for core in self.cores if core.tile == tile), None)

    def kernel_calls(self) -> tuple[KernelCall, ...]:
        """Every call of a function without a body, in the order of the text."""
        return tuple(call for core in self.cores for call in _calls(self, core.tile, core.body, ()))


def _calls(
    design: Design, tile: Tile, body: Body, callers: tuple[str, ...]
) -> Iterator[KernelCall]:
    constants: dict[int, ConstantArgument] = {}
    for op in body.walk():
        if op.name == "arith.constant":
            value, kind = op.attributes["value"], op.result_types[0]
            if isinstance(value, int | float) and isinstance(kind, str):
                constants[op.results[0]] = ConstantArgument(value, kind, op.line)
        elif op.name == "func.call":
            name = str(op.attributes["callee"])
            function = design.functions.get(name)
            if function is not None and function.body is not None:
                if name not in callers:
                    yield from _calls(design, tile, function.body, (*callers, name))
            else:
                arguments = tuple(constants.get(operand) for operand in op.operands)
                yield KernelCall(name, tile, op.line, arguments)
