"""The workbench without a kernel: a list to pick from, and then the kernel's screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.process.procs import until
from tests.tui.scripted import PASSED, ScriptedEngine, a_run, rows, started, text_of
from tests.tui.scripted import App as Scripted
from workbench.loop.kernels import KernelFile, Kernels
from workbench.loop.target import Options
from workbench.tui.app import Emit, WorkbenchApp
from workbench.tui.help import HelpPage
from workbench.tui.picker import Hint, KernelList, Picker
from workbench.tui.screen import MainScreen
from workbench.tui.verdict_bar import VerdictBar

MANY = Kernels(
    "/projects/kernels",
    (*(KernelFile(f"kernels/k{n}.c", "kernels/k.py") for n in range(40)), KernelFile("x.c", None)),
)


class App(WorkbenchApp):
    """The app on kernels to pick from, and what it opened."""

    def __init__(self, kernels: Kernels) -> None:
        self.opened: list[Options] = []
        self.started = asyncio.Event()
        options = Options(kernels.files[0].path, device="model", seed=7)
        super().__init__(options, lambda: self._make, kernels=kernels)

    def _make(self, options: Options, emit: Emit) -> ScriptedEngine:
        self.opened.append(options)
        self.started.set()
        return ScriptedEngine(options, emit)


@asynccontextmanager
async def picking(
    kernels: Kernels = MANY, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[App, Pilot[None]]]:
    app = App(kernels)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        assert isinstance(app.screen, Picker)
        yield app, pilot


def shown(app: App) -> str:
    return text_of(app.screen.query_one(KernelList))


async def test_nothing_runs_before_a_kernel_is_picked() -> None:
    async with picking() as (app, pilot):
        await pilot.press("j", "down", "k")
        assert app.opened == []
        await pilot.press("enter")
        await app.started.wait()
        assert app.opened == [Options("kernels/k1.c", device="model", seed=7)]
        assert isinstance(app.screen, MainScreen)
        assert app.screen.view.kernel == "kernels/k1.c"


async def test_the_whole_list_can_be_reached_by_key() -> None:
    async with picking(size=(40, 12)) as (app, pilot):
        assert shown(app).startswith(" ▸ kernels/k0.c")
        for key, at in [
            ("k", "kernels/k0.c"),
            ("G", "x.c"),
            ("j", "x.c"),
            ("up", "kernels/k39.c"),
            ("g", "kernels/k0.c"),
            ("pagedown", "kernels/k5.c"),
            ("pageup", "kernels/k0.c"),
        ]:
            await pilot.press(key)
            (current,) = (row for row in rows(app.screen.query_one(KernelList)) if "▸" in row)
            assert current.split()[1] == at


async def test_a_click_opens_what_is_seen_there() -> None:
    async with picking(size=(80, 12)) as (app, pilot):
        await pilot.press("G", "k", "k")
        y, row = next((y, r) for y, r in enumerate(rows(app.screen.query_one(KernelList))) if r)
        await pilot.click(KernelList, offset=(20, y + 1))
        await app.started.wait()
        assert app.opened[0].kernel == row.split()[0]


async def test_a_click_beside_the_list_opens_nothing() -> None:
    few = Kernels("/p", MANY.files[:2])
    async with picking(few) as (app, pilot):
        for offset in [(5, 0), (5, 4)]:
            await pilot.click(KernelList, offset=offset)
        assert isinstance(app.screen, Picker)


async def test_a_kernel_without_a_spec_is_told_what_to_do() -> None:
    async with picking(size=(40, 12)) as (app, pilot):
        await pilot.press("G")
        assert "no spec" in shown(app)
        said = " ".join(text_of(app.screen.query_one(Hint)).split())
        assert "No spec says what this kernel promises" in said
        assert "npu-workbench new NAME" in said
        assert said.endswith("to start from.")


async def test_what_the_spec_says_of_itself(tmp_path: Path) -> None:
    spec = tmp_path / "k.py"
    spec.write_text('"""Promises [/x] \x1b[31mmuch.\n\nAnd more."""')
    kernels = Kernels("[/x]", (KernelFile("[red]k.c", str(spec)), KernelFile("l.c", None)))
    async with picking(kernels) as (app, _):
        assert text_of(app.screen.query_one(Hint)).strip() == "Promises [/x] much."
        assert " ▸ [red]k.c" in shown(app)


async def test_that_not_all_was_looked_at_is_said() -> None:
    async with picking(Kernels("/p", MANY.files[:2], complete=False)) as (app, _):
        title = app.screen.query_one(KernelList).border_title
        assert title is not None
        assert "too many files" in str(title)


async def test_help_and_quit_are_found_there() -> None:
    async with picking() as (app, pilot):
        await pilot.press("question_mark")
        lines = [line.plain for line in app.screen.query_one(HelpPage).all_lines()]
        assert "in the list of kernels" in lines
        await pilot.press("escape", "q")
    assert app.opened == []
    assert app.return_code == 0


@pytest.mark.parametrize("size", [(1, 1), (5, 2), (40, 3), (200, 50)])
async def test_any_size(size: tuple[int, int]) -> None:
    async with picking(size=size) as (app, pilot):
        await pilot.press("G", "pageup", "enter")
        await app.started.wait()


@pytest.fixture
def two_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "npu-workbench.toml").touch()
    for name in ("one.c", "two.c"):
        (tmp_path / name).touch()


@pytest.mark.usefixtures("two_kernels")
async def test_another_kernel_takes_the_place_of_the_one_that_is_open() -> None:
    app = Scripted("one.c")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.engine is not None)
        first = app.engine
        assert first is not None
        app.emit(started(3))
        await open_list(app, pilot)
        await pilot.press("j", "enter")
        await until(lambda: app.engine is not first)
        assert first.closed
        await until(lambda: isinstance(app.screen, MainScreen))
        main = app.screen
        assert isinstance(main, MainScreen)
        assert (main.view.kernel, main.view.run) == ("two.c", 0)
        first.emit(started(4))  # nobody listens any more
        app.emit(*a_run(PASSED))
        await pilot.pause()
        assert "✓ PASS" in text_of(main.query_one(VerdictBar))
        assert main.view.run == 1


@pytest.mark.usefixtures("two_kernels")
@pytest.mark.parametrize("keys", [["escape"], ["enter"], ["escape", "escape", "O", "O", "escape"]])
async def test_the_list_can_be_left_without_a_choice(keys: list[str]) -> None:
    app = Scripted("one.c")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.engine is not None)
        first, main = app.engine, app.screen
        await open_list(app, pilot)
        await pilot.press(*keys)
        await until(lambda: app.screen is main)
        assert app.engine is first
        assert first is not None
        assert not first.closed


async def open_list(app: WorkbenchApp, pilot: Pilot[None]) -> None:
    await pilot.press("O")
    await until(lambda: isinstance(app.screen, Picker))
    await pilot.pause()


async def test_the_first_list_has_no_way_back() -> None:
    async with picking() as (app, pilot):
        await pilot.press("escape")
        assert isinstance(app.screen, Picker)
