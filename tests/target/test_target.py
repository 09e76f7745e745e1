"""Which spec, project and cache a kernel has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.errors import UsageError
from workbench.loop.target import PROJECT_MARKS, Options, find_spec, shown, spec_candidates


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


def spec_of(kernel: str, spec: str | None = None) -> str:
    return str(find_spec(Options(kernel, spec=spec)).relative_to(Path.cwd()))


def test_the_spec_beside_the_kernel(folder: Path) -> None:
    write("k/attention.c", "k/attention.py")
    assert spec_of("k/attention.c") == "k/attention.py"
    assert find_spec(Options("k/../k/attention.c")) == folder / "k" / "attention.py"


def test_the_longest_prefix(folder: Path) -> None:
    write("a_b_c.c", "a.py")
    assert spec_of("a_b_c.c") == "a.py"
    write("a_b.py")
    assert spec_of("a_b_c.c") == "a_b.py"
    write("a_b_c.py")
    assert spec_of("a_b_c.c") == "a_b_c.py"


@pytest.mark.parametrize(
    "line",
    [
        "// workbench: spec=specs/s.py",
        "//workbench:spec = specs/s.py  and more",
        "/* workbench: spec=specs/s.py */",
        "/* workbench: spec=specs/s.py*/",
        " * workbench: spec=specs/s.py",
    ],
)
def test_the_spec_that_the_source_names(line: str, folder: Path) -> None:
    write("a_b.c", text="\n" * 9 + line + "\n")
    write("specs/s.py", "a.py")
    assert spec_of("a_b.c") == "specs/s.py"
    write("a_b.c", text="\n" * 10 + line + "\n")
    assert spec_of("a_b.c") == "a.py"


def test_a_line_in_a_string_names_nothing(folder: Path) -> None:
    write("a_b.c", text='char *s = "// workbench: spec=s.py";\n')
    write("s.py", "a.py")
    assert spec_of("a_b.c") == "a.py"


def test_the_option_wins(folder: Path) -> None:
    write("a.c", "a.py", "other/b.py")
    assert spec_of("a.c", "other/b.py") == "other/b.py"
    assert spec_of("a.c", "other/../other/b.py") == "other/b.py"


def test_a_source_in_any_encoding(folder: Path) -> None:
    Path("a_b.c").write_bytes(b"\xff\xfe\x00// workbench: spec=s.py\n\n// workbench: spec=s.py\n")
    write("s.py")
    assert spec_of("a_b.c") == "s.py"


def test_what_is_missing_is_said(folder: Path) -> None:
    def refusal(kernel: str, spec: str | None = None) -> str:
        with pytest.raises(UsageError) as refused:
            find_spec(Options(kernel, spec=spec))
        return str(refused.value)

    assert refusal("gone.c") == "gone.c: no such kernel (give the path of a C file)"
    write("k/one.c")
    assert refusal("k") == "k: this is a folder, not a kernel"
    assert refusal("k/one.c") == (
        "k/one.c: this kernel has no spec, the Python file that says what it promises "
        "(npu-workbench new NAME writes a kernel, spec and design that pass, to start from; "
        "or write k/one.py, or name one with --spec FILE)"
    )
    assert refusal("k/one.c", "gone.py") == "gone.py: no such spec (--spec)"
    write("k/one.c", text="// workbench: spec=x.py\n")
    assert refusal("k/one.c") == "k/x.py: no such spec (k/one.c names its spec)"
    os.mkfifo("pipe.c")
    assert refusal("pipe.c") == "pipe.c: this is a device or pipe, not a kernel"
    Path("k/one.py").mkdir()
    assert "no such spec" in refusal("k/one.c")


def test_candidates_tell_what_may_yet_become_the_spec(folder: Path) -> None:
    def candidates(options: Options) -> list[str]:
        return [shown(path) for path in spec_candidates(options)]

    assert candidates(Options("a_b_c.c")) == ["a_b_c.py", "a_b.py", "a.py"]
    assert candidates(Options("_a_b.c")) == ["_a_b.py", "_a.py"]
    assert candidates(Options("a.c", spec="s.py")) == ["s.py"]
    write("a_b.c", text="// workbench: spec=s.py\n")
    assert candidates(Options("a_b.c")) == ["a_b.py", "s.py"]


@pytest.mark.parametrize("mark", PROJECT_MARKS)
def test_the_project_is_the_nearest_marked_folder(mark: str, folder: Path) -> None:
    write("outer/.git/HEAD", f"outer/inner/{mark}", "outer/inner/k/a.c")
    options = Options("outer/inner/k/a.c")
    assert options.project == folder / "outer" / "inner"
    assert options.cache == folder / "outer" / "inner" / ".workbench" / "cache"


def test_a_linked_kernel_lies_where_its_link_does(folder: Path) -> None:
    write("real/a.c", "here/pyproject.toml", "here/a.py")
    Path("here/a.c").symlink_to("../real/a.c")
    assert spec_of("here/a.c") == "here/a.py"
    assert Options("here/a.c").project == folder / "here"


def test_shown(folder: Path) -> None:
    assert shown("a/../b.c") == "b.c"
    assert shown(folder / "x" / "y.c") == "x/y.c"
    assert shown("..x/y.c") == "..x/y.c"
    assert shown(folder.parent / "z.c") == str(folder.parent / "z.c")
