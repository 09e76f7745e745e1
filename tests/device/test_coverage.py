"""Which bytes of the host's buffers a sequence sends, read without running it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.designs import design, in_out, one_object, sequence, transfer, wait
from workbench.design.read import parse_design
from workbench.device.model.coverage import Sent, sent
from workbench.spec.model import HostBuffer, Tensor
from workbench.verdict.coverage import input_not_sent

BUFFERS = (
    HostBuffer((Tensor("a", "int32", (4, 8)), Tensor("b", "int32", (4, 8)))),
    HostBuffer((Tensor("y", "int32", (64,)),), "out"),
)


def read(body: str) -> dict[int, Sent] | None:
    """What a sequence of two buffers of 64 int32 sends."""
    arguments = {"x": "64xi32", "y": "64xi32"}
    text = design(in_out("32xi32"), sequence(arguments, body + wait("out")))
    return sent(parse_design(text, "some.mlir"), [256, 256])


OUT = transfer("out", "y", "64xi32", sizes="64", number=1)


def test_everything() -> None:
    found = read(transfer("in", "x", "64xi32", sizes="64") + OUT)
    assert found is not None
    assert set(found) == {0}
    assert found[0].mask.all()
    masks = {0: (found[0].mask, found[0].where)}
    assert list(input_not_sent(BUFFERS, masks, passed=False)) == []


@pytest.mark.parametrize("passed", [True, False])
def test_a_stride_that_is_too_short(passed: bool) -> None:
    found = read(transfer("in", "x", "64xi32", sizes="1, 1, 4, 16", strides="0, 0, 8, 1") + OUT)
    assert found is not None
    assert np.flatnonzero(~found[0].mask).tolist() == list(range(160, 256))
    masks = {0: (found[0].mask, found[0].where)}
    (finding,) = input_not_sent(BUFFERS, masks, passed=passed)
    assert finding.id == "input-not-sent"
    assert finding.severity == ("info" if passed else "error")
    assert "24 of 32 elements of b are never sent to the device, the first at [1, 0]" in (
        finding.message
    )
    assert (finding.where or "").startswith("some.mlir:")


def test_several_transfers_together() -> None:
    parts = (transfer("in", "x", "64xi32", sizes="32", offsets=f"0, 0, 0, {at}") for at in (0, 32))
    found = read("".join(parts) + OUT)
    assert found is not None
    assert found[0].mask.all()


def test_a_computed_transfer_is_unknown() -> None:
    loop = """
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      scf.for %i = %c0 to %c2 step %c1 {
    """
    assert read(loop + transfer("in", "x", "64xi32", sizes="64") + "}\n" + OUT) is None


def test_a_design_of_the_tests_own() -> None:
    found = sent(parse_design(one_object("", "32xi32"), "some.mlir"), [128, 128])
    assert found is not None
    assert found[0].mask.all()
