"""Whole screens as text, at the sizes people use. After a change that is meant: look, then renew.

    NPU_WORKBENCH_RENEW_SCREENS=1 pytest tests/tui/test_screens.py

writes the text that is compared, and beside it an SVG to look at, which isn't kept.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.tui.conftest import Open
from tests.tui.scripted import (
    KERNEL,
    MISMATCH,
    a_run,
    core_memory,
    result,
    started,
    verdict,
    with_memory,
)
from workbench.build import Diagnostic, StepResult
from workbench.device.choose import DeviceInfo
from workbench.errors import BuildError, HangError
from workbench.loop.events import (
    Event,
    Missing,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.tui.log_view import LogView

SCREENS = Path(__file__).parent / "screens"
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
PHOENIX = DeviceInfo("npu", "NPU Phoenix (npu1)", "all parts are here")


def on_phoenix(event: Event) -> Event:
    """The event as of a run on the NPU."""
    match event:
        case RunStarted():
            return replace(event, device=PHOENIX)
        case RunFinished():
            return replace(event, result=replace(event.result, device=PHOENIX))
    return event


NPU: list[Event] = list(map(on_phoenix, PASS))

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

CASES: dict[str, tuple[tuple[int, int], Sequence[Event]]] = {
    "pass-160x45": ((160, 45), PASS),
    "fail-160x45": ((160, 45), FAIL),
    "fail-80x24": ((80, 24), FAIL),
    "fail-40x12": ((40, 12), FAIL),
    "build-failed-120x34": ((120, 34), [*FAIL, *BROKEN]),
    "build-failed-80x24": ((80, 24), [*FAIL, *BROKEN]),
    "running-80x24": ((80, 24), [*FAIL, *RUNNING]),
    "hang-80x24": ((80, 24), [*PASS, *HANG]),
    "missing-polling-80x24": (
        (80, 24),
        [*PASS, Watching(6, (), "this file system reports no events"), Missing(6, KERNEL)],
    ),
    "npu-160x45": ((160, 45), NPU),
    "overrun-160x45": ((160, 45), OVERRUN),
    "overrun-80x24": ((80, 24), OVERRUN),
}
MAPS = {f"memory-{name}": CASES[name] for name in ("overrun-80x24", "pass-160x45")}
MAPS["memory-overrun-40x12"] = ((40, 12), OVERRUN)
CASES |= MAPS


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


@pytest.mark.parametrize("name", CASES)
async def test_a_screen_looks_as_it_did(open_app: Open, name: str) -> None:
    size, events = CASES[name]
    async with open_app(size) as (app, pilot):
        app.emit(*events)
        app.now = 1.5
        await pilot.pause()
        app.screen.query_one(LogView).flush()
        if name in MAPS:
            await pilot.press("M")
        await pilot.pause()
        svg = app.export_screenshot()
    kept = SCREENS / f"{name}.txt"
    if os.environ.get("NPU_WORKBENCH_RENEW_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        kept.write_text(text_of_svg(svg))
        kept.with_suffix(".svg").write_text(svg)
    assert text_of_svg(svg) == kept.read_text()
