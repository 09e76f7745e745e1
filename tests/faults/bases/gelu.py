"""GELU of int8 in steps of 1/32, by a table."""

from __future__ import annotations

from collections.abc import Mapping
from math import erf, sqrt
from typing import Any

import numpy as np

from workbench.spec import Arrays, Criterion, HelperFunction, HostBuffer, Spec, Tensor, uniform

SHAPE = (16, 16)
Numbers = np.ndarray[Any, np.dtype[Any]]


def gelu(x: Numbers) -> Numbers:
    share = 0.5 * (1 + np.vectorize(erf)(x / 32 / sqrt(2)))
    values: Numbers = x * share
    return values


def reference(tensors: Arrays, scalars: Mapping[str, float]) -> object:
    return np.rint(gelu(tensors["x"].astype(float))).astype(np.int8)


SPEC = Spec(
    design="gelu.mlir",
    function="activate",
    buffers=[
        HostBuffer((Tensor("x", "int8", SHAPE),)),
        HostBuffer((Tensor("y", "int8", SHAPE),), "out"),
    ],
    reference=reference,
    inputs={"any": uniform(-128, 128)},
    criteria=[Criterion("exact", ">=", 1)],
    functions=[HelperFunction("gelu", gelu, -128, 127, "int8", "int8", within=0.5)],
)
