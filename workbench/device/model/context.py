"""One loaded design: its memory, cores, DMAs and FIFOs, kept between runs of the sequence.

Like a hardware context, it remembers which buffer of each FIFO is next and what the cores hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.design.memory import allocation_notes
from workbench.design.model import Design, MemRef
from workbench.design.observed import CoreMemory, HostPart
from workbench.device.model.calls import CoreKernels, OnCall
from workbench.device.model.core import core_process
from workbench.device.model.fifo import Fifos
from workbench.device.model.memory import Memory
from workbench.device.model.observe import Observer
from workbench.device.model.origin import host_parts
from workbench.device.model.recording import Recorder
from workbench.device.model.scheduler import Process, run_until, run_while
from workbench.device.model.sequence import Host, sequence_process
from workbench.device.model.transfer import Transfers
from workbench.errors import DesignError

Bytes = npt.NDArray[np.uint8]


class Context:
    """A design ready to run, with the kernel libraries that its cores call."""

    def __init__(
        self,
        design: Design,
        libraries: Mapping[str, Path],
        host_bytes: Sequence[int],
        allocation: str,
        copies: Iterator[Path],
        *,
        on_call: OnCall = lambda function, where: None,
        fill: int = 0,
        stack_apart: bool = False,
        recorder: Recorder | None = None,
    ) -> None:
        """Load everything; DesignError or DeviceError when it can't be.

        `libraries` are by link object (see `calls.ANY_OBJECT`), `host_bytes` the sizes of the
        sequence's host buffers, `copies` names for copies of libraries; `allocation`, `fill` and
        `stack_apart` are as in `Memory`. `recorder` gets the stages of libraries that record them.
        """
        self._check_buffers(design, host_bytes)
        self._design = design
        self._sizes = tuple(host_bytes)
        self.memory = Memory(design, host_bytes, allocation, fill=fill, stack_apart=stack_apart)
        for buffer in design.buffers:
            if buffer.init is not None:
                start = self.memory.address(buffer.name)
                self.memory.bytes[start : start + len(buffer.init)] = bytearray(buffer.init)
        fifos = Fifos(design, self.memory)
        self._transfers = Transfers(design, fifos, self.memory)
        self._host = Host(design, self._transfers, self.memory, self._sizes)
        self._kernels: list[CoreKernels] = []
        self._processes: list[Process] = []
        self._notes = [
            note for tile in self.memory.maps for note in allocation_notes(design, tile, allocation)
        ]
        for core in design.cores:
            observer = Observer(design, core, fifos, self.memory, self._origin)
            kernels = CoreKernels(
                design, core, libraries, self.memory, observer, copies, on_call, recorder
            )
            self._kernels.append(kernels)
            program = core_process(design, core, fifos, self.memory, kernels, self._notes)
            self._processes.append(program)
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
        self._notes += self._transfers.close_run()
        return [
            self.memory.bytes[start : start + size].copy()
            for start, size in zip(self.memory.host, self._sizes, strict=True)
        ]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the design's author should know, from loading and the runs so far, once each."""
        return tuple(dict.fromkeys([*self._notes, *self._host.notes]))

    def cores(self) -> tuple[CoreMemory, ...]:
        """Each core's memory as the runs have left it."""
        return tuple(kernels.report() for kernels in self._kernels)

    def _origin(self, pool: str, number: int, span: tuple[int, int]) -> tuple[HostPart, ...]:
        return host_parts(
            self._design, self._transfers, self.memory, self._sizes, pool, number, span
        )

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
