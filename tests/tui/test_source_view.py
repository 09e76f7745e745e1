"""The source of a run in the app: problems at their lines, and what has changed."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.tui.conftest import Open
from tests.tui.scripted import KERNEL, App, a_run, result, rows, started, text_of, verdict
from workbench import manifest
from workbench.build import Diagnostic
from workbench.build.diagnostics import Note
from workbench.loop.events import Explained, Saved
from workbench.loop.result import RunResult
from workbench.tui.lines import is_seen
from workbench.tui.panes import PanesView
from workbench.tui.problems import Problems
from workbench.tui.source_view import SourceView
from workbench.verdict import Finding

GOOD = "int a;\nint b = a;\n\treturn b;\n"
BAD = "int a;\nint b = c;\n\treturn d;\nint e; // \x1b[2J[/x]\n"
DESIGN = "mlir/d.mlir"
FINDING = Finding("scalar-mismatch", "error", "4, not 3", "pass 3", where=f"{DESIGN}:2")
ERRORS = (
    Diagnostic(KERNEL, 2, 9, "error", "no 'c' [/x]", (Note(KERNEL, 1, 1, "look here"),)),
    Diagnostic(KERNEL, 3, 9, "error", "no 'd'"),
    Diagnostic(KERNEL, 3, 2, "warning", "never"),
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "npu-workbench.toml").touch()
    for name, content in [(KERNEL, GOOD), (DESIGN, "// one\n// two\n")]:
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(content)
    return tmp_path


def of_disk(ended: RunResult) -> RunResult:
    """The run with the files that are on disk as what it was made from."""
    paths = [str(Path(name).absolute()) for name in (KERNEL, DESIGN)]
    return replace(ended, files=manifest.file_hashes(paths))


def save(text: str) -> None:
    Path(KERNEL).write_text(text)


async def until(pilot: Pilot[None], app: App, *texts: str) -> SourceView:
    """Wait for texts in the source view, or its title."""
    view = app.screen_stack[0].query_one(SourceView)
    for _ in range(2000):
        title = view.border_title or ""
        if all(text in f"{title}\n{text_of(view)}" for text in texts):
            return view
        await pilot.pause()
    raise AssertionError(f"{texts} not in {view.border_title}\n{text_of(view)}")


def fail(app: App, run: int = 2) -> None:
    save(BAD)
    broken = result(run, "build-failed", diagnostics=ERRORS)
    app.emit(*a_run(of_disk(broken), failed="compile"))


async def test_problems_stand_below_their_lines(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        await pilot.press("s")
        await until(pilot, app, "the source comes with the end of the first run")
        fail(app, 1)
        view = await until(pilot, app, "╰✗ no 'd'", "run 1")
        assert [row.strip() for row in rows(view)[:8]] == [
            "1 │ int a;",
            "▸✗ 2 │ int b = c;",
            "╰✗ no 'c' [/x]",
            "✗ 3 │         return d;",
            "╰✗ no 'd'",
            "╰~ never",
            "4 │ int e; // [/x]",
            "",
        ]
        # Below the column that the compiler names; a tab is as wide as it looks.
        code, mark = rows(view)[1:3]
        assert code.index("c;") == mark.index("╰")
        code, mark = rows(view)[3:5]
        assert code.index(" d;") + 1 == mark.index("╰")
        assert str(view.border_title).endswith(f"{KERNEL}  line 2 of 4  2✗  1~")


async def test_the_rows_stay_whole_until_the_next_sources_are_read(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_app((100, 24)) as (app, pilot):
        await pilot.press("s")
        fail(app, 1)
        view = await until(pilot, app, "╰✗ no 'd'")
        monkeypatch.setattr(view, "keep", lambda result: None)
        app.emit(*a_run(of_disk(result(2, "build-failed")), failed="compile"))
        await pilot.resize_terminal(90, 22)
        assert "╰✗ no 'd'" in text_of(view)


async def test_it_goes_along_with_the_problems_and_into_other_files(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        judged = verdict(lambda reference: reference // 2, findings=(FINDING,))
        app.emit(*a_run(of_disk(result(1, "fail", verdict=judged))))
        await pilot.press("s")
        view = await until(pilot, app, KERNEL)
        problems = app.screen_stack[0].query_one(Problems)
        while problems.problem is None or problems.problem.name != FINDING.id:
            await pilot.press("n")
        await until(pilot, app, f"{DESIGN}  line 2 of 2  1✗", "╰✗ scalar-mismatch: 4, not 3")
        await pilot.press("right")
        await until(pilot, app, f"{KERNEL}  line 1 of 3")
        await pilot.press("h")
        await until(pilot, app, f"{DESIGN}  line 1 of 2")
        assert view.has_focus


async def test_what_changed_since_a_run_that_passed(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        await pilot.press("d")
        app.emit(*a_run(of_disk(result(1, "pass", verdict=verdict()))))
        await until(pilot, app, "there is no run before this one")
        app.emit(*a_run(of_disk(result(2, "pass", verdict=verdict()))))
        await until(pilot, app, "nothing has changed since run 1, which passed")
        fail(app, 3)
        view = await until(pilot, app, "+3 −2 since run 2, which passed")
        assert [row.rstrip() for row in rows(view)[:8]] == [
            f"▸{KERNEL}  +3 −2",
            "     1    1   int a;",
            "     2      - int b = a;",
            "     3      -         return b;",
            "          2 + int b = c;",
            "          3 +         return d;",
            "          4 + int e; // [/x]",
            "",
        ]
        await pilot.press("s")
        await until(pilot, app, " 1 │ int a;", "✗ 2+│ int b = c;", "4+│ int e;")
        await pilot.press("s")
        assert not is_seen(view)
        assert is_seen(app.screen.query_one(PanesView))


async def test_a_run_keeps_the_bytes_that_it_read(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        await pilot.press("s")
        app.emit(*a_run(of_disk(result(1, "pass", verdict=verdict()))))
        view = await until(pilot, app, "int b = a;", "run 1")
        save(BAD)
        app.emit(Saved(1, ()))
        await until(pilot, app, "source  STALE  run 1", "int b = a;")
        # Read too late: what is shown would be of other bytes than its problems.
        late = of_disk(result(2, "build-failed", diagnostics=ERRORS))
        save(GOOD + "// newer\n")
        app.emit(*a_run(late, failed="compile"))
        await until(pilot, app, "run 2")
        assert "int b = c;" not in text_of(view)
        assert "// newer" not in text_of(view)


async def test_causes_that_come_later_join_their_lines(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        ended = of_disk(result(1, "fail", verdict=verdict(lambda reference: reference // 2)))
        app.emit(*a_run(ended))
        await pilot.press("s")
        await until(pilot, app, "int b = a;")
        found = replace(FINDING, where=f"{KERNEL}:3")
        assert ended.verdict is not None
        more = replace(ended.verdict, findings=(found, *ended.verdict.findings))
        app.emit(Explained(1, replace(ended, verdict=more)))
        await until(pilot, app, "╰✗ scalar-mismatch: 4, not 3")
        app.emit(started(2))
        await until(pilot, app, "STALE", "╰✗ scalar-mismatch")


async def test_a_line_is_opened_by_key_and_by_click(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.delenv("EDITOR", raising=False)
    async with open_app((100, 24)) as (app, pilot):
        fail(app, 1)
        await pilot.press("s")
        view = await until(pilot, app, "╰✗ no 'd'")
        await pilot.press("enter")  # without an editor the place is copied
        assert app.clipboard == f"{KERNEL}:2"
        await pilot.press("j", "enter")
        assert app.clipboard == f"{KERNEL}:2:9"
        await pilot.press("G", "o")
        assert app.clipboard == f"{KERNEL}:4"
        await pilot.press("g")
        assert view.cursor == 0
        await pilot.click(SourceView, offset=(20, 4))
        assert view.cursor == 3
        await pilot.click(SourceView, offset=(20, 5), times=2)
        assert app.clipboard == f"{KERNEL}:3:9"


async def test_a_long_file_is_moved_through_and_never_blocks(open_app: Open) -> None:
    lines = [f"int x{number} = {number};\t// {'y' * 20}" for number in range(5_000)]
    async with open_app((100, 24)) as (app, pilot):
        save("\n".join(lines))
        many = tuple(Diagnostic(KERNEL, n, 5, "warning", "unused") for n in range(1, 1_000))
        app.emit(*a_run(of_disk(result(1, "build-failed", diagnostics=many)), failed="compile"))
        await pilot.press("s")
        view = await until(pilot, app, "line 1 of 5000")
        began = time.perf_counter()
        view.changed()
        text_of(view)
        assert time.perf_counter() - began < 0.05
        await pilot.press("G")
        assert "line 5000 of 5000" in str(view.border_title)
        assert rows(view)[-1].strip().startswith("▸  5000 │ int x4999 = 4999;")
        await pilot.press("pageup", "k")
        assert view.top <= view.cursor < view.top + view.size.height
        view._wheel(-30)
        assert view.top <= view.cursor < view.top + view.size.height


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (12, 8), (40, 12), (200, 50)])
async def test_any_size_will_do(open_app: Open, size: tuple[int, int]) -> None:
    async with open_app(size) as (app, pilot):
        fail(app, 1)
        await pilot.press("s", "j", "G", "d", "j", "s", "pagedown", "n", "o")
        await pilot.pause()
        assert app.is_running
        assert not app.screen.query(Static)


async def test_the_source_opens_at_the_problem_whatever_was_seen_before(open_app: Open) -> None:
    async with open_app((100, 24)) as (app, pilot):
        app.emit(*a_run(of_disk(result(1, "pass", verdict=verdict()))))
        await pilot.press("d", "d")
        fail(app)
        for keys in (["s"], ["d", "s"], ["s", "d", "s"]):
            await pilot.press(*keys)
            view = await until(pilot, app, "line 2 of 4", "╰✗ no 'c'")
            assert "▸✗ 2+│ int b = c;" in rows(view)[1]
