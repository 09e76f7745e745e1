"""One loaded design: its memory, cores, DMAs and FIFOs, kept between runs of the sequence.

Like a hardware context, it remembers which buffer of each FIFO is next and what the cores hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.design.model import Core, Design, MemRef, Op
from workbench.device.model.core import core_process
from workbench.device.model.fifo import Fifos
from workbench.device.model.kernel import Library
from workbench.device.model.memory import Memory
from workbench.device.model.scheduler import run_until, run_while
from workbench.device.model.sequence import Host, sequence_process
from workbench.device.model.transfer import Transfers
from workbench.errors import DesignError

Bytes = npt.NDArray[np.uint8]

OnCall = Callable[[str, str], None]
"""Told the function and file:line of a call of a kernel just before it is made."""


class Context:
    """A design ready to run, with the kernel library that its cores call."""

    def __init__(
        self,
        design: Design,
        library: Path,
        host_bytes: Sequence[int],
        scratch: Path,
        on_call: OnCall,
        fill: int = 0,
        allocation: str = "bank-aware",
    ) -> None:
        """Load everything; DesignError or DeviceError when it can't be.

        `host_bytes` are the sizes of the sequence's host buffers; `scratch` is a folder for copies
        of the library.
        """
        self._check_buffers(design, host_bytes)
        self._design = design
        self._sizes = tuple(host_bytes)
        self.memory = Memory(design, host_bytes, fill, allocation)
        for buffer in design.buffers:
            if buffer.init is not None:
                start = self.memory.address(buffer.name)
                self.memory.bytes[start : start + len(buffer.init)] = bytearray(buffer.init)
        fifos = Fifos(design, self.memory)
        self._transfers = Transfers(design, fifos, self.memory)
        self._host = Host(design, self._transfers, self.memory, self._sizes)
        self._on_call = on_call
        self._processes = [
            core_process(design, core, fifos, self.memory, self._kernels(core, library, copy))
            for core, copy in (
                (core, scratch / f"kernel-{index}.so" if index else None)
                for index, core in enumerate(design.cores)
            )
        ]
        self._processes += self._transfers.processes

    def run(self, buffers: Sequence[Bytes]) -> list[Bytes]:
        """Run the sequence on these host buffers and return them as it leaves them.

        Raises DeadlockError when nothing can go on.
        """
        for start, content in zip(self.memory.host, buffers, strict=True):
            self.memory.bytes[start : start + content.size] = content
        sequence = sequence_process(self._design, self._host, self.memory)
        run_until(sequence, [*self._processes, sequence])
        run_while(self._transfers.pending, self._processes)
        return [
            self.memory.bytes[start : start + size].copy()
            for start, size in zip(self.memory.host, self._sizes, strict=True)
        ]

    def _kernels(
        self, core: Core, library: Path, copy: Path | None
    ) -> Callable[[Op, str], Callable[..., object]]:
        loaded: list[Library] = []

        def kernel(op: Op, where: str) -> Callable[..., object]:
            if not loaded:
                loaded.append(Library(library, copy))
            name = str(op.attributes["callee"])
            found = loaded[0].function(
                name, op.operand_types, op.result_types, self.memory.base, where
            )
            announced = False

            def call(*values: object) -> object:
                nonlocal announced
                if not announced:
                    announced = True
                    self._on_call(name, where)
                return found(*values)

            return call

        return kernel

    def _check_buffers(self, design: Design, host_bytes: Sequence[int]) -> None:
        if design.sequence is None:
            raise DesignError("the design has no runtime sequence", where=design.path)
        where = f"{design.path}:{design.sequence.line}"
        # Their sizes may differ: only what the transfers touch counts, and that is checked.
        arguments = [kind for kind in design.sequence.arguments if isinstance(kind, MemRef)]
        if len(arguments) != len(host_bytes):
            raise DesignError(
                f"the runtime sequence takes {len(arguments)} host buffers, the spec declares "
                f"{len(host_bytes)}",
                where=where,
            )
