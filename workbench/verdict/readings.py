"""The rule that names a misread operand: the device gave the reference of other operands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from workbench.spec.dtypes import to_numbers
from workbench.spec.guesses import Guess
from workbench.spec.model import Promise
from workbench.verdict.findings import Finding
from workbench.verdict.hypotheses import sample

Numbers = npt.NDArray[np.float64]

EXPLAINS = 0.98
"""Share of the error's energy that a guess has to explain; what is left is other arithmetic."""

AS_GOOD, MOST_AS_GOOD = 0.01, 3
"""Guesses so close to the best explain as much as it; if they are more, none of them is meant: then
the output has become independent of an operand, and any change of that would do."""

HINTS: Mapping[str, str] = {
    "scalar": "look at the scale in the kernel, and at the constants that the design passes",
    "exchanged": "check the order of the arguments in the call, and of the buffers",
    "replaced": "check the offset or the buffer that it is read from",
    "transposed": "swap the indices that it is read by",
    "shifted": "look for an offset or a loop that begins one step early or late",
    "negated": "look for a minus in the wrong place",
    "part": "look for a sum that is overwritten, or a loop that ends early",
    "stale": "look for an object that isn't released or acquired, or that is kept from a call",
    "order": "check the sizes and strides of the transfers and of the kernel's loads",
    "byte-order": "read whole elements, not bytes",
    "missing": "check that it is transferred, and that the kernel reads it",
}
"""What to do, by the kind of guess."""


def misread_operand(
    promise: Promise,
    device: Numbers,
    reference: Numbers,
    guesses: Iterable[Guess],
    known_scalars: Sequence[str] = (),
) -> Finding | None:
    """The guess that explains the error best, if any does.

    `device` and `reference` are all outputs one after another. `known_scalars` are those that the
    design is already known to pass otherwise.
    """
    found = sample(device.reshape(1, -1), reference.reshape(1, -1))
    if not found.device.size:
        return None
    right: list[tuple[float, Guess]] = []
    for guess in guesses:
        if guess.kind == "scalar" and guess.subject in known_scalars:
            continue
        parts = (to_numbers(guess.outputs[t.name], t.dtype).ravel() for t in promise.outputs)
        predicted = np.concatenate(list(parts))[found.columns]
        if np.isfinite(predicted).all():
            certainty, _ = found.explained(predicted)
            right.append((certainty, guess))
    best = max(right, key=lambda one: one[0], default=None)
    if best is None or best[0] < EXPLAINS:
        return None
    if sum(certainty >= best[0] - AS_GOOD for certainty, _ in right) > MOST_AS_GOOD:
        return None
    certainty, guess = best
    exact = "exactly " if certainty == 1 else ""
    share = "" if certainty == 1 else f" (which explains {100 * certainty:.1f} % of the error)"
    return Finding(
        "wrong-scalar" if guess.kind == "scalar" else "wrong-operand",
        "error",
        f"the output is {exact}what the reference gives if {guess.clause}{share}",
        HINTS[guess.kind],
        evidence={
            "kind": guess.kind,
            "operand": guess.subject,
            "if": guess.clause,
            "explained": certainty,
        },
    )
