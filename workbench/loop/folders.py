"""Events of folders, through watchdog: a poke into the event loop from the observer's thread.

A folder is followed, never a file: an editor that saves by renaming takes the file's inode away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable, Collection, Iterable

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

# Opening and reading are left out: our own hashing and the compiler do both all the time.
_EVENTS: list[type[FileSystemEvent]] = [
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
]

# The library's complaints would land in the middle of a terminal UI.
_logger = logging.getLogger("watchdog")
_logger.addHandler(logging.NullHandler())
_logger.propagate = False


class FolderEvents(FileSystemEventHandler):
    """Calls `poke`, in the event loop, when something happens to one of `files`.

    It is told whether a file has got its whole content: its writer closed it, or it was renamed
    into its place. `lost` turns true when one of the folders is deleted: nothing more is heard
    from it then, even when a folder of that name comes back.
    """

    def __init__(
        self, folders: Iterable[str], files: Iterable[str], poke: Callable[[bool], None]
    ) -> None:
        """Follow `folders` (real paths, existing); OSError when the system refuses."""
        self.lost = False
        self._loop = asyncio.get_running_loop()
        self._folders = frozenset(folders)
        self._files = frozenset(files)
        self._poke = poke
        self._observer = Observer()
        self._observer.start()
        try:
            for folder in self._folders:
                self._observer.schedule(self, folder, event_filter=_EVENTS)
        except OSError:
            self.close()
            raise

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Called in the observer's thread."""
        paths = {os.fsdecode(path) for path in (event.src_path, event.dest_path) if path}
        gone = event.is_directory and not paths.isdisjoint(self._folders)
        if gone or not paths.isdisjoint(self._files):
            self.lost |= gone
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is listening
                self._loop.call_soon_threadsafe(self._poke, _is_whole(event, self._files))

    def close(self) -> None:
        """Stop following. Returns at once: the library joins its threads, which can take 0.5 s."""
        threading.Thread(target=self._observer.stop, name="stop-observer", daemon=True).start()


def _is_whole(event: FileSystemEvent, files: Collection[str]) -> bool:
    if isinstance(event, FileMovedEvent):
        return os.fsdecode(event.dest_path) in files
    return isinstance(event, FileClosedEvent)
