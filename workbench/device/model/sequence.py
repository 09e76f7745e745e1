"""The runtime sequence: the host's transfers, what it waits for, and the parameters it writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from workbench.design.model import Block, Design, Dimensions, MemRef, Op
from workbench.device.model.emit import Code, Emitter, memref, v
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import Pattern, pattern
from workbench.device.model.scheduler import Process, Wait
from workbench.device.model.transfer import ShimChannel, Transfer, Transfers
from workbench.device.model.translate import Translator
from workbench.errors import DesignError

Entry = int | None


@dataclass(frozen=True, slots=True)
class _Copy:
    """The fixed part of a `dma_memcpy_nd`: lists are outermost first, None where an operand is."""

    fifo: str
    number: int
    """The buffer descriptor."""
    token: bool
    type: MemRef
    lists: tuple[tuple[Entry, ...], ...]
    """Offsets, sizes, strides."""
    where: str


@dataclass(frozen=True, slots=True)
class _Part:
    """One buffer descriptor of a task, on the buffer at the same place in its operands."""

    type: MemRef
    offset: int
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class _Task:
    """The fixed part of a task."""

    fifo: str
    token: bool
    repeat: int
    parts: tuple[_Part, ...]
    where: str


class Host:
    """What a running sequence calls. `sizes` are the host buffers' bytes, by position."""

    def __init__(
        self, design: Design, transfers: Transfers, memory: Memory, sizes: Sequence[int]
    ) -> None:
        self._design = design
        self._transfers = transfers
        self._memory = memory
        self._descriptors: dict[tuple[int, int], Transfer] = {}
        self.notes: list[str] = []
        """What the design's author should know of the runs so far."""
        self._spans = [
            (start, start + size) for start, size in zip(memory.host, sizes, strict=True)
        ]

    def memcpy(self, copy: _Copy, address: int, *values: int) -> None:
        """Queue one transfer."""
        given = iter(values)
        filled = [[next(given) if x is None else x for x in entries] for entries in copy.lists]
        offsets, sizes, strides = filled
        if min(sizes) < 1:
            raise DesignError(f"a transfer's sizes must be positive: {sizes}", where=copy.where)
        # An offset counts in its dimension's stride (mlir-aie, NpuDmaMemcpyNdOp).
        first = sum(o * s for o, s in zip(offsets, strides, strict=True))
        item = copy.type.item_bytes
        moved = pattern(address + first * item, list(zip(sizes, strides, strict=True)), item)
        part = self._checked(moved, address, copy.where)
        channel = self._channel(copy.fifo, copy.where)
        # Receiving transfers always issue a token.
        transfer = Transfer((part,), copy.token or channel.receives, copy.where)
        self._note_reuse(channel, copy.number, transfer)
        channel.push(transfer)

    def _note_reuse(self, channel: ShimChannel, number: int, transfer: Transfer) -> None:
        """Descriptors belong to a shim tile; one that is still needed must not be rewritten."""
        key = channel.column, number
        before = self._descriptors.get(key)
        if before is not None and before.queued:
            line = before.where.rpartition(":")[2]
            self.notes.append(
                f"{transfer.where}: the transfer has id {number} as that of line {line}, which "
                "may not have ended: on the NPU it rewrites the descriptor that is in use"
            )
        self._descriptors[key] = transfer

    def configure(self, task: _Task, *addresses: int) -> Transfer:
        """A task, not yet started."""
        parts = tuple(
            self._checked(
                pattern(
                    address + part.offset * part.type.item_bytes,
                    part.dimensions,
                    part.type.item_bytes,
                ),
                address,
                task.where,
            )
            for part, address in zip(task.parts, addresses, strict=True)
        )
        self._channel(task.fifo, task.where)
        return Transfer(parts * task.repeat, task.token, task.where)

    def start(self, transfer: Transfer, fifo: str, where: str) -> None:
        """Queue a configured task."""
        self._channel(fifo, where).push(transfer)

    def wait_for(self, fifo: str, where: str) -> Iterator[Wait]:
        """Take a token of the FIFO's shim channel, waiting for it."""
        yield from self._token(self._channel(fifo, where), where)

    def sync(
        self, column: int, columns: int, direction: int, channel: int, where: str
    ) -> Iterator[Wait]:
        """Take a token of a shim channel in each of the columns."""
        for at in range(column, column + columns):
            found = self._transfers.channel_at(at, direction, channel)
            if found is None:
                name = "MM2S" if direction else "S2MM"
                raise DesignError(
                    f"npu.sync waits for {name} {channel} of column {at}, which no FIFO uses",
                    where=where,
                )
            yield from self._token(found, where)

    def done(self, transfer: Transfer, fifo: str, where: str) -> Iterator[Wait]:
        """Wait for one task: as on the NPU, for the next token of its channel."""
        if not transfer.token:
            raise DesignError(
                "Cannot wait on a BD that is not configured to issue a token.",
                where=where,
                hint=f"add {{issue_token = true}} to the task at {transfer.where}",
            )
        yield from self._token(self._channel(fifo, where), where)

    def write_parameter(self, name: str, index: int, value: int, where: str) -> None:
        """Write a 32-bit word of a core's buffer; `index` counts such words."""
        buffer = next(b for b in self._design.buffers if b.name == name)
        if 4 * index + 4 > buffer.type.bytes:
            raise DesignError(
                f"rtp_write to word {index} of {name}, which has {buffer.type.bytes} bytes",
                where=where,
                hint="it writes 32-bit words and counts in them, whatever the buffer's elements",
            )
        start = self._memory.address(name) + 4 * index
        data = (value & 0xFFFFFFFF).to_bytes(4, "little")
        self._memory.bytes[start : start + 4] = bytearray(data)

    def _token(self, channel: ShimChannel, where: str) -> Iterator[Wait]:
        yield from Wait(
            lambda: bool(channel.tokens), channel.token_words, "sequence", where
        ).until_ready()
        channel.take_token()

    def _channel(self, fifo: str, where: str) -> ShimChannel:
        channel = self._transfers.channels.get(fifo)
        if channel is None:
            known = ", ".join(f"@{name}" for name in self._transfers.channels)
            raise DesignError(
                f"@{fifo} has no end at the shim", where=where, hint=f"these have one: {known}"
            )
        return channel

    def _checked(self, part: Pattern, address: int, where: str) -> Pattern:
        start, end = next(span for span in self._spans if span[0] <= address <= span[1])
        if part.lowest < start or part.end > end:
            raise DesignError(
                f"the transfer touches bytes {part.lowest - start} to {part.end - start - 1} of a "
                f"host buffer of {end - start} bytes",
                where=where,
                hint="make the buffer larger, or mend offsets, sizes and strides",
            )
        return part


def sequence_process(design: Design, host: Host, memory: Memory) -> Process:
    """One run of the design's runtime sequence on the host buffers in `memory`."""
    sequence = design.sequence
    assert sequence is not None
    translator = Translator(design.path, _EMITTERS)
    program = translator.program(
        sequence.body,
        "sequence",
        {"host": host, "views": memory.views},
        {},
        sequence.body.region.blocks[0].arguments,
    )
    return Process("sequence", program(*memory.host))


def _memcpy(code: Code, op: Op) -> None:
    lists = tuple(
        cast("tuple[Entry, ...]", op.attributes[key]) for key in ("offsets", "sizes", "strides")
    )
    copy = _Copy(
        str(op.attributes["metadata"]),
        cast("int", op.attributes["id"]),
        bool(op.attributes["issue_token"]),
        memref(code, op.operand_types[0]),
        lists,
        f"{code.path}:{code.line}",
    )
    code.add(f"host.memcpy({', '.join([code.constant(copy), *map(v, op.operands)])})")


def _wait(code: Code, op: Op) -> None:
    code.add(f"yield from host.wait_for({op.attributes['symbol']!r}, {code.where()})")


def _sync(code: Code, op: Op) -> None:
    if op.attributes["row"] != 0 or op.attributes["row_num"] != 1:
        raise code.refuse("npu.sync of other tiles than the shim's is not supported")
    keys = ("column", "column_num", "direction", "channel")
    numbers = ", ".join(str(op.attributes[key]) for key in keys)
    code.add(f"yield from host.sync({numbers}, {code.where()})")


def _parameter(code: Code, op: Op) -> None:
    value = v(op.operands[0]) if op.operands else str(op.attributes["value"])
    name, index = op.attributes["buffer"], op.attributes["index"]
    code.add(f"host.write_parameter({name!r}, {index}, {value}, {code.where()})")


def _configure(code: Code, op: Op) -> None:
    parts: list[_Part] = []
    buffers: list[int] = []
    for block in _chain(op.regions[0].blocks):
        for inner in block.ops:
            if inner.name == "aie.dma_bd":
                kind = memref(code, inner.operand_types[0])
                length = cast("int", inner.attributes["length"])
                dimensions = cast("Dimensions", inner.attributes["dimensions"])
                offset = cast("int", inner.attributes["offset"])
                parts.append(_Part(kind, offset, dimensions or ((length, 1),)))
                buffers.append(inner.operands[0])
    fifo = str(op.attributes["fifo"])
    repeat = cast("int", op.attributes["repeat_count"]) + 1
    task = _Task(
        fifo, bool(op.attributes["issue_token"]), repeat, tuple(parts), f"{code.path}:{code.line}"
    )
    made = f"host.configure({', '.join([code.constant(task), *map(v, buffers)])})"
    code.add(f"{v(op.results[0])} = ({made}, {fifo!r})")


def _chain(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks in the order that aie.next_bd links them."""
    at: int | None = 0
    seen: set[int] = set()
    while at is not None and at not in seen:
        seen.add(at)
        block = blocks[at]
        yield block
        at = next((op.successors[0] for op in block.ops if op.successors), None)


def _start(code: Code, op: Op) -> None:
    code.add(f"host.start(*{v(op.operands[0])}, {code.where()})")


def _await(code: Code, op: Op) -> None:
    code.add(f"yield from host.done(*{v(op.operands[0])}, {code.where()})")


def _nothing(code: Code, op: Op) -> None:
    """Loading the array's configuration and freeing descriptors have no effect in the model."""


_EMITTERS: dict[str, Emitter] = {
    "aiex.npu.dma_memcpy_nd": _memcpy,
    "aiex.npu.dma_wait": _wait,
    "aiex.npu.sync": _sync,
    "aiex.npu.load_pdi": _nothing,
    "aiex.npu.rtp_write": _parameter,
    "aiex.dma_configure_task_for": _configure,
    "aiex.dma_start_task": _start,
    "aiex.dma_await_task": _await,
    "aiex.dma_free_task": _nothing,
}
