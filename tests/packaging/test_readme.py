"""What the README says is so: its commands run, its paths exist, its tables are complete."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.conftest import REPOSITORY
from workbench.cli import main
from workbench.errors import ExitCode
from workbench.spec import METRICS
from workbench.tui.actions import ACTIONS
from workbench.tui.keymap import shown_keys

README = (REPOSITORY / "README.md").read_text()
SPEC, LIBRARY = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
ONE_SHOT = [line for line in COMMANDS if re.search(" check | doctor", line)]


def test_each_of_the_two_commands_installs_by_itself() -> None:
    install = "python3 -m venv .venv && .venv/bin/pip install -q -e "
    opens, tests = (line for line in COMMANDS if "&&" in line)
    assert opens == f"{install}. && .venv/bin/npu-workbench kernels/attention.c"
    assert tests == f"{install}'.[test]' && .venv/bin/python -m pytest"


def test_ci_runs_the_command_for_the_tests() -> None:
    pattern = re.search(r"grep '(.*)' README.md", (REPOSITORY / ".ci" / "run").read_text())
    assert pattern is not None
    assert len(re.findall(pattern[1], README, re.MULTILINE)) == 1


@pytest.mark.parametrize("command", ONE_SHOT)
def test_commands_that_end_end_well(project: Path, command: str) -> None:
    _, *arguments = shlex.split(command)
    run = subprocess.run([sys.executable, "-m", "workbench.cli", *arguments], cwd=project)
    # The report's kernels are there to fail.
    assert run.returncode == (ExitCode.NOT_MET if "_piecewise" in command else ExitCode.PASS)


def test_paths_exist() -> None:
    paths = set(
        re.findall(r"(?<![\w/.])(?:kernels|mlir|tests|themes|workbench)/[\w./-]*[\w/]", README)
    )
    assert paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def test_exit_codes_are_all_there() -> None:
    codes = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)
    assert codes == [str(int(code)) for code in ExitCode]


def test_keys_are_bound() -> None:
    bound = {key for action in ACTIONS for key in shown_keys(action, {}).split("  ")}
    rows = re.findall(r"^\| (.*`.*) \|.*\|$", README, re.MULTILINE)
    keys = [key for row in rows for key in re.findall(r"`(\S)`|`tab`", row) if key]
    assert len(keys) > 10
    assert set(keys) <= bound


def test_metrics_are_all_named() -> None:
    *some, last = METRICS
    assert f"{', '.join(some)} and {last}" in " ".join(README.split())


def test_the_spec_is_complete(project: Path) -> None:
    (project / "kernels" / "mine.py").write_text(SPEC)
    (project / "kernels" / "mine.c").write_bytes((project / "kernels" / "attention.c").read_bytes())
    assert main(["check", "kernels/mine.c", "--inputs", "full"]) == ExitCode.PASS


def test_the_library_example_is_a_test_that_passes(project: Path) -> None:
    names: dict[str, Any] = {}
    exec(LIBRARY, names)
    (test,) = (names[name] for name in names if name.startswith("test_"))
    test()
