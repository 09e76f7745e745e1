"""What a cached thing was made from: files by content hash, and whether they are still the same.

A manifest is a JSON file beside the thing it vouches for. Content decides, never a time stamp.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"
"""The manifest's name in a folder of its own."""

KEPT = 100
"""Entries of a cache folder that `prune` leaves."""


def sha256_bytes(data: bytes) -> str:
    """Hex digest of `data`."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: str | Path) -> str | None:
    """Hex digest of a file's content; None when it isn't a regular file that can be read."""
    try:
        # A named pipe would block here for as long as nobody writes to it.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with open(fd, "rb", closefd=False) as file:
            return sha256_bytes(file.read())
    except OSError:
        return None
    finally:
        os.close(fd)


def key_of(*parts: object) -> str:
    """A short stable key for a cache folder, from anything JSON can hold."""
    return sha256_bytes(json.dumps(parts, sort_keys=True, default=str).encode())[:32]


def file_hashes(paths: Iterable[str]) -> dict[str, str | None]:
    """Each path's content hash."""
    return {path: sha256_file(path) for path in sorted(set(paths))}


def change_time(path: str | Path) -> int:
    """When the file or folder was last changed, in nanoseconds of its file system's clock."""
    return os.stat(path).st_ctime_ns


def changed_since(paths: Iterable[str], moment_ns: int) -> bool:
    """Whether any of the files was changed after `moment_ns`, the `change_time` of another file.

    By the inode's change time, which no program can set, and which all local file systems take from
    one clock. A time in the future tells nothing: that is a file server whose clock is wrong.
    """
    now = time.time_ns()
    for path in paths:
        with contextlib.suppress(OSError):
            if moment_ns < change_time(path) <= now:
                return True
    return False


@contextlib.contextmanager
def new_folder(parent: Path, key: str) -> Iterator[Path]:
    """A folder of its own under `key`, since two workbenches may make the same thing at once.

    It is gone afterwards unless it has got a manifest; the oldest of its kind are pruned.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{key}-", dir=parent))
    try:
        yield folder
    finally:
        if not (folder / MANIFEST).exists():
            shutil.rmtree(folder, ignore_errors=True)
    prune(parent)


def prune(folder: Path, keep: int = KEPT) -> None:
    """Delete the oldest files and folders in a cache folder, all but `keep` of them."""
    with contextlib.suppress(OSError):
        entries = [(entry.stat().st_mtime_ns, entry.path) for entry in os.scandir(folder)]
        for _, path in sorted(entries)[: max(0, len(entries) - keep)]:
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)


def write(path: Path, *, files: Mapping[str, str | None], data: Mapping[str, Any]) -> None:
    """Write a manifest in one step: a reader sees the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    draft.write_text(json.dumps({"files": dict(files), "data": dict(data)}))
    os.replace(draft, path)


def read(path: Path) -> dict[str, Any] | None:
    """The data of a manifest whose files are all unchanged; None otherwise."""
    try:
        content = json.loads(path.read_text())
        files, data = dict(content["files"]), dict(content["data"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not all(
        digest is not None and sha256_file(name) == digest for name, digest in files.items()
    ):
        return None
    return data
