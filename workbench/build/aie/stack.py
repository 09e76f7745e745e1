"""How much stack a core needs: frames from `.stack_sizes`, calls from relocations, the worst path.

The method of mlir-aie's own check (StackSizeAnalysis.cpp, in aiecc since Aug 2026), for the aiecc
of any generation. A reference counts as a call; a function that was inlined has vanished into its
caller's frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workbench.build.aie.elf import Function

START_BYTES: Mapping[str, int] = {"aie2": 32, "aie2p": 64}
"""The frame of `_main_init`, which calls the core's program (StackSizeAnalysis.cpp)."""


@dataclass(frozen=True, slots=True)
class StackNeed:
    """The deepest path from a function: at least `bytes`, since `unknown` functions count nothing.

    `recursion` is a cycle that a call can go round, its first function again at the end; the need
    then has no bound.
    """

    bytes: int
    path: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    recursion: tuple[str, ...] = ()


def stack_need(functions: Mapping[str, Function], entry: str) -> StackNeed:
    """What a call of `entry` needs. Functions that have no code here count nothing."""
    walk = _Walk(functions)
    below, path = walk.deepest(entry)
    unknown = tuple(name for name in walk.seen if _frame(functions, name) is None)
    return StackNeed(below, path, unknown, walk.cycle)


def reachable(functions: Mapping[str, Function], entries: Iterable[str]) -> tuple[str, ...]:
    """The functions with code that calls of `entries` may get to, the entries first."""
    found: dict[str, None] = {}
    todo = [name for name in entries if name in functions]
    for name in todo:
        if name not in found:
            found[name] = None
            todo += [n for n in functions[name].references if n in functions]
    return tuple(found)


def _frame(functions: Mapping[str, Function], name: str) -> int | None:
    function = functions.get(name)
    return function.frame if function else None


class _Walk:
    """Depth first, without recursion of its own: call graphs may be deeper than Python's stack."""

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self.seen: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.cycle: tuple[str, ...] = ()

    def deepest(self, entry: str) -> tuple[int, tuple[str, ...]]:
        """Bytes and path of the worst way down from `entry`."""
        trail: list[str] = []
        todo = [(entry, False)]
        while todo:
            name, done = todo.pop()
            if done:
                trail.pop()
                self.seen[name] = self._worst(name)
            elif name in trail:
                self.cycle = self.cycle or (*trail[trail.index(name) :], name)
            elif name not in self.seen:
                trail.append(name)
                todo.append((name, True))
                todo += [(callee, False) for callee in self._callees(name)]
        return self.seen[entry]

    def _callees(self, name: str) -> tuple[str, ...]:
        function = self._functions.get(name)
        if function is None:
            return ()
        return tuple(n for n in function.references if n in self._functions)

    def _worst(self, name: str) -> tuple[int, tuple[str, ...]]:
        below = (self.seen[c] for c in self._callees(name) if c in self.seen)
        bytes_, path = max(below, key=lambda item: item[0], default=(0, ()))
        return bytes_ + (_frame(self._functions, name) or 0), (name, *path)
