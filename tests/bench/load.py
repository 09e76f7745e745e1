"""The app at rest, and under a compiler that doesn't stop talking."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.processes import cpu_seconds, resident_mib
from tests.bench.project import KERNEL, Project
from tests.bench.terminal import Terminal

PAUSE_S = 1.0
"""For what comes after a verdict: causes, the next process."""

FLOOD = f"{sys.executable} {Path(__file__).with_name('flood.py')}"

REMARK = ": remark: "
"""Of the flood's lines, as much as is seen of them in a narrow log."""

HOME = "\x1b[H"

KEYS = [*"wmMSvdhjklgGnNpcfu?", "\x1b", *"zzT[]{}b"]
"""Through most parts of the screen; each is followed by its repaint."""


def idle_cpu(project: Project, seconds: float) -> float:
    """CPU time of the app and its children at rest, as a share of one core."""
    with Terminal([KERNEL], project.folder) as terminal:
        terminal.see(project.shown_hash)
        time.sleep(2.0)
        before, started = cpu_seconds(terminal.pid), time.monotonic()
        time.sleep(seconds)
        return (cpu_seconds(terminal.pid) - before) / (time.monotonic() - started)


def flooded(project: Project, lines: int) -> dict[str, float]:
    """What `lines` lines of compiler output cost: the app's resident memory (MiB), and time."""
    with Terminal([KERNEL], project.folder, project.noisy_clang()) as terminal:
        terminal.see(project.shown_hash)
        time.sleep(1.0)
        before = resident_mib(terminal.pid)
        project.flood(f"{FLOOD} {lines} 0")
        terminal.forget()
        saved, shown_hash = project.save()
        verdict = terminal.see(shown_hash) - saved
        time.sleep(1.0)
        after = resident_mib(terminal.pid)
    return {"before": before, "after": after, "verdict": verdict}


def longest_turns(project: Project, scratch: Path, saves: int, lines: int) -> dict[str, float]:
    """The longest turn (seconds) of the app's event loop: whatever it was, it held up painting."""
    file = scratch / "turns"
    command = (sys.executable, "-m", "tests.bench.turns", str(file))
    env = {**project.noisy_clang(), "PYTHONPATH": str(Path(__file__).parents[2])}
    since = {"start": time.monotonic()}
    with Terminal([KERNEL], project.folder, env, command) as terminal:
        terminal.see(project.shown_hash)
        time.sleep(PAUSE_S)
        since["saves"] = time.monotonic()
        for _ in range(saves):
            terminal.forget()
            terminal.see(project.save()[1])
            time.sleep(PAUSE_S)
        since["keys"] = time.monotonic()
        for key in KEYS:
            terminal.press(key)
            time.sleep(0.1)
        since[f"{lines:,} log lines"] = time.monotonic()
        project.flood(f"{FLOOD} {lines} 0")
        terminal.forget()
        terminal.see(project.save()[1])
        time.sleep(PAUSE_S)
    return {name: max(_turns(file, start, since), default=0.0) for name, start in since.items()}


def _turns(file: Path, start: float, since: dict[str, float]) -> Iterator[float]:
    end = min((other for other in since.values() if other > start), default=math.inf)
    for line in file.read_text().splitlines() if file.exists() else ():
        ended, seconds, _ = line.split(maxsplit=2)
        if start <= float(ended) < end:
            yield float(seconds)


def keys_in_a_stream(project: Project, count: int, rate: int) -> Iterator[float]:
    """Seconds from each key to the moved cursor, while `rate` lines a second come in."""
    with Terminal([KERNEL], project.folder, project.noisy_clang()) as terminal:
        terminal.see(project.shown_hash)
        project.flood(f"{FLOOD} {rate * (5 + count // 4)} {rate}")
        terminal.forget()
        project.save()
        terminal.see("RUNNING compile")
        terminal.press("g")
        terminal.press(HOME)
        terminal.see(REMARK)
        for n in range(count):
            there = n // 40 % 2 == 0
            column = n % 40 + 1 if there else 39 - n % 40
            yield -terminal.press("l" if there else "h") + terminal.see(f"[0,{column}]")
            time.sleep(0.2)
        # The stream ended before the keys did: then they were not measured in it.
        terminal.forget()
        terminal.see(REMARK, 5.0)
        terminal.press("x")
        terminal.see("CANCELLED")
