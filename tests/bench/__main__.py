"""`python -m tests.bench`: how fast the loop is on this machine, as one JSON object.

Everything runs as people run it: the real app in a pty of 160x45, the real kernel, design and
compiler, in a copy of the project. Times are in milliseconds unless a key says otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from tests.bench import bare, load, loop
from tests.bench.project import Project
from workbench.build import find_clang

AIMS = {
    "save_to_painted over bare, p50": 100,
    "start to first paint": 500,
    "start to first verdict, reference cached": 1200,
    "check, warm": 800,
    "idle CPU, share of one core": 0.01,
    "200,000 log lines, MiB": 60,
    "longest turn of the event loop": 50,
    "key to paint in a stream of 5,000 lines/s, p95": 50,
}


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--saves", type=int, default=50, help="saves measured (default: 50)")
    parser.add_argument("--repeats", type=int, default=5, help="starts and checks (default: 5)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as scratch:
        project = Project(Path(folder))
        figures = {
            "machine": _machine(),
            "aims": AIMS,
            **_saves(project, Path(scratch), arguments.saves),
            **_starts(project, arguments.repeats),
            **_load(project, Path(scratch), arguments.saves),
        }
    print(json.dumps(figures, indent=1))


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "compiler": find_clang().name,
        "load_before": os.getloadavg()[0],
    }


def _saves(project: Project, scratch: Path, count: int) -> dict[str, Any]:
    _say(f"{count} saves, by hand and in the app")
    by_hand = _spread(bare.seconds(project, scratch, bare.plain) for _ in range(count))
    same = _spread(bare.seconds(project, scratch, bare.same) for _ in range(count))
    loop.check(project)
    painted = _spread(loop.saves(project, count))
    parts = list(loop.parts_of_saves(project, max(5, count // 5)))
    return {
        "bare_compile_and_call": by_hand,
        "bare_with_the_workbench's_commands": same,
        "save_to_painted": painted,
        "save_to_painted over bare, p50": round(painted["p50"] - by_hand["p50"], 1),
        "save_to_event_without_ui, medians": {
            name: _ms(median(part[name] for part in parts)) for name in parts[0]
        },
    }


def _starts(project: Project, repeats: int) -> dict[str, Any]:
    _say("starts and checks, warm and cold")
    warm = [loop.starts(project) for _ in range(repeats)]
    checks = [loop.check(project) for _ in range(repeats)]
    cold, cold_checks = [], []
    for _ in range(max(1, repeats // 2)):
        project.forget()
        cold.append(loop.starts(project))
        project.forget()
        cold_checks.append(loop.check(project))
    return {
        "start_to_first_paint": _spread(start["paint"] for start in warm),
        "start_to_first_verdict, reference cached": _spread(start["verdict"] for start in warm),
        "start_to_first_verdict, nothing cached": _spread(start["verdict"] for start in cold),
        "check, warm": _spread(checks),
        "check, nothing cached": _spread(cold_checks),
    }


def _load(project: Project, scratch: Path, keys: int) -> dict[str, Any]:
    _say("the app at rest and under a talkative compiler")
    idle = load.idle_cpu(project, 10.0)
    flooded = load.flooded(project, 200_000)
    turns = load.longest_turns(project, scratch, 10, 200_000)
    return {
        "idle_cpu, share of one core": round(idle, 4),
        "memory, MiB": {
            "at first": round(flooded["before"], 1),
            "of 200,000 log lines": round(flooded["after"] - flooded["before"], 1),
        },
        "save_to_painted with 200,000 log lines": _ms(flooded["verdict"]),
        "longest turn of the event loop": {name: _ms(turn) for name, turn in turns.items()},
        "key_to_paint in a stream of 5,000 lines/s": _spread(
            load.keys_in_a_stream(project, max(20, keys), 5_000)
        ),
    }


def _spread(seconds: Iterable[float]) -> dict[str, float]:
    values = sorted(seconds)
    p95 = quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
    return {
        "n": len(values),
        "min": _ms(values[0]),
        "p50": _ms(median(values)),
        "p95": _ms(p95),
        "max": _ms(values[-1]),
    }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
