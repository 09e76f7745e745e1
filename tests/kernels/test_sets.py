"""attention.c on every input set of its spec, and on Whisper's tiles against float attention."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.kernels.conftest import Kernel
from tests.kernels.tiles import DATA, KERNELS, Int8, Tile, drawn, reference
from workbench.spec.cases import Case, Request
from workbench.spec.load import load_ahead, load_case
from workbench.verdict import measure

pytestmark = pytest.mark.xdist_group("sets")
"""What `cases` loads takes longer than all tests of it: it is to happen in one process."""

SETS = (
    "report",
    "uniform",
    "full-range",
    "normal",
    "one-hot",
    "identity",
    "ramp",
    "extremes",
    "all-equal",
    "near-ties",
    "zeros",
    "whisper",
)
SEEDS = range(8)
TILES = range(48)

# Column C of the tiles' own description: exact arithmetic on int8 tensors whose scale is a power of
# two, its result rounded to int8, correlated with float attention of the same tile.
LEAST_CEILING, MEDIAN_CEILING = 0.99702, 0.99967

Cases = dict[tuple[str, int], Case]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Cases:
    """Every set with some seeds, and every tile, from one process."""
    request = Request(KERNELS / "attention.py", tmp_path_factory.mktemp("sets"), None, 42)
    wanted = [(name, seed) for name in SETS for seed in SEEDS if name != "whisper"]
    wanted += [("whisper", seed) for seed in TILES]

    async def load() -> Cases:
        await load_ahead(request, wanted, lambda *_: None, print, 60)
        each = [(one, replace(request, set_name=one[0], seed=one[1])) for one in wanted]
        return {one: (await load_case(its, print, 60))[1] for one, its in each}

    return asyncio.run(load())


@pytest.fixture(scope="module")
def attention(kernels: Callable[[str], Kernel]) -> Kernel:
    return kernels("attention")


def run(attention: Kernel, case: Case) -> tuple[Tile, Int8, int]:
    shift = int(case.scalars.get("scale_shift", 3))
    tile = Tile(*(case.inputs[name] for name in "qkv"))  # type: ignore[arg-type]
    return tile, attention(tile, shift), shift


@pytest.mark.parametrize("name", SETS)
def test_within_a_step_of_pytorch(attention: Kernel, cases: Cases, name: str) -> None:
    for (of, _), case in cases.items():
        if of == name:
            tile, out, shift = run(attention, case)
            golden = case.reference["out"].astype(np.int32)
            # PyTorch's float32 may round a half to the other side of what exact arithmetic does.
            assert np.abs(golden - reference(tile, shift)).max() <= 1
            assert np.abs(out - golden).max() <= 1
            assert np.mean(out == golden) >= 0.995


def test_whisper_is_what_was_recorded(cases: Cases) -> None:
    with np.load(DATA / "whisper_tiles_ref.npz") as floats:
        shifts = -floats["shift_pow2"]
        for seed in TILES:
            case = cases["whisper", seed]
            assert case.scalars == {"scale_shift": shifts[seed]}
            assert np.array_equal(case.inputs["q"], floats["q_pow2"][seed])


def test_whisper_tiles_reach_the_ceiling_of_int8(attention: Kernel, cases: Cases) -> None:
    with (
        np.load(DATA / "whisper_tiles.npz") as tiles,
        np.load(DATA / "whisper_tiles_ref.npz") as floats,
    ):
        real, steps = floats["out_float"].astype(np.float64), tiles["s_v"].astype(np.float64)
    ceilings = []
    for seed in TILES:
        tile, out, shift = run(attention, cases["whisper", seed])
        ceiling = measure(reference(tile, shift) * steps[seed], real[seed]).correlation
        ours = measure(out * steps[seed], real[seed]).correlation
        assert ceiling is not None
        assert ours is not None
        assert ours >= ceiling - 0.0005
        ceilings.append(ceiling)
    assert round(min(ceilings), 5) == LEAST_CEILING
    assert round(float(np.median(ceilings)), 5) == MEDIAN_CEILING


REGIMES = {
    ("report", 0): "softmax is one-hot in 98 % of rows: this input tests hardly more than argmax",
    ("identity", 0): "softmax is one-hot in 100 % of rows: this input only tests argmax",
    (
        "zeros",
        0,
    ): "softmax is uniform in 100 % of rows: this input only tests the mean of the values",
    ("whisper", 4): "softmax has a median entropy of 0.37 bits of 6",
    ("one-hot", 0): "softmax has a median entropy of 1.58 bits of 6, and is one-hot in ",
}


@pytest.mark.parametrize("of", REGIMES)
def test_regimes(cases: Cases, of: tuple[str, int]) -> None:
    assert (cases[of].regime or "").startswith(REGIMES[of])


def test_the_reports_inputs_are_frozen(cases: Cases) -> None:
    tile = drawn(0, -64, 64)
    assert all(np.array_equal(cases["report", 0].inputs[n], getattr(tile, n)) for n in "qkv")
