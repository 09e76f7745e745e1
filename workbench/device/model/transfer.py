"""DMAs: how the objects of a FIFO travel from one end to the others.

A stream carries bytes: an object leaves its source's buffer when the last of its bytes has been
taken by every target, and a target's object is full when its last byte has come; the two need not
be of the same size. At the shim the ends are the host's transfers, in the order they were queued.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from workbench.design.hardware import kind
from workbench.design.model import Design, End, Route
from workbench.device.model.fifo import Fifos, Port
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import Bytes, Pattern, end_patterns
from workbench.device.model.scheduler import Process, Steps, Wait
from workbench.errors import DesignError


@dataclass(slots=True, eq=False)
class Transfer:
    """One queued transfer of the runtime sequence."""

    patterns: tuple[Pattern, ...]
    """What it moves, one after another."""
    token: bool
    """Whether its end can be waited for."""
    where: str
    moved: int = 0
    """Bytes that have passed."""
    queued: bool = False
    """Whether it has been started and not ended."""

    @property
    def progress(self) -> str:
        """How far it has come, in words."""
        return f"{self.moved} of {sum(part.nbytes for part in self.patterns)} bytes"


class ShimChannel:
    """The host's end of one FIFO: transfers in order, and the tokens of those that ended.

    `receives` says that data comes from the NPU (S2MM).
    """

    def __init__(self, fifo: str, column: int, receives: bool) -> None:
        self.fifo = fifo
        self.column = column
        self.receives = receives
        self.queue: deque[Transfer] = deque()
        self.tokens: deque[Transfer] = deque()
        self.open: list[Transfer] = []
        """Transfers of this run whose end the sequence hasn't seen."""
        self.sent: list[Pattern] = []
        """What has been queued for sending since the start."""

    def push(self, transfer: Transfer) -> None:
        """Queue a transfer."""
        transfer.queued = True
        self.queue.append(transfer)
        self.open.append(transfer)
        if not self.receives:
            self.sent += transfer.patterns

    def finish(self) -> None:
        """The transfer at the head of the queue has ended."""
        transfer = self.queue.popleft()
        transfer.queued = False
        if transfer.token:
            self.tokens.append(transfer)

    def take_token(self) -> None:
        """The sequence takes a token: that transfer and those before it have ended."""
        transfer = self.tokens.popleft()
        if transfer in self.open:
            del self.open[: self.open.index(transfer) + 1]

    def token_words(self) -> str:
        """What a sequence waits for that wants a token, in words."""
        words = f"waits for {self.fifo}'s token"
        issuer = next((transfer for transfer in self.queue if transfer.token), None)
        if issuer is not None:
            line = issuer.where.rpartition(":")[2]
            return f"{words}: {issuer.progress} of the transfer in line {line} have passed"
        if self.queue:
            return f"{words}, which its transfers don't issue: they lack issue_token = true"
        return f"{words}, which no queued transfer issues"

    def close_run(self) -> Iterator[str]:
        """What the sequence leaves undone at its end, in words; the next run starts afresh."""
        unseen = self.open if self.receives else [t for t in self.open if t.queued]
        self.open = []
        self.tokens.clear()
        if not unseen:
            return
        first = unseen[0]
        which = f"{len(unseen)} transfers" if len(unseen) > 1 else "a transfer"
        if self.receives:
            yield (
                f"{first.where}: the sequence ends without waiting for {which} from @{self.fifo}: "
                "on the NPU the host may read its buffer before they end"
            )
        if first.queued:
            yield (
                f"{first.where}: the transfer of @{self.fifo} hasn't ended when nothing goes on "
                f"any more: {first.progress}"
            )


class _HostTarget:
    def __init__(self, channel: ShimChannel, memory: Memory) -> None:
        self._channel = channel
        self._memory = memory
        self._part = 0
        self._position = 0
        self._wait = Wait(
            lambda: bool(channel.queue),
            lambda: "has data for the host, and no transfer is queued that takes it",
            "dma is stuck",
        )

    def open(self) -> Iterator[Wait]:
        """Wait until bytes can be taken."""
        return self._wait.until_ready()

    @property
    def room(self) -> int:
        return self._channel.queue[0].patterns[self._part].nbytes - self._position

    def put(self, data: Bytes) -> None:
        transfer = self._channel.queue[0]
        transfer.patterns[self._part].write(self._memory, self._position, data)
        transfer.moved += data.size
        self._position += data.size
        if self.room == 0:
            self._position = 0
            self._part += 1
            if self._part == len(transfer.patterns):
                self._part = 0
                self._channel.finish()


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One transfer of an object, or of a slice of it, in a tile's memory."""

    port: Port
    shape: Pattern
    wait: Wait

    def here(self) -> Pattern:
        """The bytes in the object that is next."""
        return self.shape.moved(self.port.address())


class _PoolTarget:
    def __init__(self, parts: Sequence[_Part], memory: Memory) -> None:
        self._parts = cycle(parts)
        self._memory = memory
        self._part = next(self._parts)
        self._bytes: Pattern | None = None
        self._position = 0

    def open(self) -> Iterator[Wait]:
        """Wait until bytes can be taken."""
        if self._bytes is None:
            yield from self._part.wait.until_ready()
            self._part.port.take(1)
            self._bytes = self._part.here()

    @property
    def room(self) -> int:
        return self._part.shape.nbytes - self._position

    def put(self, data: Bytes) -> None:
        assert self._bytes is not None
        self._bytes.write(self._memory, self._position, data)
        self._position += data.size
        if self.room == 0:
            self._position = 0
            self._bytes = None
            self._part.port.give(1)
            self._part = next(self._parts)


_Source = Iterator[Wait | Pattern]


def _host_source(channel: ShimChannel) -> _Source:
    wait = Wait(
        lambda: bool(channel.queue),
        lambda: "has no further transfer from the host",
        "source is dry",
    )
    while True:
        yield from wait.until_ready()
        yield from channel.queue[0].patterns
        channel.finish()


def _pool_source(parts: Sequence[_Part], repeat: int) -> _Source:
    """Each object, `repeat` times; its slices in their order every time."""
    while True:
        for turn in range(repeat):
            for part in parts:
                if turn == 0:
                    yield from part.wait.until_ready()
                    part.port.take(1)
                yield part.here()
                if turn == repeat - 1:
                    part.port.give(1)


class _Stream:
    """The way of one FIFO's objects to all its targets at once."""

    def __init__(
        self,
        route: Route,
        source: _Source,
        targets: Sequence[_HostTarget | _PoolTarget],
        memory: Memory,
        sender: ShimChannel | None,
    ) -> None:
        self._route = route
        self._source = source
        self._targets = targets
        self._memory = memory
        self._sender = sender
        self._left = 0

    def steps(self) -> Steps:
        """Carry without end."""
        for item in self._source:
            if isinstance(item, Wait):
                yield item
                continue
            position, self._left = 0, item.nbytes
            while self._left:
                for target in self._targets:
                    yield from target.open()
                count = min(self._left, *(target.room for target in self._targets))
                data = item.read(self._memory, position, position + count)
                for target in self._targets:
                    target.put(data)
                position += count
                self._left -= count
                if self._sender is not None:
                    self._sender.queue[0].moved += count

    def left_over(self) -> Iterator[str]:
        """The part of an object that the host's transfers leave behind, in words."""
        from_tile = self._route.source.pool is not None
        if from_tile and self._left and any(end.pool is None for end in self._route.targets):
            yield (
                f"the transfers of @{self._route.fifo} end within an object: {self._left} bytes of "
                "it stay for the next transfer"
            )


class Transfers:
    """All DMAs of a design: a process a route, and the shim's channels by FIFO."""

    def __init__(self, design: Design, fifos: Fifos, memory: Memory) -> None:
        self.channels: dict[str, ShimChannel] = {}
        self.processes: list[Process] = []
        self._by_port: dict[tuple[int, int, int], ShimChannel] = {}
        self._design = design
        self._fifos = fifos
        self._memory = memory
        self._streams = [self._stream(r) for r in design.routes.values() if not r.shared]

    def channel_at(self, column: int, direction: int, channel: int) -> ShimChannel | None:
        """The shim channel that `npu.sync` names; direction 0 is S2MM, 1 is MM2S."""
        return self._by_port.get((column, direction, channel))

    def pending(self) -> bool:
        """Whether any queued transfer hasn't ended."""
        return any(channel.queue for channel in self.channels.values())

    def close_run(self) -> list[str]:
        """What a run of the sequence leaves undone, in words, once nothing goes on any more."""
        notes = [note for channel in self.channels.values() for note in channel.close_run()]
        return notes + [note for stream in self._streams for note in stream.left_over()]

    def _stream(self, route: Route) -> _Stream:
        repeat = self._design.fifos[route.fifo].repeat_count
        sender = None
        if route.source.pool is None:
            sender = self._shim(route.fifo, route.source, 1)
            source = _host_source(sender)
        else:
            source = _pool_source(self._parts(route.source, fills=False), repeat)
        targets = [self._target(route, end) for end in route.targets]
        stream = _Stream(route, source, targets, self._memory, sender)
        self.processes.append(Process(f"{route.fifo}'s DMA", stream.steps()))
        return stream

    def _shim(self, fifo: str, end: End, direction: int) -> ShimChannel:
        if fifo in self.channels:
            raise DesignError(
                f"@{fifo} has two ends at the shim, which its name can't tell apart",
                where=f"{self._design.path}:{self._design.fifos[fifo].line}",
            )
        channel = self.channels[fifo] = ShimChannel(fifo, end.tile[0], direction == 0)
        self._by_port[(end.tile[0], direction, end.channel)] = channel
        return channel

    def _target(self, route: Route, end: End) -> _HostTarget | _PoolTarget:
        if end.pool is None:
            return _HostTarget(self._shim(route.fifo, end, 0), self._memory)
        return _PoolTarget(self._parts(end, fills=True), self._memory)

    def _parts(self, end: End, *, fills: bool) -> list[_Part]:
        assert end.pool is not None
        state = self._fifos.states[end.pool]
        # A core's own words tell of full objects on its tile; a mem tile has none.
        stuck = fills and kind(end.tile) == "mem"
        return [
            _Part(
                Port(state, lane, fills), shape, _until_available(Port(state, lane, fills), stuck)
            )
            for lane, shape in end_patterns(end, state.pool)
        ]


def _until_available(port: Port, stuck: bool) -> Wait:
    words = f"waits for a {'free' if port.fills else 'filled'} object of {port.state.pool.name}"
    return Wait(lambda: port.available >= 1, lambda: words, "dma is stuck" if stuck else "rest")
