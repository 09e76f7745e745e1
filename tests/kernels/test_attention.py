"""attention.c gives what exact arithmetic gives, on random, extreme and real tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.conftest import Kernel
from tests.kernels.tiles import DATA, KERNELS, RANGES, Int8, N, Tile, drawn, exact, reference
from workbench.verdict import measure

SHIFTS = range(3, 17)

LOST = 0.005
"""How far attention.c says its result may lie from the exact value before it is rounded."""


@pytest.fixture(scope="module")
def attention(kernels: Callable[[str], Kernel]) -> Kernel:
    return kernels("attention")


def error_of(out: Int8, expected: Int8) -> tuple[int, float]:
    """The largest error, and the share of elements that are equal."""
    error = np.abs(out.astype(np.int32) - expected)
    return int(error.max()), float(np.mean(error == 0))


@pytest.mark.parametrize("seed", [42, 0, 1, 2, 3])
@pytest.mark.parametrize("scale_shift", SHIFTS)
@pytest.mark.parametrize("inputs", RANGES)
def test_random_tiles(attention: Kernel, inputs: str, scale_shift: int, seed: int) -> None:
    tile = drawn(seed, *RANGES[inputs])
    largest, equal = error_of(attention(tile, scale_shift), reference(tile, scale_shift))
    assert largest <= 1
    assert equal >= 0.995


def filled(value: int) -> Int8:
    return np.full((N, N), value, np.int8)


def extreme_tiles() -> dict[str, Tile]:
    noise = drawn(7, -128, 128)
    ends = np.where(noise.q < 0, -128, 127).astype(np.int8)
    ramp = np.tile(np.arange(-128, 128, 4, dtype=np.int8), (N, 1))
    diagonal = (127 * np.eye(N)).astype(np.int8)
    return {
        "all smallest": Tile(filled(-128), filled(-128), filled(-128)),
        "all largest": Tile(filled(127), filled(127), filled(127)),
        "opposite ends": Tile(filled(-128), filled(127), noise.v),
        "equal scores": Tile(filled(0), noise.k, noise.v),
        "identity scores": Tile(diagonal, diagonal, noise.v),
        "faint identity": Tile(diagonal // 40, diagonal // 14, ends),
        "identity values": Tile(noise.q, noise.k, diagonal),
        "one-hot rows": Tile(diagonal, np.roll(diagonal, 1, axis=0), ends),
        "ramp": Tile(ramp, ramp.T, ramp),
        "ramp of rows": Tile(ramp.T, ramp.T, ramp.T),
        "ends": Tile(ends, ends, ends),
    }


@pytest.mark.parametrize("scale_shift", SHIFTS)
@pytest.mark.parametrize("name", extreme_tiles())
def test_extreme_tiles(attention: Kernel, name: str, scale_shift: int) -> None:
    tile = extreme_tiles()[name]
    largest, equal = error_of(attention(tile, scale_shift), reference(tile, scale_shift))
    assert largest <= 1
    assert equal >= 0.995


@given(
    seed=st.integers(0, 2**32 - 1),
    reach=st.tuples(*[st.integers(1, 128)] * 3),
    copies=st.sampled_from([1, 2, 3, 16, 64]),
    scale_shift=st.integers(0, 31),
)
def test_every_result_is_within_its_bound(
    attention: Kernel, seed: int, reach: tuple[int, int, int], copies: int, scale_shift: int
) -> None:
    random = np.random.RandomState(seed)
    q, k, v = (random.randint(-r, r, (N, N)).astype(np.int8) for r in reach)
    # Equal keys make equal weights, and with them values at and near a half.
    tile = Tile(q, k[np.arange(N) // copies], v)
    off = np.abs(attention(tile, scale_shift) - exact(tile, scale_shift))
    assert off.max() <= 0.5 + LOST


@pytest.mark.parametrize("keys", [2, 6, 10, 22, N])
def test_halves_go_to_the_even_neighbour(attention: Kernel, keys: int) -> None:
    # That many keys share all the weight; half of their values are one larger: means of n + 1/2.
    k = filled(-128)
    k[:keys] = 127
    values = np.repeat(np.arange(-N, N, 2, dtype=np.int8)[None, :], N, axis=0)
    values[:, ::2] += 1
    means = values[0] + 0.5
    values[: keys // 2] += 1
    out = attention(Tile(filled(127), k, values), 3)
    assert out.tolist() == [np.rint(means).tolist()] * N


def test_table() -> None:
    source = (KERNELS / "attention.c").read_text()
    _, _, table = source.partition("POWERS[(1 << STEP_BITS) + 1] = {")
    entries = [int(entry) for entry in table[: table.index("}")].split(",") if entry.strip()]
    assert entries == [round(2**25 * 2 ** (-i / 64)) for i in range(65)]


def test_whisper_tiles(attention: Kernel) -> None:
    with (
        np.load(DATA / "whisper_tiles.npz") as tiles,
        np.load(DATA / "whisper_tiles_ref.npz") as floats,
    ):
        inputs = (floats["q_pow2"], tiles["k"], tiles["v"], -floats["shift_pow2"])
        wanted, steps = floats["out_float"].astype(np.float64), tiles["s_v"].astype(np.float64)
    correlations = []
    for q, k, v, shift, real, step in zip(*inputs, wanted, steps, strict=True):
        tile = Tile(q, k, v)
        out = attention(tile, int(shift))
        largest, equal = error_of(out, reference(tile, int(shift)))
        assert largest <= 1
        assert equal >= 0.995
        correlations.append(measure(out.astype(np.float64) * step, real).correlation or 0)
    # The data's own ceiling for int8 tensors with a power-of-two scale: see tests/data/README.md.
    assert len(correlations) == 48
    assert min(correlations) >= 0.997
    assert np.median(correlations) >= 0.9996
