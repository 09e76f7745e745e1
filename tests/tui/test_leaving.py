"""However the app ends, nothing of ours runs on: in a terminal, and with an engine that hangs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = """
import asyncio, fcntl, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)

from workbench.loop.target import Options
from workbench.process import Process
from workbench.tui import app as front

class Engine:
    def __init__(self, options, emit):
        self.stuck = options.spec == "stuck"

    async def watch(self):
        self.process = Process(["sleep", "1000"], on_lines=lambda lines: None)
        Path(sys.argv[1]).write_text(str(self.process.pid))
        await asyncio.Event().wait()

    async def close(self):
        if self.stuck:
            await asyncio.Event().wait()
        await self.process.stop()

    def rerun(self): ...
    def cancel(self): ...

front.CLOSE_LIMIT_S = 0.5
app = front.WorkbenchApp(Options("k.c", spec=sys.argv[2]), lambda: Engine)
app.run()
sys.exit(app.return_code)
"""


@dataclass
class Terminal:
    """The app in a terminal, whose output somebody reads until the terminal is closed."""

    program: subprocess.Popen[bytes]
    master: int
    child: int
    reader: threading.Thread
    unread: threading.Event

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def hang_up(self) -> None:
        # A read under way would keep the terminal open.
        self.unread.set()
        self.reader.join()
        os.close(self.master)

    def ends(self, limit_s: float = 60) -> int:
        code = self.program.wait(limit_s)
        end = time.monotonic() + 2
        while alive(self.child) and time.monotonic() < end:
            time.sleep(0.01)
        assert not alive(self.child)
        return code


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(params=["willing", "stuck"])
def terminal(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    pid_file = tmp_path / "pid"
    master, slave = pty.openpty()
    rows_and_columns = struct.pack("HHHH", 24, 80, 0, 0)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, rows_and_columns)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(pid_file), request.param],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(slave)

    unread = threading.Event()

    def read() -> None:
        with contextlib.suppress(OSError):
            while not unread.is_set():
                if select.select([master], [], [], 0.05)[0]:
                    os.read(master, 65536)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    end = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < end:
        time.sleep(0.02)
    opened = Terminal(program, master, int(pid_file.read_text()), reader, unread)
    assert alive(opened.child)
    yield opened
    program.kill()
    program.wait()
    with contextlib.suppress(OSError):
        os.close(master)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize(
    ("leave", "code"),
    [
        (lambda t: t.press(b"q"), 0),
        (lambda t: t.program.send_signal(signal.SIGTERM), 128 + signal.SIGTERM),
        (lambda t: t.program.send_signal(signal.SIGHUP), 128 + signal.SIGHUP),
        (lambda t: t.program.send_signal(signal.SIGINT), 128 + signal.SIGINT),
        (lambda t: t.hang_up(), 128 + signal.SIGHUP),
    ],
    ids=["q", "term", "hup", "int", "terminal closed"],
)
def test_nothing_is_left_behind(
    terminal: Terminal, leave: Callable[[Terminal], None], code: int
) -> None:
    leave(terminal)
    assert terminal.ends() == code
