from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.headless.command import COMMAND, SECONDS
from tests.projects import Project


@dataclass(frozen=True, slots=True)
class Served:
    """The command at work, and where its page is."""

    process: subprocess.Popen[str]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ended(self, by: signal.Signals) -> int:
        """Its exit code once a signal has ended it."""
        self.process.send_signal(by)
        return self.process.wait(SECONDS)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what no event tells of: another's process, or the picture of its page."""
    async with asyncio.timeout(SECONDS):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.fixture
def serve(project: Project) -> Iterator[Callable[..., Served]]:
    """Starts the command in the small project, and waits until it serves."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Served:
        process = subprocess.Popen(
            [COMMAND, "serve", *arguments, "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "NO_COLOR"},
        )
        started.append(process)
        assert process.stdout is not None
        where, _, port = process.stdout.readline().strip().rpartition(":")
        assert where == "http://127.0.0.1"
        return Served(process, int(port))

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
