"""The model device as a library: run a design on arrays, for tests of one's own.

from workbench import simulate

def test_scale():
    x = np.arange(64, dtype=np.int32)
    _, y = simulate("scale.mlir", [x, np.zeros_like(x)], kernels={"scale.o": "scale.cc"})
    assert np.array_equal(y, 3 * x)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.build import build_kernel, find_clang
from workbench.design.observed import CoreMemory
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import FILLS, Outcome, Workload
from workbench.errors import UsageError
from workbench.loop.on_model import build_error
from workbench.loop.target import cache_of, project_of, shown
from workbench.settings import LIMITS
from workbench.verdict import Finding
from workbench.verdict.memory import memory_findings
from workbench.verdict.steadiness import alternating, unsteady, unwritten

AnyArray = npt.NDArray[Any]
FilePath = str | PathLike[str]


class Simulated(list[AnyArray]):
    """The host buffers after the sequence, in its arguments' order, as the arrays given.

    `arithmetic` are the same buffers of an execution whose stack can't touch them; `cores` holds
    each core's memory map and stack need; `findings` what went wrong on the way; `notes` what a
    reader should know of the design.
    """

    def __init__(self, arrays: Sequence[AnyArray], outcome: Outcome) -> None:
        super().__init__(_shaped(outcome.runs[0], arrays))
        self.arithmetic: list[AnyArray] = _shaped(outcome.arithmetic, arrays)
        self.cores: tuple[CoreMemory, ...] = outcome.cores
        self.notes: tuple[str, ...] = outcome.notes
        self.findings: tuple[Finding, ...] = tuple(_findings(arrays, outcome))


def simulate(
    design: FilePath,
    arrays: Sequence[AnyArray],
    *,
    kernels: Mapping[str, FilePath] | None = None,
    defines: Sequence[str] | Mapping[str, Sequence[str]] = (),
    device: str | None = None,
    sequence: str | None = None,
    allocation: str = "bank-aware",
    time_limit_s: float = 60.0,
) -> Simulated:
    """Run a design's sequence on `arrays`, one for each of its host buffers.

    `kernels` gives the C or C++ source of each object that the design links with; `defines` are
    macros (NAME or NAME=VALUE) for all of them, or by object. `device` and `sequence` choose among
    several in the file. The arrays themselves aren't changed.

    Raises WorkbenchError: UsageError, BuildError, DesignError, DeadlockError, HangError or
    CrashError.
    """
    for name, array in enumerate(arrays):
        if not isinstance(array, np.ndarray) or array.dtype.hasobject:
            raise UsageError(f"host buffer {name} is {type(array).__name__}, not a NumPy array")
    sources = {name: (path, _defines_of(name, defines)) for name, path in (kernels or {}).items()}
    cache = cache_of(project_of(Path(design).absolute()))

    async def go() -> Outcome:
        runner = ModelDevice()
        runner.prepare()
        try:
            work = Workload(
                design=shown(Path(design)),
                libraries={
                    name: await _built(path, own, cache) for name, (path, own) in sources.items()
                },
                cache=cache,
                buffers=tuple(np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in arrays),
                outputs=tuple(False for _ in arrays),
                allocation=allocation,
                device_name=device,
                sequence_name=sequence,
            )
            return await runner.execute(work, lambda lines: None, time_limit_s)
        finally:
            await runner.close()

    # A thread of its own, since the caller may be inside a running event loop.
    with ThreadPoolExecutor(1) as pool:
        return Simulated(arrays, pool.submit(asyncio.run, go()).result())


def _defines_of(name: str, defines: Sequence[str] | Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(defines.get(name, ()) if isinstance(defines, Mapping) else defines)


async def _built(source: FilePath, defines: tuple[str, ...], cache: Path) -> Path:
    name = shown(Path(source))
    log: list[str] = []
    built = await build_kernel(name, find_clang(), cache, log.extend, LIMITS.compile, defines)
    if built.library is None:
        raise build_error(built, name)
    return built.library


def _shaped(buffers: Sequence[npt.NDArray[np.uint8]], arrays: Sequence[AnyArray]) -> list[AnyArray]:
    return [
        buffer.view(array.dtype).reshape(array.shape)
        for buffer, array in zip(buffers, arrays, strict=True)
    ]


def _findings(arrays: Sequence[AnyArray], outcome: Outcome) -> Iterator[Finding]:
    yield from memory_findings(outcome.cores, (), "")
    refilled = _shaped(outcome.refilled, arrays)
    runs = [_shaped(run, arrays) for run in outcome.runs]
    for number, (first, *later) in enumerate(zip(*runs, strict=True)):
        name = f"host buffer {number}"
        rules = (
            unwritten(name, first, refilled[number], FILLS),
            unsteady(name, first, refilled[number], FILLS),
            alternating(name, [first, *later]),
        )
        yield from (finding for finding in rules if finding is not None)
