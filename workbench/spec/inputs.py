"""Generators of input sets: functions of the input tensors and a seeded generator.

All draw from `numpy.random.RandomState`, whose stream NumPy froze, so that a seed gives the same
bytes in every release; tensors are drawn in the order the spec declares them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from workbench.spec.model import Arrays, Tensor

if TYPE_CHECKING:  # only a spec's own process draws inputs
    import numpy as np

Generator = Callable[[Sequence[Tensor], "np.random.RandomState"], Arrays]


def uniform(low: float, high: float) -> Generator:
    """Each element drawn uniformly from [low, high): integers for integer tensors."""

    def generate(tensors: Sequence[Tensor], random: np.random.RandomState) -> Arrays:
        import numpy as np

        return {
            tensor.name: random.uniform(low, high, tensor.shape).astype(np.float32)
            if "float" in tensor.dtype
            else random.randint(int(low), int(high), tensor.shape, dtype=np.dtype(tensor.dtype))
            for tensor in tensors
        }

    return generate
