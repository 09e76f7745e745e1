"""Reference, model and NPU compared in pairs: each pair that differs is a bug of another kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.design.memory import STACK
from workbench.design.model import Pool
from workbench.design.observed import CoreMemory
from workbench.spec.dtypes import to_numbers
from workbench.spec.model import Promise, Tensor
from workbench.verdict.findings import Finding
from workbench.verdict.judge import judge
from workbench.verdict.steadiness import alternating, differ

Stored = Mapping[str, npt.NDArray[Any]]
Mask = npt.NDArray[np.bool_]

NOT_ARITHMETIC = "memory, synchronisation or toolchain, not arithmetic"

EPSILON = {"float32": 2.0**-23, "bfloat16": 2.0**-8}
"""Of a significand: the model's host and a core may round a sum's terms in another order."""

ROUNDINGS = 4
"""Times EPSILON: what floats of model and NPU may differ by and still count as equal."""

MOST_RANGES = 4
"""Ranges of rows that a message names."""


@dataclass(frozen=True, slots=True)
class ThreeWay:
    """What follows from the pairs, in a sentence, and as findings."""

    sentence: str
    findings: tuple[Finding, ...]
    npu_differs: bool
    """From the model, in any element of an output."""
    model_differs: bool
    """From the reference: its arithmetic doesn't meet the spec's criteria."""


def three_way(
    promise: Promise,
    reference: Stored,
    model: Stored,
    npu: Stored,
    arithmetic: Stored | None = None,
) -> ThreeWay:
    """Compare outputs, by tensor name and in storage dtype.

    `arithmetic` is the model's result that memory can't have corrupted; None: `model` is. Integers
    of NPU and model are compared bit by bit, floats within ROUNDINGS. The model and the reference
    are held to the criteria, or to equality where the spec has none.
    """
    right = model if arithmetic is None else arithmetic
    model_differs = not _meets(promise, right, reference)
    damaged = bool(_differing(promise, model, right))
    npu_differs = _differing(promise, npu, model)
    as_computed = damaged and not _differing(promise, npu, right)
    findings = []
    if npu_differs and as_computed:
        findings.append(_undamaged(promise, npu, model))
    elif npu_differs:
        findings.append(_npu_finding(promise, npu, model, npu_differs))
    if model_differs:
        findings.append(
            Finding(
                "model-differs",
                "warning",
                "the model differs from the reference: arithmetic",
                "mend the kernel on the model: the NPU can't be better than that",
            )
        )
    return ThreeWay(
        _sentence(bool(npu_differs), model_differs, damaged, as_computed),
        tuple(findings),
        bool(npu_differs),
        model_differs,
    )


def bad_buffers(
    promise: Promise,
    runs: Sequence[Stored],
    expected: Stored,
    pools: Iterable[Pool],
    cores: Iterable[CoreMemory] = (),
) -> Finding | None:
    """The buffer that results alternate with; None when runs of one context agree.

    In a FIFO of depth d, run k uses buffer k mod d, if a run takes one object (or d·n + 1) from it:
    where results change with period d, the runs that differ from `expected` name the buffer.
    `cores` gives the order in memory: a stack that overruns reaches the lowest buffer first.
    """
    found = [
        one
        for t in promise.outputs
        if (one := alternating(t.name, [run[t.name] for run in runs])) is not None
    ]
    periods = {int(str(one.evidence["period"])) for one in found if one.evidence["period"]}
    if not found or len(periods) != 1:
        return found[0] if found else None
    period = periods.pop()
    wrong = [k for k, run in enumerate(runs) if _differing(promise, run, expected)]
    turns = sorted({k % period for k in wrong})
    names = [
        f"{pool.name}_buff_{turn}"
        for pool in pools
        if pool.depth == period
        for turn in (turns if 0 < len(turns) < period else range(period))
    ]
    names, adjacent = _by_address(names, cores)
    if not names:
        return found[0]
    which = f"runs {_ranges([k + 1 for k in wrong])} are wrong" if wrong else "none is the model's"
    near = f" ({adjacent} comes first after the stack)" if adjacent in names else ""
    return Finding(
        "nondeterministic",
        "error",
        f"{len(runs)} runs on the same input alternate with period {period}, {which}: "
        f"{' or '.join(names)} is damaged{near}",
        "look for what lies below that buffer in memory: a stack that overruns, or a long write",
        evidence={"runs": len(runs), "period": period, "wrong": wrong, "buffers": names},
    )


def _sentence(npu: bool, model: bool, damaged: bool, as_computed: bool) -> str:
    if npu and as_computed:
        first = "the NPU gives the kernel's arithmetic result, without the model's memory damage"
    elif npu:
        kind = NOT_ARITHMETIC if not model else NOT_ARITHMETIC.removesuffix(", not arithmetic")
        first = f"NPU differs from the model: {kind}"
    elif damaged:
        first = "NPU and model agree, memory damage included"
    else:
        first = "NPU and model agree"
    if model:
        return f"{first}; model differs from the reference: arithmetic"
    return first if npu or damaged else f"{first}, and meet the reference"


def _meets(promise: Promise, outputs: Stored, reference: Stored) -> bool:
    if not promise.criteria:
        return not _differing(promise, outputs, reference)
    return all(one.met for one in judge(promise, outputs, reference).criteria)


def _differing(promise: Promise, a: Stored, b: Stored) -> dict[str, Mask]:
    """The elements that differ, for each output that has any."""
    masks = ((t, _unequal(a[t.name], b[t.name], t)) for t in promise.outputs)
    return {t.name: mask for t, mask in masks if mask.any()}


def _unequal(a: npt.NDArray[Any], b: npt.NDArray[Any], tensor: Tensor) -> Mask:
    epsilon = EPSILON.get(tensor.dtype)
    if epsilon is None:
        return differ(a, b)
    x, y = to_numbers(a, tensor.dtype), to_numbers(b, tensor.dtype)
    largest = np.max(np.abs(y), where=np.isfinite(y), initial=0.0)
    bound = ROUNDINGS * epsilon
    equal: Mask = np.isclose(x, y, rtol=bound, atol=bound * largest, equal_nan=True)
    return ~equal


def _npu_finding(
    promise: Promise, npu: Stored, model: Stored, differing: Mapping[str, Mask]
) -> Finding:
    parts, evidence = [], {}
    for tensor in promise.outputs:
        mask = differing.get(tensor.name)
        if mask is None:
            continue
        rows = [int(row) for row in np.flatnonzero(mask.reshape(-1, mask.shape[-1]).any(axis=1))]
        count, largest = int(mask.sum()), _largest(npu, model, tensor, mask)
        by = "" if largest is None else f", by up to {largest:g}"
        parts.append(
            f"{count:,} of {mask.size:,} elements of {tensor.name} (rows {_ranges(rows)}{by})"
        )
        evidence[tensor.name] = {"count": count, "rows": rows, "max_abs": largest}
    return Finding(
        "npu-differs",
        "error",
        f"NPU differs from the model in {' and '.join(parts)}: {NOT_ARITHMETIC}",
        "try a larger stack_size, then -O1, then the other --alloc-scheme: what changes the "
        "result names the cause",
        evidence={"tensors": evidence},
    )


def _undamaged(promise: Promise, npu: Stored, model: Stored) -> Finding:
    count = sum(int(mask.sum()) for mask in _differing(promise, npu, model).values())
    return Finding(
        "npu-undamaged",
        "info",
        f"the NPU shows none of the memory damage that the model predicts for {count:,} elements",
        "mend what damages the model nevertheless: Peano's frames may grow with the next edit",
        evidence={"count": count},
    )


def _largest(npu: Stored, model: Stored, tensor: Tensor, mask: Mask) -> float | None:
    """The largest difference; None where a NaN or infinity makes it none."""
    x, y = (to_numbers(stored[tensor.name], tensor.dtype)[mask] for stored in (npu, model))
    with np.errstate(invalid="ignore"):
        largest = float(np.max(np.abs(x - y)))
    return largest if np.isfinite(largest) else None


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers as "0-3, 7"; past MOST_RANGES only how many more."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    words = [f"{low}" if low == high else f"{low}-{high}" for low, high in ranges]
    more = len(words) - MOST_RANGES
    return ", ".join(words[:MOST_RANGES]) + (f" and {more} more ranges" if more > 0 else "")


def _by_address(names: Sequence[str], cores: Iterable[CoreMemory]) -> tuple[list[str], str | None]:
    """The names in the order of memory, and the first region after a stack among them."""
    places: dict[str, int] = {}
    adjacent: str | None = None
    for core in cores:
        regions = [r for r in sorted(core.memory, key=lambda r: r.address) if r.name != STACK]
        places |= {region.name: region.address for region in regions}
        if regions and regions[0].name in names:
            adjacent = regions[0].name
    return sorted(names, key=lambda name: places.get(name, 1 << 62)), adjacent
