"""Without a terminal the workbench isn't opened: a sentence says which commands do without."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator

import pytest

from tests.headless.command import COMMAND, SECONDS, run

KERNEL = "kernels/my kernel.c"

DO_WITHOUT = (
    "(npu-workbench check 'kernels/my kernel.c' runs once and exits, "
    "npu-workbench watch 'kernels/my kernel.c' prints a line per event)"
)


@pytest.fixture
def terminal() -> Iterator[int]:
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


def test_no_terminal_at_all() -> None:
    done = run(KERNEL)
    assert (done.code, done.out) == (2, "")
    assert done.sentence == f"the workbench needs a terminal, and stdin isn't one {DO_WITHOUT}"


def test_output_into_a_pipe(terminal: int) -> None:
    done = subprocess.run(
        [COMMAND, KERNEL],
        stdin=terminal,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "npu-workbench: the workbench needs a terminal, and stdout isn't one (npu-workbench check"
    )


def test_a_terminal_that_shows_only_lines(terminal: int) -> None:
    done = subprocess.run(
        [COMMAND, KERNEL],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        timeout=SECONDS,
        env={**os.environ, "TERM": "dumb"},
    )
    assert done.returncode == 2
