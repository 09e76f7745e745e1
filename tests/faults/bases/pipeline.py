"""Two kernels in a row, on two cores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Spec, Stage, Tensor, uniform

SHAPE = (16, 16)
Scalars = Mapping[str, float]
Numbers = np.ndarray[Any, np.dtype[Any]]


def doubled(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    return 2 * tensors["x"].astype(np.int32)


def output(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> Numbers:
    return (earlier["doubled"] - 100).clip(0, None)


def reference(tensors: Arrays, scalars: Scalars) -> Numbers:
    earlier = {"doubled": doubled(tensors, scalars, {})}
    return output(tensors, scalars, earlier).astype(np.int16)


SPEC = Spec(
    design="pipeline.mlir",
    function="twice",
    buffers=[
        HostBuffer((Tensor("x", "int16", SHAPE),)),
        HostBuffer((Tensor("y", "int16", SHAPE),), "out"),
    ],
    reference=reference,
    inputs={"any": uniform(-1000, 1000)},
    criteria=[Criterion("exact", ">=", 1)],
    stages=[Stage("doubled", "int16", SHAPE, doubled), Stage("output", "int16", SHAPE, output)],
)
