"""A 16x16 tile of attention, its weights in powers of two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Scalar, Spec, Stage, Tensor, uniform

TILE = (16, 16)
Scalars = Mapping[str, float]
Numbers = np.ndarray[Any, np.dtype[Any]]


def scores(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    dots = tensors["q"].astype(np.int32) @ tensors["k"].T.astype(np.int32)
    scores: Numbers = dots / 2 ** scalars["shift"]
    return scores


def weights(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    distance = earlier["scores"].max(axis=1, keepdims=True) - earlier["scores"]
    weights: Numbers = 2 ** (14 - distance / 64)
    return weights


def output(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    shares = earlier["weights"] / earlier["weights"].sum(axis=1, keepdims=True)
    means = shares @ tensors["v"].astype(float)
    rounded: Numbers = np.rint(means).clip(-128, 127)
    return rounded


def reference(tensors: Arrays, scalars: Scalars) -> Numbers:
    earlier = {"scores": scores(tensors, scalars, {})}
    earlier["weights"] = weights(tensors, scalars, earlier)
    return output(tensors, scalars, earlier).astype(np.int8)


SPEC = Spec(
    design="attention.mlir",
    function="attention",
    buffers=[
        HostBuffer(tuple(Tensor(name, "int8", TILE) for name in "qkv")),
        HostBuffer((Tensor("out", "int8", TILE),), "out"),
    ],
    scalars=[Scalar("shift", argument=2, value=3)],
    reference=reference,
    inputs={"moderate": uniform(-40, 40)},
    criteria=[Criterion("max_abs", "<=", 1), Criterion("exact", ">=", 0.9)],
    stages=[
        Stage("scores", "int32", TILE, scores),
        Stage("weights", "int32", TILE, weights),
        Stage("output", "int8", TILE, output),
    ],
)
