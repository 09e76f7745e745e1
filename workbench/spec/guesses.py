"""What a guess at a kernel's operands comes to: the reference's outputs if it were right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Guess:
    """The outputs by name, in storage dtype, that the reference gives if `clause`.

    `subject` is the input tensor or the scalar that it is about.
    """

    kind: str
    subject: str
    clause: str
    outputs: Mapping[str, npt.NDArray[Any]]
