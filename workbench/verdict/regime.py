"""What the inputs of a run can tell of a kernel at all: said with every run, good or bad."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.spec.dtypes import to_numbers
from workbench.spec.model import Promise
from workbench.verdict.findings import Finding

Stored = Mapping[str, npt.NDArray[Any]]


def input_regime(promise: Promise, inputs: Stored, said: str | None) -> Finding | None:
    """The regime that the inputs (by tensor name, in storage dtype) are in, if it is a special one.

    `said` is the spec's own sentence about them. A warning when no input tensor has variance.
    """
    tensors = [t for b in promise.buffers if b.direction != "out" for t in b.tensors]
    constant = {
        t.name: float(to_numbers(inputs[t.name].reshape(-1)[:1], t.dtype)[0])
        for t in tensors
        if np.all(inputs[t.name] == inputs[t.name].reshape(-1)[0])
    }
    useless = bool(tensors) and len(constant) == len(tensors)
    sentences = [*([said] if said else []), *_sentences(constant)]
    if not sentences:
        return None
    return Finding(
        "input-regime",
        "warning" if useless else "info",
        "; ".join(sentences) + (": this input tests little" if useless else ""),
        "npu-workbench check KERNEL --inputs all tries the other input sets",
        evidence={"constant": constant, "spec": said},
    )


def _sentences(constant: Mapping[str, float]) -> Iterator[str]:
    """Each value that tensors are constant at."""
    for value in dict.fromkeys(constant.values()):
        names = [name for name, held in constant.items() if held == value]
        verb = "is" if len(names) == 1 else "are"
        yield f"{', '.join(names)} {verb} {value:g} everywhere"
