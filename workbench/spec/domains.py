"""The domains of a spec's helper functions with their exact values, from the spec's own process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.spec.cases import Request, child_input
from workbench.spec.load import ask, broken

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


@dataclass(frozen=True, slots=True, eq=False)
class Domain:
    """What is to be tried of a helper function: each x, and the exact value there (float64).

    `argument` and `result` are element types; x is stored in the argument's. `expression` is the C
    expression in x.
    """

    name: str
    expression: str
    argument: str
    result: str
    within: float | None
    x: npt.NDArray[Any]
    exact: npt.NDArray[np.float64]


async def load_domains(
    request: Request, on_lines: Callable[[list[str]], None], limit_s: float
) -> tuple[Domain, ...]:
    """The domains of the functions that the spec names; SpecError when they can't be had."""
    import numpy as np

    request.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="domains-", dir=request.cache) as folder:
        file = Path(folder, "domains.npz")
        answers, end = await ask(child_input(request, limit_s, file), on_lines, limit_s)
        if "domains" not in answers:
            raise broken(request, answers, end, limit_s)
        with np.load(file, allow_pickle=False) as stored:
            return tuple(
                Domain(**described, x=stored[f"x:{number}"], exact=stored[f"exact:{number}"])
                for number, described in enumerate(answers["domains"])
            )
