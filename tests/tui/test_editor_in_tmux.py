"""From a problem to its line in a real vim and back, in a real terminal."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.process.procs import until
from tests.projects import KERNEL, Project, marked
from tests.tui.tmux import WORKBENCH, Tmux

pytestmark = [
    pytest.mark.skipif(shutil.which(program) is None, reason=f"there is no {program}")
    for program in ("tmux", "vim")
]

VIM = "vim -u NONE -i NONE -n -N --cmd 'set ruler'"
BROKEN = KERNEL.replace("in[i]", "in[k]")
BAD_PLACE = "kernels/scale.c:6:30"


def opened(project: Project, editor: str, **env: str) -> Tmux:
    command = [*WORKBENCH, "kernels/scale.c"]
    return Tmux(command, project.folder, {**os.environ, "VISUAL": "", "EDITOR": editor, **env})


def test_enter_fix_save_verdict(project: Project) -> None:
    project.kernel.write_text(BROKEN)
    with opened(project, VIM) as terminal:
        terminal.see("BUILD FAILED", f"✗ {BAD_PLACE}: use of undeclared identifier 'k'")
        terminal.press("BTab")  # from the panes to the problems
        terminal.press("BTab")
        terminal.press("Enter")
        terminal.see("#include <stdint.h>", "6,30")  # vim's ruler: line and column
        terminal.write("ri")
        terminal.write(":wq")
        terminal.press("Enter")
        terminal.see("✓ PASS", "run 2")
        assert project.kernel.read_text() == KERNEL
        terminal.press("q")
        terminal.see("left with 0")


def test_a_pass_opens_the_kernel_and_a_quit_without_save_runs_nothing(project: Project) -> None:
    with opened(project, VIM) as terminal:
        terminal.see("✓ PASS", "run 1")
        for _ in range(2):
            terminal.press("o")
            terminal.see("#include <stdint.h>")
            terminal.write(":q")
            terminal.press("Enter")
            terminal.see("✓ PASS", "run 1")
        terminal.press("q")
        terminal.see("left with 0")


@pytest.mark.parametrize("editor", ["", "no-such-editor --wait", "./broken", "sh -c 'exit 3'"])
def test_an_editor_that_fails_is_a_message_and_the_app_lives(project: Project, editor: str) -> None:
    broken = project.folder / "broken"
    broken.write_text("\x7fELF")
    broken.chmod(0o755)
    project.kernel.write_text(BROKEN)
    with opened(project, editor) as terminal:
        terminal.see("BUILD FAILED")
        terminal.press("o")
        terminal.see("no editor", f"{BAD_PLACE} is copied (OSC 52)")
        project.kernel.write_text(KERNEL)
        terminal.see("✓ PASS", "run 2")
        terminal.press("q")
        terminal.see("left with 0")


def script(folder: Path, body: str) -> str:
    path = folder / "editor"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_ctrl_c_is_the_editors_alone(project: Project, tmp_path: Path) -> None:
    body = "trap 'echo interrupted' INT\necho editing\nread line\nread line"
    with opened(project, script(tmp_path, body)) as terminal:
        terminal.see("✓ PASS")
        terminal.press("o")
        terminal.see("editing")
        terminal.press("C-c")
        terminal.see("interrupted")
        terminal.press("Enter")
        terminal.press("Enter")
        terminal.see("✓ PASS", "? help")
        terminal.press("q")
        terminal.see("left with 0")


async def test_the_app_ends_when_it_is_told_to_while_an_editor_is_open(
    project: Project, tmp_path: Path, mark: str
) -> None:
    body = "echo $PPID > parent\nread line"
    with opened(project, script(tmp_path, body)) as terminal:
        terminal.see("✓ PASS")
        terminal.press("o")
        parent = project.folder / "parent"
        await until(lambda: parent.exists() and parent.read_text(), 60)
        os.kill(int(parent.read_text()), signal.SIGTERM)
        terminal.press("Enter")
        terminal.see(f"left with {128 + signal.SIGTERM}")
        await until(lambda: not any("python" in c.split()[0] for c in marked(mark)), 60)


async def test_an_editor_with_a_window_leaves_the_screen_alone(
    project: Project, tmp_path: Path
) -> None:
    project.kernel.write_text(BROKEN)
    seen = project.folder / "seen"
    path = tmp_path / "code"
    path.write_text(f'#!/bin/sh\necho "$@" > {seen}\n[ ! -t 0 ] || echo terminal >> {seen}\n')
    path.chmod(0o755)
    with opened(project, "code --wait", PATH=f"{tmp_path}:{os.environ['PATH']}") as terminal:
        terminal.see("BUILD FAILED")
        terminal.press("o")
        terminal.see(f"{BAD_PLACE} in code")
        await until(lambda: seen.exists() and seen.read_text(), 60)
        assert seen.read_text() == f"--wait --goto {project.kernel}:6:30\n"
        path.write_text("#!/bin/sh\nexit 7\n")
        terminal.press("o")
        terminal.see("code ended with exit 7")
