"""Child processes: each in a process group of its own, its output as lines, never left behind.

Every process of ours (compiler, spec, model device) is started, streamed, limited in time and
killed here. When the leader has exited, or is stopped, whatever else its group holds is killed
before the leader is reaped, so that the group id can't yet belong to somebody else.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

READ_SIZE = 64 * 1024
"""Bytes of one read: all that a pipe holds."""

LINE_LIMIT = 256 * 1024
"""Bytes of one line that are kept; what is cut is said at the line's end."""

TERM_GRACE_S = 0.5
"""Time between SIGTERM and SIGKILL when a group is stopped, unless it needs longer."""

DRAIN_S = 1.0
"""Time for the last output to arrive once every process of the group is dead."""

OnLines = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended. `returncode` is negative for a signal, as in `subprocess`."""

    returncode: int
    seconds: float
    timed_out: bool = False

    @property
    def signal_name(self) -> str | None:
        """The signal that ended it, such as "SIGSEGV"."""
        if self.returncode >= 0:
            return None
        try:
            return signal.Signals(-self.returncode).name
        except ValueError:
            return f"signal {-self.returncode}"


class LineSplitter:
    """Bytes in, whole lines out: any chunking, bad UTF-8 and a missing last newline survive."""

    def __init__(self) -> None:
        self._pending = bytearray()
        self._cut = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes."""
        *complete, rest = chunk.split(b"\n")
        lines = []
        for part in complete:
            self._append(part)
            lines.append(self._take())
        self._append(rest)
        return lines

    def end(self) -> list[str]:
        """The last line, when the output doesn't end in a newline."""
        return [self._take()] if self._pending or self._cut else []

    def _append(self, part: bytes) -> None:
        room = max(0, LINE_LIMIT - len(self._pending))
        self._pending += part[:room]
        self._cut += len(part) - len(part[:room])

    def _take(self) -> str:
        text = self._pending.decode("utf-8", errors="replace").removesuffix("\r")
        if self._cut:
            text += f" … [line cut: {self._cut:,} more bytes]"
        self._pending.clear()
        self._cut = 0
        return text


class _Output:
    """One stream of a child, read without blocking and handed on as lines."""

    def __init__(self, fd: int, on_lines: OnLines) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._fd = fd
        self._on_lines = on_lines
        self._splitter = LineSplitter()
        os.set_blocking(fd, False)
        self._loop.add_reader(fd, self._read)

    def _read(self) -> None:
        try:
            chunk = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self.close()
        elif lines := self._splitter.feed(chunk):
            self._on_lines(lines)

    def close(self) -> None:
        """Stop reading, at the end of the stream or though somebody who got away holds it."""
        if not self.closed.done():
            self._loop.remove_reader(self._fd)
            self.closed.set_result(None)
            if lines := self._splitter.end():
                self._on_lines(lines)


class Process:
    """A running child. Create it inside a running event loop."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        on_lines: OnLines,
        on_errors: OnLines | None = None,
        cwd: str | Path | None = None,
        env: Mapping[str, str] | None = None,
        takes_input: bool = False,
        term_grace_s: float = TERM_GRACE_S,
    ) -> None:
        """Start it; OSError when it can't be started. Without `on_errors`, stderr joins stdout.

        `term_grace_s` is the time between SIGTERM and SIGKILL when it is stopped.
        """
        self.started = time.monotonic()
        self._term_grace_s = term_grace_s
        self._loop = asyncio.get_running_loop()
        self._exited: asyncio.Future[None] = self._loop.create_future()
        self._gone: asyncio.Future[Exit] = self._loop.create_future()
        self._popen = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdin=subprocess.PIPE if takes_input else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if on_errors is None else subprocess.PIPE,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._reaped = False
        self._timed_out = False
        self._ended = self.started
        streams = ((self._popen.stdout, on_lines), (self._popen.stderr, on_errors))
        self._outputs = [_Output(s.fileno(), lines) for s, lines in streams if s and lines]
        _live.add(self)
        threading.Thread(target=self._watch_exit, name=f"exit-{self.pid}", daemon=True).start()
        self._finisher = self._loop.create_task(self._finish())

    def feed(self, data: bytes) -> None:
        """Write a short message (under a pipe's 64 KiB) and close its standard input."""
        assert self._popen.stdin is not None
        if self._popen.stdin.closed:  # by `_reap`: it is gone already
            return
        with contextlib.suppress(BrokenPipeError):
            self._popen.stdin.write(data)
            self._popen.stdin.close()

    @property
    def running(self) -> bool:
        """Whether the leader has not exited yet."""
        return not self._exited.done()

    async def wait(self, limit_s: float | None = None) -> Exit:
        """How it ended, after at most `limit_s`; past that the group is killed."""
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.shield(self._exited)
        except TimeoutError:
            self._timed_out = self.running
            self._signal(signal.SIGKILL)
        return await asyncio.shield(self._gone)

    async def stop(self) -> None:
        """TERM to the group, KILL after a grace; returns when it is gone."""
        if self.running:
            self._signal(signal.SIGTERM)
            timer = self._loop.call_later(self._term_grace_s, self._signal, signal.SIGKILL)
            try:
                await asyncio.shield(self._gone)
            finally:
                timer.cancel()
                self._signal(signal.SIGKILL)
        await asyncio.shield(self._gone)

    def kill(self) -> None:
        """KILL the group now, without waiting: for the last moments of our own process."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self._reaped:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _watch_exit(self) -> None:
        # WNOWAIT leaves the leader unreaped, so that its group id stays ours until `_finish`.
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        self._ended = time.monotonic()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting
            self._loop.call_soon_threadsafe(self._note_exit)

    def _note_exit(self) -> None:
        if not self._exited.done():
            self._exited.set_result(None)

    async def _finish(self) -> None:
        try:
            await self._exited
            self._signal(signal.SIGKILL)
            await asyncio.wait([output.closed for output in self._outputs], timeout=DRAIN_S)
        finally:
            self._signal(signal.SIGKILL)  # a loop that closes cancels us before the process ends
            try:
                for output in self._outputs:
                    output.close()
            finally:
                self._gone.set_result(self._reap())

    def _reap(self) -> Exit:
        returncode = self._popen.wait()
        self._reaped = True
        _live.discard(self)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        return Exit(returncode, self._ended - self.started, self._timed_out)


_live: set[Process] = set()


def kill_all() -> None:
    """Kill every group that still runs; called at exit."""
    for process in list(_live):
        process.kill()


atexit.register(kill_all)


def die_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """In a child of ours: get this signal when the parent dies, however (Linux: prctl(2))."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, by)
