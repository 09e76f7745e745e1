"""The app in a terminal of ours: keys in, painted text out, with the moment it was seen."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from tests.bench.processes import group_of

COMMAND = (sys.executable, "-m", "workbench.cli")
ROWS, COLUMNS = 45, 160

_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")


class NotPainted(Exception):
    """The text didn't appear in time."""


class Terminal:
    """Runs the workbench on a pty and drains it, as a terminal would."""

    def __init__(
        self,
        arguments: Sequence[str],
        folder: Path,
        env: Mapping[str, str] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.started = time.monotonic()
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env={**os.environ, "TERM": "xterm-256color", **(env or {})},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self.pid = self._process.pid
        self._master = master
        self._painted = ""
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._master, 65536)
            except OSError:  # EIO: the app has left its terminal
                return
            with self._news:
                self._painted += chunk.decode(errors="replace")
                self._news.notify_all()

    def forget(self) -> None:
        """From here on only what is painted anew counts."""
        with self._news:
            self._painted = ""

    def see(self, text: str, limit_s: float = 60.0) -> float:
        """Wait until `text` is painted since `forget`; when that was, as time.monotonic()."""
        deadline = time.monotonic() + limit_s
        with self._news:
            while text not in _CONTROL.sub("", self._painted):
                if not self._news.wait(deadline - time.monotonic()):
                    raise NotPainted(f"{text!r} in {_CONTROL.sub('', self._painted)[-4000:]}")
            return time.monotonic()

    def press(self, key: str) -> float:
        """Send a key; when that was."""
        self.forget()
        now = time.monotonic()
        os.write(self._master, key.encode())
        return now

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.write(self._master, b"q")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        os.close(self._master)
        left = group_of(self.pid)
        if left:
            raise RuntimeError(f"the app left processes behind: {left}")
