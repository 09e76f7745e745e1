"""What attention.c promises: one 64x64 tile of attention, within one step of PyTorch.

The design hands the core Q, K and V as one buffer and passes the shift by which scores are
divided: softmax(Q @ K.T / 2**scale_shift) @ V. With a head dimension of 64 the usual 1/sqrt(64)
is a shift of 3.
"""

from pathlib import Path

import numpy as np

from workbench.spec import (
    Criterion,
    HelperFunction,
    HostBuffer,
    Scalar,
    Spec,
    Stage,
    Tensor,
    all_equal,
    by_tensor,
    extremes,
    full_range,
    identity,
    near_ties,
    normal,
    one_hot,
    ramp,
    recorded,
    uniform,
    zeros,
)

TILE = (64, 64)
DATA = Path(__file__).parents[1] / "tests" / "data"


def softmax(tensors, scalars):
    """PyTorch's float32 attention weights."""
    import torch

    q, k = (torch.from_numpy(tensors[name]).float() for name in "qk")
    return torch.softmax(q @ k.T / 2 ** scalars["scale_shift"], dim=-1)


def reference(tensors, scalars):
    """PyTorch's float32 attention; the workbench rounds it half to even into int8."""
    import torch

    return softmax(tensors, scalars) @ torch.from_numpy(tensors["v"]).float()


def regime(tensors, scalars):
    """How sharp softmax is on these inputs: what it has to get right hangs on that."""
    import torch

    weights = softmax(tensors, scalars)
    sharp = weights.amax(dim=-1) > 0.99
    flat = weights.amin(dim=-1) > 0.99 * weights.amax(dim=-1)
    bits = torch.special.entr(weights).sum(dim=-1).div(np.log(2)).median().item()
    said = f"softmax has a median entropy of {bits:.2f} bits of 6"
    for rows, kind, tested in (
        (sharp, "one-hot", "argmax"),
        (flat, "uniform", "the mean of the values"),
    ):
        share = rows.float().mean().item()
        if share >= 0.95:
            tests = "only tests" if share == 1 else "tests hardly more than"
            return f"softmax is {kind} in {100 * share:.0f} % of rows: this input {tests} {tested}"
        if share:
            said += f", and is {kind} in {100 * share:.0f} % of rows"
    return said


def whisper_tiles():
    """48 tiles of Whisper base, quantised so that a shift is their exact scale (see README)."""
    with (
        np.load(DATA / "whisper_tiles.npz") as tiles,
        np.load(DATA / "whisper_tiles_ref.npz") as scaled,
    ):
        return {
            "q": scaled["q_pow2"],
            "k": tiles["k"],
            "v": tiles["v"],
            "scale_shift": -scaled["shift_pow2"],
        }


def scores(tensors, scalars, earlier):
    """The kernel scales them only when it takes their exponentials."""
    q, k = (tensors[name].astype(float) for name in "qk")
    return q @ k.T


def exponentials(tensors, scalars, earlier):
    """In Q25."""
    below = earlier["scores"] - earlier["scores"].max(axis=-1, keepdims=True)
    return 2**25 * np.exp(below / 2 ** scalars["scale_shift"])


def weights(tensors, scalars, earlier):
    """The exponentials over the least power of two, 4 or more, that makes their sum 2^23 at most.

    That sum is cut off before it is compared.
    """
    sums = earlier["exp"].sum(axis=-1, keepdims=True)
    return earlier["exp"] / 2 ** np.maximum(2, np.ceil(np.log2(sums / (2**23 + 1))))


def output(tensors, scalars, earlier):
    """The mean of the values under the weights, rounded half to even."""
    sums = np.maximum(earlier["weights"].sum(axis=-1, keepdims=True), 1e-300)
    mean = earlier["weights"] @ tensors["v"].astype(float) / sums
    return np.rint(mean).clip(-128, 127)


ANY = uniform(-128, 128)


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
        "uniform": ANY,
        "full-range": full_range(),
        "normal": by_tensor(q=normal(2), k=normal(2), v=normal(40)),
        "one-hot": by_tensor(q=one_hot(), k=one_hot(), v=ANY),
        "identity": by_tensor(q=identity(), k=identity(), v=ANY),
        "ramp": ramp(),
        "extremes": extremes(),
        "all-equal": by_tensor(q=ANY, k=all_equal(), v=ANY),
        "near-ties": by_tensor(q=uniform(-2, 3), k=near_ties(), v=ANY),
        "zeros": by_tensor(q=zeros(), k=ANY, v=ANY),
        # The seed picks the tile; each is run at the scale that goes with it.
        "whisper": recorded(whisper_tiles),
    },
    regime=regime,
    criteria=[
        Criterion("correlation", ">=", 0.9999),
        Criterion("max_abs", "<=", 1),
        Criterion("exact", ">=", 0.995),
    ],
    stages=[
        Stage("scores", "int32", TILE, scores),
        Stage("exp", "int32", TILE, exponentials),
        Stage("weights", "int32", TILE, weights),
        Stage("output", "int8", TILE, output),
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
