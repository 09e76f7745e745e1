"""Which kernels a folder has."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.loop import kernels
from workbench.loop.kernels import KernelFile, find_kernels, what_it_promises


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and where we are."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*names: str, text: str = "") -> None:
    for name in names:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def found(folder: Path) -> list[tuple[str, str | None]]:
    return [(kernel.path, kernel.spec) for kernel in find_kernels(folder).files]


def test_those_with_a_spec_come_first(folder: Path) -> None:
    write("a.c", "k/b.c", "k/b.py", "k/b_2.cpp", "z.cc", "x.h", "x.py")
    write("named.cxx", text="// workbench: spec=k/b.py\n")
    assert found(folder) == [
        ("k/b.c", "k/b.py"),
        ("k/b_2.cpp", "k/b.py"),
        ("named.cxx", "k/b.py"),
        ("a.c", None),
        ("z.cc", None),
    ]


def test_what_is_hidden_or_generated_is_no_kernel_of_ours(folder: Path) -> None:
    write(".workbench/cache/a.c", "venv/pyvenv.cfg", "venv/lib/a.c", "node_modules/a.c", ".a.c")
    write("k/__pycache__/a.c", "k/a.c", "folder.c/a.py")
    Path("k/loop").symlink_to("../k")
    Path("k/gone.c").symlink_to("nowhere")
    assert found(folder) == [("k/a.c", None)]


def test_the_nearest_are_found_where_there_are_too_many(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(*(f"a/deep/{n}.c" for n in range(50)), "b/near.c")
    assert find_kernels(folder).complete
    monkeypatch.setattr(kernels, "ENTRIES", 5)
    cut = find_kernels(folder)
    assert not cut.complete
    assert "b/near.c" in [kernel.path for kernel in cut.files]


def test_exactly_as_many_as_are_looked_at_is_complete(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.c", "b.c")
    monkeypatch.setattr(kernels, "ENTRIES", 2)
    assert find_kernels(folder).complete


def test_what_a_kernel_promises(folder: Path) -> None:
    write("a.py", text='"""What a.c promises: much,\nand more.\n\nThe rest.\n"""\n')
    write("broken.py", text="def (")
    write("silent.py", text="x = 1")
    assert what_it_promises(KernelFile("a.c", "a.py")) == "What a.c promises: much,\nand more."
    assert what_it_promises(KernelFile("a.c", None)) == ""
    for spec in ("broken.py", "silent.py", "gone.py"):
        assert what_it_promises(KernelFile("a.c", spec)) == f"Its spec is {spec}."
