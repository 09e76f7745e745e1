"""The executions that one run of a kernel is made of, and what they left in the host's buffers.

- in core memory, the sequence run several times in one context: once more than the deepest FIFO
  has objects, so that damage to one buffer of a ring shows as results that alternate;
- the same once more with another content of all memory that nobody has written;
- with the stacks apart from the cores' memory: the arithmetic result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from workbench.design.model import Design
from workbench.design.observed import CoreMemory
from workbench.device.model.calls import OnCall
from workbench.device.model.context import Context
from workbench.device.model.recording import Recorder
from workbench.device.model.workload import FILLS
from workbench.errors import DeadlockError

Bytes = npt.NDArray[np.uint8]

MOST_RUNS = 5
"""Runs of the sequence in one context, however deep the FIFOs are."""


@dataclass(frozen=True, slots=True, eq=False)
class Executed:
    """What the executions left; each list has the host buffers in the sequence's order."""

    runs: tuple[list[Bytes], ...]
    """In core memory, one after another in one context; the first is the result."""
    refilled: list[Bytes]
    """In core memory with the other fill."""
    arithmetic: list[Bytes]
    """With the stacks apart."""
    cores: tuple[CoreMemory, ...]
    notes: tuple[str, ...]


def execute(
    design: Design,
    libraries: Mapping[str, Path],
    buffers: Sequence[Bytes],
    outputs: Sequence[bool],
    allocation: str,
    copies: Iterator[Path],
    on_call: OnCall,
) -> Executed:
    """Run everything. `outputs` says which buffers hold nothing that the design may read.

    Raises DesignError, DeviceError or DeadlockError; a crash ends the process.
    """
    sizes = [buffer.size for buffer in buffers]

    def context(fill: int, *, stack_apart: bool = False) -> Context:
        return Context(
            design,
            libraries,
            sizes,
            allocation,
            copies,
            on_call=on_call,
            fill=fill,
            stack_apart=stack_apart,
        )

    def filled(fill: int) -> list[Bytes]:
        return _filled(buffers, outputs, fill)

    first, second = FILLS
    main = context(first)
    runs = [main.run(filled(first))]
    cores = main.cores()
    notes = list(main.notes)
    for _ in range(_repeats(design)):
        try:
            runs.append(main.run(filled(first)))
        except DeadlockError:
            notes.append("the design runs once each time it is loaded: its cores end")
            break
    return Executed(
        tuple(runs),
        context(second).run(filled(second)),
        context(first, stack_apart=True).run(filled(first)),
        cores,
        tuple(notes),
    )


def execute_once(
    design: Design,
    libraries: Mapping[str, Path],
    buffers: Sequence[Bytes],
    outputs: Sequence[bool],
    allocation: str,
    copies: Iterator[Path],
    on_call: OnCall,
    *,
    stack_apart: bool = True,
    recorder: Recorder | None = None,
) -> None:
    """Only one execution, for what libraries count in it, or hand to `recorder`.

    With the stacks apart it is the one that gives the arithmetic result. Raises as `execute` does.
    """
    context = Context(
        design,
        libraries,
        [buffer.size for buffer in buffers],
        allocation,
        copies,
        on_call=on_call,
        fill=FILLS[0],
        stack_apart=stack_apart,
        recorder=recorder,
    )
    context.run(_filled(buffers, outputs, FILLS[0]))


def _filled(buffers: Sequence[Bytes], outputs: Sequence[bool], fill: int) -> list[Bytes]:
    """The host buffers as they are before a run."""
    return [
        np.full(buffer.size, fill, np.uint8) if output else buffer
        for buffer, output in zip(buffers, outputs, strict=True)
    ]


def _repeats(design: Design) -> int:
    deepest = max((pool.depth for pool in design.pools.values()), default=1)
    return min(deepest, MOST_RUNS - 1)
