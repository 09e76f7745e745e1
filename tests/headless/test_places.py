"""From which folder the command is called, and where the kernel lies."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.headless.command import check
from tests.projects import Project


@pytest.mark.parametrize(
    ("folder", "kernel", "design"),
    [
        (".", "kernels/scale.c", "mlir/scale.mlir"),
        ("kernels", "scale.c", None),
        ("mlir", "../kernels/scale.c", "scale.mlir"),
    ],
)
def test_paths_are_shown_as_seen_from_here(
    project: Project, monkeypatch: pytest.MonkeyPatch, folder: str, kernel: str, design: str | None
) -> None:
    project.edit(project.design, "constant 3 :", "constant 2 :")
    monkeypatch.chdir(folder)
    record = check(kernel).record
    assert record["kernel"] == (str(project.kernel) if kernel.startswith("..") else kernel)
    assert record["design"] == (design or str(project.design))
    assert record["findings"][0]["where"] == f"{record['design']}:11"
    # Seen from elsewhere it is the same project, with the same cache.
    assert os.listdir(project.folder / "mlir") == ["scale.mlir"]
    assert not (project.folder / "kernels" / ".workbench").exists()


def test_a_kernel_outside_any_project(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    for file in (project.kernel, project.header, project.spec):
        (lonely / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir("/")
    done = check(lonely / "scale.c", "--design", project.design)
    assert (done.code, done.err) == (0, "")
    assert sorted(os.listdir(lonely)) == [".workbench", "factor.h", "scale.c", "scale.py"]


def test_a_kernel_that_is_a_link(project: Project, tmp_path: Path) -> None:
    link = project.folder / "kernels" / "linked.c"
    link.symlink_to(project.kernel)
    done = check(link, "--spec", project.spec)
    assert (done.code, done.record["kernel"]) == (0, "kernels/linked.c")
    link.unlink()
    link.symlink_to("nowhere.c")
    done = check(link, "--spec", project.spec)
    assert (done.code, done.sentence) == (
        2,
        f"{link}: no such kernel (give the path of a C file)",
    )


def test_a_pipe_for_a_kernel(project: Project, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.c")
    done = check(tmp_path / "pipe.c", "--spec", project.spec)
    assert done.code in (2, 3)
    assert str(tmp_path / "pipe.c") in done.sentence
    assert check(tmp_path / "pipe.c").code == 2


def test_a_repository_does_not_see_what_is_generated(project: Project) -> None:
    subprocess.run(["git", "init", "-q", project.folder], check=True)
    check("kernels/scale.c")
    seen = subprocess.run(
        ["git", "status", "--short", "-uall"],
        cwd=project.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "kernels/scale.c" in seen.stdout
    assert ".workbench" not in seen.stdout
