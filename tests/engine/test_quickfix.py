"""The file of problems that editors read, after each run."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engine.conftest import Watching
from tests.projects import KERNEL, Project
from workbench.loop.events import Explained
from workbench.loop.problems import Place, Problem
from workbench.loop.quickfix import FILE, quickfix_lines, with_quickfix

TWO_ERRORS = KERNEL.replace("out[i] =", "out[j] =").replace("in[i]", "in[k]")


def read_by_vim(file: Path, folder: Path) -> list[tuple[str, int, int, str]]:
    """What vim's quickfix list holds, with vim's defaults."""
    out = folder / "seen.json"
    ask = "{'f': bufname(v:val.bufnr), 'l': v:val.lnum, 'c': v:val.col, 't': v:val.text}"
    script = f"call writefile([json_encode(map(getqflist(), \"{ask}\"))], '{out}')"
    command = ["vim", "-es", "-N", "-u", "NONE", "-i", "NONE", "-q", str(file)]
    subprocess.run([*command, "-c", script, "-c", "qa!"], cwd=folder, timeout=60, check=False)
    seen = json.loads(out.read_text())
    return [(entry["f"], entry["l"], entry["c"], entry["t"].strip()) for entry in seen]


def test_a_line_for_each_problem(tmp_path: Path) -> None:
    kernel = tmp_path / "my kernel.c"
    kernel.touch()
    problems = [
        Problem("error", "expected ';'\x1b[2J", where=f"{kernel}:3:5"),
        Problem("warning", "two\nlines", "unused", f"{kernel}:9", "mend it"),
        Problem("error", "not met: exact is 0 %"),
        Problem("error", "undefined symbol: expf", where="link"),
    ]
    assert list(quickfix_lines(problems, str(kernel))) == [
        f"{kernel}:3:5: error: expected ';'",
        f"{kernel}:9: warning: unused: two lines (mend it)",
        f"{kernel}:1: error: not met: exact is 0 %",
        f"{kernel}:1: error: undefined symbol: expf",
    ]


def test_a_place_is_a_file_that_exists(tmp_path: Path) -> None:
    file = tmp_path / "a:1.c"
    file.touch()
    for where, place in [
        (f"{file}:31:17", Place(str(file), 31, 17)),
        (f"{file}:31", Place(str(file), 31)),
        (str(file), Place(str(file))),
        (f"{file}x:31", None),
        ("link", None),
        (None, None),
    ]:
        assert Problem("error", "", where=where).place == place


async def test_it_is_there_after_each_run_and_empty_after_a_good_one(watching: Watching) -> None:
    async with watching() as loop:
        file = loop.project.folder / FILE
        await loop.finished(1)
        assert file.read_text() == ""
        loop.project.kernel.write_text(TWO_ERRORS)
        await loop.finished(2)
        lines = file.read_text().splitlines()
        assert [line.split(" error: ")[0] for line in lines[:2]] == [
            f"{loop.project.kernel}:6:{column}:" for column in (13, 30)
        ]
        loop.project.kernel.write_text(KERNEL)
        await loop.finished(3)
        assert file.read_text() == ""
        loop.project.edit(loop.project.design, "constant 3 : i32", "constant 4 : i32")
        await loop.finished(4)
        # Causes are looked for after the verdict, and join what is there.
        await loop.until(lambda: [e.run for e in loop.all(Explained)][-1:] == [4])
        text = file.read_text()
        assert f"{loop.project.design}:11: error: scalar-mismatch: " in text
        assert f"{loop.project.kernel}:1: error: not met: " in text
        findings = loop.all(Explained)[-1].result.findings
        assert [f.id for f in findings if f": {f.id}: " not in text] == []


@pytest.mark.skipif(shutil.which("vim") is None, reason="there is no vim")
async def test_vim_goes_to_the_places(watching: Watching, tmp_path: Path) -> None:
    async with watching() as loop:
        loop.project.kernel.write_text(TWO_ERRORS)
        await loop.until(lambda: loop.results and loop.results[-1].status == "build-failed")
        seen = read_by_vim(loop.project.folder / FILE, tmp_path)
    kernel = str(loop.project.kernel)
    assert [entry[:3] for entry in seen[:2]] == [(kernel, 6, 13), (kernel, 6, 30)]
    assert seen[0][3].startswith("error: use of undeclared identifier 'j'")


async def test_a_file_that_cant_be_written_is_said(watching: Watching) -> None:
    async with watching() as loop:
        result = await loop.finished(1)
        file = loop.project.folder / FILE
        file.unlink()
        file.mkdir()
        try:
            once = with_quickfix(result, loop.project.folder)
            assert "the quickfix file could not be written" in once.notes[-1]
            assert with_quickfix(once, loop.project.folder).notes == once.notes
        finally:
            file.rmdir()


def test_a_project_in_which_nothing_was_made_is_left_alone(
    project: Project, tmp_path: Path
) -> None:
    from workbench.device.choose import DeviceInfo
    from workbench.loop.result import RunResult

    nothing = RunResult(1, "error", "k.c", DeviceInfo("model", "", ""), 42, 0.1)
    assert with_quickfix(nothing, tmp_path) is nothing
    assert list(tmp_path.iterdir()) == []
