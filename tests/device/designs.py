"""Small designs for the model device, put together from the parts that differ, and run here."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.design.read import parse_design
from workbench.device.model.context import Context

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int32]

TILES = """
    %shim = aie.tile(0, 0)
    %mem = aie.tile(0, 1)
    %a = aie.tile(0, 2)
    %b = aie.tile(0, 3)
    %c = aie.tile(0, 4)
    %d = aie.tile(0, 5)
"""

PATH = "some.mlir"


def numbers(count: int) -> Ints:
    """Some values, the same every time."""
    return np.random.default_rng(count).integers(-1000, 1000, count).astype(np.int32)


def zeros(count: int) -> Ints:
    return np.zeros(count, np.int32)


def fifo(
    name: str,
    producer: str,
    consumers: str,
    kind: str,
    *,
    depth: str = "2 : i32",
    attributes: str = "",
    init: str = "",
) -> str:
    """One FIFO declaration; dimensions may stand beside the tiles."""
    head = f"aie.objectfifo @{name}({producer}, {{{consumers}}}, {depth})"
    return f"    {head} {attributes} : !aie.objectfifo<memref<{kind}>> {init}\n"


def in_out(kind: str, out_kind: str | None = None) -> str:
    """A FIFO from the shim to core a, and one back."""
    return fifo("in", "%shim", "%a", kind) + fifo("out", "%a", "%shim", out_kind or kind)


def acquire(value: str, name: str, port: str, kind: str, count: int = 1, index: int = 0) -> str:
    """Acquire objects and access one of them as %value."""
    view = f"!aie.objectfifosubview<memref<{kind}>>"
    return f"%{value}_view = aie.objectfifo.acquire @{name}({port}, {count}) : {view}\n" + access(
        value, f"{value}_view", kind, index
    )


def access(value: str, view: str, kind: str, index: int) -> str:
    """Access one of the objects of an acquire as %value."""
    of = f"!aie.objectfifosubview<memref<{kind}>> -> memref<{kind}>"
    return f"%{value} = aie.objectfifo.subview.access %{view}[{index}] : {of}\n"


def consume(value: str, name: str, kind: str, count: int = 1) -> str:
    return acquire(value, name, "Consume", kind, count)


def produce(value: str, name: str, kind: str, count: int = 1) -> str:
    return acquire(value, name, "Produce", kind, count)


def release(name: str, port: str, count: int = 1) -> str:
    return f"aie.objectfifo.release @{name}({port}, {count})\n"


def free(*names: str) -> str:
    """Release one consumed object of each FIFO."""
    return "".join(release(name, "Consume") for name in names)


def send(*names: str) -> str:
    """Release one produced object of each FIFO."""
    return "".join(release(name, "Produce") for name in names)


CONSTANTS = """
%c0 = arith.constant 0 : index
%c1 = arith.constant 1 : index
%c2 = arith.constant 2 : index
%forever = arith.constant 9223372036854775807 : index
"""


def core(tile: str, body: str, attributes: str = "") -> str:
    """A core; constants %c0, %c1, %c2 and %forever are there."""
    return f"aie.core(%{tile}) {{\n{CONSTANTS}\n{body}\naie.end\n}} {attributes}\n"


def endless(tile: str, body: str, attributes: str = "") -> str:
    """A core that does `body` for ever."""
    return core(tile, forever(body), attributes)


def forever(body: str) -> str:
    """A loop without end, in a core."""
    return f"scf.for %turn = %c0 to %forever step %c1 {{\n{body}\n}}\n"


_loops = itertools.count()


def each(count: int, body: str, variable: str = "i") -> str:
    """A loop over 0 to `count` as %i."""
    bound = f"%bound{next(_loops)}"
    return (
        f"{bound} = arith.constant {count} : index\n"
        f"scf.for %{variable} = %c0 to {bound} step %c1 {{\n{body}\n}}\n"
    )


def map_elements(tile: str, count: int, kind: str, body: str, out_kind: str | None = None) -> str:
    """A core that makes every element %y of @out from the element %x of @in."""
    inside = f"""
        %x = memref.load %from[%i] : memref<{kind}>
        {body}
        memref.store %y, %to[%i] : memref<{out_kind or kind}>
    """
    return endless(
        tile,
        consume("from", "in", kind)
        + produce("to", "out", out_kind or kind)
        + each(count, inside)
        + free("in")
        + send("out"),
    )


def copier(tile: str, kind: str, source: str = "in", target: str = "out") -> str:
    """A core that passes objects on with memref.copy."""
    return endless(
        tile,
        consume("from", source, kind)
        + produce("to", target, kind)
        + f"memref.copy %from, %to : memref<{kind}> to memref<{kind}>\n"
        + free(source)
        + send(target),
    )


_numbers = itertools.count()


def transfer(
    name: str,
    value: str,
    kind: str,
    *,
    offsets: str = "0, 0, 0, 0",
    sizes: str = "",
    strides: str = "0, 0, 0, 1",
    number: int = 0,
    token: bool = False,
) -> str:
    """A dma_memcpy_nd; `sizes` may be one number for a contiguous transfer."""
    if sizes.isdigit():
        sizes = f"1, 1, 1, {sizes}"
    extra = ", issue_token = true" if token else ""
    return (
        f"aiex.npu.dma_memcpy_nd(%{value}[{offsets}][{sizes}][{strides}]) "
        f"{{metadata = @{name}, id = {number} : i64{extra}}} : memref<{kind}>\n"
    )


def wait(name: str) -> str:
    return f"aiex.npu.dma_wait {{symbol = @{name}}}\n"


def sequence(arguments: Mapping[str, str], body: str) -> str:
    """A runtime sequence of arguments by name."""
    given = ", ".join(f"%{name} : memref<{kind}>" for name, kind in arguments.items())
    return f"aie.runtime_sequence @sequence({given}) {{\n{body}\n}}\n"


def through(kind: str, count: int, out_kind: str | None = None, out_count: int = 0) -> str:
    """A sequence that sends %x to @in and awaits %y from @out, `count` elements each."""
    out_count = out_count or count
    source, target = (
        f"{n}x{k.rpartition('x')[2]}" for n, k in ((count, kind), (out_count, out_kind or kind))
    )
    return sequence(
        {"x": source, "y": target},
        transfer("in", "x", source, sizes=str(count), number=0)
        + transfer("out", "y", target, sizes=str(out_count), number=1)
        + wait("out"),
    )


def design(*parts: str, target: str = "npu1_1col", tiles: str = TILES) -> str:
    """The text of a design."""
    return f"module {{\naie.device({target}) {{\n{tiles}\n{''.join(parts)}\n}}\n}}\n"


def one_object(body: str, kind: str, out_kind: str | None = None) -> str:
    """A design whose core makes %to from %from, object by object."""
    count, out_count = (
        int(np.prod([int(n) for n in k.split("x")[:-1]] or [1])) for k in (kind, out_kind or kind)
    )
    element = kind.split("x")[-1]
    return design(
        in_out(kind, out_kind),
        endless(
            "a",
            consume("from", "in", kind)
            + produce("to", "out", out_kind or kind)
            + body
            + free("in")
            + send("out"),
        ),
        through(element, count, (out_kind or kind).split("x")[-1], out_count),
    )


class Running:
    """A loaded design, in this process."""

    def __init__(
        self,
        text: str,
        sizes: list[int],
        folder: Path,
        library: Path | None = None,
        allocation: str = "bank-aware",
    ) -> None:
        copies = (folder / f"copy-{n}-{next(_numbers)}.so" for n in itertools.count())
        libraries = {} if library is None else {"": library}
        self.context = Context(parse_design(text, PATH), libraries, sizes, allocation, copies)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.context.notes

    def __call__(self, *arrays: Array) -> list[Array]:
        """Run the sequence; the arrays as it leaves them."""
        raw = [np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in arrays]
        found = self.context.run(raw)
        return [b.view(a.dtype).reshape(a.shape) for a, b in zip(arrays, found, strict=True)]
