"""Looking for one thing on the machine, and asking a program about itself without trusting it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.build.diagnostics import strip_ansi
from workbench.process import Process

NO_RUN = "nothing can run on the NPU"
"""What it costs to lack the device, the driver or pyxrt."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a look for one thing gave. With a `problem` it can't be used, found or not."""

    name: str
    path: str | None = None
    version: str | None = None
    problem: str | None = None
    cost: str | None = None
    """What doesn't work for want of it."""
    mend: str | None = None
    """The one line that mends it."""

    @property
    def ok(self) -> bool:
        """Whether it is there and can be used."""
        return self.problem is None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program said, both streams; `problem` when it said nothing that counts."""

    lines: tuple[str, ...]
    problem: str | None = None

    @property
    def text(self) -> str:
        """All lines as one text."""
        return "\n".join(self.lines)

    @property
    def last(self) -> str:
        """The last line that isn't blank."""
        return next((line.strip() for line in reversed(self.lines) if line.strip()), "")


async def ask(
    argv: Sequence[str | Path], limit_s: float, env: Mapping[str, str] | None = None
) -> Answer:
    """Run a program for at most `limit_s` seconds; never raises for what the program does."""
    lines: list[str] = []
    words = [str(word) for word in argv]

    def keep(more: list[str]) -> None:
        lines.extend(strip_ansi(line) for line in more)

    try:
        process = Process(words, on_lines=keep, env=env)
    except OSError as error:
        return Answer((), f"{words[0]} can't be started: {error.strerror}")
    try:
        end = await process.wait(limit_s)
    finally:
        await process.stop()
    problem = None
    if end.timed_out:
        problem = f"{Path(words[0]).name} gave no answer in {limit_s:g} s"
    elif end.returncode != 0:
        how = end.signal_name or f"exit {end.returncode}"
        problem = f"{Path(words[0]).name} ended with {how}"
    return Answer(tuple(lines), problem)


def executable(path: Path) -> bool:
    """Whether there is a file that may be started."""
    return path.is_file() and os.access(path, os.X_OK)


def identity(path: Path) -> str:
    """Something that changes whenever another program stands at `path`; for cache keys."""
    real = path.resolve()
    try:
        stat = real.stat()
    except OSError:
        return str(real)
    return f"{real} {stat.st_size} {stat.st_mtime_ns}"
