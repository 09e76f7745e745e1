"""RMS normalisation of float32 rows; the first row is zero, as padding is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Spec, Stage, Tensor, uniform

SHAPE = (16, 16)
Scalars = Mapping[str, float]


def padded(tensors: Sequence[Tensor], random: np.random.RandomState) -> Arrays:
    (x,) = uniform(-2, 3)(tensors, random).values()
    x[0] = 0
    return {"x": x}


def mean(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> object:
    return np.square(tensors["x"].astype(float)).mean(axis=1)


def scale(tensors: Arrays, scalars: Scalars, earlier: Arrays) -> object:
    return 1 / np.sqrt(earlier["mean"] + 1e-5)


def reference(tensors: Arrays, scalars: Scalars) -> object:
    scales = np.asarray(scale(tensors, scalars, {"mean": np.asarray(mean(tensors, scalars, {}))}))
    return (tensors["x"] * scales[:, None]).astype(np.float32)


SPEC = Spec(
    design="normalise.mlir",
    function="normalise",
    buffers=[
        HostBuffer((Tensor("x", "float32", SHAPE),)),
        HostBuffer((Tensor("y", "float32", SHAPE),), "out"),
    ],
    reference=reference,
    inputs={"padded": padded},
    criteria=[Criterion("max_abs", "<=", 1e-4)],
    stages=[Stage("mean", "float32", (16,), mean), Stage("scale", "float32", (16,), scale)],
)
