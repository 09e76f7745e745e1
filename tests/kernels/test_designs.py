"""The two attention designs say what the story of the report needs them to say."""

from __future__ import annotations

import pytest

from tests.kernels.tiles import PROJECT
from workbench.design.model import Design
from workbench.design.read import read_design

CORE = (0, 2)


def design(name: str) -> Design:
    return read_design(PROJECT / "mlir" / f"{name}.mlir")


@pytest.mark.parametrize("name", ["attention_64x64", "attention_64x64_report"])
def test_one_core_between_two_fifos(name: str) -> None:
    read = design(name)
    assert read.notes == ()
    assert [core.tile for core in read.cores] == [CORE]
    pools = {pool.name: (pool.tile, pool.depth, pool.object.bytes) for pool in read.pools.values()}
    assert pools == {"of_QKV_cons": (CORE, 2, 12288), "of_out": (CORE, 2, 4096)}
    assert read.sequence is not None
    assert [str(kind) for kind in read.sequence.arguments] == [
        "memref<12288xi8>",
        "memref<4096xi8>",
    ]


def passed_shift(read: Design) -> int | float:
    (call,) = read.kernel_calls()
    assert call.function == "attention_64x64"
    shift = call.arguments[2]
    assert shift is not None
    return shift.value


def test_report_passes_4_and_leaves_the_stack_to_chance() -> None:
    read = design("attention_64x64_report")
    assert passed_shift(read) == 4
    assert not read.cores[0].stack_size_given
    assert read.cores[0].link_with == "attention_64x64.o"


def test_ours_passes_3_and_sets_the_stack() -> None:
    read = design("attention_64x64")
    assert passed_shift(read) == 3
    assert read.cores[0].stack_size_given
    assert read.cores[0].stack_size == 1024
    assert read.functions["attention_64x64"].link_with == "attention.o"
