"""Every exit code by real cases: one sentence on stderr, data only on stdout, nobody left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.headless.command import check, give_up_roots_rights, run
from tests.headless.contract import breaches
from tests.projects import Project, marked
from workbench.loop.words import plain

Change = Callable[[Project], None]
KERNEL = "kernels/scale.c"


def nothing(project: Project) -> None:
    """Leave the project as it is."""


def replaced(name: str, old: str, new: str) -> Change:
    """Replace a text in one of the project's files."""
    return lambda project: project.edit(getattr(project, name), old, new)


def body(statements: str) -> Change:
    """Add statements to the kernel."""
    return lambda project: project.with_body(statements)


def text(name: str, content: str) -> Change:
    """Write a whole file."""
    return lambda project: getattr(project, name).write_text(content) and None


def without(name: str) -> Change:
    """Delete a file."""
    return lambda project: getattr(project, name).unlink()


def renamed(project: Project) -> None:
    """Give the kernel a suffix that no compiler knows."""
    project.kernel.rename(project.kernel.with_suffix(".txt"))


def recursion(project: Project) -> None:
    """Have the kernel call a function that calls itself without end."""
    project.with_body("volatile int one = 1; deep(&one);")
    deep = "int deep(volatile int *x) { volatile int y = *x; return y ? deep(&y) + y : 0; }"
    project.edit(project.kernel, "void scale(", f"{deep}\nvoid scale(")


CASES: dict[str, tuple[Change, list[str], int, str, str]] = {
    # What is done to the project, arguments, exit code, status, what the sentence says.
    "passes": (nothing, [], 0, "pass", ""),
    "an input set that tests nothing": (nothing, ["--inputs", "ones"], 1, "fail", ""),
    "another seed": (nothing, ["--seed", "4294967295"], 0, "pass", ""),
    "wrong output": (body("out[7]++;"), [], 1, "fail", ""),
    "another scalar": (replaced("design", "constant 3 :", "constant 2 :"), [], 1, "fail", ""),
    "no kernel": (
        without("kernel"),
        [],
        2,
        "error",
        "kernels/scale.c: no such kernel (give the path of a C file)",
    ),
    "no spec": (
        without("spec"),
        [],
        2,
        "error",
        "kernels/scale.c: this kernel has no spec, the Python file ",
    ),
    "no such spec": (nothing, ["--spec", "nope.py"], 2, "error", "nope.py: no such spec (--spec)"),
    "no design": (without("design"), [], 2, "error", "mlir/scale.mlir: there is no such design"),
    "no such design": (nothing, ["--design", "no.mlir"], 2, "error", "no.mlir: there is no such "),
    "a folder for a design": (
        nothing,
        ["--design", "mlir"],
        2,
        "error",
        "mlir: the design can't be read: Is a directory",
    ),
    "no such input set": (
        nothing,
        ["--inputs", "nope"],
        2,
        "error",
        "kernels/scale.py: no input set 'nope' (the spec has small, ones)",
    ),
    "a spec with a syntax error": (
        text("spec", "SPEC = Spec(\n"),
        [],
        2,
        "error",
        "kernels/scale.py:1: syntax error: '(' was never closed",
    ),
    "a spec that raises": (
        replaced("spec", "return {", 'raise ValueError("a \\x1b[31mred one")\n    return {'),
        [],
        2,
        "error",
        "kernels/scale.py:7: ValueError: a red one",
    ),
    "a spec that exits": (
        text("spec", "import os\nos._exit(0)\n"),
        [],
        2,
        "error",
        "kernels/scale.py: the spec's process ended before it was done (exit 0)",
    ),
    "an unknown operation": (
        replaced("design", "aie.objectfifo.release @in", "aie.frobnicate @in"),
        [],
        2,
        "error",
        "mlir/scale.mlir:18: aie.frobnicate is not an operation that the model device knows",
    ),
    "a function that isn't there": (
        replaced("kernel", "void scale(", "void scala("),
        [],
        2,
        "error",
        "mlir/scale.mlir:17: the kernel defines no function scale, which the design calls",
    ),
    "a C syntax error": (
        replaced("kernel", "COUNT; i++", "COUNT i++"),
        [],
        3,
        "build-failed",
        "kernels/scale.c:5:31: expected ';' in 'for' statement specifier",
    ),
    "an undefined function": (
        body("extern void missing(void); missing();"),
        [],
        3,
        "build-failed",
        "kernels/scale.c: undefined symbol: missing",
    ),
    "an unknown language": (
        renamed,
        ["kernels/scale.txt"],
        3,
        "build-failed",
        "kernels/scale.txt: don't know how to compile .txt files (kernels end in .c, ",
    ),
    "a null dereference": (
        body("*(volatile int *)0 = 1;"),
        [],
        4,
        "crash",
        "kernels/scale.c:11: scale uses a null pointer (address 0x0) (",
    ),
    "abort": (body("abort();"), [], 4, "crash", "kernels/scale.c:11: scale crashed with SIGABRT ("),
    "exit": (
        body("exit(3);"),
        [],
        4,
        "crash",
        "mlir/scale.mlir:17: scale ended the model's process with exit 3 (a kernel returns",
    ),
    "a silent exit": (
        body("_Exit(0);"),
        [],
        4,
        "crash",
        "mlir/scale.mlir:17: scale ended the model's process with exit 0 (a kernel returns",
    ),
    "endless recursion": (
        recursion,
        [],
        4,
        "crash",
        "kernels/scale.c:7: ",
    ),
    "no npu": (nothing, ["--device", "npu"], 4, "no-device", "the npu can't be used: "),
    "an endless loop": (
        body("for (volatile int forever = 1; forever;) {}"),
        ["--time-limit", "0.5"],
        5,
        "hang",
        "kernels/scale.c:11: scale ran for more than 0.5 s and was killed; it was at line 11 "
        "(look for a loop that doesn't end; a longer limit is set with --time-limit; called at ",
    ),
    "a core that holds too much": (
        replaced("design", "@in(Consume, 1)", "@in(Consume, 2)"),
        [],
        5,
        "deadlock",
        "deadlock: core (0,2) waits to acquire 2 of in for Consume",
    ),
    "a token that never comes": (
        replaced("design", "constant 0xFFFFFFFF :", "constant 0 :"),
        [],
        5,
        "deadlock",
        "sequence waits for out's token",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_exit_code(project: Project, mark: str, name: str) -> None:
    change, arguments, code, status, said = CASES[name]
    change(project)
    kernel = [] if arguments and arguments[0].startswith("kernels/") else [KERNEL]
    done = check(*kernel, *arguments)
    assert (done.code, done.record["status"]) == (code, status), done.err
    assert breaches(done.record) == []
    if said:
        assert said in done.sentence
        assert plain(done.record["error"]["message"]) in done.sentence
        assert done.record["metrics"] is None
    else:
        assert done.err == ""
        assert done.record["error"] is None
    assert marked(mark) == []


def test_text_of_a_verdict(project: Project) -> None:
    done = run("check", KERNEL)
    first, *metrics = done.out.splitlines()
    assert first == (
        "PASS kernels/scale.c on the model: correlation 1.00000, max error 0, "
        "output -120..117 (reference -120..117)"
    )
    assert "  equal           100.00 %   ≥ 100 %    met" in metrics
    assert (done.code, done.err) == (0, "")


def test_text_without_a_verdict(project: Project) -> None:
    project.kernel.write_text("int 7;\n")
    done = run("check", KERNEL)
    assert (done.code, done.out) == (3, "")
    assert done.sentence == "kernels/scale.c:1:5: expected identifier or '('"
    assert "kernels/scale.c:1:5: error: expected identifier or '('" in done.err.splitlines()
    assert "\x1b" not in done.err


def test_a_folder(project: Project) -> None:
    done = check("kernels")
    assert (done.code, done.sentence) == (2, "kernels: this is a folder, not a kernel")


def test_a_project_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path / "read-only")
    project.reset()
    project.folder.chmod(0o555)
    monkeypatch.chdir(project.folder)
    done = run("check", "--json", KERNEL, before=give_up_roots_rights)
    assert (done.code, done.record["status"]) == (2, "error")
    assert done.sentence.startswith(".workbench/cache: can't write generated files: Permission ")
    assert not (project.folder / ".workbench").exists()


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("kernel", 2, "kernels/scale.c: Permission denied"),
        ("spec", 2, "kernels/scale.py: can't read the spec: Permission denied"),
        ("design", 2, "mlir/scale.mlir: the design can't be read: Permission denied"),
    ],
)
def test_a_file_that_cannot_be_read(project: Project, name: str, code: int, said: str) -> None:
    getattr(project, name).chmod(0)
    done = run("check", "--json", KERNEL, before=give_up_roots_rights)
    assert (done.code, done.sentence) == (code, said)


def test_a_cache_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path / "file")
    project.reset()
    monkeypatch.chdir(project.folder)
    (project.folder / ".workbench").touch()
    done = check(KERNEL)
    assert done.code == 2
    assert done.sentence.startswith(".workbench/cache: can't write generated files: Not a dir")


def test_reading_a_design_is_not_the_kernels_time(project: Project) -> None:
    project.design.write_text(f"// never read before\n{project.design.read_text()}")
    done = check(KERNEL, "--time-limit", "0.2")  # reading it takes longer
    assert (done.code, done.err) == (0, "")


def test_nothing_is_left_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = Project(tmp_path / "own")  # whose cache no other test has filled
    project.reset()
    monkeypatch.chdir(project.folder)
    project.with_body("out[7]++;")
    assert check(KERNEL).code == 1
    cache = project.folder / ".workbench" / "cache"
    made = {"cases", "designs", "lint", "objects", "promises", "sanitized"}
    assert {entry.name for entry in cache.iterdir()} == made
