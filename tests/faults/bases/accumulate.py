"""A sum over four parts, one call each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.spec import Arrays, Criterion, HostBuffer, Spec, Tensor, uniform


def reference(tensors: Arrays, scalars: Mapping[str, float]) -> object:
    return tensors["x"].sum(axis=0, dtype=np.int32)


SPEC = Spec(
    design="accumulate.mlir",
    function="add",
    buffers=[
        HostBuffer((Tensor("x", "int16", (4, 16, 16)),)),
        HostBuffer((Tensor("y", "int32", (16, 16)),), "out"),
    ],
    reference=reference,
    inputs={"any": uniform(-30000, 30000)},
    criteria=[Criterion("exact", ">=", 1)],
)
