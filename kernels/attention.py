"""What attention.c promises: one 64x64 tile of attention, within one step of PyTorch.

The design hands the core Q, K and V as one buffer and passes the shift by which scores are
divided: softmax(Q @ K.T / 2**scale_shift) @ V. With a head dimension of 64 the usual 1/sqrt(64)
is a shift of 3.
"""

import numpy as np

from workbench.spec import (
    Criterion,
    HelperFunction,
    HostBuffer,
    Scalar,
    Spec,
    Tensor,
    uniform,
)

TILE = (64, 64)


def reference(tensors, scalars):
    """PyTorch's float32 attention, rounded half to even into int8."""
    import torch

    q, k, v = (torch.from_numpy(tensors[name]).float() for name in "qkv")
    weights = torch.softmax(q @ k.T / 2 ** scalars["scale_shift"], dim=-1)
    return (weights @ v).clamp(-128, 127).round().to(torch.int8)


SPEC = Spec(
    design="../mlir/attention_64x64.mlir",
    function="attention_64x64",
    buffers=[
        HostBuffer(
            (Tensor("q", "int8", TILE), Tensor("k", "int8", TILE), Tensor("v", "int8", TILE))
        ),
        HostBuffer((Tensor("out", "int8", TILE),), "out"),
    ],
    scalars=[Scalar("scale_shift", argument=2, value=3)],
    reference=reference,
    inputs={
        # The matrices of the report: numpy.random.seed(42), then randint for q, k and v.
        "report": uniform(-64, 64),
        "uniform": uniform(-128, 128),
    },
    criteria=[
        Criterion("correlation", ">=", 0.9999),
        Criterion("max_abs", "<=", 1),
        Criterion("exact", ">=", 0.995),
    ],
    functions=[
        HelperFunction("POWERS", lambda i: 2 ** (25 - i / 64), 0, 64, call="POWERS[x]", within=0.5),
        # In Q25, down to where it is half a unit; the chords between the table's entries lie up to
        # 1.5e-5 above the curve, and what is shifted out takes up to one unit.
        HelperFunction(
            "exponential",
            lambda x: 2**25 * np.exp(-x / 2**16),
            0,
            20 << 16,
            call="exponential(x, 16)",
            within=2**25 * 2e-5,
        ),
    ],
)
