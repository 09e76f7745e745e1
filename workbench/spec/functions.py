"""Helper functions of a kernel that a spec gives the exact counterpart of, and their domains."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import SpecError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Exact = Callable[["npt.NDArray[np.float64]"], Any]

C_TYPES: Mapping[str, str] = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "uint32": "uint32_t",
    "float32": "float",
}
"""Types that a swept function may take and give, as C names them."""

MOST_POINTS = 1 << 18
"""Values of an argument that are tried; of a larger domain, that many at equal distances."""

FLOAT_POINTS = (1 << 16) + 1
"""Values of a float argument that are tried, at equal distances."""


@dataclass(frozen=True, slots=True)
class HelperFunction:
    """A function of one number inside the kernel, and what it should give.

    It is swept from `low` to `high`, both included. `exact` gets those values as a float64 array
    and returns as many. `call` is the C expression that is swept, with x for the argument: NAME(x)
    unless it is given, so that a table (`TABLE[x]`) or a function of more arguments can be swept
    too. `name` is a name in the kernel; a kernel without it is spared. `within` is the largest
    error allowed, in units of the result.
    """

    name: str
    exact: Exact
    low: float
    high: float
    argument: str = "int32"
    result: str = "int32"
    call: str | None = None
    within: float | None = None

    def __post_init__(self) -> None:
        for kind in (self.argument, self.result):
            if kind not in C_TYPES:
                raise SpecError(
                    f"function {self.name}: unknown type {kind!r}", hint=f"use {', '.join(C_TYPES)}"
                )
        if not callable(self.exact):
            raise SpecError(f"function {self.name}: exact must be a function of an array")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise SpecError(f"function {self.name}: the domain {self.low}..{self.high} is empty")

    @property
    def expression(self) -> str:
        """The C expression that is swept."""
        return self.call or f"{self.name}(x)"


def domain(function: HelperFunction) -> npt.NDArray[Any]:
    """The values of the argument that are tried, ascending, in the argument's own dtype."""
    import numpy as np

    kind = np.dtype(function.argument)
    if kind.kind == "f":
        return np.unique(np.linspace(function.low, function.high, FLOAT_POINTS).astype(kind))
    held = np.iinfo(kind)
    low, high = max(math.ceil(function.low), held.min), min(math.floor(function.high), held.max)
    if high - low < MOST_POINTS:
        return np.arange(low, high + 1).astype(kind)
    return np.unique(np.rint(np.linspace(low, high, MOST_POINTS)).astype(np.int64)).astype(kind)
