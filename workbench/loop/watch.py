"""Noticing saves: which of the watched files hold other bytes than before.

Events of the file system (watchdog, on the files' folders) only wake us up; what counts is each
file's content. That makes every editor's way of saving the same thing, and a save without change
nothing. A slow look at the files' stat catches what events miss; once it has, this file system
doesn't deliver events (NFS, some containers) and the look becomes a fast one: polling.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import manifest

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent
    from watchdog.observers.api import BaseObserver, ObservedWatch

QUIET_S = 0.05
"""A state counts once nothing has happened for this long."""

DEADLINE_S = 0.5
"""Longest wait for quiet, or for an emptied or vanished file to come back."""

LOOK_S = 1.0
"""Between looks at the files when events work."""

POLL_S = 0.1
"""Between looks when they don't."""

Stat = tuple[int, int, int] | None


class Watcher:
    """Watches files by content. Use it inside a running event loop, and `close` it."""

    def __init__(self, on_touched: Callable[[], None] = lambda: None) -> None:
        """`on_touched` is called at once when a file's bytes differ, before it is quiet."""
        self._on_touched = on_touched
        self._loop = asyncio.get_running_loop()
        self._poke = asyncio.Event()
        self._known: dict[str, str | None] = {}
        self._stats: dict[str, Stat] = {}
        self._folders: dict[str, tuple[ObservedWatch, int]] = {}
        self._observer: BaseObserver | None = None
        self.polling_because: str | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The watched files."""
        return tuple(self._known)

    def watch(self, paths: Iterable[str]) -> None:
        """Watch exactly these files. Those already watched keep the content they are known by."""
        wanted = sorted({os.path.abspath(path) for path in paths})
        self._known = {p: self._known.get(p, manifest.sha256_file(p)) for p in wanted}
        self._stats = {p: self._stats.get(p, _stat(p)) for p in wanted}
        self._watch_folders()

    def state(self) -> dict[str, str | None]:
        """Each file's content hash as of now, taken as known from here on."""
        self._known = {path: manifest.sha256_file(path) for path in self._known}
        self._stats = {path: _stat(path) for path in self._known}
        return dict(self._known)

    async def changed(self) -> tuple[str, ...]:
        """Wait until files hold other bytes and are quiet; returns those files."""
        while True:
            poked = await self._woken(POLL_S if self.polling_because else LOOK_S)
            self._watch_folders()
            if not self._touched():
                continue
            if not poked and self.polling_because is None:
                self.polling_because = "this file system reports no events"
            touched = self._differing()
            if not touched:
                continue
            self._on_touched()
            await self._quiet()
            before = self._known
            after = self.state()
            # Bytes that came back to what they were still end the wait: the run they had started
            # was stopped by `on_touched`.
            return tuple(p for p in after if after[p] != before.get(p)) or tuple(touched)

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.stop()
            self._observer = None

    async def _woken(self, timeout_s: float) -> bool:
        try:
            await asyncio.wait_for(self._poke.wait(), timeout_s)
        except TimeoutError:
            return False
        self._poke.clear()
        return True

    async def _quiet(self) -> None:
        end = self._loop.time() + DEADLINE_S
        while self._loop.time() < end:
            woken = await self._woken(QUIET_S)
            moved = self._touched()
            # An empty or missing file is half a save, so far.
            settled = all(_size(path) for path in self._known if self._known[path] is not None)
            if not woken and not moved and settled:
                return

    def _touched(self) -> bool:
        """Whether any file's stat moved since the last look."""
        now = {path: _stat(path) for path in self._known}
        moved = now != self._stats
        self._stats = now
        return moved

    def _differing(self) -> list[str]:
        return [path for path, digest in self._known.items() if manifest.sha256_file(path) != digest]

    def _watch_folders(self) -> None:
        """Keep a watch on each file's folder, and on that of what it links to."""
        if self.polling_because is not None:
            return
        wanted: dict[str, int] = {}
        for path in self._known:
            for folder in {os.path.dirname(path), os.path.dirname(os.path.realpath(path))}:
                with contextlib.suppress(OSError):
                    wanted[folder] = os.stat(folder).st_ino
        if wanted == {folder: inode for folder, (_, inode) in self._folders.items()}:
            return
        try:
            self._follow(wanted)
        except OSError as error:
            self.polling_because = f"the system refuses to watch folders: {error.strerror}"

    def _follow(self, wanted: dict[str, int]) -> None:
        from watchdog.observers import Observer

        if self._observer is None:
            self._observer = Observer()
            self._observer.daemon = True
            self._observer.start()
        for folder, (watch, inode) in list(self._folders.items()):
            if wanted.get(folder) != inode:
                with contextlib.suppress(KeyError, OSError):
                    self._observer.unschedule(watch)
                del self._folders[folder]
        for folder, inode in wanted.items():
            if folder not in self._folders:
                watch = self._observer.schedule(_Waker(self._loop, self._wake, set()), folder)
                self._folders[folder] = (watch, inode)

    def _wake(self, event: FileSystemEvent) -> None:
        names = {os.path.basename(os.fsdecode(p)) for p in (event.src_path, event.dest_path) if p}
        if names & {os.path.basename(path) for path in self._known} or event.is_directory:
            self._poke.set()


def _stat(path: str) -> Stat:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _size(path: str) -> int:
    stat = _stat(path)
    return stat[1] if stat else 0
