"""The app in a real terminal: a tmux server of our own, read as text and fed with keys."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

SECONDS = 60.0
"""Longest wait for anything; a machine may be busy."""

WORKBENCH = (sys.executable, "-m", "workbench.cli")


class Tmux:
    """One command in one pane; the server and all it runs are gone at the end."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        env: Mapping[str, str],
        size: tuple[int, int] = (120, 34),
    ) -> None:
        self._folder = TemporaryDirectory(prefix="tmux-")
        self._socket = f"{self._folder.name}/socket"
        width, height = map(str, size)
        # A shell around it, so that what it prints at its end stays to be seen.
        inner = f"{shlex.join(command)}; echo left with $?; exec sleep 1000"
        # A server takes its environment from the client that starts it.
        self._env = dict(env)
        self._tmux("new-session", "-d", "-x", width, "-y", height, "-c", str(folder), inner)

    def _tmux(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-S", self._socket, "-f", "/dev/null", *arguments],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        ).stdout

    @property
    def screen(self) -> str:
        """What is seen now."""
        return self._tmux("capture-pane", "-p")

    @property
    def styled(self) -> str:
        """What is seen now, with the sequences that give it its colours."""
        return self._tmux("capture-pane", "-p", "-e")

    def see(self, *texts: str, but_not: str | None = None) -> str:
        """Wait until all these texts are seen, and that one isn't; the screen then."""
        deadline = time.monotonic() + SECONDS
        while True:
            screen = self.screen
            if all(text in screen for text in texts) and (but_not is None or but_not not in screen):
                return screen
            assert time.monotonic() < deadline, f"{texts}, but not {but_not}:\n{screen}"
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names for them."""
        self._tmux("send-keys", *keys)

    def write(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-l", text)

    def __enter__(self) -> Tmux:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server")
        self._folder.cleanup()
