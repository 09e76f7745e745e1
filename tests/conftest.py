"""Projects that tests of the engine and of the command line share."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.projects import MARK, Project, copy_of_ours


@pytest.fixture(scope="session")
def _project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("scale")


@pytest.fixture
def project(_project_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The small project as new, in the folder we are in; its cache serves a whole session."""
    project = Project(_project_folder)
    project.reset()
    # Streams as people have them.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    monkeypatch.chdir(project.folder)
    return project


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the repository's own kernels and designs, which tests only add to."""
    return copy_of_ours(tmp_path_factory.mktemp("ours"))


@pytest.fixture
def mark(monkeypatch: pytest.MonkeyPatch) -> str:
    """What marks the processes that this test starts; see `projects.marked`."""
    mark = uuid4().hex
    monkeypatch.setenv(MARK, mark)
    return mark
