from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.aie.project import Project
from tests.doubles.machine import Machine, set_up

SetUp = Callable[..., Machine]


@pytest.fixture(autouse=True)
def _no_tools_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PEANO_INSTALL_DIR", "XILINX_XRT", "MLIR_AIE_INSTALL_DIR", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("NPU_DOUBLE")]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    """A machine of each generation, for all tests that leave it as it is."""
    return cache(lambda generation: set_up(tmp_path_factory.mktemp(generation), generation))


@pytest.fixture
def set_up_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Callable[[str], Machine]
) -> SetUp:
    """Makes this a machine with the NPU's tools, of one generation of aiecc.

    It is a test's own where the test changes it, or where programs are not installed.
    """

    def made(generation: str, without: tuple[str, ...] = (), own: bool = False) -> Machine:
        machine = (
            set_up(tmp_path / "machine", generation, without=without)
            if own or without
            else shared(generation)
        )
        for name, value in machine.env.items():
            monkeypatch.setenv(name, value)
        return machine

    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A kernel and its design in a folder of their own."""
    return Project.of(tmp_path / "project")
