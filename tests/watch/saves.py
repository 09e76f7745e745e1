"""How editors save, call for call. Each function makes `path` hold `text`, as its editor does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Save = Callable[[Path, bytes], None]


def _write(path: Path, text: bytes, flags: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    try:
        os.write(fd, text)
        os.fsync(fd)
    finally:
        os.close(fd)


def truncate_and_write(path: Path, text: bytes) -> None:
    """nano, VS Code by default, and vim with backupcopy=yes."""
    _write(path, text, os.O_TRUNC)


def overwrite_in_place(path: Path, text: bytes) -> None:
    """vim without backups: written over what was there, then cut to length."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    os.write(fd, text)
    os.ftruncate(fd, len(text))
    os.close(fd)


def write_in_pieces(path: Path, text: bytes) -> None:
    """A program that flushes every few bytes."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for start in range(0, len(text), 8):
        os.write(fd, text[start : start + 8])
    os.close(fd)


def vscode_atomic(path: Path, text: bytes) -> None:
    """VS Code with files.atomic, gedit and kate: a temporary file is renamed over the old one."""
    temporary = path.with_name(f"{path.name}.vsctmp")
    _write(temporary, text, os.O_EXCL)
    os.rename(temporary, path)


def vim_backup_rename(path: Path, text: bytes) -> None:
    """vim with backupcopy=no: probe 4913, old file to file~, new file, backup away."""
    swap = path.with_name(f".{path.name}.swp")
    _write(swap, b"b0VIM 9.0", os.O_EXCL)
    probe = path.with_name("4913")
    os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o100644))
    os.unlink(probe)
    backup = path.with_name(f"{path.name}~")
    os.rename(path, backup)
    _write(path, text, 0)
    os.chmod(path, 0o644)
    os.unlink(backup)
    os.unlink(swap)


def emacs(path: Path, text: bytes) -> None:
    """emacs: lock (a dangling link), auto-save file, old file to file~, new file, lock away."""
    lock = path.with_name(f".#{path.name}")
    autosave = path.with_name(f"#{path.name}#")
    os.symlink("author@host.4711:1700000000", lock)
    _write(autosave, text, os.O_TRUNC)
    os.rename(path, path.with_name(f"{path.name}~"))
    _write(path, text, os.O_TRUNC)
    os.chmod(path, 0o644)
    os.unlink(autosave)
    os.unlink(lock)


def jetbrains(path: Path, text: bytes) -> None:
    """JetBrains' safe write: new beside old, old away, new in its place."""
    new = path.with_name(f"{path.name}___jb_tmp___")
    old = path.with_name(f"{path.name}___jb_old___")
    _write(new, text, os.O_EXCL)
    os.rename(path, old)
    os.rename(new, path)
    os.unlink(old)


def sed(path: Path, text: bytes) -> None:
    """sed -i."""
    temporary = path.with_name("sedY3kTzq")
    _write(temporary, text, os.O_EXCL)
    os.chmod(temporary, 0o644)
    os.rename(temporary, path)


def git_checkout(path: Path, text: bytes) -> None:
    """git: the old file is unlinked, a new one made."""
    os.unlink(path)
    _write(path, text, os.O_EXCL)


def rsync_keeping_times(path: Path, text: bytes) -> None:
    """rsync -t and cp -p: the new file carries an old time, here that of the one it replaces."""
    times = path.stat()
    temporary = path.with_name(f".{path.name}.x7Gh2k")
    _write(temporary, text, os.O_EXCL)
    os.utime(temporary, ns=(times.st_atime_ns, times.st_mtime_ns))
    os.rename(temporary, path)


ALL: list[Save] = [
    truncate_and_write,
    overwrite_in_place,
    write_in_pieces,
    vscode_atomic,
    vim_backup_rename,
    emacs,
    jetbrains,
    sed,
    git_checkout,
    rsync_keeping_times,
]
