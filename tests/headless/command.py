"""The command itself, in a process of its own."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = str(Path(sys.executable).with_name("npu-workbench"))

SECONDS = 120


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        record = strict(self.out)
        assert isinstance(record, dict)
        return record

    @property
    def sentence(self) -> str:
        """The one sentence on stderr that says what is wrong; there is no traceback."""
        assert "Traceback" not in self.err
        *_, last = self.err.splitlines()
        ours = [line for line in self.err.splitlines() if line.startswith("npu-workbench: ")]
        assert ours == [last]
        return last.removeprefix("npu-workbench: ")


def run(
    *arguments: str | Path, before: Callable[[], None] | None = None, **environment: str
) -> Done:
    """Run the command to its end, in the folder we are in. `before` is called in its process."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        env={**os.environ, **environment},
        preexec_fn=before,
    )
    return Done(
        done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    )


def check(*arguments: str | Path) -> Done:
    """`check --json`."""
    return run("check", "--json", *arguments)


@contextmanager
def started(
    *arguments: str, before: Callable[[], object] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """The command at work; it is killed if it is still there after SECONDS."""
    with subprocess.Popen(
        [COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,
    ) as process:
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        try:
            yield process
        finally:
            killer.cancel()
            process.kill()


def strict(text: str) -> object:
    """One line of JSON, as a parser reads it that knows no NaN and no half surrogates."""
    assert text.count("\n") == 1
    assert text.endswith("\n")

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    value: object = json.loads(text, parse_constant=refuse)
    json.dumps(value, ensure_ascii=False).encode()  # a half surrogate has no UTF-8
    return value


def give_up_roots_rights() -> None:
    """In a child: no right any more to read and write what the files' modes forbid (Linux)."""
    pr_capbset_drop, cap_dac_override, cap_dac_read_search = 24, 1, 2
    libc = ctypes.CDLL(None)
    for right in (cap_dac_override, cap_dac_read_search):
        libc.prctl(pr_capbset_drop, right, 0, 0, 0)
