"""Generators of input sets: functions of the input tensors and a seeded generator.

All draw from `numpy.random.RandomState`, whose stream NumPy froze, so that a seed gives the same
bytes in every release; tensors are drawn in the order the spec declares them. Where a generator
speaks of a type's range, that of a float type is its finite numbers. Rows are those of the last
axis.

A generator may also give the value of a scalar by its name: then the kernel is passed that, in
place of the constant in the design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.errors import SpecError
from workbench.spec.model import Arrays, Tensor

if TYPE_CHECKING:  # only a spec's own process draws inputs
    import numpy as np
    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Draw = Callable[[Tensor, np.random.RandomState], Array]

Generator = Callable[[Sequence[Tensor], "np.random.RandomState"], Arrays]


def uniform(low: float, high: float) -> Generator:
    """Each element drawn uniformly from [low, high): integers for integer tensors."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        if _is_float(tensor):
            return random.uniform(low, high, tensor.shape).astype(np.float32)
        return random.randint(int(low), int(high), tensor.shape, dtype=np.dtype(tensor.dtype))

    return _each(draw)


def full_range() -> Generator:
    """Values spread evenly over the type's whole range, both ends included, in random order.

    Of a float type evenly over its numbers, so that each exponent is as frequent as another.
    """

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        count = int(np.prod(tensor.shape))
        low, high = _ordinals(tensor)
        spread = np.rint(np.linspace(low, high, count)).astype(np.int64)
        return _of_ordinals(tensor, random.permutation(spread).reshape(tensor.shape))

    return _each(draw)


def normal(sigma: float, mean: float = 0.0) -> Generator:
    """A normal distribution, rounded half to even and cut to the type's range."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        return _cut(tensor, random.normal(mean, sigma, tensor.shape))

    return _each(draw)


def one_hot(value: float | None = None) -> Generator:
    """In each row one element, drawn, is `value` (default: the type's largest, 1 of a float)."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        rows, columns = _matrix(tensor)
        return _ones_at(tensor, random.randint(0, columns, rows), value)

    return _each(draw)


def identity(value: float | None = None) -> Generator:
    """`value` (as in `one_hot`) on the diagonal, which begins again where a matrix is tall."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        rows, columns = _matrix(tensor)
        return _ones_at(tensor, np.arange(rows) % columns, value)

    return _each(draw)


def ramp(step: int = 1) -> Generator:
    """Counts up by `step` from the type's smallest value, and wraps: neighbours always differ.

    Of a float type: from -128, modulo 256, which every one of them holds exactly.
    """

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        low, high = (-128, 127) if _is_float(tensor) else _ordinals(tensor)
        count = np.arange(np.prod(tensor.shape), dtype=np.int64).reshape(tensor.shape)
        return _cut(tensor, low + count * step % (high - low + 1))

    return _each(draw)


def extremes() -> Generator:
    """Each element is the type's smallest or largest value, drawn."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        low, high = _ordinals(tensor)
        return _of_ordinals(tensor, np.where(random.randint(0, 2, tensor.shape), high, low))

    return _each(draw)


def all_equal() -> Generator:
    """Every element of a tensor is one value, drawn from [-128, 128) and cut to the type."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        return _cut(tensor, np.full(tensor.shape, random.randint(-128, 128), np.int64))

    return _each(draw)


def near_ties() -> Generator:
    """All rows are one, drawn from [-128, 127), but that each element may be one larger."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        row = random.randint(-128, 127, tensor.shape[-1:])
        return _cut(tensor, row + random.randint(0, 2, tensor.shape))

    return _each(draw)


def zeros() -> Generator:
    """Nothing but zeros."""

    def draw(tensor: Tensor, random: np.random.RandomState) -> Array:
        import numpy as np

        return _cut(tensor, np.zeros(tensor.shape))

    return _each(draw)


def by_tensor(**generators: Generator) -> Generator:
    """Another generator for each tensor, by its name."""

    def generate(tensors: Sequence[Tensor], random: np.random.RandomState) -> Arrays:
        drawn: dict[str, Any] = {}
        for tensor in tensors:
            if tensor.name not in generators:
                raise SpecError(f"by_tensor has no generator for tensor {tensor.name!r}")
            drawn |= generators[tensor.name]([tensor], random)
        return drawn

    return generate


def recorded(read: Callable[[], Mapping[str, Array]]) -> Generator:
    """One of many recorded cases: the seed picks the one with number seed modulo their count.

    `read` gives for each tensor, and for each scalar that goes with it, an array whose first axis
    counts the cases.
    """

    def generate(tensors: Sequence[Tensor], random: np.random.RandomState) -> Arrays:
        cases = read()
        counts = {len(array) for array in cases.values()}
        if len(counts) != 1:
            raise SpecError(f"recorded arrays hold {sorted(counts)} cases, not equally many")
        number = _seed_of(random) % counts.pop()
        return {name: array[number] for name, array in cases.items()}

    return generate


def _each(draw: Draw) -> Generator:
    """The generator that draws one tensor after another."""

    def generate(tensors: Sequence[Tensor], random: np.random.RandomState) -> Arrays:
        return {tensor.name: draw(tensor, random) for tensor in tensors}

    return generate


def _seed_of(random: np.random.RandomState) -> int:
    """The seed of a generator that nothing has been drawn from.

    MT19937 puts it into the first word of its state (Matsumoto and Nishimura, init_genrand).
    """
    state: Any = random.get_state()
    return int(state[1][0])


def _is_float(tensor: Tensor) -> bool:
    return "float" in tensor.dtype


def _matrix(tensor: Tensor) -> tuple[int, int]:
    """Rows and columns of a tensor seen as a matrix."""
    import numpy as np

    return int(np.prod(tensor.shape[:-1])), tensor.shape[-1]


def _ordinals(tensor: Tensor) -> tuple[int, int]:
    """The first and the last of a type's numbers; floats are counted up and down from zero."""
    import numpy as np

    if _is_float(tensor):
        last = 0x7F7F if tensor.dtype == "bfloat16" else 0x7F7FFFFF  # the largest finite bits
        return -last, last
    limits = np.iinfo(tensor.dtype)
    return int(limits.min), int(limits.max)


def _of_ordinals(tensor: Tensor, ordinals: Array) -> Array:
    """The numbers that `_ordinals` counts."""
    import numpy as np

    if not _is_float(tensor):
        return ordinals.astype(tensor.dtype)
    bits = np.abs(ordinals).astype(np.uint32) << (16 if tensor.dtype == "bfloat16" else 0)
    magnitude = bits.astype(np.uint32).view(np.float32)
    return np.where(ordinals < 0, -magnitude, magnitude).astype(np.float32)


def _cut(tensor: Tensor, values: Array) -> Array:
    """Numbers as elements of the tensor."""
    import numpy as np

    if _is_float(tensor):
        return values.astype(np.float32)
    return np.clip(np.rint(values), *_ordinals(tensor)).astype(tensor.dtype)


def _ones_at(tensor: Tensor, columns: Array, value: float | None) -> Array:
    """Zeros, but for `value` in one column of each row."""
    import numpy as np

    if value is None:
        value = 1.0 if _is_float(tensor) else float(_ordinals(tensor)[1])
    matrix = np.zeros(_matrix(tensor))
    matrix[np.arange(len(matrix)), columns] = value
    return _cut(tensor, matrix.reshape(tensor.shape))
