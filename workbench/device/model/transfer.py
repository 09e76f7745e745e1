"""DMAs: how the objects of a FIFO travel from one end to the others.

A stream carries bytes: an object leaves its source's buffer when the last of its bytes has been
taken by every target, and a target's object is full when its last byte has come; the two need not
be of the same size. At the shim the ends are the host's transfers, in the order they were queued.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.design.model import Design, End, Route
from workbench.device.model.fifo import Fifos, Port
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import Bytes, Pattern, pattern
from workbench.device.model.scheduler import Process, Steps, Wait


@dataclass(slots=True, eq=False)
class Transfer:
    """One queued transfer of the runtime sequence."""

    patterns: tuple[Pattern, ...]
    """What it moves, one after another."""
    token: bool
    """Whether its end can be waited for."""
    where: str
    done: bool = False


class ShimChannel:
    """The host's end of one FIFO: transfers in order, and the tokens of those that ended.

    `receives` says that data comes from the NPU (S2MM).
    """

    def __init__(self, fifo: str, receives: bool) -> None:
        self.fifo = fifo
        self.receives = receives
        self.queue: deque[Transfer] = deque()
        self.tokens = 0
        self.sent: list[Pattern] = []
        """What has been queued for sending since the start."""

    def push(self, transfer: Transfer) -> None:
        """Queue a transfer."""
        self.queue.append(transfer)
        if not self.receives:
            self.sent += transfer.patterns

    def finish(self) -> None:
        """The transfer at the head of the queue has ended."""
        transfer = self.queue.popleft()
        transfer.done = True
        self.tokens += transfer.token

    def until_queued(self) -> Wait:
        """Wait for a transfer."""
        return Wait(lambda: bool(self.queue), lambda: f"waits for a transfer of {self.fifo}")


class _ShimSource:
    def __init__(self, channel: ShimChannel, memory: Memory) -> None:
        self._channel = channel
        self._memory = memory

    def objects(self) -> Iterator[Wait | Bytes]:
        while True:
            while not self._channel.queue:
                yield self._channel.until_queued()
            for part in self._channel.queue[0].patterns:
                yield part.read(self._memory)
            self._channel.finish()


class _ShimTarget:
    def __init__(self, channel: ShimChannel, memory: Memory) -> None:
        self._channel = channel
        self._memory = memory
        self._part = 0
        self._position = 0

    def ready(self) -> Wait | None:
        """What must hold before bytes can be taken; None when they can."""
        return None if self._channel.queue else self._channel.until_queued()

    @property
    def room(self) -> int:
        return self._channel.queue[0].patterns[self._part].nbytes - self._position

    def put(self, data: Bytes) -> None:
        transfer = self._channel.queue[0]
        transfer.patterns[self._part].write(self._memory, self._position, data)
        self._position += data.size
        if self.room == 0:
            self._position = 0
            self._part += 1
            if self._part == len(transfer.patterns):
                self._part = 0
                self._channel.finish()


class _PoolEnd:
    """One end in a tile's memory: a slice of each object of a pool."""

    def __init__(self, end: End, port: Port, memory: Memory) -> None:
        self._port = port
        self._memory = memory
        item = port.state.pool.object.item_bytes
        length = end.length or port.state.pool.object.elements
        self._shape = pattern(end.offset * item, end.dimensions or ((length, 1),), item)
        self._name = port.state.pool.name

    def _at(self, address: int) -> Pattern:
        return Pattern(address + self._shape.start, self._shape.nbytes, self._shape.offsets)


class _PoolSource(_PoolEnd):
    def __init__(self, end: End, port: Port, memory: Memory, repeat: int) -> None:
        super().__init__(end, port, memory)
        self._repeat = repeat

    def objects(self) -> Iterator[Wait | Bytes]:
        while True:
            while not self._port.available:
                yield self._port.until_available(f"waits for an object of {self._name}")
            self._port.take(1)
            for _ in range(self._repeat):
                yield self._at(self._port.address()).read(self._memory)
            self._port.give(1)


class _PoolTarget(_PoolEnd):
    def __init__(self, end: End, port: Port, memory: Memory) -> None:
        super().__init__(end, port, memory)
        self._object: Pattern | None = None
        self._position = 0

    def ready(self) -> Wait | None:
        """What must hold before bytes can be taken; None when they can."""
        if self._object is None:
            if not self._port.available:
                return self._port.until_available(f"waits for a free object of {self._name}")
            self._port.take(1)
            self._object = self._at(self._port.address())
        return None

    @property
    def room(self) -> int:
        return self._shape.nbytes - self._position

    def put(self, data: Bytes) -> None:
        assert self._object is not None
        self._object.write(self._memory, self._position, data)
        self._position += data.size
        if self.room == 0:
            self._position = 0
            self._object = None
            self._port.give(1)


class Transfers:
    """All DMAs of a design: a process a route, and the shim's channels by FIFO."""

    def __init__(self, design: Design, fifos: Fifos, memory: Memory) -> None:
        self.channels: dict[str, ShimChannel] = {}
        self.processes: list[Process] = []
        self._by_port: dict[tuple[int, int, int], ShimChannel] = {}
        self._fifos = fifos
        self._memory = memory
        for route in design.routes.values():
            if not route.shared:
                repeat = design.fifos[route.fifo].repeat_count
                self.processes.append(Process(None, self._run(route, repeat)))

    def channel_at(self, column: int, direction: int, channel: int) -> ShimChannel | None:
        """The shim channel that `npu.sync` names; direction 0 is S2MM, 1 is MM2S."""
        return self._by_port.get((column, direction, channel))

    def pending(self) -> bool:
        """Whether any queued transfer hasn't ended."""
        return any(channel.queue for channel in self.channels.values())

    def _run(self, route: Route, repeat: int) -> Steps:
        source = self._source(route, repeat)
        targets = [self._target(route, end) for end in route.targets]
        return _carry(source, targets)

    def _shim(self, fifo: str, end: End, direction: int) -> ShimChannel:
        channel = self.channels.setdefault(fifo, ShimChannel(fifo, direction == 0))
        self._by_port[(end.tile[0], direction, end.channel)] = channel
        return channel

    def _source(self, route: Route, repeat: int) -> _ShimSource | _PoolSource:
        end = route.source
        if end.pool is None:
            return _ShimSource(self._shim(route.fifo, end, 1), self._memory)
        port = self._fifos.port(end.pool, end.slot, end.length, fills=False)
        return _PoolSource(end, port, self._memory, repeat)

    def _target(self, route: Route, end: End) -> _ShimTarget | _PoolTarget:
        if end.pool is None:
            return _ShimTarget(self._shim(route.fifo, end, 0), self._memory)
        port = self._fifos.port(end.pool, end.slot, end.length, fills=True)
        return _PoolTarget(end, port, self._memory)


def _carry(
    source: _ShimSource | _PoolSource, targets: Sequence[_ShimTarget | _PoolTarget]
) -> Steps:
    """Move each object's bytes on to all targets at once, as a stream that splits."""
    for item in source.objects():
        if isinstance(item, Wait):
            yield item
            continue
        position = 0
        while position < item.size:
            for target in targets:
                while (wait := target.ready()) is not None:
                    yield wait
            count = min([item.size - position, *(target.room for target in targets)])
            for target in targets:
                target.put(item[position : position + count])
            position += count
