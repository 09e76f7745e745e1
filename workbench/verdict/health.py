"""Whether an output can be judged at all: said before any metric, and no run passes with it.

Correlation calls a constant output undefined, or perfect; a mean error forgives zeros where the
reference is small. One function a rule, each on a whole output tensor in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.spec.model import Tensor
from workbench.verdict.findings import Finding

Numbers = npt.NDArray[np.float64]

HEALTH = frozenset(
    {
        "not-finite",
        "output-not-written",
        "constant-output",
        "few-values",
        "saturated-output",
        "input-regime",
    }
)
"""Findings about an output's health: with one of severity error, a run doesn't pass."""

SAMPLE = 4096
"""Elements that different values are counted among."""

FEW, TIMES_MORE = 8, 8
"""So many different values are few where the reference has so many times more."""

FAR = 1 / 20
"""Of the dtype's range: from there on a reference isn't near the limit that an element is at."""

SATURATED_ERROR, SATURATED_WARNING = 0.05, 0.01
"""Shares of elements at a limit that the reference isn't near."""

_FLOAT_LIMITS = {
    "float32": float(np.finfo(np.float32).max),
    "float16": float(np.finfo(np.float16).max),
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
}


@dataclass(frozen=True, slots=True)
class Health:
    """What an output tensor holds, beside its reference; shares are from 0 to 1.

    nan, infinite: elements. zeros: share of the device's. distinct, reference_distinct: different
    values among SAMPLE elements. saturated: share at a limit of the dtype that the reference is far
    from (FAR), reference_saturated: share of the reference's elements at a limit.
    """

    nan: int
    infinite: int
    zeros: float
    distinct: int
    reference_distinct: int
    saturated: float
    reference_saturated: float


def observe(device: Numbers, reference: Numbers, dtype: str) -> Health:
    """The health of an output whose elements are of `dtype`."""
    low, high = limits(dtype)
    far = (high / 2 - low / 2) * 2 * FAR
    with np.errstate(invalid="ignore", over="ignore"):
        saturated = ((device == low) & (reference > low + far)) | (
            (device == high) & (reference < high - far)
        )
    return Health(
        nan=int(np.count_nonzero(np.isnan(device))),
        infinite=int(np.count_nonzero(np.isinf(device))),
        zeros=_share(device == 0),
        distinct=len(_values(device)),
        reference_distinct=len(_values(reference)),
        saturated=_share(saturated),
        reference_saturated=_share((reference == low) | (reference == high)),
    )


def limits(dtype: str) -> tuple[float, float]:
    """The smallest and largest finite number of a dtype."""
    if dtype in _FLOAT_LIMITS:
        return -_FLOAT_LIMITS[dtype], _FLOAT_LIMITS[dtype]
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def unhealthy(
    tensor: Tensor, health: Health, device: Numbers, reference: Numbers, *, alone: bool = True
) -> list[Finding]:
    """What is wrong with an output tensor; `alone` when the design has no other one."""
    of = "output elements" if alone else f"elements of {tensor.name}"
    rules = (
        not_finite(device, reference, of),
        constant_output(device, reference, of),
        few_values(health, device, of),
        saturated_output(health, tensor.dtype, device.size, of),
        poor_reference(reference),
    )
    return [finding for finding in rules if finding is not None]


def not_finite(device: Numbers, reference: Numbers, of: str = "output elements") -> Finding | None:
    """NaN or infinity in the output where the reference is a number."""
    bad = ~np.isfinite(device) & np.isfinite(reference)
    count = int(np.count_nonzero(bad))
    if not count:
        return None
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    return Finding(
        "not-finite",
        "error",
        f"{count:,} of {device.size:,} {of} are NaN or infinite, the first at {first}: "
        "the other metrics are undefined",
        "look for a division by zero or an overflow before that element",
        evidence={"count": count, "first": list(first)},
    )


def constant_output(
    device: Numbers, reference: Numbers, of: str = "output elements"
) -> Finding | None:
    """The output has one value everywhere while the reference has more: correlation undefined."""
    value = float(device.flat[0]) + 0.0  # no -0
    if not np.isfinite(value) or not _is_constant(device) or _is_constant(reference):
        return None
    return Finding(
        "constant-output",
        "error",
        f"every one of the {device.size:,} {of} is {value:g}: correlation is undefined",
        "check that the kernel writes its output and that the design drains the right FIFO",
        evidence={"value": value, "elements": device.size},
    )


def few_values(health: Health, device: Numbers, of: str = "output elements") -> Finding | None:
    """The output has a handful of values where the reference has many more."""
    few = 1 < health.distinct <= min(FEW, health.reference_distinct / TIMES_MORE)
    if not few or health.nan or health.infinite:
        return None
    values = [float(value) for value in _values(device)]
    named = ", ".join(f"{value:g}" for value in values)
    return Finding(
        "few-values",
        "error",
        f"the {device.size:,} {of} have {health.distinct} different values ({named}), the "
        f"reference has {health.reference_distinct:,}",
        "look for a shift, a clamp or a cast that leaves so few, or an output that is hardly "
        "written",
        evidence={"values": values, "reference_distinct": health.reference_distinct},
    )


def saturated_output(
    health: Health, dtype: str, size: int, of: str = "output elements"
) -> Finding | None:
    """Many elements are at a limit of the dtype which the reference is far from."""
    if health.saturated < SATURATED_WARNING:
        return None
    low, high = limits(dtype)
    return Finding(
        "saturated-output",
        "error" if health.saturated >= SATURATED_ERROR else "warning",
        f"{100 * health.saturated:.1f} % of the {size:,} {of} are at a limit of {dtype} ({low:g} "
        f"or {high:g}) that the reference is far from",
        "look for a missing shift or scale before the output is clamped",
        evidence={
            "saturated": health.saturated,
            "reference_saturated": health.reference_saturated,
        },
    )


def poor_reference(reference: Numbers) -> Finding | None:
    """The reference isn't finite, or has no variance: metrics can't be defined with it."""
    bad = int(np.count_nonzero(~np.isfinite(reference)))
    if bad:
        return Finding(
            "input-regime",
            "error",
            f"{bad:,} of {reference.size:,} elements of the reference are NaN or infinite: metrics "
            "are undefined",
            "choose another input set with --inputs, or mend the reference",
            evidence={"count": bad},
        )
    if not _is_constant(reference):
        return None
    return Finding(
        "input-regime",
        "error",
        f"the reference is {reference.flat[0]:g} everywhere: correlation is undefined and this "
        "input tests little",
        "choose another input set with --inputs",
        evidence={"value": float(reference.flat[0])},
    )


def _is_constant(values: Numbers) -> bool:
    return bool(np.all(values == values.flat[0]))


def _values(tensor: Numbers) -> Numbers:
    """The different values among elements from everywhere in the tensor.

    The step is odd, so that no column of a tensor with an even number of them is left out.
    """
    flat = tensor.ravel()
    return np.unique(flat[:: max(1, flat.size // SAMPLE) | 1])


def _share(mask: npt.NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(mask)) / mask.size
