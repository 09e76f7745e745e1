"""Findings: named causes with their evidence and what to do. One function a rule, each pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from workbench.spec.model import Scalar


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
