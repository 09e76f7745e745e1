"""Whole screens, at the sizes people use. After a change that is meant: look, then renew.

    NPU_WORKBENCH_RENEW_SCREENS=1 pytest tests/tui/test_screens.py

writes them anew: the states that matter most as SVGs in `svg/`, with their colours, in three
themes; others as text in `screens/`.
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
from tests.projects import copy_of_ours
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
from workbench.build import StepResult
from workbench.device.choose import Wanted
from workbench.loop.events import Event, Missing, RunFinished, StepFinished, StepStarted, Watching
from workbench.loop.target import Options
from workbench.tui.log_view import LogView
from workbench.tui.themes import load_theme

pytestmark = pytest.mark.xdist_group("screens")
"""What `states` runs takes longer than all tests of it: it is to happen in one process."""

SCREENS = Path(__file__).parent / "screens"
KEPT = Path(__file__).parent / "svg"
RENEWS = bool(os.environ.get("NPU_WORKBENCH_RENEW_SCREENS"))
LIMIT_S = 2.0
"""For a kernel to run, where one of them never ends."""

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
RUNNING: list[Event] = [
    started(8),
    StepStarted(8, "compile", 60),
    StepFinished(8, StepResult("compile", "ok", 0.061, ("clang", "-O2", KERNEL))),
    StepStarted(8, "run", 10),
]
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
"""At all sizes and in all themes; the runs in them are real."""

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
"""Pictures at other sizes, each in the theme of its name."""

Machines = Callable[[str], Machine]


UNFINISHED = (("down++;", "down++"), ("total += row[j];", "total += rows[j];"))
ENDLESS = ("down++;", "for (volatile int ready = 0; !ready;) {}")
TEMPERED = ("for (int j = 0; j < N; j++) {", "for (int j = 0; j < N; ++j) {")


@pytest.fixture(scope="session")
def states(
    tmp_path_factory: pytest.TempPathFactory, machines: Machines
) -> Mapping[str, list[Event]]:
    """The events that lead to each state, of real runs."""
    ours = copy_of_ours(tmp_path_factory.mktemp("screens"))

    def told(kernel: str, *changes: tuple[str, str], device: Wanted = "model") -> list[Event]:
        """By a run of a kernel and, if there are changes, by one of the changed kernel."""
        source = ours / "kernels" / f"{kernel}.c"
        text = source.read_text()
        changed = text
        for before, after in changes:
            assert before in changed
            changed = changed.replace(before, after)
        options = Options(f"kernels/{kernel}.c", device=device, time_limit_s=LIMIT_S)
        edit = (lambda: source.write_text(changed)) if changes else None
        try:
            return asyncio.run(recorded(ours, options, edit))
        finally:
            source.write_text(text)

    broken, tempered = told("attention", *UNFINISHED), told("attention_polynomial", TEMPERED)
    states = {
        "pass": until(broken, lambda event: isinstance(event, RunFinished)),
        "report": until(tempered, lambda event: isinstance(event, RunFinished)),
        "build-failed": broken,
        "stale": until(
            tempered,
            lambda event: isinstance(event, StepStarted) and (event.run, event.step) == (2, "run"),
        ),
        "hang": told("attention", ENDLESS),
    }
    machine, run = machines("B"), tmp_path_factory.mktemp("run")
    (ours / "npu-workbench.toml").write_text(f'[paths]\ndevice = "{machine.device}"\n')
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**machine.env, "XDG_RUNTIME_DIR": str(run)}.items():
            patch.setenv(name, value)
        return {**states, "npu": told("attention_polynomial", device="npu")}


def until(events: list[Event], is_last: Callable[[Event], bool]) -> list[Event]:
    return events[: 1 + next(n for n, event in enumerate(events) if is_last(event))]


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


def looks_as_kept(name: str, svg: str) -> None:
    """The screen is as it was kept, or is kept from here on: what it says first, then how."""
    kept = KEPT / f"{name}.svg"
    if RENEWS:
        kept.write_text(svg)
    assert text_of_svg(svg) == text_of_svg(kept.read_text())
    assert svg == kept.read_text()


@pytest.mark.parametrize("name", [*CASES, *MAPS])
async def test_a_screen_looks_as_it_did(name: str) -> None:
    size, events = (CASES | MAPS)[name]
    svg = await screen_of(size, events, *(["M"] if name in MAPS else []))
    kept = SCREENS / f"{name}.txt"
    if RENEWS:
        kept.write_text(text_of_svg(svg))
    assert text_of_svg(svg) == kept.read_text()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
async def test_a_state_looks_as_it_did(
    states: Mapping[str, list[Event]], state: str, size: str
) -> None:
    seen = {theme: await screen_of(SIZES[size], states[state], theme=theme) for theme in THEMES}
    for theme, svg in seen.items():
        looks_as_kept(f"{state}-{size}-{theme}", svg)
    assert len({text_of_svg(svg) for svg in seen.values()}) == 1, "a theme changes no word"


@pytest.mark.parametrize("name", README)
async def test_the_readme_shows_the_app_as_it_is(
    states: Mapping[str, list[Event]], name: str
) -> None:
    state, size = README[name]
    svg = await screen_of(size, states[state], theme=name.removeprefix(f"{state}-"))
    looks_as_kept(name, svg)
