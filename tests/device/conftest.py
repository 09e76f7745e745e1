"""Designs run in this process, with kernels compiled once a session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.device.designs import Array, Running
from workbench.build import build_kernel, find_clang

KERNELS = Path(__file__).parent / "kernels.c"

Load = Callable[..., Running]
Run = Callable[..., list[Array]]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions of kernels.c, as the model device links them."""
    log: list[str] = []
    folder = tmp_path_factory.mktemp("kernels")
    built = asyncio.run(build_kernel(str(KERNELS), find_clang(), folder, log.extend, limit_s=60))
    assert built.library is not None, log
    return built.library


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A function from a design's text and its host arrays' sizes to the loaded design."""

    def make(text: str, *arrays: Array, library: Path | None = None) -> Running:
        return Running(text, [array.nbytes for array in arrays], tmp_path, library)

    return make


@pytest.fixture
def run(load: Load) -> Run:
    """A function from a design's text and its host arrays to the arrays afterwards."""

    def once(text: str, *arrays: Array, library: Path | None = None) -> list[Array]:
        return load(text, *arrays, library=library)(*arrays)

    return once
