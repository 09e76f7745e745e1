"""The judge step: arrays and a promise in, one verdict out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.design.observed import CoreMemory
from workbench.spec.dtypes import to_numbers
from workbench.spec.model import Criterion, Promise, Tensor
from workbench.verdict.errormap import error_pattern
from workbench.verdict.findings import (
    Finding,
    PassedConstant,
    memory_dependent,
    scalar_mismatches,
)
from workbench.verdict.health import HEALTH, Health, observe, unhealthy
from workbench.verdict.memory import memory_findings
from workbench.verdict.metrics import Metrics, measure
from workbench.verdict.panes import as_matrix
from workbench.verdict.steadiness import alternating, differ, unsteady, unwritten
from workbench.verdict.triage import triage

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
    content (`fills`) of memory that nobody has written, `repeats` those of later runs. `ideal` are
    the references before they were rounded to the outputs' dtypes, where they are known. `inputs`
    and `earlier` (outputs by which run they are of, such as "the output of run 3") are what an
    output may be a stale copy of.
    """

    arithmetic: Stored | None = None
    refilled: Stored | None = None
    fills: tuple[int, int] = (0, 0)
    repeats: tuple[Stored, ...] = ()
    cores: tuple[CoreMemory, ...] = ()
    passed: tuple[PassedConstant, ...] = ()
    spec: str = "the spec"
    ideal: Mapping[str, Numbers] = field(default_factory=dict)
    inputs: Stored = field(default_factory=dict)
    earlier: Mapping[str, Stored] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """A judged run. `device` and `reference` are float64, in the output tensor's shape.

    `arithmetic` are the metrics of the result that memory can't have corrupted; they equal
    `metrics` where the device has no memory of its own to corrupt. `parts` are the metrics of each
    output tensor, where there are several, `health` what each of them holds. `dtype` is the element
    type of all of them, None where they have several.
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
    health: Mapping[str, Health] = field(default_factory=dict)
    cores: tuple[CoreMemory, ...] = ()
    dtype: str | None = None

    @property
    def passed(self) -> bool:
        """All criteria met, by an output that can be judged.

        No other finding makes a judged run fail, whatever its severity: it explains a result and
        warns of what may break it elsewhere. A demand that a run has to meet is a criterion, and
        stands in the spec.
        """
        return all(c.met for c in self.criteria) and not self.ill

    @property
    def ill(self) -> tuple[Finding, ...]:
        """What makes the metrics say nothing: zeros, one value, NaN, a reference without variance.

        It is to be said before any of them.
        """
        return tuple(f for f in self.findings if f.id in HEALTH and f.severity == "error")

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
    compared = [_compared(t, outputs, reference, known) for t in promise.outputs]
    metrics = arithmetic = _whole(compared)
    changed = _changed(promise, outputs, known)
    if changed and known.arithmetic is not None:
        arithmetic = _whole(
            [_compared(t, known.arithmetic, reference, known) for t in promise.outputs]
        )
    parts = tuple((c.tensor.name, c.metrics()) for c in compared) if len(compared) > 1 else ()
    results = tuple(_result(c, parts or ((None, metrics),)) for c in promise.criteria)
    health = {c.tensor.name: observe(c.device, c.reference, c.tensor.dtype) for c in compared}
    findings = [*_unhealthy(compared, health), *_findings(promise, outputs, known, changed)]
    if not all(result.met for result in results) or not (results or metrics.exact == 1):
        findings += _patterns(compared, known)
    device, golden = _joined([c.device for c in compared]), _joined([c.reference for c in compared])
    return Verdict(
        tensor="+".join(tensor.name for tensor in promise.outputs),
        metrics=metrics,
        arithmetic=arithmetic,
        output=OutputRange(*_range(device), *_range(golden)),
        criteria=results,
        findings=triage(findings),
        device=device,
        reference=golden,
        parts=parts,
        health=health,
        cores=known.cores,
        dtype=_dtype(compared),
    )


def with_findings(verdict: Verdict, more: Iterable[Finding]) -> Verdict:
    """The verdict with more findings, ordered anew; none is there twice."""
    merged = {(f.id, f.where, f.message): f for f in (*verdict.findings, *more)}
    return replace(verdict, findings=triage(merged.values()))


@dataclass(frozen=True, slots=True, eq=False)
class _Compared:
    """An output tensor, in float64; `ideal` is the reference before rounding, where it is known."""

    tensor: Tensor
    device: Numbers
    reference: Numbers
    ideal: Numbers | None

    def metrics(self) -> Metrics:
        return measure(self.device, self.reference, self.tensor.dtype, self.ideal)


def _compared(tensor: Tensor, outputs: Stored, reference: Stored, known: Evidence) -> _Compared:
    device, golden = (
        to_numbers(stored[tensor.name], tensor.dtype).reshape(tensor.shape)
        for stored in (outputs, reference)
    )
    return _Compared(tensor, device, golden, known.ideal.get(tensor.name))


def _whole(compared: Sequence[_Compared]) -> Metrics:
    """The metrics of all output tensors as one."""
    if len(compared) == 1:
        return compared[0].metrics()
    ideals = [c.ideal for c in compared if c.ideal is not None]
    return measure(
        _joined([c.device for c in compared]),
        _joined([c.reference for c in compared]),
        _dtype(compared),
        _joined(ideals) if len(ideals) == len(compared) else None,
    )


def _dtype(compared: Sequence[_Compared]) -> str | None:
    """The element type that all of them share."""
    dtypes = {c.tensor.dtype for c in compared}
    return dtypes.pop() if len(dtypes) == 1 else None


def _unhealthy(compared: Sequence[_Compared], health: Mapping[str, Health]) -> Iterator[Finding]:
    alone = len(compared) == 1
    for c in compared:
        yield from unhealthy(c.tensor, health[c.tensor.name], c.device, c.reference, alone=alone)


def _patterns(compared: Sequence[_Compared], known: Evidence) -> Iterator[Finding]:
    for c in compared:
        copied = _copied(c.tensor.name, known)
        found = error_pattern(c.tensor, c.device, c.reference, copied)
        if found is not None:
            yield found


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
    promise: Promise, outputs: Stored, known: Evidence, changed: int
) -> Iterator[Finding]:
    """What the device's evidence tells, in no order."""
    damage = f"; {changed:,} output elements change with it" if changed else ""
    memory = memory_findings(known.cores, promise.buffers, damage)
    yield from memory
    if damage and not any(finding.severity == "error" for finding in memory):
        yield memory_dependent(damage)
    yield from scalar_mismatches(promise.scalars, known.passed, known.spec)
    for t in promise.outputs:
        yield from (f for f in _steadiness(t.name, outputs, known) if f is not None)


def _steadiness(name: str, outputs: Stored, known: Evidence) -> Iterator[Finding | None]:
    if known.refilled is not None:
        yield unwritten(name, outputs[name], known.refilled[name], known.fills)
        yield unsteady(name, outputs[name], known.refilled[name], known.fills)
    if known.repeats:
        yield alternating(name, [outputs[name], *(run[name] for run in known.repeats)])


def _changed(promise: Promise, outputs: Stored, known: Evidence) -> int:
    """How many output elements memory has changed."""
    if known.arithmetic is None:
        return 0
    return sum(
        int(np.count_nonzero(differ(outputs[t.name], known.arithmetic[t.name])))
        for t in promise.outputs
    )


def _copied(name: str, known: Evidence) -> Stored:
    """What an output may be a copy of, by what it is."""
    earlier = {which: run[name] for which, run in known.earlier.items() if name in run}
    return {**{f"the input {key}": array for key, array in known.inputs.items()}, **earlier}


def _joined(parts: Sequence[Numbers]) -> Numbers:
    """The outputs as one float64 tensor: itself when there is one, else stacked rows."""
    if len(parts) == 1:
        return parts[0]
    matrices = [as_matrix(part) for part in parts]
    if len({m.shape[1] for m in matrices}) == 1:
        return np.concatenate(matrices)
    return np.concatenate([m.ravel() for m in matrices])


def _range(values: Numbers) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)
