"""The app on a machine with an NPU: the real engine, AMD's tools and the NPU as doubles."""

from __future__ import annotations

from tests.process.procs import until
from tests.projects import Project
from tests.tui.scripted import rows
from workbench.loop.target import Options
from workbench.loop.view import Phase
from workbench.tui.app import WorkbenchApp
from workbench.tui.log_view import LogView
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.panes import PanesView
from workbench.tui.screen import MainScreen
from workbench.tui.themes import load_theme
from workbench.tui.verdict_bar import VerdictBar

SECONDS = 60


def text_of(widget: object) -> str:
    return "\n".join(rows(widget))  # type: ignore[arg-type]


def main_of(app: WorkbenchApp) -> MainScreen:
    screen = app.get_default_screen()
    assert isinstance(screen, MainScreen)
    return screen


async def test_a_run_on_the_npu(npu_project: Project) -> None:
    options = Options("kernels/scale.c", device="npu")
    app = WorkbenchApp(options, theme=load_theme("dark"))
    async with app.run_test(size=(200, 50)) as pilot:
        screen = main_of(app)
        await until(lambda: screen.view.phase is Phase.PASS, SECONDS)
        await pilot.pause()
        bar = text_of(screen.query_one(VerdictBar))
        assert "✓ PASS" in bar
        assert " NPU " in bar
        assert "NPU Phoenix (double)" in bar
        assert "NPU and model agree, and meet the reference" in bar
        steps = [step.name for step in screen.view.steps]
        assert steps == ["load", "model", "compile", "archive", "aiecc", "run", "judge"]
        metrics = text_of(screen.query_one(MetricsTable))
        assert "µs median" in metrics or "▼" in metrics
        panes = screen.query_one(PanesView)
        pairs = []
        for _ in range(3):
            pairs.append(rows(panes)[0].split()[:2])
            await pilot.press("p")
        assert pairs == [["reference", "npu"], ["reference", "model"], ["model", "npu"]]
        log = app_log(screen)
        assert any("sources kernels/scale.c" in line for line in log)
        assert any(line.endswith("xclbin") for line in log)


def app_log(screen: MainScreen) -> list[str]:
    """All lines of the log."""
    view = screen.query_one(LogView)
    view.flush()
    return view.store.lines()
