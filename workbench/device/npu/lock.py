"""One NPU, several workbenches: whoever drives it holds a lock, which ends with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def lock_file() -> Path:
    """The file of the lock: this user's own."""
    folder = os.environ.get("XDG_RUNTIME_DIR") or f"/tmp/npu-workbench-{os.getuid()}"
    return Path(folder) / "npu-workbench-accel0.lock"


@contextmanager
def device_lock(file: Path, owner: int, on_wait: Callable[[int | None], None]) -> Iterator[None]:
    """Hold the device; blocks, once `on_wait` has got the holder's process id (None: unknown).

    `owner` is the id that others who wait are told. OSError when the file can't be opened.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(_holder(fd))
            fcntl.flock(fd, fcntl.LOCK_EX)
        os.truncate(fd, 0)
        os.pwrite(fd, b"%d\n" % owner, 0)
        yield
    finally:
        # The file stays: removing it would leave two holders, one of the file that is gone.
        os.close(fd)


def _holder(fd: int) -> int | None:
    text = os.pread(fd, 32, 0).strip()
    return int(text) if text.isdigit() else None
