"""Whole screens as text, at the sizes people use. After a change that is meant: look, then renew.

    NPU_WORKBENCH_RENEW_SCREENS=1 pytest tests/tui/test_screens.py

writes the text that is compared, and in `.workbench/screens/` an SVG of each to look at, in some
theme. Those that the README shows are kept in `svg/`.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.doubles.machine import Machine
from tests.projects import ROOT, copy_of_ours
from tests.tui.recorded import recorded
from tests.tui.scripted import (
    KERNEL,
    MISMATCH,
    App,
    a_run,
    core_memory,
    result,
    started,
    verdict,
    with_memory,
)
from workbench.build import Diagnostic, StepResult
from workbench.errors import BuildError, HangError
from workbench.loop.events import Event, Missing, StepFinished, StepStarted, Watching
from workbench.loop.target import Options
from workbench.tui.log_view import LogView
from workbench.tui.themes import load_theme

SCREENS = Path(__file__).parent / "screens"
KEPT = Path(__file__).parent / "svg"
LOOK = ROOT / ".workbench" / "screens"
RENEWS = bool(os.environ.get("NPU_WORKBENCH_RENEW_SCREENS"))
CELL_WIDTH = 12.2
"""Of a character in Textual's SVG screenshots."""


def flat(reference: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """A softmax that has lost its peaks: much too small, and here and there off."""
    device: npt.NDArray[np.int64] = np.rint(reference * 0.25).astype(np.int64)
    device[::3, ::5] += 11
    return device


PASS = a_run(result(6, "pass", verdict=with_memory(verdict(), core_memory(600))))
FAIL = a_run(
    result(
        7,
        "fail",
        verdict=replace(
            verdict(flat, findings=(MISMATCH,)),
            arithmetic=verdict(lambda x: x // 2).metrics,
        ),
    ),
    log=["clang -O2 -c attention.c", "attention.c:9:3: \x1b[35mwarning:\x1b[0m unused 'x' [/x]"],
)
BROKEN = a_run(
    result(
        8,
        "build-failed",
        error=BuildError("compile failed"),
        diagnostics=(
            Diagnostic(KERNEL, 12, 9, "warning", "unused variable 'row' [-Wunused-variable]"),
            Diagnostic(KERNEL, 31, 17, "error", "expected ';' after expression"),
            Diagnostic(KERNEL, 40, 5, "error", "use of undeclared identifier 'weights'"),
        ),
    ),
    log=[f"{KERNEL}:31:17: error: expected ';' after expression", "   31 |   e = lut[-x]"],
    failed="compile",
)
RUNNING: list[Event] = [
    started(8),
    StepStarted(8, "compile", 60),
    StepFinished(8, StepResult("compile", "ok", 0.061, ("clang", "-O2", KERNEL))),
    StepStarted(8, "run", 10),
]
HANG = a_run(
    result(8, "hang", error=HangError("the kernel ran past its limit of 10 s", hint="find a loop")),
    failed="run",
)
OVERRUN = a_run(
    result(
        7,
        "fail",
        verdict=replace(
            with_memory(verdict(flat, findings=(MISMATCH,)), core_memory(4512)),
            arithmetic=verdict(lambda x: x // 2).metrics,
        ),
    )
)

SIZES = {"200x50": (200, 50), "120x34": (120, 34), "80x24": (80, 24), "40x12": (40, 12)}
THEMES = ("dark", "light", "colour-blind")
STATES = ("pass", "report", "build-failed", "stale", "hang", "npu")
"""At all sizes; what is judged in them comes from real runs."""

CASES: dict[str, tuple[tuple[int, int], Sequence[Event]]] = {
    "fail-160x45": ((160, 45), FAIL),
    "running-80x24": ((80, 24), [*FAIL, *RUNNING]),
    "missing-polling-80x24": (
        (80, 24),
        [*PASS, Watching(6, (), "this file system reports no events"), Missing(6, KERNEL)],
    ),
    "overrun-160x45": ((160, 45), OVERRUN),
    "overrun-80x24": ((80, 24), OVERRUN),
}
MAPS = {
    "memory-overrun-80x24": ((80, 24), OVERRUN),
    "memory-overrun-40x12": ((40, 12), OVERRUN),
    "memory-pass-160x45": ((160, 45), PASS),
}
README = {
    "report-dark": ("report", (160, 45)),
    "npu-light": ("npu", (160, 45)),
    "build-failed-colour-blind": ("build-failed", (120, 34)),
}
"""The pictures that are kept, each in the theme of its name."""

Machines = Callable[[str], Machine]


@pytest.fixture(scope="session")
def states(
    tmp_path_factory: pytest.TempPathFactory, machines: Machines
) -> Mapping[str, list[Event]]:
    """The events that lead to each state."""
    ours = copy_of_ours(tmp_path_factory.mktemp("screens"))
    judged, report = (
        asyncio.run(recorded(ours, Options(f"kernels/{kernel}.c", device="model")))
        for kernel in ("attention", "attention_polynomial")
    )
    machine, run = machines("B"), tmp_path_factory.mktemp("run")
    (ours / "npu-workbench.toml").write_text(f'[paths]\ndevice = "{machine.device}"\n')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**machine.env, "XDG_RUNTIME_DIR": str(run)}.items():
            patch.setenv(name, value)
        npu = asyncio.run(recorded(ours, Options("kernels/attention_polynomial.c", device="npu")))
    return {
        "pass": judged,
        "report": report,
        "build-failed": [*judged, *BROKEN],
        "stale": [*report, *RUNNING],
        "hang": [*judged, *HANG],
        "npu": npu,
    }


def text_of_svg(svg: str) -> str:
    """The characters of a screenshot at their places."""
    lines: dict[float, list[str]] = {}
    texts = re.findall(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', svg)
    for x, y, escaped in texts:
        row = lines.setdefault(float(y), [])
        text = html.unescape(escaped).replace("\xa0", " ")
        row.extend(" " * (round(float(x) / CELL_WIDTH) - len(row)))
        row.extend(text.rstrip("\n"))
    return "".join("".join(lines[y]).rstrip() + "\n" for y in sorted(lines))


async def screen_of(
    size: tuple[int, int], events: Sequence[Event], *keys: str, theme: str = "dark"
) -> str:
    """The app after these events and keys, as an SVG."""
    app = App(theme=load_theme(theme))
    async with app.run_test(size=size) as pilot:
        while app.engine is None:
            await pilot.pause()
        await app.engine.watching.wait()
        app.emit(*events)
        app.now = 1.5
        await pilot.pause()
        app.screen.query_one(LogView).flush()
        await pilot.press(*keys)
        await pilot.pause()
        return app.export_screenshot()


def compare(name: str, svg: str) -> None:
    """The screen is as it was kept, or is kept from here on."""
    kept = SCREENS / f"{name}.txt"
    if RENEWS:
        LOOK.mkdir(parents=True, exist_ok=True)
        (LOOK / f"{name}.svg").write_text(svg)
        kept.write_text(text_of_svg(svg))
    assert text_of_svg(svg) == kept.read_text()


@pytest.mark.parametrize("name", [*CASES, *MAPS])
async def test_a_screen_looks_as_it_did(name: str) -> None:
    size, events = (CASES | MAPS)[name]
    compare(name, await screen_of(size, events, *(["M"] if name in MAPS else [])))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_a_state_looks_as_it_did(
    states: Mapping[str, list[Event]], state: str, size: str
) -> None:
    theme = THEMES[(STATES.index(state) + [*SIZES].index(size)) % len(THEMES)]
    compare(f"{state}-{size}", await screen_of(SIZES[size], states[state], theme=theme))


@pytest.mark.parametrize("state", STATES)
async def test_a_theme_changes_no_word(states: Mapping[str, list[Event]], state: str) -> None:
    seen = {
        text_of_svg(await screen_of(SIZES["120x34"], states[state], theme=theme))
        for theme in THEMES
    }
    assert len(seen) == 1


@pytest.mark.parametrize("name", README)
async def test_the_readme_shows_the_app_as_it_is(
    states: Mapping[str, list[Event]], name: str
) -> None:
    state, size = README[name]
    svg = await screen_of(size, states[state], theme=name.removeprefix(f"{state}-"))
    kept = KEPT / f"{name}.svg"
    if RENEWS:
        KEPT.mkdir(exist_ok=True)
        kept.write_text(svg)
    assert text_of_svg(svg) == text_of_svg(kept.read_text())
