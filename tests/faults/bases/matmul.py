"""A 16x16 tile of int8 matrix product, scaled back to int8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Scalar, Spec, Stage, Tensor, uniform

TILE = (16, 16)
Scalars = Mapping[str, float]
Numbers = np.ndarray[Any, np.dtype[Any]]


def sums(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    return tensors["a"].astype(np.int32) @ tensors["b"].astype(np.int32)


def output(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    scaled = earlier["sums"] * scalars["factor"] / 1024
    return (np.sign(scaled) * np.floor(np.abs(scaled) + 0.5)).clip(-128, 127)


def reference(tensors: Arrays, scalars: Scalars) -> Numbers:
    earlier = {"sums": sums(tensors, scalars, {})}
    return output(tensors, scalars, earlier).astype(np.int8)


SPEC = Spec(
    design="matmul.mlir",
    function="matmul",
    buffers=[
        HostBuffer((Tensor("a", "int8", TILE),)),
        HostBuffer((Tensor("b", "int8", TILE),)),
        HostBuffer((Tensor("c", "int8", TILE),), "out"),
    ],
    scalars=[Scalar("factor", argument=3, value=5)],
    reference=reference,
    inputs={"any": uniform(-128, 128)},
    criteria=[Criterion("exact", ">=", 1)],
    stages=[Stage("sums", "int32", TILE, sums), Stage("output", "int8", TILE, output)],
)
