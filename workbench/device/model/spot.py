"""Where in a kernel's code a process of the model is: when it dies, or stopped for a look at it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from workbench.process import Process

LOOKING = 0.25
"""The last part of its time in which a kernel that seems to hang is looked at ..."""

LONGEST_LOOKING_S = 0.3
"""... for at most that long ..."""

LOOKS = 12
"""... and about this often."""

_STOP_S = 0.1
"""Longest wait for a process to stop: on a busy machine it gets there when it has its turn."""

_CODE = re.compile(
    r"^(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) ..x. (?P<offset>[0-9a-f]+) "
    r".*/(?P<name>kernel-\d+\.so)$",
    re.MULTILINE,
)
"""A mapping of a kernel's code in /proc/PID/maps: a copy as `copies` names them."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a kernel's code: the copy's name in the run's folder, and the file's offset."""

    library: str
    offset: int


def copies(folder: Path) -> Iterator[Path]:
    """Names for the copies of libraries that a process loads."""
    return (folder / f"kernel-{number}.so" for number in count())


def spot_of(process: int, addresses: Iterable[int]) -> Spot | None:
    """The first of the addresses that is in a kernel's code in the process of this id."""
    maps = Path(f"/proc/{process}/maps").read_text(errors="replace")
    code = [
        (int(m["start"], 16), int(m["end"], 16), int(m["offset"], 16), m["name"])
        for m in _CODE.finditer(maps)
    ]
    for address in addresses:
        for start, end, offset, name in code:
            if start <= address < end:
                return Spot(name, address - start + offset)
    return None


async def look(process: Process) -> Spot | None:
    """Where in a kernel's code the process is, which stands still for that long.

    None when it is elsewhere or has ended, or the system doesn't say. Cancelling lets it go on.
    """
    # While it is `running` it isn't reaped yet: the id is its own.
    if not process.running:
        return None
    os.kill(process.pid, signal.SIGSTOP)
    try:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while not _has_stopped(process.pid):  # noqa: ASYNC110 (nothing tells of it)
                    await asyncio.sleep(0.001)
            return spot_of(process.pid, _program_counter(process.pid))
    finally:
        if process.running:
            os.kill(process.pid, signal.SIGCONT)
    return None


async def watch(process: Process, limit_s: float, found: Callable[[Spot], None]) -> None:
    """Tell what looks find shortly before `limit_s` from now have passed."""
    looking_s = min(limit_s * LOOKING, LONGEST_LOOKING_S)
    await asyncio.sleep(limit_s - looking_s)
    while process.running:
        spot = await look(process)
        if spot is not None:
            found(spot)
        await asyncio.sleep(looking_s / LOOKS)


def _has_stopped(process: int) -> bool:
    status = Path(f"/proc/{process}/stat").read_text(errors="replace")
    return status.rpartition(")")[2].split()[0] == "T"


def _program_counter(process: int) -> tuple[int, ...]:
    """Of the main thread of a process that is stopped. Source: proc_pid_syscall(5)."""
    last = Path(f"/proc/{process}/syscall").read_text().split()[-1]
    return (int(last, 16),) if last.startswith("0x") else ()
