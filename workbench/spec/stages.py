"""Golden stages: what a spec says that a kernel's stages should be, from the spec's own process."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.spec.cases import Request, child_input
from workbench.spec.load import ask, broken

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

CHAIN, LOCAL, INPUT, RECORDED = "chain:", "local:", "in:", "rec:"
"""What arrays in the files between the processes are."""


@dataclass(frozen=True, slots=True, eq=False)
class GoldenStages:
    """Each stage by name, in its shape.

    `chain` is computed from golden earlier stages with the spec's scalars, as the reference is;
    `local` from the kernel's own earlier stages with the scalars that the design really passes, so
    that it shows what one stage does wrong by itself.
    """

    chain: Mapping[str, Numbers]
    local: Mapping[str, Numbers]


async def load_golden(
    request: Request,
    inputs: Mapping[str, npt.NDArray[Any]],
    scalars: Mapping[str, float],
    passed: Mapping[str, float],
    recorded: Mapping[str, Numbers],
    on_lines: Callable[[list[str]], None],
    limit_s: float,
) -> GoldenStages:
    """The golden stages for these inputs; SpecError when they can't be had.

    `scalars` are the spec's, `passed` the design's; `recorded` are the kernel's stages in their
    shapes, without those that it didn't record.
    """
    import numpy as np

    request.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="golden-", dir=request.cache) as name:
        folder = Path(name)
        arrays: dict[str, Any] = {f"{INPUT}{key}": array for key, array in inputs.items()}
        arrays |= {f"{RECORDED}{key}": array for key, array in recorded.items()}
        np.savez(folder / "given.npz", **arrays)
        wanted = {"folder": name, "scalars": dict(scalars), "passed": dict(passed)}
        answers, end = await ask(child_input(request, limit_s, stages=wanted), on_lines, limit_s)
        if "stages" not in answers:
            raise broken(request, answers, end, limit_s)
        with np.load(folder / "golden.npz", allow_pickle=False) as stored:
            chain, local = (
                {key: stored[f"{kind}{key}"] for key in answers["stages"]}
                for kind in (CHAIN, LOCAL)
            )
    return GoldenStages(chain, local)
