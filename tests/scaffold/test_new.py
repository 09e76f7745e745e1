"""`new NAME`: what it writes passes at once, and it never overwrites."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.headless.command import give_up_roots_rights, run
from workbench.errors import UsageError
from workbench.scaffold import write_kernel

FILES = ["kernels/mine.c", "kernels/mine.py", "mlir/mine.mlir"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files_in(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_new_kernel_passes_in_an_empty_folder(folder: Path) -> None:
    made = run("new", "exp")  # a function of C, a kernel that people write
    assert (made.code, made.out.splitlines()) == (
        0,
        ["kernels/exp.c", "kernels/exp.py", "mlir/exp.mlir", "npu-workbench.toml"],
    )
    assert "npu-workbench check kernels/exp.c" in made.err
    checked = run("check", "kernels/exp.c", "--inputs", "all", "--seeds", "2")
    assert checked.code == 0, checked.out + checked.err
    assert "8 of 8 cases pass" in checked.out
    assert "error" not in checked.out.replace("max error", "")
    # What is generated lies in the project, and not beside the sources.
    assert {path.name for path in folder.iterdir()} == {
        "kernels",
        "mlir",
        "npu-workbench.toml",
        ".workbench",
    }
    assert {path.name for path in (folder / "kernels").iterdir()} == {"exp.c", "exp.py"}


def test_what_it_writes_has_no_warning_and_its_stage_is_compared(folder: Path) -> None:
    write_kernel("mine", folder)
    done = run("check", "--json", "kernels/mine.c")
    assert (done.code, done.record["findings"], done.record["diagnostics"]) == (0, [], [])
    assert [stage["name"] for stage in done.record["stages"]] == ["rounded"]


def test_in_a_project_there_is_no_second_settings_file(folder: Path) -> None:
    (folder / "pyproject.toml").touch()
    below = folder / "below"
    below.mkdir()
    write_kernel("mine", below)
    assert files_in(below) == FILES


def test_it_goes_beside_other_kernels(folder: Path) -> None:
    for name in ("one", "two"):
        write_kernel(name, folder)
    assert len(files_in(folder)) == 7


@pytest.mark.parametrize("there", FILES)
@pytest.mark.parametrize("kind", ["file", "dangling link", "folder"])
def test_it_overwrites_nothing(folder: Path, there: str, kind: str) -> None:
    (folder / there).parent.mkdir()
    if kind == "file":
        (folder / there).write_text("mine")
    elif kind == "folder":
        (folder / there).mkdir()
    else:
        (folder / there).symlink_to("nowhere")
    before = files_in(folder)
    with pytest.raises(UsageError, match=f"^{there}: this exists, and new overwrites nothing"):
        write_kernel("mine", folder)
    assert files_in(folder) == before
    assert kind != "file" or (folder / there).read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("my-kernel", "my_kernel"),
        ("kernels/mine.c", "mine"),
        ("../mine", "mine"),
        ("7up", None),
        ("_x", "x"),
        ("", None),
        ("größe", "gr_e"),
        ("a b", "a_b"),
        ("a\n", "a"),
        ("a" * 65, None),
    ],
)
def test_a_name_has_to_do_for_files_and_for_c(folder: Path, name: str, example: str | None) -> None:
    with pytest.raises(UsageError, match="a kernel can't be called") as refused:
        write_kernel(name, folder)
    assert str(refused.value).endswith(
        "begin with a letter)" if example is None else f": {example}, for example)"
    )
    assert files_in(folder) == []


@pytest.mark.parametrize("name", ["json", "numpy", "torch", "workbench", "math"])
def test_a_spec_hides_no_module(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match=f"Python has a module {name}"):
        write_kernel(name, folder)


def test_half_a_kernel_is_not_left_behind(folder: Path) -> None:
    (folder / "mlir").touch()
    with pytest.raises(UsageError, match=r"^mlir/mine\.mlir: can't be written: "):
        write_kernel("mine", folder)
    assert files_in(folder) == ["mlir"]


@pytest.mark.skipif(os.name != "posix", reason="has no modes")
def test_a_folder_that_may_not_be_written(folder: Path) -> None:
    folder.chmod(0o500)
    done = run("new", "mine", before=give_up_roots_rights)
    folder.chmod(0o700)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == "kernels/mine.c: can't be written: Permission denied"


def test_nothing_of_the_template_is_left(folder: Path) -> None:
    write_kernel("mine", folder)
    for name in FILES:
        text = (folder / name).read_text()
        assert "$" not in text
        assert "mine" in text
