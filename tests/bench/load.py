"""The app at rest, and under a compiler that doesn't stop talking."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.processes import cpu_seconds, resident_mib
from tests.bench.project import KERNEL, Project
from tests.bench.terminal import Terminal

FLOOD = f"{sys.executable} {Path(__file__).with_name('flood.py')}"

HOME = "\x1b[H"


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
        terminal.see("not unrolled")
        for n in range(count):
            there = n // 40 % 2 == 0
            column = n % 40 + 1 if there else 39 - n % 40
            yield -terminal.press("l" if there else "h") + terminal.see(f"[0,{column}]")
            time.sleep(0.2)
        # The stream ended before the keys did: then they were not measured in it.
        terminal.forget()
        terminal.see("not unrolled", 5.0)
        terminal.press("x")
        terminal.see("CANCELLED")
