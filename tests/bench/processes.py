"""What /proc says of the app and its children."""

from __future__ import annotations

import os
from pathlib import Path


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: state, ppid, ...; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def group_of(pid: int) -> list[int]:
    """The process and its descendants that live."""
    parents = {int(p.name): _stat(int(p.name)) for p in Path("/proc").glob("[0-9]*")}
    found = [pid] if parents.get(pid) else []
    for parent in found:
        found += [child for child, stat in parents.items() if stat and int(stat[1]) == parent]
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time of the process and its living descendants, and of children they have waited for."""
    ticks = sum(sum(map(int, stat[11:15])) for p in group_of(pid) if (stat := _stat(p)))
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    """Resident memory of one process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
