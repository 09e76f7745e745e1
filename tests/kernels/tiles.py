"""Attention tiles to feed kernels with, and what exact arithmetic makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Int8 = npt.NDArray[np.int8]
Float = npt.NDArray[np.float64]

N = 64
PROJECT = Path(__file__).parents[2]
KERNELS = PROJECT / "kernels"
DATA = PROJECT / "tests" / "data"

RANGES = {"report": (-64, 64), "uniform": (-128, 128)}
"""The input sets of the attention spec: from, and up to but without."""


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Q, K and V, each int8 64x64."""

    q: Int8
    k: Int8
    v: Int8

    def packed(self) -> bytes:
        """The kernel's qkv buffer."""
        return b"".join(np.ascontiguousarray(part).tobytes() for part in (self.q, self.k, self.v))


def drawn(seed: int, low: int, high: int) -> Tile:
    """Uniform integers from [low, high), by the report's generator in the report's order."""
    random = np.random.RandomState(seed)
    return Tile(*(random.randint(low, high, (N, N), dtype=np.int8) for _ in range(3)))


def exact(tile: Tile, scale_shift: int) -> Float:
    """softmax(Q K^T / 2^scale_shift) V in float64, not rounded."""
    scores = tile.q.astype(np.float64) @ tile.k.T.astype(np.float64) / 2**scale_shift
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    values: Float = weights @ tile.v.astype(np.float64)
    return values


def reference(tile: Tile, scale_shift: int) -> Int8:
    """`exact`, rounded half to even into int8."""
    return np.rint(exact(tile, scale_shift)).clip(-128, 127).astype(np.int8)
