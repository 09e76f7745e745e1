"""The repository, and a copy of its kernels to run things on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the repository's kernels and designs, as the current one."""
    for name in ("kernels", "mlir", "tests/data"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    (tmp_path / "pyproject.toml").touch()  # the mark of a project: the cache stays inside
    monkeypatch.chdir(tmp_path)
    return tmp_path
