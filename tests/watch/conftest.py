"""A watcher at work on a kernel, and everything it reports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.process.procs import until
from workbench.loop.watch import Watcher

OLD = b"int a = 1;\n"
NEW = b"int a = 2;\n"


class Watched:
    """Collects what a watcher reports; `marker` is a watched file that tests end with."""

    def __init__(self, folder: Path, paths: Iterable[Path]) -> None:
        self.marker = folder / "marker.h"
        self.marker.write_bytes(b"0")
        self.changes: list[tuple[str, ...]] = []
        self.touches = 0
        self.watcher = Watcher(self._touched)
        self.watcher.watch([str(path) for path in (*paths, self.marker)])
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._collect())

    def _touched(self) -> None:
        self.touches += 1

    async def _collect(self) -> None:
        while True:
            self.changes.append(await self.watcher.changed())
            self._changed.set()

    async def change(self, seconds: float = 5.0) -> tuple[str, ...]:
        """The next change."""
        async with asyncio.timeout(seconds):
            await self._changed.wait()
        self._changed.clear()
        return self.changes[-1]

    async def all(self) -> list[tuple[str, ...]]:
        """Every change until now: waits for whatever is still to come."""
        self.marker.write_bytes(self.marker.read_bytes() + b"x")
        while str(self.marker) not in await self.change():
            pass
        changes = [tuple(p for p in c if p != str(self.marker)) for c in self.changes]
        self.changes.clear()
        return [change for change in changes if change]

    async def close(self) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self.watcher.close()


@asynccontextmanager
async def watching(folder: Path, *paths: Path) -> AsyncIterator[Watched]:
    """A watcher of `paths`."""
    watched = Watched(folder, paths)
    # What comes before the first look needs no event to be found.
    await until(lambda: not watched.watcher._poke.is_set())
    try:
        yield watched
    finally:
        await watched.close()


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    path = tmp_path / "kernel.c"
    path.write_bytes(OLD)
    return path


@pytest.fixture
async def watched(kernel: Path) -> AsyncIterator[Watched]:
    """A watcher of the kernel."""
    async with watching(kernel.parent, kernel) as watched:
        yield watched


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that looks often, and soon gives up on events."""
    monkeypatch.setattr("workbench.loop.watch.LOOK_S", 0.15)
    monkeypatch.setattr("workbench.loop.watch.DEADLINE_S", 0.1)
