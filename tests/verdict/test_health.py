"""An output that can't be judged is said to be one, and a poor but honest one isn't."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.spec import DTYPES, Tensor
from workbench.verdict import Finding
from workbench.verdict.health import HEALTH, limits, observe, unhealthy

pytestmark = pytest.mark.filterwarnings("error")

Numbers = npt.NDArray[np.float64]


def random(seed: int = 1, low: int = -100, high: int = 100) -> Numbers:
    return np.random.RandomState(seed).randint(low, high, (32, 32)).astype(np.float64)


GOLDEN = random()


def findings(
    device: Numbers, reference: Numbers = GOLDEN, dtype: str = "int8", *, alone: bool = True
) -> list[Finding]:
    tensor = Tensor("y", dtype, reference.shape)
    return unhealthy(tensor, observe(device, reference, dtype), device, reference, alone=alone)


def ids(device: Numbers, reference: Numbers = GOLDEN, dtype: str = "int8") -> list[str]:
    found = findings(device, reference, dtype)
    assert {finding.id for finding in found} <= HEALTH
    return [f"{finding.id} {finding.severity}" for finding in found]


@given(st.integers(0, 99), st.sampled_from(list(DTYPES)), st.integers(0, 12))
def test_an_honest_output_is_healthy(seed: int, dtype: str, error: int) -> None:
    reference = random(seed, *((0, 120) if dtype.startswith("u") else (-120, 120)))
    assert ids(reference, reference, dtype) == []
    noisy = reference + random(seed + 1, -error, error + 1)
    assert ids(np.clip(noisy, *limits(dtype)), reference, dtype) == []


@pytest.mark.parametrize("value", [0.0, -1.0, 127.0])
def test_one_value(value: float) -> None:
    assert "constant-output error" in ids(np.full_like(GOLDEN, value))


def test_few_values() -> None:
    steps = np.sign(GOLDEN) * 3
    (finding,) = findings(steps)
    assert (finding.id, finding.severity) == ("few-values", "error")
    assert finding.message.startswith(
        "the 1,024 output elements have 3 different values (-3, 0, 3)"
    )
    assert finding.evidence["values"] == [-3, 0, 3]
    assert ids(steps, steps + 1) == []
    assert ids(GOLDEN // 20, GOLDEN) == []


@pytest.mark.parametrize(("dtype", "limit"), [("int8", 127), ("uint8", 255), ("int16", -32768)])
def test_a_saturated_output(dtype: str, limit: int) -> None:
    reference = random(2, 0, 100)
    device = reference.copy()
    device[:2] = limit
    assert ids(device, reference, dtype) == ["saturated-output error"]
    device[:2] = reference[:2]
    device[0] = limit
    assert ids(device, reference, dtype) == ["saturated-output warning"]
    # A reference at the limit, or near it, isn't cut off.
    reference[:16] = limit
    assert ids(reference, reference, dtype) == []


def test_the_limits_of_floats() -> None:
    device = GOLDEN.copy()
    device[:8] = limits("bfloat16")[1]
    assert ids(device, dtype="bfloat16") == ["saturated-output error"]
    assert ids(device, dtype="float32") == []
    assert limits("float16") == (-65504, 65504)
    assert limits("bfloat16")[1] == float(np.array([0x7F7F0000], np.uint32).view(np.float32)[0])


def test_numbers_that_are_none_are_counted_where_the_reference_has_some() -> None:
    device, reference = GOLDEN.copy(), GOLDEN.copy()
    device[0, :3] = (math.nan, math.inf, -math.inf)
    assert ids(device, dtype="float32") == ["not-finite error"]
    health = observe(device, GOLDEN, "float32")
    assert (health.nan, health.infinite) == (1, 2)
    reference[0, :3] = math.inf
    assert ids(device, reference, "float32") == ["input-regime error"]


def test_a_reference_without_variance() -> None:
    seven = np.full_like(GOLDEN, 7)
    assert ids(seven, seven) == ["input-regime error"]
    assert ids(GOLDEN, seven) == ["input-regime error"]


def test_one_of_several_tensors_is_named() -> None:
    (finding,) = findings(-GOLDEN * 0, alone=False)
    assert finding.message.startswith("every one of the 1,024 elements of y is 0")


def test_what_is_observed() -> None:
    device = np.array([[0.0, 0, 127, -128]])
    health = observe(device, np.array([[0.0, 5, 9, -128]]), "int8")
    assert (health.zeros, health.distinct, health.reference_distinct) == (0.5, 3, 4)
    assert (health.saturated, health.reference_saturated) == (0.25, 0.25)


def test_values_are_counted_everywhere_in_a_large_tensor() -> None:
    # Each column has a value of its own: a step that is a multiple of the width would see one.
    device = np.tile(np.arange(128.0), (1024, 8))
    assert observe(device, device, "int16").distinct == 128
