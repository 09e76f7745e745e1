"""Several output tensors: each has metrics of its own, and criteria hold for the worst of them."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.spec import Criterion, HostBuffer, Tensor
from workbench.spec.model import Promise
from workbench.verdict import judge

NAMES = ("first", "second", "third")


def _promise(*criteria: Criterion, names: tuple[str, ...] = NAMES) -> Promise:
    tensors = tuple(Tensor(name, "int8", (4, 4)) for name in names)
    return Promise(
        "d.mlir", "f", (HostBuffer(tensors, "out"),), (), criteria, ("set",), "bank-aware"
    )


GOLDEN = {name: np.arange(16, dtype=np.int8).reshape(4, 4) for name in NAMES}


@pytest.mark.parametrize("bad", NAMES)
def test_the_worst_tensor_counts(bad: str) -> None:
    outputs = {name: tensor.copy() for name, tensor in GOLDEN.items()}
    outputs[bad][0, :2] += 3
    promise = _promise(
        Criterion("exact", ">=", 0.9), Criterion("max_abs", "<=", 3), Criterion("mae", "<", 0.2)
    )
    verdict = judge(promise, outputs, GOLDEN)
    exact, largest, mean = verdict.criteria
    assert (exact.value, exact.met, exact.tensor) == (14 / 16, False, bad)
    assert (largest.value, largest.met, largest.tensor) == (3.0, True, bad)
    assert (mean.value, mean.met, mean.tensor) == (6 / 16, False, bad)
    assert verdict.metrics.exact == 46 / 48
    assert {name: metrics.exact for name, metrics in verdict.parts} == {
        name: 14 / 16 if name == bad else 1.0 for name in NAMES
    }


def test_a_tensor_without_a_value_is_the_worst() -> None:
    outputs = {**GOLDEN, "second": np.zeros((4, 4), np.int8)}
    (result,) = judge(_promise(Criterion("correlation", ">=", 0.5)), outputs, GOLDEN).criteria
    assert (result.value, result.met, result.tensor) == (None, False, "second")


def test_a_single_tensor_needs_no_name() -> None:
    promise = _promise(Criterion("exact", ">=", 1.0), names=("first",))
    (result,) = judge(promise, GOLDEN, GOLDEN).criteria
    assert (result.value, result.met, result.tensor) == (1.0, True, None)


def test_each_has_its_health() -> None:
    outputs = {**GOLDEN, "second": np.zeros((4, 4), np.int8)}
    verdict = judge(_promise(), outputs, GOLDEN)
    assert [f.id for f in verdict.ill] == ["constant-output"]
    assert "elements of second is 0" in verdict.ill[0].message
    assert {name: health.zeros for name, health in verdict.health.items()} == {
        "first": 1 / 16,
        "second": 1.0,
        "third": 1 / 16,
    }
