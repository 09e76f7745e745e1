"""What the NPU is asked to execute, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from workbench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

LEAST_WAIT_MS = 5_000
"""The driver's own watchdog (TDR) fires after 2 to 4 s; a shorter wait can't be told from it
(amd/xdna-driver, tdr_timeout_ms = 2000, in two phases)."""


@dataclass(frozen=True, slots=True)
class NpuWorkload:
    """An xclbin with its instructions, and the host buffers in the order of the sequence.

    `buffers` are raw bytes; `outputs` says of each whether it holds nothing that the design may
    read. Raises UsageError for a `wait_ms` under LEAST_WAIT_MS.
    """

    xclbin: Path
    instructions: Path
    buffers: tuple[Bytes, ...]
    outputs: tuple[bool, ...]
    cache: Path
    """A folder of ours, for what travels to the NPU's process and back."""
    runs: int = 3
    """In one context: one more than the deepest FIFO, or 1 for a design whose cores end."""
    burst: int = 20
    """Warm runs that are timed, after those; none where `runs` is 1."""
    burst_limit_s: float = 2.0
    wait_ms: int = 8_000
    """How long one run may take."""
    where: str | None = None
    """The design's file, for messages."""

    def __post_init__(self) -> None:
        if self.wait_ms < LEAST_WAIT_MS:
            raise UsageError(
                f"{self.wait_ms:,} ms is too short a limit for a run on the NPU",
                hint=f"use {LEAST_WAIT_MS:,} ms or more: the driver's own limit must pass first",
            )


@dataclass(frozen=True, slots=True)
class Latency:
    """Times of runs in microseconds, from submission to completion as the host sees it.

    The submission's overhead is in them (about 100 us). `first_us` is of the first run of all:
    the NPU may have been asleep, which costs 100 ms and more (mlir-aie#2944).
    """

    first_us: float
    min_us: float
    median_us: float
    p95_us: float
    count: int
    """Warm runs, back to back, that the other figures are of."""


def latency(first_ns: int, burst_ns: Sequence[int]) -> Latency | None:
    """The figures of a burst, which is never judged by a single run; None without one."""
    if not burst_ns:
        return None
    ordered = sorted(burst_ns)
    return Latency(
        first_us=first_ns / 1e3,
        min_us=ordered[0] / 1e3,
        median_us=median(ordered) / 1e3,
        p95_us=ordered[ceil(0.95 * len(ordered)) - 1] / 1e3,
        count=len(ordered),
    )


@dataclass(frozen=True, slots=True, eq=False)
class NpuOutcome:
    """What the NPU gave; each list has the host buffers (raw bytes) by position.

    `runs` are of one context, each on the same freshly written buffers: the first is the result.
    There are fewer than asked for when a later one did not complete, which `state` then names.
    `refilled` is the first run of a context of its own, over outputs filled with the other of
    FILLS.
    """

    name: str
    """Of the device, as XRT gives it."""
    runs: tuple[list[Bytes], ...]
    refilled: list[Bytes]
    latency: Latency | None
    state: str
    """Of the last command, such as "COMPLETED"."""
    notes: tuple[str, ...]
