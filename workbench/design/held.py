"""How many objects a core holds, as far as its text tells."""

from __future__ import annotations

from workbench.design.model import Core, Op, Region
from workbench.errors import DesignError

_State = dict[tuple[str, str], int | None]
"""Objects held by FIFO and port; None when it depends on the way taken."""


def check_held(path: str, core: Core) -> None:
    """Refuse a release of more objects than are held, where that is certain.

    A core that branches between blocks is left to the run. Raises DesignError.
    """
    if len(core.body.region.blocks) == 1:
        _follow(path, core.body.region, {})


def _follow(path: str, region: Region, state: _State) -> None:
    """Run through the region's only block; `state` is changed to what holds after it."""
    for block in region.blocks:
        for op in block.ops:
            match op.name:
                case "aie.objectfifo.acquire" | "aie.objectfifo.release":
                    _account(path, op, state)
                case "scf.for" | "scf.while":
                    _loop(path, op, state)
                case "scf.if":
                    _branch(path, op, state)


def _account(path: str, op: Op, state: _State) -> None:
    key = str(op.attributes["fifo"]), str(op.attributes["port"])
    count = op.attributes["count"]
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
            where=f"{path}:{op.line}",
            hint=f"{count} of @{key[0]} are released, {held} are held",
        )
    state[key] = held - count


def _loop(path: str, op: Op, state: _State) -> None:
    before = dict(state)
    for region in op.regions:
        _follow(path, region, state)
    _merge(state, before)
    if state != before:
        after = dict(state)
        for region in op.regions:
            _follow(path, region, after)


def _branch(path: str, op: Op, state: _State) -> None:
    before = dict(state)
    ways = []
    for region in op.regions:
        way = dict(before)
        _follow(path, region, way)
        ways.append(way)
    state.update(ways[0] if ways else {})
    for way in ways[1:] or [before]:
        _merge(state, way)


def _merge(state: _State, other: _State) -> None:
    for key in (*state, *other):
        if state.get(key, 0) != other.get(key, 0):
            state[key] = None
