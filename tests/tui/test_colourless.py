"""What colours say is said without them too: each state of each part has a text of its own."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Literal

import pytest
from textual.widget import Widget

from tests.projects import KERNEL, Project
from tests.tui.conftest import Open
from tests.tui.scripted import (
    MISMATCH,
    PASSED,
    a_run,
    core_memory,
    off_at,
    result,
    started,
    text_of,
    verdict,
    with_memory,
)
from tests.tui.tmux import WORKBENCH, Tmux
from workbench.build import Diagnostic, StepResult
from workbench.device.choose import DeviceInfo
from workbench.loop.events import Event, Missing, RunCancelled, Saved, StepFinished, StepStarted
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.minimap import MiniMap
from workbench.tui.panes import PanesView
from workbench.tui.problems import Problems
from workbench.tui.runs_strip import RunsStrip
from workbench.tui.stage_table import StageTable
from workbench.tui.step_strip import StepStrip
from workbench.tui.verdict_bar import VerdictBar
from workbench.verdict.stages import StageResult

FAILED = result(1, "fail", verdict=verdict(off_at(2, 3, 9), findings=(MISMATCH,)))
DIAGNOSED = (
    Diagnostic("k.c", 12, 9, "warning", "unused variable 'row'"),
    Diagnostic("k.c", 31, 17, "error", "expected ';' after expression"),
)
OF_STAGE = replace(MISMATCH, evidence={"stage": "scores"})
ON_NPU = replace(PASSED, device=DeviceInfo("npu", "NPU Phoenix (npu1)", "all parts are here"))
STATUSES = ("pass", "fail", "build-failed", "crash", "hang", "deadlock", "no-device", "error")


def ends(status: str) -> list[Event]:
    return a_run(replace(PASSED, status=status))  # type: ignore[arg-type]


def steps(status: str) -> list[Event]:
    begun: list[Event] = [started(1), StepStarted(1, "compile")]
    if status == "running":
        return begun
    return [*begun, StepFinished(1, StepResult("compile", status, 0.1))]  # type: ignore[arg-type]


def off(by: int) -> list[Event]:
    """An element that is equal, within tolerance, over it, or far over it."""
    return a_run(result(1, "fail", verdict=verdict(off_at(2, 3, by))))


def staged(severity: Literal["error", "warning", "info"] | None) -> list[Event]:
    """A stage, and what is said of it."""
    stages = (StageResult("scores", "k.c:9", 64, 64, False),)
    said = () if severity is None else (replace(OF_STAGE, severity=severity),)
    judged = verdict(off_at(2, 3, 9), findings=said)
    return a_run(replace(FAILED, verdict=judged, stages=stages))


STATES: dict[str, tuple[type[Widget], Sequence[Sequence[Event]]]] = {
    "phases": (
        VerdictBar,
        [
            *(ends(status) for status in STATUSES),
            [started(1)],
            [started(1), RunCancelled(1, "asked to")],
            [*a_run(PASSED), Saved(1, ("k.c",))],
            [*a_run(PASSED), Missing(1, "k.c")],
        ],
    ),
    "devices": (VerdictBar, [a_run(PASSED), a_run(ON_NPU)]),
    "steps": (StepStrip, [steps(s) for s in ("running", "ok", "failed", "skipped", "cached")]),
    "runs": (RunsStrip, [[*a_run(PASSED), *a_run(replace(r, run=2))] for r in (PASSED, FAILED)]),
    "problems": (
        Problems,
        [
            a_run(PASSED),
            a_run(FAILED),
            [*a_run(FAILED), Saved(1, ("k.c",))],
            a_run(replace(FAILED, status="build-failed", verdict=None, diagnostics=DIAGNOSED)),
            a_run(replace(FAILED, verdict=verdict(findings=(replace(MISMATCH, severity="info"),)))),
            a_run(
                replace(FAILED, verdict=verdict(findings=(replace(MISMATCH, severity="warning"),)))
            ),
        ],
    ),
    "metrics": (MetricsTable, [a_run(PASSED), a_run(FAILED)]),
    "panes": (PanesView, [off(by) for by in (0, 1, 2, 9)]),
    "map": (MiniMap, [off(by) for by in (0, 1, 2, 9)]),
    "stages": (StageTable, [staged(s) for s in (None, "info", "warning", "error")]),
    "memory": (
        MemoryMap,
        [
            a_run(result(1, "pass", verdict=with_memory(verdict(), core_memory(need))))
            for need in (600, 4512)
        ],
    ),
}


@pytest.mark.parametrize("name", STATES)
async def test_states_differ_without_colour(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    kind, states = STATES[name]
    texts = []
    for events in states:
        async with open_app((160, 45)) as (app, pilot):
            app.emit(*events)
            await pilot.pause()
            await pilot.pause()
            part = app.screen.query_one(kind)
            if kind in (MemoryMap, StageTable):
                await pilot.press("M" if kind is MemoryMap else "S")
                await pilot.pause()
                await pilot.pause()
            texts.append(f"{part.border_title}\n{text_of(part)}")
    for one, other in combinations(texts, 2):
        assert one != other


async def test_the_log_differs_without_colour(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_app((160, 45)) as (app, pilot):
        app.emit(*a_run(PASSED, log=[f"line {n}" for n in range(99)]))
        await pilot.pause()
        log = app.screen.query_one(LogView)
        log.flush()
        followed = text_of(log)
        log.action_pause()
        assert text_of(log) != followed


CODES: dict[str, Callable[[int], bool]] = {
    "none": lambda code: code in (0, 1, 2, 3, 4, 7, 22, 23, 24, 27, 39, 49),
    "16": lambda code: code <= 49 or 90 <= code <= 97 or 100 <= code <= 107,
}


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
@pytest.mark.parametrize("theme", [None, "light", "high-contrast"])
@pytest.mark.parametrize(("term", "colours"), [("screen-256color", "none"), ("screen", "16")])
def test_a_terminal_gets_no_colours_that_it_has_not(
    project: Project, term: str, colours: str, theme: str | None
) -> None:
    project.kernel.write_text(KERNEL.replace("* factor", "+ factor"))
    env = {name: value for name, value in os.environ.items() if name != "COLORTERM"}
    if colours == "none":
        env["NO_COLOR"] = "1"
    command = ["env", f"TERM={term}", *WORKBENCH, "kernels/scale.c"]
    with Tmux(command + (["--theme", theme] if theme else []), project.folder, env) as terminal:
        terminal.see("✗ FAIL", "run 1")
        sequences = re.findall(r"\x1b\[([\d;:]*)m", terminal.styled)
        codes = {int(code) for sequence in sequences for code in re.split("[;:]", sequence) if code}
        assert codes
        assert all(map(CODES[colours], codes)), codes
        assert not {38, 48} & codes
        assert "FAIL" in terminal.screen
        assert not list(unreadable(terminal.styled))


def unreadable(styled: str) -> Iterator[str]:
    """Text in the colour that it stands on."""
    ink, ground = 39, 49
    for codes, text in re.findall(r"\x1b\[([\d;]*)m([^\x1b]*)", styled):
        for code in map(int, codes.split(";")) if codes else (0,):
            ink = code if code in range(30, 40) or (code >= 90 and code < 100) else ink
            ground = code if code in range(40, 50) or code >= 100 else ground
            ink, ground = (39, 49) if code == 0 else (ink, ground)
        if ink + 10 == ground and ink != 39 and re.search(r"[^\s█▀▄]", text):
            yield text
