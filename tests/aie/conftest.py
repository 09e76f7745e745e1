from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.aie.project import Project


@pytest.fixture(autouse=True)
def _no_tools_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PEANO_INSTALL_DIR", "XILINX_XRT", "MLIR_AIE_INSTALL_DIR", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("NPU_DOUBLE")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A kernel and its design in a folder of their own."""
    return Project.of(tmp_path / "project")
