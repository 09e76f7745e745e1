"""The judge step: arrays and a promise in, one verdict out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.spec.dtypes import to_numbers
from workbench.spec.model import Criterion, Promise
from workbench.verdict.findings import (
    Finding,
    PassedConstant,
    constant_output,
    constant_reference,
    not_finite,
    scalar_mismatches,
)
from workbench.verdict.metrics import Metrics, measure
from workbench.verdict.panes import as_matrix

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
    """A criterion with the value it met or missed."""

    criterion: Criterion
    value: float | None
    met: bool


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """A judged run. `device` and `reference` are float64, in the output tensor's shape.

    `arithmetic` are the metrics of the result that memory can't have corrupted; they equal
    `metrics` where the device has no memory of its own to corrupt.
    """

    tensor: str
    metrics: Metrics
    arithmetic: Metrics
    output: OutputRange
    criteria: tuple[CriterionResult, ...]
    findings: tuple[Finding, ...]
    device: Numbers
    reference: Numbers

    @property
    def passed(self) -> bool:
        """All criteria met, and no finding that is an error."""
        return all(c.met for c in self.criteria) and not any(
            f.severity == "error" for f in self.findings
        )

    @property
    def worst_element(self) -> tuple[int, int]:
        """Row and column of the largest error, in the tensor seen as a matrix."""
        columns = int(as_matrix(self.device).shape[1])
        return divmod(self.metrics.worst, columns)


def judge(
    promise: Promise,
    outputs: Stored,
    reference: Stored,
    *,
    passed: Iterable[PassedConstant] = (),
    spec: str = "the spec",
) -> Verdict:
    """Judge `outputs` (by tensor name, in storage dtype) against `reference`.

    All output tensors are judged as one sequence of elements when there are several.
    """
    device = _joined(promise, outputs)
    golden = _joined(promise, reference)
    metrics = measure(device, golden)
    criteria = tuple(
        CriterionResult(c, metrics.value(c.metric), c.is_met(metrics.value(c.metric)))
        for c in promise.criteria
    )
    health = (not_finite(device), constant_output(device, golden), constant_reference(golden))
    findings = (
        *scalar_mismatches(promise.scalars, passed, spec),
        *(finding for finding in health if finding is not None),
    )
    return Verdict(
        tensor="+".join(tensor.name for tensor in promise.outputs),
        metrics=metrics,
        arithmetic=metrics,
        output=OutputRange(*_range(device), *_range(golden)),
        criteria=criteria,
        findings=findings,
        device=device,
        reference=golden,
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
