"""What a process of ours loads: a terminal library, a parser and torch cost time where unused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"numpy", "rich", "textual", "torch", "watchdog", "xdsl"}


def loaded_by(code: str, folder: Path) -> set[str]:
    """The heavy packages that are loaded when `code` has run."""
    tell = f"import sys\n{code}\nprint(*sys.modules, file=sys.stderr)"
    run = subprocess.run(
        [sys.executable, "-c", tell], cwd=folder, check=True, capture_output=True, text=True
    )
    return HEAVY & set(run.stderr.split())


@pytest.mark.parametrize(
    ("module", "may_load"),
    [
        ("workbench.cli", set()),
        ("workbench.loop", set()),
        ("workbench.loop.engine", {"numpy"}),
        ("workbench.headless", {"numpy"}),
        ("workbench.tui.app", {"textual", "rich"}),
    ],
)
def test_import(tmp_path: Path, module: str, may_load: set[str]) -> None:
    assert loaded_by(f"import {module}", tmp_path) <= may_load


def test_check_needs_no_terminal_library_and_torch_only_in_the_specs_process(project: Path) -> None:
    code = "from workbench.cli import main\nassert main(['check', 'kernels/attention.c']) == 0"
    assert loaded_by(code, project) <= {"numpy"}
