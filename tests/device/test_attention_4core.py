"""The design of four heads on four cores does for each head what the one-core design does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.device.designs import Running
from workbench.build import build_kernel, find_clang
from workbench.design import hardware, read_design
from workbench.spec.model import ALLOCATIONS

ROOT = Path(__file__).parents[2]
ONE, FOUR = ROOT / "mlir" / "attention_64x64.mlir", ROOT / "mlir" / "attention_4core.mlir"


@pytest.fixture(scope="module")
def attention(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log: list[str] = []
    folder = tmp_path_factory.mktemp("attention")
    source = str(ROOT / "kernels" / "attention.c")
    built = asyncio.run(build_kernel(source, find_clang(), folder, log.extend, limit_s=60))
    assert built.library is not None, log
    return built.library


@pytest.mark.parametrize("allocation", ALLOCATIONS)
def test_each_head_is_what_one_core_makes_of_it(
    tmp_path: Path, attention: Path, allocation: str
) -> None:
    heads = np.random.default_rng(4).integers(-64, 64, (4, 12288)).astype(np.int8)
    empty = np.zeros((4, 4096), np.int8)
    four = Running(FOUR.read_text(), [heads.nbytes, empty.nbytes], tmp_path, attention, allocation)
    one = Running(ONE.read_text(), [12288, 4096], tmp_path, attention, allocation)
    expected = [one(head, empty[0])[1] for head in heads]
    for _ in range(3):
        assert np.array_equal(four(heads, empty)[1], expected)
    assert four.notes == ()


def test_it_keeps_within_the_channels_of_a_column() -> None:
    design = read_design(FOUR)
    ends = [end for r in design.routes.values() for end in (r.source, *r.targets)]
    for tile in design.tiles:
        most = max(end.channel for end in ends if end.tile == tile)
        assert most < hardware.limits(tile).channels
