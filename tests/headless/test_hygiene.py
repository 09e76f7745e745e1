"""What the command must not bring into its own process: a terminal library, torch, xDSL."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.headless.command import SECONDS
from tests.projects import Project

HEAVY = ("textual", "rich", "torch", "xdsl")

TELL = f"""
import atexit, sys
atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules], file=sys.stderr))
"""

COMMAND = f"{TELL}from workbench.cli import main\nsys.exit(main(sys.argv[1:]))\n"

MODULES = ("engine", "pipeline", "record", "result", "target", "view", "watch", "words")


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_importing_the_loop() -> None:
    imports = "".join(f"import workbench.loop.{name}\n" for name in MODULES)
    with python(f"{TELL}import workbench.loop\n{imports}") as process:
        assert process.communicate(timeout=SECONDS)[1] == "[]\n"


def test_a_full_check(project: Project) -> None:
    with python(COMMAND, "check", "kernels/scale.c") as process:
        out, err = process.communicate(timeout=SECONDS)
    assert out.startswith("PASS ")
    assert (process.returncode, err) == (0, "[]\n")


def test_a_watch(project: Project) -> None:
    with python(COMMAND, "watch", "kernels/scale.c") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("run 1 PASS"):
                project.kernel.write_text("int 7;\n")
            if line.startswith("run 2 BUILD FAILED"):
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert err == "npu-workbench: interrupted\n[]\n"
