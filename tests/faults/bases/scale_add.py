"""Element by element: int16, four objects of 64 elements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Scalar, Spec, Stage, Tensor, uniform

SHAPE = (16, 16)
Scalars = Mapping[str, float]
Numbers = np.ndarray[Any, np.dtype[Any]]


def scaled(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    return tensors["x"].astype(np.int32) * int(scalars["factor"])


def output(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    return (earlier["scaled"] + tensors["z"]).clip(-(2**15), 2**15 - 1)


def reference(tensors: Arrays, scalars: Scalars) -> Numbers:
    earlier = {"scaled": scaled(tensors, scalars, {})}
    return output(tensors, scalars, earlier).astype(np.int16)


SPEC = Spec(
    design="scale_add.mlir",
    function="scale_add",
    buffers=[
        HostBuffer((Tensor("x", "int16", SHAPE),)),
        HostBuffer((Tensor("z", "int16", SHAPE),)),
        HostBuffer((Tensor("y", "int16", SHAPE),), "out"),
    ],
    scalars=[Scalar("factor", argument=3, value=3)],
    reference=reference,
    inputs={"any": uniform(-12000, 12000)},
    criteria=[Criterion("exact", ">=", 1)],
    stages=[Stage("scaled", "int32", SHAPE, scaled), Stage("output", "int16", SHAPE, output)],
)
