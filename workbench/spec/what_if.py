"""What the reference gives for other operands, from the spec's own process."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from workbench.spec.cases import Request, child_input
from workbench.spec.guesses import Guess
from workbench.spec.load import ask, broken

TIME_S = 3.0
"""How long guesses are tried; the likeliest come first."""

MOST_BYTES = 1 << 26
"""Of outputs that are kept of all guesses together."""


async def load_what_if(request: Request, limit_s: float) -> tuple[Guess, ...]:
    """All guesses for the request's case that there was time for; SpecError for a broken spec.

    `limit_s` is for everything before the guesses. What the spec prints is dropped: operands that
    nobody meant may well make it complain.
    """
    import numpy as np

    request.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="what-if-", dir=request.cache) as folder:
        file = Path(folder, "outputs.npz")
        wanted = child_input(request, limit_s + TIME_S, what_if=file)
        answers, end = await ask(wanted, lambda lines: None, limit_s + TIME_S)
        if "what_if" not in answers:
            raise broken(request, answers, end, limit_s)
        with np.load(file, allow_pickle=False) as stored:
            guesses: list[dict[str, Any]] = json.loads(str(stored["guesses"]))
            names: list[str] = answers["what_if"]
            stacks = {name: stored[f"out:{name}"] for name in names}
    return tuple(
        Guess(**guess, outputs={name: stack[number] for name, stack in stacks.items()})
        for number, guess in enumerate(guesses)
    )
