"""A core's calls of its kernels: which library, on which stack, watched by whom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from workbench.design.memory import Region
from workbench.design.model import Core, Design, Op
from workbench.design.observed import CoreMemory, LocalArray
from workbench.device.model.kernel import Library
from workbench.device.model.memory import Memory
from workbench.device.model.observe import Observer
from workbench.device.model.recording import Recorder
from workbench.device.model.workload import ANY_OBJECT
from workbench.errors import DesignError

OnCall = Callable[[str, str], None]
"""Told the function and file:line of a call of a kernel just before its first time."""

CALLERS_BYTES = 160
"""Stack used before a kernel's own frame begins: start-up code, core program, the call.

An estimate: with it, the model gives the figures that silicon printed for the same kernels.
"""

DATA = "(kernel data)"


class CoreKernels:
    """The kernels of one core; called with a call's operation, gives what to call."""

    def __init__(
        self,
        design: Design,
        core: Core,
        libraries: Mapping[str, Path],
        memory: Memory,
        observer: Observer,
        copies: Iterator[Path],
        on_call: OnCall,
        recorder: Recorder | None = None,
    ) -> None:
        """`copies` gives names for copies of libraries, each with static data of its own."""
        self._design = design
        self._core = core
        self._paths = libraries
        self._memory = memory
        self._observer = observer
        self._copies = copies
        self._on_call = on_call
        self._recorder = recorder
        self._loaded: dict[Path, Library] = {}
        self._start = memory.base + memory.stacks[core.tile]

    def __call__(self, op: Op, where: str) -> Callable[..., object]:
        """The kernel function that `op` calls, watched."""
        name = str(op.attributes["callee"])
        library = self._library(name, where)
        function = library.function(
            name, op.operand_types, op.result_types, self._memory.base, where
        )
        announced = False

        def call(*values: object) -> object:
            nonlocal announced
            if not announced:
                announced = True
                self._on_call(name, where)
            self._observer.before()
            result = function(*values)
            self._observer.after(name, where, self._stack_end())
            return result

        return call

    def report(self) -> CoreMemory:
        """The core's memory as the calls have left it."""
        core = self._core
        called = [library for library in self._loaded.values() if library.called]
        used = max((library.stack_end - self._start for library in called), default=0)
        data = sum(library.data_bytes() for library in self._loaded.values())
        regions = self._memory.maps[core.tile]
        end = max((region.end for region in regions), default=0)
        return CoreMemory(
            tile=core.tile,
            stack_bytes=used,
            stack_limit=core.stack_size,
            stack_size_given=core.stack_size_given,
            where=f"{self._design.path}:{core.line}",
            memory=(*regions, *((Region(DATA, end, data),) if data else ())),
            arrays=tuple(self._arrays()),
            overwritten=self._observer.overwritten,
        )

    def _arrays(self) -> Iterator[LocalArray]:
        for library in self._loaded.values():
            yield from library.arrays()

    def _stack_end(self) -> int:
        """The stack's high-water mark in the core's memory; 0 when the stack lies apart."""
        if self._memory.stacks[self._core.tile] != self._memory.tiles[self._core.tile]:
            return 0
        return max(library.stack_end for library in self._loaded.values()) - self._start

    def _library(self, name: str, where: str) -> Library:
        declared = self._design.functions.get(name)
        linked = (declared.link_with if declared else None) or self._core.link_with or ""
        path = self._paths.get(Path(linked).name) or self._paths.get(ANY_OBJECT)
        if path is None:
            known = ", ".join(sorted(self._paths)) or "nothing"
            raise DesignError(
                f"{name} is linked from {linked or 'no object'}, for which there is no kernel",
                where=where,
                hint=f"kernels are given for {known}",
            )
        if path not in self._loaded:
            library = Library(path, next(self._copies), self._start + CALLERS_BYTES)
            if self._recorder is not None:
                library.record(self._recorder.hook(self._core.tile))
            self._loaded[path] = library
        return self._loaded[path]
