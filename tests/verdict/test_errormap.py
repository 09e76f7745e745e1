"""Every planted pattern is named; noise, rounding and a merely bad kernel have none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.spec import DTYPES, Tensor
from workbench.spec.dtypes import to_numbers, to_storage
from workbench.verdict import Finding
from workbench.verdict.errormap import error_pattern
from workbench.verdict.health import limits
from workbench.verdict.rearranged import rearrangements

pytestmark = pytest.mark.filterwarnings("error")

Numbers = npt.NDArray[np.float64]
Shape = tuple[int, ...]

shapes = st.sampled_from([(64, 64), (16, 32), (32, 16), (48, 20), (1, 256), (256, 1), (2, 4, 32)])
seeds = st.integers(0, 10_000)


def random(seed: int, shape: Shape = (64, 64), low: int = -64, high: int = 64) -> Numbers:
    return np.random.RandomState(seed).randint(low, high, shape).astype(np.float64)


def find(device: Numbers, reference: Numbers, dtype: str = "int8", **more: Any) -> Finding | None:
    return error_pattern(Tensor("y", dtype, reference.shape), device, reference, **more)


def pattern(device: Numbers, reference: Numbers, dtype: str = "int8", **more: Any) -> str:
    found = find(device, reference, dtype, **more)
    assert found is not None
    assert (found.id, found.severity) == ("error-pattern", "error")
    assert "nan" not in found.message
    assert 0 < float(str(found.evidence["explained"])) <= 1
    return str(found.evidence["pattern"])


# --- what is no pattern ---


@given(seeds, shapes)
def test_an_unrelated_output(seed: int, shape: Shape) -> None:
    assert find(random(seed, shape), random(seed + 1, shape)) is None


@given(seeds, shapes, st.integers(1, 20))
def test_noise(seed: int, shape: Shape, most: int) -> None:
    reference = random(seed, shape)
    noise = random(seed + 1, shape, -most, most + 1)
    assert find(reference + noise, reference) is None
    assert find(reference, reference) is None


@given(seeds, shapes, st.floats(0, 0.6))
def test_errors_here_and_there(seed: int, shape: Shape, share: float) -> None:
    reference = random(seed, shape)
    hit = np.random.RandomState(seed + 1).random_sample(shape) < share
    assert find(np.where(hit, random(seed + 2, shape), reference), reference) is None


@given(seeds, st.sampled_from(["float32", "bfloat16"]))
def test_rounding_of_floats(seed: int, dtype: str) -> None:
    rng = np.random.RandomState(seed)
    reference = rng.normal(size=(32, 32))
    rounded, exact = (
        to_numbers(to_storage(x.astype(np.float32), dtype), dtype)
        for x in (reference * (1 + 1e-3 * rng.normal(size=(32, 32))), reference)
    )
    assert find(rounded, exact, dtype) is None


@given(seeds, st.floats(0.1, 0.95))
def test_an_output_that_is_only_alike(seed: int, alike: float) -> None:
    reference = random(seed)
    device = np.rint(alike * reference + (1 - alike) * random(seed + 1))
    found = find(device, reference)
    # A mixture is a scaled reference where hardly anything else is left in it.
    assert found is None or (found.evidence["pattern"] == "gain" and alike > 0.7)


@given(seeds)
def test_an_output_with_little_in_it(seed: int) -> None:
    reference = random(seed)
    assert find(np.sign(random(seed + 1)), reference) is None
    assert find(np.zeros_like(reference), reference) is None
    for none in (math.nan, math.inf):
        others = {"the input q": np.full((64, 64), none, np.float32)}
        device = np.full_like(reference, none)
        assert find(device, reference, "float32", others=others) is None


# --- each element changed ---

CHANGES: dict[str, Callable[[Numbers], Numbers]] = {
    "gain 2": lambda r: np.clip(2 * r, -128, 127),
    "gain 0.5": lambda r: np.floor(r / 2),
    "gain 0.125": lambda r: np.floor(r / 8),
    "gain 3": lambda r: np.clip(3 * r, -128, 127),
    "sign-flip": lambda r: -r,
    "offset": lambda r: r + 5,
    "clipped": lambda r: np.clip(r, -24, 23),
    "truncated": lambda r: r - (np.arange(r.size).reshape(r.shape) % 2),
}


@pytest.mark.parametrize("name", CHANGES)
@given(seed=seeds, shape=shapes)
def test_changed_elements(name: str, seed: int, shape: Shape) -> None:
    kind, _, ratio = name.partition(" ")
    reference = random(seed, shape)
    found = find(CHANGES[name](reference), reference)
    assert found is not None
    assert found.evidence["pattern"] == kind
    if ratio:
        assert found.evidence["ratio"] == float(ratio)


def test_a_gain_is_named_with_the_shift_that_is_missing() -> None:
    found = find(random(1) * 4, random(1), "int16")
    assert found is not None
    assert found.message == "the output is 4 times the reference: correlation doesn't see that"
    assert found.hint.endswith("a right shift had to be 2 more")
    half = find(np.floor(random(1) / 2), random(1))
    assert half is not None
    assert half.message.startswith("the output is 1/2 times")
    assert half.hint.endswith("a right shift had to be 1 less")


@given(seeds, st.sampled_from([8, 16]))
def test_too_few_bits(seed: int, bits: int) -> None:
    reference = random(seed, (32, 32), -(2 ** (bits + 2)), 2 ** (bits + 2))
    for signed in ("int", "uint"):
        device = reference.astype(np.int64).astype(f"{signed}{bits}").astype(np.float64)
        found = find(device, reference, "int32")
        assert found is not None
        assert found.evidence["pattern"] == "wrapped"
        assert f"wrapped into {signed}{bits}" in found.message


@given(seeds, st.sampled_from([10, 30, 60]))
def test_a_missing_clamp(seed: int, spread: int) -> None:
    sums = np.rint(np.random.RandomState(seed).normal(0, 70, (64, 64))) + spread
    reference = np.clip(sums, -128, 127)
    device = sums.astype(np.int64).astype(np.int8).astype(np.float64)
    assert pattern(device, reference) == "wrapped"


@given(seeds, st.sampled_from(["int16", "int32", "float32", "bfloat16"]))
def test_bytes_in_reverse(seed: int, dtype: str) -> None:
    rng = np.random.RandomState(seed)
    stored = to_storage(rng.randint(-3000, 3000, (32, 32)).astype(np.float32), dtype)
    if dtype == "float32":
        stored = rng.normal(size=(32, 32)).astype(np.float32)
    device, reference = to_numbers(stored.byteswap(), dtype), to_numbers(stored, dtype)
    assert pattern(device, reference, dtype) == "byte-order"


@given(seeds)
def test_floats_that_are_cut_off(seed: int) -> None:
    exact = np.random.RandomState(seed).normal(size=(32, 32)).astype(np.float32)
    reference = to_numbers(to_storage(exact, "bfloat16"), "bfloat16")
    cut = (exact.view(np.uint32) & 0xFFFF0000).view(np.float32).astype(np.float64)
    assert pattern(cut, reference, "bfloat16") == "truncated"


# --- elements in the wrong places ---

GUESSES = {
    shape: list(rearrangements(*shape)) for shape in ((64, 64), (16, 32), (64, 16), (1, 128))
}


@pytest.mark.parametrize(
    ("shape", "index"), [(shape, i) for shape, some in GUESSES.items() for i in range(len(some))]
)
def test_each_rearrangement_is_found(shape: tuple[int, int], index: int) -> None:
    guess = GUESSES[shape][index]
    reference, elsewhere = random(index, shape), random(index + 1, shape)
    i, j = guess.source(*np.indices(shape))
    known = (i >= 0) & (i < shape[0]) & (j >= 0) & (j < shape[1])
    device = np.where(known, reference[np.where(known, i, 0), np.where(known, j, 0)], elsewhere)
    if known.mean() < 0.45 or np.array_equal(device, reference) or np.ptp(device) == 0:
        return
    # A small rounding error hides nothing.
    found = find(device + random(index + 2, shape, -1, 2), reference)
    assert found is not None
    if min(shape) == 64:
        assert found.evidence["pattern"] == guess.name
        # A shift by a column is one by an element, but for the edge.
        if guess.name != "shifted":
            assert {key: found.evidence[key] for key in guess.parameters} == guess.parameters


@given(seeds, st.sampled_from(["rows", "columns"]))
def test_a_permutation(seed: int, axis: str) -> None:
    reference = random(seed)
    order = np.random.RandomState(seed).permutation(64)
    device = reference[order] if axis == "rows" else reference[:, order]
    found = find(device, reference)
    assert found is not None
    assert found.evidence["pattern"] == f"permuted-{axis}"
    moved = {i: int(order[i]) for i in range(64) if order[i] != i}
    assert found.evidence["moved"] == moved


def test_five_rows_in_another_order() -> None:
    reference = random(1)
    device = reference.copy()
    device[[3, 9, 20, 21, 40]] = reference[[9, 20, 21, 40, 3]]
    found = find(device, reference)
    assert found is not None
    assert found.message == (
        "5 of 64 rows are in another order: 3 holds 9, 9 holds 20, 20 holds 21, 21 holds 40 and 1 "
        "more"
    )


def test_a_row_twice() -> None:
    reference = random(1)
    device = reference.copy()
    device[5] = reference[4]
    assert pattern(device, reference) == "moved-rows"


# --- a part that is wrong ---


@given(
    seeds,
    st.integers(0, 60),
    st.integers(1, 30),
    st.sampled_from(["rows", "columns"]),
    st.integers(0, 3),
)
def test_a_band(seed: int, first: int, count: int, axis: str, error: int) -> None:
    reference = random(seed)
    device = reference + random(seed + 1, (64, 64), -error, error + 1)
    last = min(first + count, 64) - 1
    device[first : last + 1] = random(seed + 2)[first : last + 1]
    turned = (device, reference) if axis == "rows" else (device.T, reference.T)
    found = find(*turned)
    assert found is not None
    half = last - first == 31 and (first == 0 or last == 63)
    one = axis.removesuffix("s")
    assert found.evidence["pattern"] == ("half-tile" if half else f"{one}-band")
    assert found.evidence[axis] == [[first, last]]


@given(seeds, st.sampled_from([1, 2, 4, 8]), st.integers(0, 1))
def test_every_second_call(seed: int, block: int, start: int) -> None:
    reference, device = random(seed), random(seed)
    bad = np.arange(64) // block % 2 == start
    device[bad] = random(seed + 1)[bad]
    found = find(device, reference)
    assert found is not None
    assert found.evidence["pattern"] == "every-second-call"
    assert f"{block} row" in found.message


def test_every_fourth_block() -> None:
    reference, device = random(1), random(1)
    bad = np.arange(64) // 4 % 4 == 1
    device[bad] = random(2)[bad]
    assert pattern(device, reference) == "periodic"


@given(seeds, st.booleans(), st.booleans(), st.sampled_from(["zero", "random"]))
def test_half_a_tile(seed: int, second: bool, turned: bool, content: str) -> None:
    reference, device = random(seed), random(seed)
    half = slice(32, 64) if second else slice(0, 32)
    device[half] = 0 if content == "zero" else random(seed + 1)[half]
    found = find(device.T, reference.T) if turned else find(device, reference)
    assert found is not None
    assert found.evidence["pattern"] == "half-tile"
    assert found.evidence["value"] == (0 if content == "zero" else None)


def test_a_quarter() -> None:
    reference, device = random(1), random(1)
    device[32:, 32:] = random(2)[32:, 32:]
    found = find(device, reference)
    assert found is not None
    assert found.evidence["pattern"] == "block"
    assert (found.evidence["rows"], found.evidence["columns"]) == ([[32, 63]], [[32, 63]])


@given(seeds, st.integers(0, 6), st.integers(1, 9), st.sampled_from([(256,), (1, 256), (256, 1)]))
def test_a_part_of_a_vector(seed: int, first: int, count: int, shape: Shape) -> None:
    reference, device = random(seed, shape), random(seed, shape)
    part = slice(16 * first, 16 * (first + count))
    device.reshape(-1)[part] = random(seed + 1, (256,))[part]
    found = find(device, reference)
    assert found is not None
    half = count == 8 and first == 0
    assert found.evidence["pattern"] == ("half-tile" if half else "element-band")
    assert found.evidence["elements"] == [[part.start, part.stop - 1]]


def test_every_second_call_on_vectors() -> None:
    reference, device = random(1, (512,)), random(1, (512,))
    bad = np.arange(512) // 64 % 2 == 1
    device[bad] = random(2, (512,))[bad]
    found = find(device, reference)
    assert found is not None
    assert found.evidence["pattern"] == "every-second-call"
    assert "64 elements of every 128" in found.message


def test_rows_here_and_there() -> None:
    reference, device = random(1), random(1)
    rows = [3, 9, 20, 21, 40, 41, 50]
    device[rows] = random(2)[rows]
    assert pattern(device, reference) == "scattered-rows"
    device = reference.copy()
    device[[3, 9]] = random(2)[[3, 9]]
    assert pattern(device, reference) == "row-band"


def test_a_band_that_is_not_a_number() -> None:
    reference = np.random.RandomState(1).normal(size=(64, 64))
    device = reference.copy()
    device[10:14] = math.nan
    found = find(device, reference, "float32")
    assert found is not None
    assert (found.evidence["pattern"], found.evidence["rows"]) == ("row-band", [[10, 13]])


@given(seeds, st.sampled_from(list(DTYPES)), st.booleans())
def test_stale_data(seed: int, dtype: str, whole: bool) -> None:
    low, high = (0, 100) if dtype.startswith("u") else (-64, 64)
    reference, other = random(seed, (64, 64), low, high), random(seed + 1, (64, 64), low, high)
    device = reference.copy()
    part = slice(None) if whole else slice(20, 30)
    device[part] = other[part]
    stored = to_storage(other.astype(np.float32), dtype)
    others = {"the input k": np.zeros((64, 64), stored.dtype), "the input q": stored.ravel()}
    found = find(device, reference, dtype, others=others)
    assert found is not None
    assert (found.evidence["pattern"], found.evidence["of"]) == ("stale-data", "the input q")


def test_a_large_tensor_is_looked_at_in_a_sample() -> None:
    reference = random(1, (1024, 512))
    assert pattern(reference.reshape(512, 1024).T.copy(), reference) == "transposed"
    device = reference.copy()
    device[700:720] = random(2, (20, 512))
    assert pattern(device, reference) == "row-band"
    assert find(random(2, (1024, 512)), reference) is None
    assert limits("int8") == (-128, 127)


@given(seeds)
def test_a_gain_beside_a_reference_that_is_cut_off(seed: int) -> None:
    exact = random(seed, low=-250, high=250)
    assert pattern(np.rint(exact / 2).clip(-128, 127), exact.clip(-128, 127)) == "gain"
