"""Generators: every type and shape gets what it was promised, the same bytes for a seed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import spec
from workbench.errors import SpecError
from workbench.manifest import sha256_bytes
from workbench.spec import DTYPES, Generator, Tensor
from workbench.spec.check import checked
from workbench.spec.dtypes import to_numbers

LIBRARY: Mapping[str, Generator] = {
    "uniform": spec.uniform(0, 100),
    "full-range": spec.full_range(),
    "normal": spec.normal(30),
    "one-hot": spec.one_hot(),
    "identity": spec.identity(),
    "ramp": spec.ramp(),
    "extremes": spec.extremes(),
    "all-equal": spec.all_equal(),
    "near-ties": spec.near_ties(),
    "zeros": spec.zeros(),
}

LIMITS = {
    "float32": np.finfo(np.float32).max,
    "bfloat16": np.float32(3.3895313892515355e38),
}

tensors = st.builds(
    Tensor,
    st.just("x"),
    st.sampled_from(list(DTYPES)),
    st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple),
)
seeds = st.integers(0, 2**32 - 1)


def drawn(generate: Generator, tensor: Tensor, seed: int = 42) -> Any:
    """The tensor as numbers, checked as the spec's process checks it."""
    given = generate([tensor], np.random.RandomState(seed))
    stored = checked(given, [tensor], "the set", None)[tensor.name]
    return to_numbers(stored, tensor.dtype)


def limits(tensor: Tensor) -> tuple[float, float]:
    if tensor.dtype in LIMITS:
        return -float(LIMITS[tensor.dtype]), float(LIMITS[tensor.dtype])
    info = np.iinfo(tensor.dtype)
    return float(info.min), float(info.max)


def largest(tensor: Tensor) -> float:
    """What one-hot and identity have where they aren't zero."""
    return 1.0 if tensor.dtype in LIMITS else limits(tensor)[1]


@pytest.mark.parametrize("name", LIBRARY)
@given(tensor=tensors, seed=seeds)
def test_every_type_and_shape(name: str, tensor: Tensor, seed: int) -> None:
    values = drawn(LIBRARY[name], tensor, seed)
    assert np.isfinite(values).all()
    assert np.array_equal(values, drawn(LIBRARY[name], tensor, seed))


# Of a seed's bytes hangs every stored result; NumPy has frozen RandomState's stream.
FROZEN = {
    "uniform": "d0382d5c",
    "full-range": "c108f3d3",
    "normal": "83fc05f0",
    "one-hot": "1bc8e631",
    "identity": "e8ef6531",
    "ramp": "c5c5376b",
    "extremes": "3c8956b1",
    "all-equal": "3f759237",
    "near-ties": "d5e375ea",
    "zeros": "e61f41d5",
}


@pytest.mark.parametrize("name", FROZEN)
def test_the_bytes_of_a_seed_are_frozen(name: str) -> None:
    made = b""
    for dtype in DTYPES:
        tensor = Tensor("x", dtype, (5, 16))
        given = LIBRARY[name]([tensor], np.random.RandomState(42))
        made += checked(given, [tensor], "the set", None)["x"].tobytes()
    assert sha256_bytes(made)[:8] == FROZEN[name]


@given(tensor=tensors, seed=seeds)
def test_full_range_has_both_ends_and_is_even(tensor: Tensor, seed: int) -> None:
    values = np.sort(drawn(spec.full_range(), tensor, seed).ravel())
    low, high = limits(tensor)
    assert values[0] == low
    if values.size > 1:
        assert values[-1] == high
        if tensor.dtype not in LIMITS:
            steps = np.diff(values)
            assert steps.max() - steps.min() <= 1


def test_full_range_of_a_byte_has_every_value() -> None:
    values = drawn(spec.full_range(), Tensor("x", "int8", (64, 64)))
    assert np.array_equal(np.unique(values), np.arange(-128, 128))


@given(tensor=tensors, seed=seeds)
def test_one_hot_has_one_in_each_row(tensor: Tensor, seed: int) -> None:
    rows = drawn(spec.one_hot(), tensor, seed).reshape(-1, tensor.shape[-1])
    assert (np.count_nonzero(rows, axis=1) == 1).all()
    assert (rows.max(axis=1) == largest(tensor)).all()
    assert (drawn(spec.one_hot(3), tensor, seed).reshape(rows.shape).max(axis=1) == 3).all()


@given(tensor=tensors)
def test_identity(tensor: Tensor) -> None:
    rows = drawn(spec.identity(), tensor).reshape(-1, tensor.shape[-1])
    columns = rows.shape[1]
    wanted = np.concatenate([np.eye(columns)] * (len(rows) // columns + 1))[: len(rows)]
    assert np.array_equal(rows, largest(tensor) * wanted)


@given(tensor=tensors, step=st.integers(1, 7))
def test_a_ramp_steps_and_wraps(tensor: Tensor, step: int) -> None:
    values = drawn(spec.ramp(step), tensor).ravel()
    low, high = (-128, 127) if tensor.dtype in LIMITS else limits(tensor)
    assert values[0] == low
    assert set(np.diff(values)) <= {step, step - (high - low + 1)}


@given(tensor=tensors, seed=seeds)
def test_extremes(tensor: Tensor, seed: int) -> None:
    assert set(drawn(spec.extremes(), tensor, seed).ravel()) <= set(limits(tensor))


@given(tensor=tensors, seed=seeds)
def test_all_equal_and_zeros(tensor: Tensor, seed: int) -> None:
    assert np.unique(drawn(spec.all_equal(), tensor, seed)).size == 1
    assert not drawn(spec.zeros(), tensor, seed).any()


@given(tensor=tensors, seed=seeds)
def test_rows_of_near_ties_differ_by_a_step(tensor: Tensor, seed: int) -> None:
    rows = drawn(spec.near_ties(), tensor, seed).reshape(-1, tensor.shape[-1])
    assert (np.ptp(rows, axis=0) <= 1).all()


def test_a_normal_distribution() -> None:
    tensor = Tensor("x", "int16", (200, 200))
    values = drawn(spec.normal(300, mean=40), tensor)
    assert abs(values.mean() - 40) < 5
    assert abs(values.std() - 300) < 5
    bytes_ = drawn(spec.normal(300), Tensor("x", "int8", (50, 50)))
    assert (bytes_.min(), bytes_.max()) == (-128, 127)


def test_by_tensor_draws_in_the_order_of_the_tensors() -> None:
    x, y = (Tensor(name, "int8", (4, 4)) for name in "xy")
    both = spec.by_tensor(y=spec.uniform(0, 100), x=spec.uniform(0, 100))
    assert np.array_equal(
        both([x, y], np.random.RandomState(1))["y"],
        spec.uniform(0, 100)([x, y], np.random.RandomState(1))["y"],
    )
    with pytest.raises(SpecError, match="no generator for tensor 'z'"):
        both([Tensor("z", "int8", (1,))], np.random.RandomState(1))


@given(seed=seeds, count=st.integers(1, 50))
def test_the_seed_picks_a_recorded_case(seed: int, count: int) -> None:
    cases = {"x": np.arange(count), "shift": 2 * np.arange(count)}
    case = spec.recorded(lambda: cases)([], np.random.RandomState(seed))
    assert case == {"x": seed % count, "shift": 2 * (seed % count)}


def test_recorded_cases_of_unequal_number() -> None:
    cases = {"x": np.zeros(3), "y": np.zeros(4)}
    with pytest.raises(SpecError, match=r"\[3, 4\] cases, not equally many"):
        spec.recorded(lambda: cases)([], np.random.RandomState(0))
