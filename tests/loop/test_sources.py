"""What a run was made from, and what changed in it since a run passed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import manifest
from workbench.device.choose import DeviceInfo
from workbench.loop.result import RunResult, Status
from workbench.loop.sources import (
    CONTEXT,
    SIZE_LIMIT,
    Change,
    Snapshot,
    Source,
    changes,
    compared_with,
    take,
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "npu-workbench.toml").touch()
    (tmp_path / "k.c").write_text("int a;\fint b;\r\nint c;\n\n")
    (tmp_path / "a.h").write_bytes(b"// \xff\n")
    (tmp_path / "d.mlir").touch()
    return tmp_path


def run(project: Path, number: int = 1, status: Status = "pass", *more: Path) -> RunResult:
    paths = [str(path) for path in (*sorted(project.iterdir()), *more)]
    return RunResult(
        number,
        status,
        str(project / "k.c"),
        DeviceInfo("model", "", ""),
        42,
        0.1,
        files=manifest.file_hashes(paths),
    )


def test_the_projects_own_files_the_kernel_first(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("include") / "stdint.h"
    elsewhere.touch()
    snapshot = take(run(project, 3, "fail", elsewhere))
    assert (snapshot.run, snapshot.passed) == (3, False)
    names = [Path(path).name for path in snapshot.sources]
    assert names == ["k.c", "a.h", "d.mlir", "npu-workbench.toml"]
    # As a compiler counts lines.
    assert snapshot.sources[str(project / "k.c")].lines == ("int a;\fint b;", "int c;", "")
    assert snapshot.sources[str(project / "a.h")].lines == ("// \ufffd",)


def test_a_file_that_was_saved_since_is_not_what_the_run_read(project: Path) -> None:
    result = run(project)
    (project / "k.c").write_text("int x;\n")
    (project / "a.h").unlink()
    (project / "d.mlir").write_text(" " * (SIZE_LIMIT + 1))
    names = [Path(path).name for path in take(result).sources]
    assert names == ["npu-workbench.toml"]
    assert [Path(p).name for p in take(run(project)).sources] == ["k.c", "npu-workbench.toml"]


def snapshot(number: int, passed: bool, **files: Sequence[str]) -> Snapshot:
    sources = [
        Source(path, tuple(lines), manifest.key_of(list(lines))) for path, lines in files.items()
    ]
    return Snapshot(number, passed, {source.path: source for source in sources})


def test_a_run_is_compared_with_the_last_that_passed_else_the_one_before() -> None:
    runs = [snapshot(n, n in (3, 4, 6)) for n in range(1, 7)]
    assert [one and one.run for one in (compared_with(runs, n) for n in range(1, 8))] == [
        *(None, 1, 2, 3, 4, 4, 6)
    ]


def test_a_change_is_shown_with_the_lines_around() -> None:
    old = [f"line {n}" for n in range(20)]
    new = [*old[:9], "changed", *old[10:], "added"]
    (change,) = changes(snapshot(1, True, k=old, same=["a"]), snapshot(2, False, k=new, same=["a"]))
    assert (change.path, change.added, change.removed) == ("k", 2, 1)
    assert change.new_lines == {10, 21}
    first, last = change.hunks
    assert [(line.kind, line.before, line.after) for line in first] == [
        *((" ", n, n) for n in (7, 8, 9)),
        ("-", 10, None),
        ("+", None, 10),
        *((" ", n, n) for n in (11, 12, 13)),
    ]
    assert [(line.kind, line.text) for line in last][-2:] == [(" ", "line 19"), ("+", "added")]
    assert len(last) == CONTEXT + 1


def test_a_new_file_is_all_new() -> None:
    (change,) = changes(snapshot(1, True), snapshot(2, True, header=["a", "b"]))
    assert (change.added, change.removed, change.new_lines) == (2, 0, frozenset({1, 2}))


def applied(old: Sequence[str], change: Change) -> list[str]:
    """What the old lines become by a change."""
    lines = list(old)
    for hunk in reversed(change.hunks):
        before = [line for line in hunk if line.kind != "+"]
        after = [line.text for line in hunk if line.kind != "-"]
        assert [line.text for line in before] == [old[n.before - 1] for n in before if n.before]
        first = before[0].before if before and before[0].before else 1
        lines[first - 1 : first - 1 + len(before)] = after
    return lines


TEXTS = st.lists(st.sampled_from(["a", "b", "", "}"]), max_size=30)


@given(TEXTS, TEXTS)
def test_the_old_lines_and_the_changes_make_the_new_ones(old: list[str], new: list[str]) -> None:
    found = changes(snapshot(1, True, k=old), snapshot(2, True, k=new))
    assert (found == ()) == (old == new)
    for change in found:
        assert applied(old, change) == new
        numbers = {line.after: line.text for hunk in change.hunks for line in hunk if line.after}
        assert all(new[number - 1] == text for number, text in numbers.items())
