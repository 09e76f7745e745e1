"""Projects that tests of the engine and of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest

from tests.doubles.machine import Machine, set_up
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


SetUp = Callable[..., Machine]


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    """A machine of each generation, for all tests that leave it as it is."""
    return cache(lambda generation: set_up(tmp_path_factory.mktemp(generation), generation))


@pytest.fixture
def set_up_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machines: Callable[[str], Machine]
) -> SetUp:
    """Makes this a machine with the NPU's tools, of one generation of aiecc.

    It is a test's own where the test changes it, or where programs are not installed.
    """

    def made(generation: str, without: tuple[str, ...] = (), own: bool = False) -> Machine:
        machine = (
            set_up(tmp_path / "machine", generation, without=without)
            if own or without
            else machines(generation)
        )
        for name, value in machine.env.items():
            monkeypatch.setenv(name, value)
        return machine

    return made


@pytest.fixture
def on_machine(set_up_machine: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    """Makes this a machine with an NPU, and a folder a project on it."""

    def made(folder: Path, generation: str = "B", without: tuple[str, ...] = ()) -> Machine:
        machine = set_up_machine(generation, without)
        (tmp_path / "run").mkdir(exist_ok=True)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
        (folder / "npu-workbench.toml").write_text(f'[paths]\ndevice = "{machine.device}"\n')
        return machine

    return made


@pytest.fixture
def npu_project(project: Project, on_machine: SetUp) -> Project:
    """The small project on a machine of generation B."""
    on_machine(project.folder)
    return project
