"""Elements between storage and numbers: exact one way, rounded as IEEE 754 says the other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.spec import DTYPES, Tensor, uniform
from workbench.spec.dtypes import storage_dtype, to_numbers, to_storage

ALL_BITS = np.arange(65536, dtype=np.uint16)


def test_every_bfloat16_is_a_number_exactly() -> None:
    ours = to_numbers(ALL_BITS, "bfloat16")
    theirs = torch.from_numpy(ALL_BITS.view(np.int16)).view(torch.bfloat16).double().numpy()
    assert np.array_equal(ours, theirs, equal_nan=True)


def test_every_bfloat16_comes_back() -> None:
    back = to_storage(to_numbers(ALL_BITS, "bfloat16").astype(np.float32), "bfloat16")
    nan = np.isnan(to_numbers(ALL_BITS, "bfloat16"))
    assert np.array_equal(back[~nan], ALL_BITS[~nan])
    assert np.isnan(to_numbers(back[nan], "bfloat16")).all()


@given(hnp.arrays(np.float32, st.integers(0, 64), elements=st.floats(width=32)))
def test_bfloat16_rounds_as_torch_does(values: np.ndarray) -> None:
    ours = to_storage(values, "bfloat16")
    theirs = torch.from_numpy(values).bfloat16().view(torch.int16).numpy().view(np.uint16)
    nan = np.isnan(values)
    assert np.array_equal(ours[~nan], theirs[~nan])
    assert np.isnan(to_numbers(ours[nan], "bfloat16")).all()


def test_halves_round_to_even() -> None:
    values = np.array([1 + 2**-8, 1 + 3 * 2**-8, 3.4e38, -0.0], np.float32)
    assert [hex(bits) for bits in to_storage(values, "bfloat16")] == [
        "0x3f80",
        "0x3f82",
        "0x7f80",
        "0x8000",
    ]


@pytest.mark.parametrize("dtype", [d for d in DTYPES if d != "bfloat16"])
def test_other_types_are_themselves(dtype: str) -> None:
    low, high = (0, 1) if "float" in dtype else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    stored = np.array([low, high], dtype)
    assert storage_dtype(dtype) == stored.dtype
    assert to_numbers(stored, dtype).tolist() == [low, high]
    assert np.array_equal(to_storage(stored, dtype), stored)


@pytest.mark.parametrize("dtype", list(DTYPES))
def test_uniform_fits_every_type(dtype: str) -> None:
    tensors = [Tensor("a", dtype, (50, 3)), Tensor("b", dtype, (7,))]
    low, high = (0, 100) if dtype.startswith("uint") else (-64, 64)
    first, again = (uniform(low, high)(tensors, np.random.RandomState(1)) for _ in range(2))
    for tensor in tensors:
        array = first[tensor.name]
        assert array.shape == tensor.shape
        assert array.dtype == (np.float32 if dtype == "bfloat16" else storage_dtype(dtype))
        assert low <= array.min() <= array.max() < high
        assert np.array_equal(array, again[tensor.name])


def test_the_reports_matrices() -> None:
    tensors = [Tensor(name, "int8", (64, 64)) for name in "qkv"]
    arrays = uniform(-64, 64)(tensors, np.random.RandomState(42))
    legacy = np.random.RandomState(42)
    for name in "qkv":
        assert np.array_equal(arrays[name], legacy.randint(-64, 64, (64, 64), dtype=np.int8))
