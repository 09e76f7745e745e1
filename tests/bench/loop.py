"""Times of the loop: from a save or a start to what is painted or printed."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator

from tests.bench.project import KERNEL, Project
from tests.bench.terminal import COMMAND, Terminal

PAUSE_S = 0.5
"""Between saves, as between those of a person: the next model process has time to get ready."""

FIRST_WORD = "STARTING"


def saves(project: Project, count: int) -> Iterator[float]:
    """Seconds from each save to its verdict on screen."""
    with Terminal([KERNEL], project.folder) as terminal:
        terminal.see(project.shown_hash)
        for _ in range(count):
            time.sleep(PAUSE_S)
            terminal.forget()
            saved, shown_hash = project.save()
            yield terminal.see(shown_hash) - saved


def parts_of_saves(project: Project, count: int) -> Iterator[dict[str, float]]:
    """The same without a terminal UI: seconds from each save to the engine's events."""
    watch = subprocess.Popen(
        [*COMMAND, "watch", KERNEL, "--json"],
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert watch.stdout is not None
        events = map(json.loads, watch.stdout)
        _until_finished(events, 0.0)
        for _ in range(count):
            time.sleep(PAUSE_S)
            saved, _ = project.save()
            yield _until_finished(events, saved)
    finally:
        watch.terminate()
        watch.wait()


def _until_finished(events: Iterator[dict[str, object]], since: float) -> dict[str, float]:
    seen: dict[str, float] = {}
    for event in events:
        name = str(event["event"])
        if name in ("saved", "run-started", "run-finished"):
            seen[name] = time.monotonic() - since
        elif name == "step-finished":
            seen[f"{event['step']} finished"] = time.monotonic() - since
        if name == "run-finished":
            break
    return seen


def starts(project: Project) -> dict[str, float]:
    """Seconds from the command to the first paint and to the first verdict."""
    with Terminal([KERNEL], project.folder) as terminal:
        painted = terminal.see(FIRST_WORD) - terminal.started
        return {"paint": painted, "verdict": terminal.see(project.shown_hash) - terminal.started}


def check(project: Project) -> float:
    """Seconds of a `check`."""
    started = time.monotonic()
    command = [*COMMAND, "check", KERNEL]
    subprocess.run(command, cwd=project.folder, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started
