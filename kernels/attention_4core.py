"""Four heads of attention at once, on four cores: attention.c in another design.

The kernel is the same, so it has no source of its own:

    npu-workbench check kernels/attention.c --spec kernels/attention_4core.py

Each head is a 64x64 tile as in attention.py and has to meet the same criteria, but the worst of
the four counts: all outputs are judged together, and each is shown.
"""

from workbench.spec import Criterion, HostBuffer, Scalar, Spec, Tensor, uniform

TILE = (64, 64)
HEADS = range(4)


def reference(tensors, scalars):
    """PyTorch's float32 attention head by head, rounded half to even into int8."""
    import torch

    outputs = {}
    for head in HEADS:
        q, k, v = (torch.from_numpy(tensors[f"{name}{head}"]).float() for name in "qkv")
        weights = torch.softmax(q @ k.T / 2 ** scalars["scale_shift"], dim=-1)
        outputs[f"out{head}"] = (weights @ v).clamp(-128, 127).round().to(torch.int8)
    return outputs


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
    inputs={"report": uniform(-64, 64), "uniform": uniform(-128, 128)},
    criteria=[
        Criterion("correlation", ">=", 0.9999),
        Criterion("max_abs", "<=", 1),
        Criterion("exact", ">=", 0.995),
    ],
)
