"""Ctrl-C and its kin, at any moment: exit 130, one sentence, and no process left."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from tests.headless.command import SECONDS, started
from tests.projects import Project, marked

KERNEL = "kernels/scale.c"
FOREVER = "for (volatile int forever = 1; forever;) {}"
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def line_of(process: subprocess.Popen[str], wanted: str) -> str:
    """What it has said on stderr, up to and with the line that is wanted."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if line == f"{wanted}\n":
            return said
    raise AssertionError(said)


def nobody_left(mark: str) -> bool:
    """Whether every process that was started is gone; a killed parent takes a moment."""
    deadline = time.monotonic() + SECONDS
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.005)
    return not marked(mark)


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_while_the_kernel_runs(project: Project, mark: str, number: signal.Signals) -> None:
    project.with_body(f'puts("here"); {FOREVER}')
    with started("check", "--json", KERNEL) as process:
        line_of(process, "here")
        process.send_signal(number)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "npu-workbench: interrupted\n")
    assert marked(mark) == []


def test_while_the_spec_computes(project: Project, mark: str) -> None:
    project.edit(
        project.spec, "    return {", '    print("here")\n    while True: pass\n    return {'
    )
    with started("check", KERNEL) as process:
        line_of(process, "here")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (130, "", "npu-workbench: interrupted\n")
    assert marked(mark) == []


def test_in_a_watch(project: Project, mark: str) -> None:
    with started("watch", KERNEL) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        assert next(line for line in lines if line.startswith("run 1 PASS kernels/scale.c "))
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (130, "npu-workbench: interrupted\n")
    assert marked(mark) == []


def test_a_hangup_that_is_to_be_ignored(project: Project, mark: str) -> None:
    project.with_body('puts("here"); for (volatile int i = 0; i < 100000000; i++) {}')
    with started(
        "check", KERNEL, before=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
    ) as process:
        line_of(process, "here")
        process.send_signal(signal.SIGHUP)
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert out.startswith("PASS ")
    assert marked(mark) == []


def test_killed_outright(project: Project, mark: str) -> None:
    project.with_body(f'puts("here"); {FOREVER}')
    with started("check", KERNEL) as process:
        line_of(process, "here")
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert nobody_left(mark)
