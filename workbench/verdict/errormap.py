"""What an output's error looks like, seen as a whole: the signature of what went wrong.

The reference is changed as a fault would change it, and compared with what the device gave. Only
arrays are looked at; nothing is known here of the kernel or the design.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.spec.dtypes import storage_dtype, to_numbers
from workbench.spec.model import Tensor
from workbench.verdict.bands import bands
from workbench.verdict.findings import Finding
from workbench.verdict.hypotheses import EXPLAINS, Numbers, Pattern, sample
from workbench.verdict.moved import moved
from workbench.verdict.panes import as_matrix
from workbench.verdict.rearranged import rearranged
from workbench.verdict.rescaled import ENOUGH, rescaled

FEWEST = 64
"""Elements of a tensor from which a pattern is more than chance."""

AS_GOOD = 0.01
"""Guesses that are no further apart explain the error equally well: the plainest counts."""


def error_pattern(
    tensor: Tensor,
    device: Numbers,
    reference: Numbers,
    others: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Finding | None:
    """The pattern that explains nearly all of the error of an output tensor, if there is one.

    `others` are arrays by what they are ("the input q"), in storage dtype, that the output may be a
    stale copy of.
    """
    d, r = as_matrix(device), as_matrix(reference)
    found = list(_patterns(tensor.dtype, d, r, others or {})) if d.size >= FEWEST else []
    if not found:
        return None
    most = max(pattern.certainty for pattern in found)
    best = next(pattern for pattern in found if pattern.certainty >= most - AS_GOOD)
    return Finding(
        "error-pattern",
        "error",
        best.message,
        best.hint,
        evidence={
            "pattern": best.name,
            "tensor": tensor.name,
            "explained": best.explained,
            **best.parameters,
        },
    )


def _patterns(
    dtype: str, device: Numbers, reference: Numbers, others: Mapping[str, npt.NDArray[Any]]
) -> Iterator[Pattern]:
    """All that hold, the plainest first."""
    seen = sample(device, reference)
    if seen.device.size:
        yield from rescaled(seen, dtype)
        yield from rearranged(seen)
    for name, array in others.items():
        copy = stale(dtype, device, reference, name, array)
        if copy is not None:
            yield copy
    for pattern in (moved(device, reference), bands(device, reference, dtype)):
        if pattern is not None:
            yield pattern


def stale(
    dtype: str, device: Numbers, reference: Numbers, name: str, array: npt.NDArray[Any]
) -> Pattern | None:
    """Where the output is wrong, it holds what another array of its size holds."""
    stored = np.ascontiguousarray(array)
    if stored.nbytes != device.size * storage_dtype(dtype).itemsize:
        return None
    held = to_numbers(stored.reshape(-1).view(storage_dtype(dtype)), dtype).reshape(device.shape)
    wrong = device != reference
    count = int(np.count_nonzero(wrong))
    if count < ENOUGH or bool((device[wrong] == device[wrong][0]).all()):
        return None
    share = float(np.count_nonzero((device == held) & wrong)) / count
    if share < EXPLAINS:
        return None
    return Pattern(
        "stale-data",
        share,
        share,
        f"where the output is wrong, {100 * share:.0f} % of it is {name}, unchanged",
        "look for a buffer that is copied on without the kernel's result in it",
        {"of": name, "elements": count},
    )
