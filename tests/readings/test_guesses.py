"""What is guessed of a kernel's operands."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.spec.dtypes import to_numbers
from workbench.spec.model import HostBuffer, Promise, Scalar, Tensor
from workbench.spec.readings import Operands, Reading, readings


def promise(*buffers: HostBuffer, scalars: tuple[Scalar, ...] = ()) -> Promise:
    out = HostBuffer((Tensor("out", "int8", (4,)),), "out")
    return Promise("design", "kernel", (*buffers, out), scalars, (), ("some",), "bank-aware")


SQUARE = tuple(Tensor(name, "int8", (4, 4)) for name in "kv")
K, V = (np.arange(first, first + 16, dtype=np.int8).reshape(4, 4) for first in (1, 50))


def guessed() -> dict[str, Reading]:
    """By clause, for k and v in one buffer and a scalar s = 3."""
    scalar = Scalar("s", argument=2, value=3)
    given = Operands({"k": K, "v": V}, {"s": 3})
    found = list(readings(promise(HostBuffer(SQUARE), scalars=(scalar,)), given))
    assert len({reading.clause for reading in found}) == len(found)
    return {reading.clause: reading for reading in found}


def test_tensors() -> None:
    found = guessed()
    changed = {
        "k were transposed": {"k": K.T},
        "k and v were exchanged": {"k": V, "v": K},
        "v stood in place of k": {"k": V},
        "k stood in place of v": {"v": K},
        "v were negated": {"v": -V},
        "k were zero": {"k": 0 * K},
        "neighbouring objects of 4 elements of k were exchanged": {"k": K[[1, 0, 3, 2]]},
        "each object of 4 elements of v were the first": {"v": V[[0, 0, 0, 0]]},
    }
    for clause, tensors in changed.items():
        for name, expected in {"k": K, "v": V, **tensors}.items():
            assert np.array_equal(found[clause].operands.tensors[name], expected), clause


def test_what_begins_elsewhere_is_read_from_its_buffer() -> None:
    found = guessed()
    late = found["k began one row late"].operands.tensors["k"]
    assert late.tolist() == [*K[1:].tolist(), V[0].tolist()]
    early = found["v began one element early"].operands.tensors["v"].ravel()
    assert early.tolist() == [K[3, 3], *V.ravel()[:-1]]
    outside = found["v began one row late"].operands.tensors["v"]
    assert outside.tolist() == [*V[1:].tolist(), [0, 0, 0, 0]]


def test_scalars() -> None:
    found = guessed()
    values = [r.operands.scalars["s"] for r in found.values() if r.kind == "scalar"]
    assert values == [4, 2, 5, 1, 0, 6, -3]
    assert found["s were 4, not 3"].operands.tensors["k"] is K


def test_parts_of_a_stack() -> None:
    stack = np.arange(1, 13, dtype=np.int16).reshape(3, 2, 2)
    given = Operands({"x": stack}, {})
    spec = promise(HostBuffer((Tensor("x", "int16", (3, 2, 2)),)))
    found = {reading.clause: reading.operands.tensors["x"] for reading in readings(spec, given)}
    assert found["x[1] were left out"].sum(axis=(1, 2)).tolist() == [10, 0, 42]
    assert found["only x[2] counted"].sum(axis=(1, 2)).tolist() == [0, 0, 42]
    assert found["the bytes of x's elements were reversed"].ravel()[0] == 256


def test_a_bfloat16_is_negated_as_a_number() -> None:
    bits = np.array([0x3F80, 0xC000], np.uint16)  # 1, -2
    spec = promise(HostBuffer((Tensor("x", "bfloat16", (2,)),)))
    found = {r.clause: r.operands.tensors["x"] for r in readings(spec, Operands({"x": bits}, {}))}
    assert to_numbers(found["x were negated"], "bfloat16").tolist() == [-1, 2]


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (1, 1, 1), (64, 64)])
def test_every_guess_has_the_tensors_shape(shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    spec = promise(HostBuffer((Tensor("x", "uint8", shape),)))
    for reading in readings(spec, Operands({"x": x}, {})):
        assert reading.operands.tensors["x"].shape == shape
        assert reading.operands.tensors["x"].dtype == np.uint8
        assert reading.kind != "negated"
