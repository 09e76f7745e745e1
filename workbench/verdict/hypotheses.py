"""How well a guess at what went wrong predicts the device's output.

A guess is right when the reference, changed as it says, is what the device gave. Whole tensors are
compared at a fixed sample of positions, so that a hundred guesses cost about as much as one metric.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SAMPLE = 4096
"""Positions that a guess is judged at."""

EXPLAINS = 0.9
"""Share of the error's energy that a guess has to explain."""

SAYS_ENOUGH = 0.4
"""Share of the elements that a guess has to say something about."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A guess that holds, in words, with its parameters.

    `certainty` is the share of the error that it explains where it says something, `explained` that
    of the whole error.
    """

    name: str
    certainty: float
    explained: float
    message: str
    hint: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Elements of two matrices of one shape at the same positions."""

    shape: tuple[int, int]
    rows: Indices
    columns: Indices
    device: Numbers
    reference: Numbers
    whole: Numbers
    """All of the reference."""

    def explained(self, predicted: Numbers, known: Mask | None = None) -> tuple[float, float]:
        """The share of the error that a prediction explains: where it says something, and overall.

        1 - sum (d - p)^2 / sum (d - r)^2, and no more than the share of the device's own variance
        that it explains, 1 - sum (d - p)^2 / sum (d - mean d)^2: else any guess near the mean would
        do for an output that is nearly constant. `known` says where the guess says something.
        """
        d, r = self.device, self.reference
        everywhere = _energy(d - r)
        if known is not None:
            if np.count_nonzero(known) < SAYS_ENOUGH * known.size:
                return 0.0, 0.0
            d, r, predicted = d[known], r[known], predicted[known]
        error, left = _energy(d - r), _energy(d - predicted)
        least = min(error, _energy(d - d.mean()))
        if not least > 0:
            return 0.0, 0.0
        return 1 - left / least, 1 - (left + everywhere - error) / everywhere

    def part(self, count: int) -> Sample:
        """The first `count` positions: they are in no order."""
        return Sample(
            self.shape,
            self.rows[:count],
            self.columns[:count],
            self.device[:count],
            self.reference[:count],
            self.whole,
        )


def sample(device: Numbers, reference: Numbers) -> Sample:
    """Positions of two matrices where both are finite, in no order; the same ones for a size."""
    rng = np.random.default_rng(0)
    size = device.size
    flat = rng.permutation(size) if size <= SAMPLE else rng.integers(0, size, SAMPLE)
    flat = flat[np.isfinite(device.flat[flat]) & np.isfinite(reference.flat[flat])]
    height, width = device.shape
    rows, columns = np.divmod(flat.astype(np.int64), width)
    d, r = device[rows, columns], reference[rows, columns]
    return Sample((height, width), rows, columns, d, r, reference)


def _energy(values: Numbers) -> float:
    return float(values @ values)
