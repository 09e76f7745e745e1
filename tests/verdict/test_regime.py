"""What is said of inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.spec import HostBuffer, Promise, Tensor
from workbench.verdict.regime import input_regime

PROMISE = Promise(
    "design.mlir",
    "kernel",
    (
        HostBuffer((Tensor("a", "int8", (2, 3)), Tensor("b", "bfloat16", (4,)))),
        HostBuffer((Tensor("y", "int8", (2,)),), "out"),
    ),
    (),
    (),
    ("some",),
    "bank-aware",
)

VARIES = np.arange(6, dtype=np.int8).reshape(2, 3)
ONES = np.full(4, 0x3F80, np.uint16)
SEQUENCE = np.arange(4, dtype=np.uint16)


def test_nothing_special() -> None:
    assert input_regime(PROMISE, {"a": VARIES, "b": SEQUENCE}, None) is None


def test_what_the_spec_says_is_said() -> None:
    found = input_regime(PROMISE, {"a": VARIES, "b": SEQUENCE}, "only tests argmax")
    assert found is not None
    assert (found.id, found.severity) == ("input-regime", "info")
    assert found.message == "only tests argmax"


def test_one_constant_tensor() -> None:
    found = input_regime(PROMISE, {"a": VARIES, "b": ONES}, "soft")
    assert found is not None
    assert found.severity == "info"
    assert found.message == "soft; b is 1 everywhere"
    assert found.evidence == {"constant": {"b": 1.0}, "spec": "soft"}


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "a, b are 1 everywhere"), (0, "a is 0 everywhere; b is 1 everywhere")],
)
def test_no_variance_at_all(value: int, said: str) -> None:
    found = input_regime(PROMISE, {"a": np.full_like(VARIES, value), "b": ONES}, None)
    assert found is not None
    assert (found.severity, found.message) == ("warning", f"{said}: this input tests little")


@given(st.integers(0, 5), st.integers(-128, 127))
def test_a_single_other_element_is_variance(index: int, value: int) -> None:
    a = np.full(6, value, np.int8)
    a[index] = a[index] - 1 if value > -128 else 0
    assert input_regime(PROMISE, {"a": a.reshape(2, 3), "b": SEQUENCE}, None) is None
