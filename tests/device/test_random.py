"""Random designs of many parts at once, against a model that only knows arrays.

In each of one or two columns: the host's data, in pieces and patterns, goes to one to three cores,
at once or through a mem tile that cuts, turns, repeats or distributes it. Cores take several
objects at a time, count their turns and hand on to a neighbour, a combining core or the mem tile,
which joins; and back to the host in pieces and patterns.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest

from tests.device.conftest import Load
from tests.device.designs import (
    access,
    acquire,
    consume,
    design,
    each,
    endless,
    fifo,
    free,
    produce,
    release,
    send,
    sequence,
    transfer,
    wait,
)

Ints = npt.NDArray[np.int32]

UNIT = 32
"""Elements of the object that enters; every other size divides or multiplies it."""


def turned(rng: random.Random, count: int, most: int) -> tuple[str, list[int]]:
    """A transform that touches each of `count` elements once, and the order it does so in."""
    if rng.random() < 0.4:
        return "", list(range(count))
    sizes, rest = [], count
    for _ in range(rng.randint(1, most - 1)):
        size = rng.choice([n for n in (1, 2, 4, 8) if rest % n == 0])
        sizes.append(size)
        rest //= size
    sizes.append(rest)
    pairs = [(n, int(np.prod(sizes[i + 1 :]))) for i, n in enumerate(sizes)]
    rng.shuffle(pairs)
    order = [0]
    for size, stride in pairs:
        order = [at + i * stride for at in order for i in range(size)]
    text = ", ".join(f"<size = {size}, stride = {stride}>" for size, stride in pairs)
    return f"[{text}]", order


def ordered(stream: Ints, order: list[int]) -> Ints:
    return stream.reshape(-1, len(order))[:, order].ravel()


def placed(stream: Ints, order: list[int]) -> Ints:
    found = np.empty_like(stream).reshape(-1, len(order))
    found[:, order] = stream.reshape(-1, len(order))
    return found.ravel()


@dataclass
class Column:
    """The parts of one column, and what they make of a stream."""

    number: int
    rng: random.Random
    parts: list[str] = field(default_factory=list)
    group: int = 1
    """Objects that a core takes at a time."""

    def tile(self, row: int) -> str:
        return f"%t{self.number}_{row}"

    def name(self, what: str) -> str:
        return f"{what}{self.number}"

    def depth(self, least: int = 1) -> str:
        depth = self.rng.randint(least, 4)
        return f"{depth} : i32"

    def build(self, stream: Ints) -> Ints:
        """Add the parts; what comes out at @out when `stream` goes into @in."""
        kind = self.rng.choice(["direct", "forward", "distribute"])
        count = self.rng.randint(1, 3)
        ways = {"direct": self._direct, "forward": self._forward, "distribute": self._distribute}
        names, sizes, streams = ways[kind](count, stream)
        # Cores that share a source must keep step, or they wait for each other in the join.
        objects = streams[0].size // sizes[0]
        self.group = self.rng.choice([n for n in (1, 2, 3) if objects % n == 0])
        outs: list[tuple[str, int, Ints]] = []
        for index, (name, size, part) in enumerate(zip(names, sizes, streams, strict=True)):
            outs.append(self._worker(index, name, size, part))
        return self._leave(outs)

    def _direct(self, count: int, stream: Ints) -> tuple[list[str], list[int], list[Ints]]:
        """One FIFO from the shim to all cores, each with an order of its own."""
        ends, streams = [], []
        for index in range(count):
            text, order = turned(self.rng, UNIT, 3)
            ends.append(self.tile(2 + index) + (f" dimensionsFromStream {text}" if text else ""))
            streams.append(placed(stream, order))
        self.parts.append(
            fifo(self.name("in"), self.tile(0), ", ".join(ends), f"{UNIT}xi32", depth=self.depth())
        )
        return [self.name("in")] * count, [UNIT] * count, streams

    def _forward(self, count: int, stream: Ints) -> tuple[list[str], list[int], list[Ints]]:
        """Through the mem tile, cut anew, turned twice, each object sent again."""
        inner = self.rng.choice([UNIT // 4, UNIT // 2, UNIT, UNIT * 2])
        whole = max(UNIT, inner)
        there, first = turned(self.rng, whole, 4)
        back, second = turned(self.rng, whole, 4)
        repeat = self.rng.randint(1, 3)
        mem = self.tile(1)
        self.parts += [
            fifo(
                self.name("in"),
                self.tile(0),
                mem + (f" dimensionsFromStream {there}" if there else ""),
                f"{UNIT}xi32",
                depth=self.depth(),
            ),
            fifo(
                self.name("mid"),
                mem + (f" dimensionsToStream {back}" if back else ""),
                ", ".join(self.tile(2 + i) for i in range(count)),
                f"{inner}xi32",
                depth=self.depth(),
                attributes=f"{{repeat_count = {repeat} : i32}}" if repeat > 1 else "",
            ),
            f"aie.objectfifo.link [@{self.name('in')}] -> [@{self.name('mid')}] ([] [])\n",
        ]
        held = placed(stream, first).reshape(-1, whole)
        sent = ordered(np.repeat(held, repeat, axis=0).ravel(), second)
        return [self.name("mid")] * count, [inner] * count, [sent] * count

    def _distribute(self, count: int, stream: Ints) -> tuple[list[str], list[int], list[Ints]]:
        """A part of each object to each core, turned on the way."""
        sizes = {1: [UNIT], 2: [8, 24], 3: [16, 8, 8]}[count]
        self.rng.shuffle(sizes)
        offsets = [sum(sizes[:i]) for i in range(count)]
        mem = self.tile(1)
        self.parts.append(
            fifo(self.name("in"), self.tile(0), mem, f"{UNIT}xi32", depth=self.depth())
        )
        names, streams = [], []
        for index, (size, offset) in enumerate(zip(sizes, offsets, strict=True)):
            text, order = turned(self.rng, size, 4)
            names.append(f"part{self.number}_{index}")
            end = mem + (f" dimensionsToStream {text}" if text else "")
            self.parts.append(
                fifo(names[-1], end, self.tile(2 + index), f"{size}xi32", depth=self.depth())
            )
            part = stream.reshape(-1, UNIT)[:, offset : offset + size].ravel()
            streams.append(ordered(part, order))
        to = ", ".join(f"@{name}" for name in names)
        given = ", ".join(map(str, offsets)) if count > 1 else ""
        self.parts.append(f"aie.objectfifo.link [@{self.name('in')}] -> [{to}] ([] [{given}])\n")
        return names, sizes, streams

    def _worker(self, index: int, source: str, size: int, stream: Ints) -> tuple[str, int, Ints]:
        """A core that takes several objects at a time into one: y = x * factor + its turn."""
        factor = self.rng.randint(-9, 9)
        tile, group = self.tile(2 + index), self.group
        out_size = size * group
        name, state = f"res{self.number}_{index}", f"state{self.number}_{index}"
        into, out = f"{size}xi32", f"{out_size}xi32"
        order = list(range(group))
        self.rng.shuffle(order)
        body = f"%turn_ = memref.load %{state}[%c0] : memref<1xi32>\n"
        body += acquire("from0", source, "Consume", into, group)
        body += "".join(access(f"from{n}", "from0_view", into, n) for n in range(1, group))
        body += produce("to", name, out)
        for place, n in enumerate(order):
            body += each(
                size,
                f"""
                %x = memref.load %from{n}[%i] : memref<{into}>
                %f = arith.constant {factor} : i32
                %p = arith.muli %x, %f : i32
                %y = arith.addi %p, %turn_ : i32
                %base = arith.constant {place * size} : index
                %at = arith.addi %i, %base : index
                memref.store %y, %to[%at] : memref<{out}>
                """,
            )
        body += (
            "%one_ = arith.constant 1 : i32\n%next_ = arith.addi %turn_, %one_ : i32\n"
            f"memref.store %next_, %{state}[%c0] : memref<1xi32>\n"
        )
        # One by one or at once is the same.
        body += (
            release(source, "Consume", group) if self.rng.random() < 0.5 else free(source) * group
        )
        body += send(name)
        self.parts.append(
            f'%{state} = aie.buffer({tile}) {{sym_name = "{state}"}} : memref<1xi32> = dense<0>\n'
        )
        self.parts.append(endless(tile.removeprefix("%"), body))
        rows = stream.reshape(-1, group, size)[:, order]
        turns = np.arange(rows.shape[0], dtype=np.int32)[:, None, None]
        return name, out_size, (rows * factor + turns).astype(np.int32).ravel()

    def _leave(self, outs: list[tuple[str, int, Ints]]) -> Ints:
        """To the host: one as it is, two combined by a fourth core, or all joined."""
        out = self.name("out")
        shim, mem, last = self.tile(0), self.tile(1), self.tile(5)
        (name, size, stream), *rest = outs
        if not rest and self.rng.random() < 0.5:
            text, order = turned(self.rng, size, 3)
            end = self.tile(2) + (f" dimensionsToStream {text}" if text else "")
            self.parts = [part.replace(f"@{name}(", f"@{out}(") for part in self.parts]
            self.parts.append(fifo(out, end, shim, f"{size}xi32", depth=self.depth()))
            return ordered(stream, order)
        if len(outs) == 2 and outs[0][1] == outs[1][1] and stream.size == outs[1][2].size:
            return self._combined(outs, out, last)
        return self._joined(outs, out, mem)

    def _combined(self, outs: list[tuple[str, int, Ints]], out: str, tile: str) -> Ints:
        (left, size, a), (right, _, b) = outs
        kind = f"{size}xi32"
        for index, name in enumerate((left, right)):
            self.parts.append(fifo(name, self.tile(2 + index), tile, kind, depth=self.depth()))
        self.parts.append(fifo(out, tile, self.tile(0), kind, depth=self.depth()))
        body = consume("p", left, kind) + consume("q", right, kind) + produce("to", out, kind)
        body += each(
            size,
            f"""
            %x = memref.load %p[%i] : memref<{kind}>
            %z = memref.load %q[%i] : memref<{kind}>
            %y = arith.subi %x, %z : i32
            memref.store %y, %to[%i] : memref<{kind}>
            """,
        )
        self.parts.append(endless(tile.removeprefix("%"), body + free(left, right) + send(out)))
        return a - b

    def _joined(self, outs: list[tuple[str, int, Ints]], out: str, mem: str) -> Ints:
        """Parts in any order; as many objects as the stream with the fewest has."""
        self.rng.shuffle(outs)
        for name, size, _ in outs:
            row = 2 + int(name.rpartition("_")[2])
            self.parts.append(fifo(name, self.tile(row), mem, f"{size}xi32", depth=self.depth()))
        whole = sum(size for _, size, _ in outs)
        offsets = [sum(size for _, size, _ in outs[:i]) for i in range(len(outs))]
        given = ", ".join(map(str, offsets)) if len(outs) > 1 else ""
        names = ", ".join(f"@{name}" for name, _, _ in outs)
        self.parts.append(fifo(out, mem, self.tile(0), f"{whole}xi32", depth=self.depth()))
        self.parts.append(f"aie.objectfifo.link [{names}] -> [@{out}] ([{given}] [])\n")
        count = min(stream.size // size for _, size, stream in outs)
        rows = [stream.reshape(-1, size)[:count] for _, size, stream in outs]
        return np.concatenate(rows, axis=1).ravel()


def cut(rng: random.Random, count: int) -> list[int]:
    """`count` as one to three multiples of 8."""
    ends = sorted({8 * rng.randint(1, count // 8) for _ in range(rng.randint(0, 2))} | {count})
    return [b - a for a, b in zip([0, *ends], ends, strict=False)]


def pieces(
    rng: random.Random, name: str, value: str, count: int, first: int
) -> tuple[str, list[int]]:
    """Transfers of `count` elements of a buffer of twice that, and the elements in their order."""
    text, order = "", []
    for number, size in enumerate(cut(rng, count)):
        # A row of more than 1023 elements is one only if the rows touch.
        rows = rng.choice(
            [n for n in (1, 2, 4) if size % (4 * n) == 0 and (n == 1 or size <= 1000)]
        )
        columns = size // rows
        stride = columns + 4 * rng.randint(0, 2)
        span = (rows - 1) * stride + columns
        start = 4 * rng.randint(0, (2 * count - span) // 4) if span <= 2 * count else 0
        text += transfer(
            name, value, f"{2 * count}xi32",
            offsets=f"0, 0, 0, {start}", sizes=f"1, 1, {rows}, {columns}",
            strides=f"0, 0, {stride}, 1", number=first + number,
        )  # fmt: skip
        order += [start + r * stride + c for r in range(rows) for c in range(columns)]
    return text, order


@pytest.mark.parametrize("seed", range(80))
def test_random_designs_do_what_arrays_say(load: Load, seed: int) -> None:
    rng = random.Random(seed)
    tiles, body, waits = "", "", ""
    parts: list[str] = []
    arguments: dict[str, str] = {}
    hosts: list[Ints] = []
    expected: list[Ints] = []
    for number in range(rng.randint(1, 2)):
        tiles += "".join(f"%t{number}_{row} = aie.tile({number}, {row})\n" for row in range(6))
        objects = 6 * rng.randint(1, 3)
        count = objects * UNIT
        sending, order = pieces(rng, f"in{number}", f"x{number}", count, 0)
        x = np.random.default_rng(seed).integers(-999, 999, 2 * count).astype(np.int32)
        column = Column(number, rng)
        y = column.build(x[order])
        receiving, order = pieces(rng, f"out{number}", f"y{number}", y.size, 8)
        result = np.zeros(2 * y.size, np.int32)
        for place, value in zip(order, y, strict=True):
            result[place] = value
        parts += column.parts
        arguments |= {f"x{number}": f"{x.size}xi32", f"y{number}": f"{result.size}xi32"}
        body += sending + receiving if rng.random() < 0.5 else receiving + sending
        waits += wait(f"out{number}") * receiving.count("memcpy_nd")
        hosts += [x, np.zeros_like(result)]
        expected += [x, result]
    declared = [part for part in parts if "aie.core" not in part]
    cores = [part for part in parts if "aie.core" in part]
    text = design(
        *declared, *cores, sequence(arguments, body + waits), target="npu1_2col", tiles=tiles
    )
    running = load(text, *hosts)
    for found, wanted in zip(running(*hosts), expected, strict=True):
        assert np.array_equal(found, wanted), text
