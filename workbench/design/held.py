"""How many objects a core holds, as far as its text tells."""

from __future__ import annotations

import math
from dataclasses import dataclass

from workbench.design.model import Block, Body, Core, Design, Op, Region
from workbench.errors import DesignError

_State = dict[tuple[str, str], int | None]
"""Objects held by FIFO and port; None when it depends on the way taken."""


def check_held(design: Design, core: Core) -> None:
    """Refuse a release of more objects than are held, or a loop that aiecc miscounts, if certain.

    A core that branches between blocks is left to the run. Raises DesignError.
    """
    if len(core.body.region.blocks) == 1:
        constants = {
            op.results[0]: op.attributes["value"]
            for op in core.body.walk()
            if op.name == "arith.constant"
        }
        _Count(design, core, constants).follow(core.body.region, {})


@dataclass(frozen=True, slots=True)
class _Count:
    design: Design
    core: Core
    constants: dict[int, object]

    def follow(self, region: Region, state: _State) -> None:
        """Run through the region's only block; `state` is changed to what holds after it."""
        for block in region.blocks:
            for op in block.ops:
                match op.name:
                    case "aie.objectfifo.acquire" | "aie.objectfifo.release":
                        self._account(op, state)
                    case "scf.for" | "scf.while":
                        self._loop(op, state)
                    case "scf.if":
                        self._branch(op, state)

    def _account(self, op: Op, state: _State) -> None:
        key, count = _key(op), op.attributes["count"]
        assert isinstance(count, int)
        held = state.get(key, 0)
        if held is None:
            return
        if op.name == "aie.objectfifo.acquire":
            state[key] = max(held, count)
            return
        if count > held:
            raise DesignError(
                "cannot release more elements than are already acquired",
                where=f"{self.design.path}:{op.line}",
                hint=f"{count} of @{key[0]} are released, {held} are held",
            )
        state[key] = held - count

    def _loop(self, op: Op, state: _State) -> None:
        acquires = [
            inner
            for inner in Body(Region((Block((), (), (op,)),))).walk()
            if inner.name == "aie.objectfifo.acquire"
        ]
        turns = self._turns(op)
        # aiecc unrolls loops so far that every FIFO's ring comes round to its beginning.
        if turns is not None and turns <= math.lcm(*map(self._depth, acquires)):
            for _ in range(turns):
                self._follow_all(op, state)
            return
        before = dict(state)
        self._follow_all(op, state)
        self._check_turns(op, acquires, before, state)
        _merge(state, before)
        if state != before:
            self._follow_all(op, dict(state))

    def _follow_all(self, op: Op, state: _State) -> None:
        for region in op.regions:
            self.follow(region, state)

    def _turns(self, op: Op) -> int | None:
        """How often a loop runs, if constants tell."""
        values = [self.constants.get(operand) for operand in op.operands[:3]]
        numbers = [value for value in values if isinstance(value, int)]
        if op.name != "scf.for" or len(numbers) < 3 or numbers[2] < 1:
            return None
        return len(range(*numbers))

    def _depth(self, acquire: Op) -> int:
        """The objects of the pool that the core acquires from."""
        fifo, port = _key(acquire)
        route = self.design.routes[fifo]
        ends = (route.source,) if port == "Produce" else route.targets
        pool = next(end.pool for end in ends if end.tile == self.core.tile)
        assert pool is not None
        return self.design.pools[pool].depth

    def _check_turns(self, loop: Op, acquires: list[Op], before: _State, after: _State) -> None:
        """Refuse a loop whose turns begin with other numbers of held objects than the first does.

        aiecc fixes how many objects each acquire takes by counting in program order, once
        (AIEObjectFifoStatefulTransform): on the NPU a later turn takes as many as the first.
        """
        for key in map(_key, acquires):
            first, later = before.get(key, 0), after.get(key, 0)
            if first is not None and later is not None and first != later:
                raise DesignError(
                    f"the loop begins with {first} of @{key[0]} held and ends with {later}, but "
                    "every turn acquires as many as the first: on the NPU it hangs, or works on "
                    "wrong objects",
                    where=f"{self.design.path}:{loop.line}",
                    hint="acquire before the loop what it keeps from turn to turn, and release "
                    "within it as many as it acquires",
                )

    def _branch(self, op: Op, state: _State) -> None:
        before = dict(state)
        ways = []
        for region in op.regions:
            way = dict(before)
            self.follow(region, way)
            ways.append(way)
        state.update(ways[0] if ways else {})
        for way in ways[1:] or [before]:
            _merge(state, way)


def _key(op: Op) -> tuple[str, str]:
    return str(op.attributes["fifo"]), str(op.attributes["port"])


def _merge(state: _State, other: _State) -> None:
    for key in (*state, *other):
        if state.get(key, 0) != other.get(key, 0):
            state[key] = None
