"""Noticing saves: which of the watched files hold other bytes than before.

Events of the file system only wake us up; what counts is each file's content. That makes every
editor's way of saving the same thing, and a save without change nothing. A slow look at the content
catches what events miss; once it has, this file system doesn't deliver events (NFS, some
containers) and the look becomes a fast one: polling.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from workbench import manifest

if TYPE_CHECKING:
    from workbench.loop.folders import FolderEvents

QUIET_S = 0.05
"""A state counts once nothing has happened for this long."""

QUIET_WHOLE_S = 0.01
"""The same after a file was closed or renamed into place: only more files of that save can come."""

DEADLINE_S = 0.5
"""Longest wait for quiet, or for an emptied or vanished file to come back."""

LOOK_S = 1.0
"""Between looks at the content when events work."""

POLL_S = 0.1
"""Between looks at the files' stat when they don't."""

NOT_YET = (None, manifest.sha256_bytes(b""))
"""Content of a file in the middle of a save: missing or empty."""

LINKS = 40
"""Symbolic links that are followed, as many as Linux does."""

Stat = tuple[int, ...] | None
Contents = dict[str, str | None]


class Watcher:
    """Watches files by content. Use it inside a running event loop, and `close` it.

    `polling_because` says why events don't do, and is None while they do. It can change until
    `changed` returns.
    """

    def __init__(self, on_touched: Callable[[], None] = lambda: None) -> None:
        """`on_touched` is called at once when a file's bytes differ, before it is quiet."""
        self.polling_because: str | None = None
        self._on_touched = on_touched
        self._loop = asyncio.get_running_loop()
        self._poke = asyncio.Event()
        self._known: Contents = {}
        self._stats: dict[str, Stat] = {}
        self._read_at = 0.0
        self._events: FolderEvents | None = None
        self._followed: object = None
        self._heard = False
        self._whole = False
        """Whether the last that was heard of a file is that it has its whole content."""
        self._doubted_at: float | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The watched files, absolute."""
        return tuple(self._known)

    def watch(self, paths: Iterable[str], known: Mapping[str, str | None] | None = None) -> None:
        """Watch exactly these files.

        `known` gives the content hash that a file is to be compared with, for a caller that has
        read it. Of the others, those already watched keep the content they are known by, and a new
        one is known by what it holds now.
        """
        given = {os.path.abspath(path): digest for path, digest in (known or {}).items()}
        given = self._known | given
        wanted = sorted({os.path.abspath(path) for path in paths})
        # Followed first, read then: a save in between is heard.
        self._known = dict.fromkeys(wanted)
        self._follow()
        self._known = {p: given[p] if p in given else manifest.sha256_file(p) for p in wanted}
        self._poke.set()

    def state(self) -> Contents:
        """Each file's content hash as of now, taken as known from here on."""
        self._known = {path: manifest.sha256_file(path) for path in self._known}
        return dict(self._known)

    async def changed(self) -> tuple[str, ...]:
        """Wait until files hold other bytes and are quiet; returns those files.

        Files whose bytes are back to what they were are returned too if `on_touched` was called
        for them: whoever stopped a run then has to start it again.
        """
        self._poke.set()
        while True:
            woken = await self._woken(POLL_S if self.polling_because else LOOK_S)
            heard, self._heard = self._heard, False
            self._whole &= heard
            self._judge_events(heard)
            moved = self._follow()
            if not (differing := self._differing(read=woken)):
                continue
            files = await self._settled(differing)
            if not (heard or self._heard or moved or self.polling_because):
                self._doubted_at = self._loop.time()
            if files:
                return files

    def close(self) -> None:
        """Stop watching."""
        if self._events is not None:
            self._events.close()
            self._events = None

    async def _woken(self, timeout_s: float) -> bool:
        """Whether there was something to look at within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._poke.wait()
        except TimeoutError:
            return False
        self._poke.clear()
        return True

    def _judge_events(self, heard: bool) -> None:
        """Give up on events when a change was seen and none followed.

        They get DEADLINE_S to come late: watchdog can hold a rename back for as long.
        """
        if heard:
            self._doubted_at = None
        elif self._doubted_at is not None and self._loop.time() > self._doubted_at + DEADLINE_S:
            self._poll("this file system reports no events")

    def _poll(self, because: str) -> None:
        self.polling_because = because
        self._doubted_at = None
        self._poke.set()
        self.close()

    async def _settled(self, differing: Contents) -> tuple[str, ...]:
        """The files that differ once it is quiet."""
        deadline = self._loop.time() + DEADLINE_S
        touched: dict[str, None] = {}
        while True:
            whole = [path for path, digest in differing.items() if digest not in NOT_YET]
            late = self._loop.time() >= deadline
            news = differing if late else whole
            if news and not touched:
                self._on_touched()
            touched |= dict.fromkeys(news)
            if late:
                break
            woken = await self._woken(QUIET_WHOLE_S if self._whole else QUIET_S)
            self._follow()
            before, differing = differing, self._differing(read=True)
            if not woken and differing == before and len(whole) == len(differing):
                break
        self._known |= differing
        return tuple(differing or touched)

    def _differing(self, *, read: bool) -> Contents:
        """Files that hold other bytes than known.

        Without `read`, they are read only where a stat has moved, and all LOOK_S: a stat can stay
        the same for a second write within a clock tick, and lag behind on network file systems.
        """
        stats = {path: _stat(path) for path in self._known}
        now = self._loop.time()
        if not read and stats == self._stats and now - self._read_at < LOOK_S:
            return {}
        self._stats, self._read_at = stats, now
        contents = ((path, manifest.sha256_file(path)) for path in self._known)
        return {path: digest for path, digest in contents if digest != self._known[path]}

    def _follow(self) -> bool:
        """Follow the folders of the files, and of what they link to; whether anything is new."""
        if self.polling_because is not None:
            return False
        files = sorted({place for path in self._known for place in _places(path)})
        folders = {folder: _stat(folder) for folder in sorted(map(os.path.dirname, files))}
        # Of a folder's stat only its identity counts: its time moves with every save.
        followed = (files, {folder: stat[:2] for folder, stat in folders.items() if stat})
        if followed == self._followed and not (self._events and self._events.lost):
            return False
        from workbench.loop.folders import FolderEvents

        before, self._events, self._followed = self._events, None, followed
        try:
            self._events = FolderEvents(followed[1], files, self._note_event)
        except (FileNotFoundError, NotADirectoryError):
            self._followed = None  # gone in this very moment: followed at the next look
        except OSError as error:
            self._poll(f"the system refuses to watch folders: {error.strerror}")
        if before is not None:
            before.close()
        return True

    def _note_event(self, whole: bool) -> None:
        self._heard, self._whole = True, whole
        self._poke.set()


def _places(path: str) -> Iterator[str]:
    """Where `path` lies, link by link, each in a folder's real path."""
    for _ in range(LINKS):
        folder, name = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), name)
        yield path
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))
        except OSError:
            return


def _stat(path: str) -> Stat:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
