"""Findings: named causes with their evidence and what to do. One function a rule, each pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from workbench.spec.model import Scalar

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Finding:
    """A named cause: what is wrong, where ("file:line" or None), what to do, and the evidence."""

    id: str
    severity: Literal["error", "warning", "info"]
    message: str
    hint: str
    where: str | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PassedConstant:
    """A constant argument in the design's call of the kernel; None when it isn't a constant."""

    argument: int
    value: int | float | None
    where: str


def constant_output(device: Numbers, reference: Numbers) -> Finding | None:
    """The output has one value everywhere while the reference has more: correlation undefined."""
    value = device.flat[0]
    if (
        not np.isfinite(value)
        or not np.all(device == value)
        or np.all(reference == reference.flat[0])
    ):
        return None
    return Finding(
        "constant-output",
        "error",
        f"every one of the {device.size:,} output elements is {value:g}: correlation is undefined",
        "check that the kernel writes its output and that the design drains the right FIFO",
        evidence={"value": float(value), "elements": device.size},
    )


def poor_reference(reference: Numbers) -> Finding | None:
    """The reference isn't finite, or has no variance: metrics can't be defined with it."""
    bad = int(np.count_nonzero(~np.isfinite(reference)))
    if bad:
        return Finding(
            "input-regime",
            "warning",
            f"{bad:,} of {reference.size:,} elements of the reference are NaN or infinite: metrics "
            "are undefined",
            "choose another input set with --inputs, or mend the reference",
            evidence={"count": bad},
        )
    if not np.all(reference == reference.flat[0]):
        return None
    return Finding(
        "input-regime",
        "warning",
        f"the reference is {reference.flat[0]:g} everywhere: correlation is undefined and this "
        "input tests little",
        "choose another input set with --inputs",
        evidence={"value": float(reference.flat[0])},
    )


def not_finite(device: Numbers) -> Finding | None:
    """NaN or infinity in the output."""
    bad = ~np.isfinite(device)
    count = int(np.count_nonzero(bad))
    if not count:
        return None
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    return Finding(
        "not-finite",
        "error",
        f"{count:,} of {device.size:,} output elements are NaN or infinite, the first at {first}: "
        "the other metrics are undefined",
        "look for a division by zero or an overflow before that element",
        evidence={"count": count, "first": list(first)},
    )


def scalar_mismatches(
    scalars: Iterable[Scalar], passed: Iterable[PassedConstant], spec: str
) -> list[Finding]:
    """Constants that the design passes and the spec expects otherwise."""
    expected = {scalar.argument: scalar for scalar in scalars}
    found = []
    for constant in passed:
        scalar = expected.get(constant.argument)
        if scalar is None or constant.value is None or constant.value == scalar.value:
            continue
        found.append(
            Finding(
                "scalar-mismatch",
                "error",
                f"the design passes {scalar.name} = {constant.value:g}, the spec expects "
                f"{scalar.value:g}",
                f"pass {scalar.value:g} in the design, or mend the value in {spec}",
                where=constant.where,
                evidence={
                    "scalar": scalar.name,
                    "passed": constant.value,
                    "expected": scalar.value,
                    "spec": spec,
                },
            )
        )
    return found


def memory_dependent(damage: str) -> Finding:
    """The result changes with where the stack lies, and nothing else was seen to go wrong."""
    return Finding(
        "memory-dependent",
        "error",
        f"the result depends on where the stack lies{damage}",
        "look for a read outside a buffer, or of memory that nobody has written",
    )
