"""The judge step: arrays and a promise in, one verdict out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.design.observed import CoreMemory
from workbench.spec.dtypes import to_numbers
from workbench.spec.model import Criterion, Promise
from workbench.verdict.findings import (
    Finding,
    PassedConstant,
    constant_output,
    memory_dependent,
    not_finite,
    poor_reference,
    scalar_mismatches,
)
from workbench.verdict.memory import memory_findings
from workbench.verdict.metrics import Metrics, measure
from workbench.verdict.panes import as_matrix
from workbench.verdict.steadiness import alternating, differ, unsteady, unwritten

Stored = Mapping[str, npt.NDArray[Any]]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutputRange:
    """Smallest and largest finite element of the device's output and the reference's."""

    minimum: float | None
    maximum: float | None
    reference_minimum: float | None
    reference_maximum: float | None


@dataclass(frozen=True, slots=True)
class CriterionResult:
    """A criterion with the value it met or missed: that of the worst of several output tensors."""

    criterion: Criterion
    value: float | None
    met: bool
    tensor: str | None = None
    """Which of several output tensors is the worst."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the device knows beyond the outputs; tensors are by name, in storage dtype.

    `arithmetic` is the result that memory can't have corrupted, `refilled` the one with other
    content (`fills`) of memory that nobody has written, `repeats` those of later runs.
    """

    arithmetic: Stored | None = None
    refilled: Stored | None = None
    fills: tuple[int, int] = (0, 0)
    repeats: tuple[Stored, ...] = ()
    cores: tuple[CoreMemory, ...] = ()
    passed: tuple[PassedConstant, ...] = ()
    spec: str = "the spec"


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """A judged run. `device` and `reference` are float64, in the output tensor's shape.

    `arithmetic` are the metrics of the result that memory can't have corrupted; they equal
    `metrics` where the device has no memory of its own to corrupt. `parts` are the metrics of each
    output tensor, where there are several.
    """

    tensor: str
    metrics: Metrics
    arithmetic: Metrics
    output: OutputRange
    criteria: tuple[CriterionResult, ...]
    findings: tuple[Finding, ...]
    device: Numbers
    reference: Numbers
    parts: tuple[tuple[str, Metrics], ...] = ()
    cores: tuple[CoreMemory, ...] = ()

    @property
    def passed(self) -> bool:
        """All criteria met: nothing else makes a judged run pass or fail.

        A finding explains a result and warns of what may break it elsewhere, whatever its severity;
        a demand that a run has to meet is a criterion, and stands in the spec.
        """
        return all(c.met for c in self.criteria)

    @property
    def worst_element(self) -> tuple[int, int]:
        """Row and column of the largest error, in the tensor seen as a matrix."""
        columns = int(as_matrix(self.device).shape[1])
        return divmod(self.metrics.worst, columns)


def judge(
    promise: Promise,
    outputs: Stored,
    reference: Stored,
    evidence: Evidence | None = None,
) -> Verdict:
    """Judge `outputs` (by tensor name, in storage dtype) against `reference`.

    Metrics take all output tensors as one sequence of elements when there are several; criteria
    have to be met by each of them.
    """
    known = evidence or Evidence()
    device = _joined(promise, outputs)
    golden = _joined(promise, reference)
    metrics = measure(device, golden)
    arithmetic = metrics
    if known.arithmetic is not None:
        arithmetic = measure(_joined(promise, known.arithmetic), golden)
    parts = _parts(promise, outputs, reference)
    return Verdict(
        tensor="+".join(tensor.name for tensor in promise.outputs),
        metrics=metrics,
        arithmetic=arithmetic,
        output=OutputRange(*_range(device), *_range(golden)),
        criteria=tuple(_result(c, parts or ((None, metrics),)) for c in promise.criteria),
        findings=tuple(_findings(promise, outputs, known, device, golden)),
        device=device,
        reference=golden,
        parts=parts,
        cores=known.cores,
    )


def with_findings(verdict: Verdict, more: Iterable[Finding]) -> Verdict:
    """The verdict with more findings: the others stay, and none is there twice."""
    merged = {(f.id, f.where, f.message): f for f in (*more, *verdict.findings)}
    return replace(verdict, findings=tuple(merged.values()))


def _result(criterion: Criterion, parts: Sequence[tuple[str | None, Metrics]]) -> CriterionResult:
    """The criterion on the part that is furthest from it; an undefined value is."""

    def rank(part: tuple[str | None, Metrics]) -> tuple[bool, float]:
        value = _demanded(criterion, part[1])
        if value is None:
            return False, 0.0
        return True, value if criterion.op.startswith(">") else -value

    tensor, metrics = min(parts, key=rank)
    met = criterion.is_met(_demanded(criterion, metrics))
    return CriterionResult(criterion, metrics.value(criterion.metric), met, tensor)


def _demanded(criterion: Criterion, metrics: Metrics) -> float | None:
    """What the criterion is about; without any error SQNR has no number but meets every demand."""
    if criterion.metric == "sqnr_db" and metrics.max_abs == 0:
        return math.inf
    return metrics.value(criterion.metric)


def _findings(
    promise: Promise, outputs: Stored, known: Evidence, device: Numbers, golden: Numbers
) -> Iterator[Finding]:
    """All findings, in the order in which they are to be mended."""
    first = (
        not_finite(device),
        *_unwritten(promise, outputs, known),
        constant_output(device, golden),
    )
    yield from (finding for finding in first if finding is not None)
    damage = _damage(promise, outputs, known)
    memory = memory_findings(known.cores, promise.buffers, damage)
    yield from (finding for finding in memory if finding.severity == "error")
    if damage and not any(finding.severity == "error" for finding in memory):
        yield memory_dependent(damage)
    yield from scalar_mismatches(promise.scalars, known.passed, known.spec)
    later = (*_steadiness(promise, outputs, known), poor_reference(golden))
    yield from (finding for finding in later if finding is not None)
    yield from (finding for finding in memory if finding.severity != "error")


def _unwritten(promise: Promise, outputs: Stored, known: Evidence) -> Iterator[Finding | None]:
    if known.refilled is not None:
        for t in promise.outputs:
            yield unwritten(t.name, outputs[t.name], known.refilled[t.name], known.fills)


def _steadiness(promise: Promise, outputs: Stored, known: Evidence) -> Iterator[Finding | None]:
    for t in promise.outputs:
        if known.refilled is not None:
            yield unsteady(t.name, outputs[t.name], known.refilled[t.name], known.fills)
        if known.repeats:
            yield alternating(t.name, [outputs[t.name], *(run[t.name] for run in known.repeats)])


def _damage(promise: Promise, outputs: Stored, known: Evidence) -> str:
    """How many elements memory has changed, in words; empty when it changed none."""
    if known.arithmetic is None:
        return ""
    changed = sum(
        int(np.count_nonzero(differ(outputs[t.name], known.arithmetic[t.name])))
        for t in promise.outputs
    )
    return f"; {changed:,} output elements change with it" if changed else ""


def _parts(promise: Promise, outputs: Stored, reference: Stored) -> tuple[tuple[str, Metrics], ...]:
    if len(promise.outputs) == 1:
        return ()
    return tuple(
        (
            t.name,
            measure(to_numbers(outputs[t.name], t.dtype), to_numbers(reference[t.name], t.dtype)),
        )
        for t in promise.outputs
    )


def _joined(promise: Promise, stored: Stored) -> Numbers:
    """The outputs as one float64 tensor: itself when there is one, else stacked rows."""
    parts = [to_numbers(stored[t.name], t.dtype).reshape(t.shape) for t in promise.outputs]
    if len(parts) == 1:
        return parts[0]
    matrices = [as_matrix(part) for part in parts]
    if len({m.shape[1] for m in matrices}) == 1:
        return np.concatenate(matrices)
    return np.concatenate([m.ravel() for m in matrices])


def _range(values: Numbers) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)
