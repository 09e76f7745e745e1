"""What a spec refuses to say, and a promise on its way through JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import SpecError
from workbench.spec import (
    ALLOCATIONS,
    DTYPES,
    METRICS,
    Criterion,
    HostBuffer,
    Promise,
    Scalar,
    Spec,
    Tensor,
    uniform,
)

X, Y = Tensor("x", "int16", (4, 8)), Tensor("y", "int16", (4, 8))
GOOD = Spec(
    design="../mlir/d.mlir",
    function="kernel",
    buffers=[HostBuffer((X,)), HostBuffer((Y,), "out")],
    reference=lambda tensors, scalars: tensors["x"],
    inputs={"small": uniform(-8, 8)},
)


def changed(**fields: object) -> Callable[[], object]:
    return lambda: replace(GOOD, **cast(dict[str, Any], fields))


REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: Tensor("x", "float8", (1,)), "tensor x: unknown dtype 'float8'"),
    (lambda: Tensor("x", "int8", ()), "tensor x: shape () must hold positive integers"),
    (lambda: Tensor("x", "int8", (4, 0)), "tensor x: shape (4, 0) must hold positive"),
    (lambda: Tensor("x", "int8", (4, cast(int, 1.5))), "tensor x: shape (4, 1.5) must hold"),
    (lambda: HostBuffer((X,), cast(Any, "up")), "host buffer direction 'up' must be in, out or"),
    (lambda: HostBuffer(()), "a host buffer holds at least one tensor"),
    (lambda: HostBuffer(cast(Any, X)), "a host buffer's tensors must be a tuple"),
    (lambda: Criterion("accuracy", ">=", 1), "criterion on unknown metric 'accuracy'"),
    (lambda: Criterion("exact", cast(Any, "=="), 1), "criterion on exact: op '==' must be >=,"),
    (changed(buffers=[HostBuffer((X, X), "inout")]), "tensor names must be unique: x appears"),
    (changed(buffers=[HostBuffer((X,))]), "no host buffer has direction out or inout"),
    (changed(buffers=[(X, Y)]), "buffers must hold HostBuffer objects, not (Tensor("),
    (changed(inputs={}), "inputs is empty"),
    (changed(reference=7), "reference must be a function"),
    (changed(allocation="best"), "allocation 'best' must be bank-aware or basic-sequential"),
    (changed(design=None), "design must be a string, not None"),
    (changed(function=7), "function must be a string, not 7"),
    (changed(scalars=[3]), "scalars must hold Scalar objects, not 3"),
    (changed(criteria=["exact"]), "criteria must hold Criterion objects, not 'exact'"),
]


@pytest.mark.parametrize(("make", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_contradictions_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SpecError) as refused:
        make()
    assert refused.value.message.startswith(message)


def test_sizes() -> None:
    assert Tensor("x", "bfloat16", (3, 5)).nbytes == 30
    assert HostBuffer((X, Tensor("z", "int8", (3,)))).nbytes == 67
    assert Tensor("x", "int8", cast(Any, [2, 2])).shape == (2, 2)


numbers = st.floats(allow_nan=False)
names = st.text(min_size=1)
tensors = st.builds(
    Tensor, names, st.sampled_from(list(DTYPES)), st.lists(st.integers(1, 9), min_size=1).map(tuple)
)
promises = st.builds(
    Promise,
    design=names,
    function=names,
    buffers=st.lists(
        st.builds(
            HostBuffer,
            st.lists(tensors, min_size=1, max_size=3).map(tuple),
            st.sampled_from(["in", "out", "inout"]),
        ),
        max_size=3,
    ).map(tuple),
    scalars=st.lists(
        st.builds(Scalar, names, st.integers(0, 9), st.integers() | numbers), max_size=2
    ).map(tuple),
    criteria=st.lists(
        st.builds(
            Criterion, st.sampled_from(METRICS), st.sampled_from([">=", "<=", ">", "<"]), numbers
        ),
        max_size=3,
    ).map(tuple),
    input_sets=st.lists(names, min_size=1).map(tuple),
    allocation=st.sampled_from(ALLOCATIONS),
)


@given(promises)
def test_a_promise_survives_json(promise: Promise) -> None:
    assert Promise.from_json(json.loads(json.dumps(promise.to_json()))) == promise


def test_a_promise_knows_its_outputs() -> None:
    promise = GOOD.promise("/project/kernels")
    assert promise.design == "/project/mlir/d.mlir"
    assert promise.outputs == (Y,)
    assert promise.input_sets == ("small",)


@given(st.sampled_from([">=", "<=", ">", "<"]), numbers, numbers)
def test_criteria(op: Any, value: float, target: float) -> None:
    expected = {
        ">=": not value < target,
        "<=": not value > target,
        ">": value > target,
        "<": value < target,
    }
    assert Criterion("mae", op, target).is_met(value) == expected[op]
    assert not Criterion("mae", op, target).is_met(None)
    assert not Criterion("mae", op, target).is_met(float("nan"))
