"""What the model device is asked to execute, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.design.observed import CoreMemory, StageRecord
from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

ANY_OBJECT = ""
"""In a mapping of libraries by link object: the one for every object that isn't named."""

FILLS = (0xA5, 0x5A)
"""What memory holds before anything is written: at first, and in the execution repeated."""

CHECKS_SUFFIX = ".checks"
"""Of the file, beside the copy of a library with checks, that holds their table."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant that the design passes to a kernel function, as its `argument`-th argument."""

    function: str
    argument: int
    value: int | float
    where: str


@dataclass(frozen=True, slots=True)
class Override:
    """A constant to pass in place of the design's, as the `argument`-th argument of `function`.

    `name` is what people call it, `reason` says what it is passed for ("for this input set").
    """

    name: str
    function: str
    argument: int
    value: int | float
    reason: str


@dataclass(frozen=True, slots=True)
class Workload:
    """What to execute: a design, the libraries of its kernels by link object, the host buffers.

    `buffers` are raw bytes; `outputs` says of each whether it holds nothing that the design may
    read. `allocation` is aiecc's scheme of placing buffers. `overrides` and `stack_bytes`, for
    every core, replace what the design says.
    """

    design: str
    libraries: Mapping[str, Path]
    cache: Path
    buffers: tuple[Bytes, ...]
    outputs: tuple[bool, ...]
    allocation: str
    device_name: str | None = None
    sequence_name: str | None = None
    overrides: tuple[Override, ...] = ()
    stack_bytes: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What an execution gave; each list has the host buffers (raw bytes) by position.

    `runs` are of one context, in core memory: the first is the result, the others repeat it.
    `refilled` is the result with other content of memory that nobody has written; `arithmetic`
    the one with the stack where it can't touch buffers.
    """

    target: str
    constants: tuple[Constant, ...]
    runs: tuple[list[Bytes], ...]
    refilled: list[Bytes]
    arithmetic: list[Bytes]
    cores: tuple[CoreMemory, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """What libraries with checks counted in one execution, and what ended it early.

    `tables` has the bytes of each loaded library's table (see `build.checks`): one for every core
    that calls it.
    """

    tables: tuple[bytes, ...]
    error: WorkbenchError | None


@dataclass(frozen=True, slots=True, eq=False)
class RecordedStages:
    """The stages as a recording build handed them over, and the constants that the design passes.

    `arithmetic` is with the stacks apart, `in_memory` with them in the cores' memory.
    """

    constants: tuple[Constant, ...]
    arithmetic: tuple[StageRecord, ...]
    in_memory: tuple[StageRecord, ...]
