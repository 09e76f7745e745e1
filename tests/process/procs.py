"""Who is alive: processes and file descriptors, as /proc tells."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path


async def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition; TimeoutError when it doesn't come true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def _stat(pid: str) -> list[str]:
    """The fields of /proc/PID/stat from the third on; none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _processes() -> list[tuple[int, list[str]]]:
    names = (entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [(int(name), fields) for name in names if (fields := _stat(name))]


def group(pgid: int) -> list[int]:
    """The processes of a group, our own zombies too, but not those that init is to reap."""
    members = ((pid, fields) for pid, fields in _processes() if int(fields[2]) == pgid)
    ours = str(os.getpid())
    return [pid for pid, fields in members if fields[0] not in "ZX" or fields[1] == ours]


async def gone(pgid: int) -> None:
    """Wait until nobody of the group is left."""
    await until(lambda: not group(pgid))


def children() -> list[int]:
    """Our own children, zombies too."""
    return [pid for pid, fields in _processes() if int(fields[1]) == os.getpid()]


def alive(pid: int) -> bool:
    """Whether a process runs: neither gone nor a zombie."""
    fields = _stat(str(pid))
    return bool(fields) and fields[0] not in "ZX"


def open_fds() -> int:
    """How many file descriptors we hold."""
    return len(os.listdir("/proc/self/fd"))
