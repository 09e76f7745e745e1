"""Four heads of attention at once, on four cores: attention.c in another design.

The kernel is the same, so it has no source of its own:

    npu-workbench check kernels/attention.c --spec kernels/attention_4core.py

Each head is a 64x64 tile as in attention.py and has to meet the same criteria, but the worst of
the four counts: all outputs are judged together, and each is shown.
"""

from dataclasses import replace

import attention
import numpy as np

from workbench.spec import Criterion, HostBuffer, Scalar, Spec, Tensor

TILE = (64, 64)
HEADS = range(4)


def reference(tensors, scalars):
    """PyTorch's float32 attention, head by head."""
    return {
        f"out{head}": attention.reference({n: tensors[f"{n}{head}"] for n in "qkv"}, scalars)
        for head in HEADS
    }


def for_heads(generate):
    """An input set of one head, drawn anew for each."""
    tensors = attention.SPEC.buffers[0].tensors

    def drawn(_, random):
        heads = (generate(tensors, random) for _ in HEADS)
        return {f"{name}{h}": array for h, head in enumerate(heads) for name, array in head.items()}

    return drawn


def of_heads(stage):
    """A stage of all heads: each has a core of its own, in the order of their tiles."""

    def golden(tensors, scalars, earlier):
        return np.stack(
            [
                stage.golden(
                    {name: tensors[f"{name}{head}"] for name in "qkv"},
                    scalars,
                    {name: array[head] for name, array in earlier.items()},
                )
                for head in HEADS
            ]
        )

    return replace(stage, shape=(len(HEADS), *stage.shape), golden=golden)


SPEC = Spec(
    design="../mlir/attention_4core.mlir",
    function="attention_64x64",
    buffers=[
        HostBuffer(
            tuple(Tensor(f"{name}{head}", "int8", TILE) for head in HEADS for name in "qkv")
        ),
        HostBuffer(tuple(Tensor(f"out{head}", "int8", TILE) for head in HEADS), "out"),
    ],
    scalars=[Scalar("scale_shift", argument=2, value=3)],
    reference=reference,
    inputs={
        name: for_heads(generate)
        for name, generate in attention.SPEC.inputs.items()
        if name != "whisper"  # one shift for all heads can't be the scale of four tiles
    },
    criteria=[
        Criterion("correlation", ">=", 0.9999),
        Criterion("max_abs", "<=", 1),
        Criterion("exact", ">=", 0.995),
    ],
    stages=[of_heads(stage) for stage in attention.SPEC.stages],
)
