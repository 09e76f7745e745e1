from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SetUp
from workbench.cli import main
from workbench.doctor import WIDTH


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine with nothing of AMD's."""
    (tmp_path / "npu-workbench.toml").write_text(f'[paths]\ndevice = "{tmp_path}/accel0"\n')
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def complete(set_up_machine: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a machine with all of it."""
    machine = set_up_machine("B", own=True)
    (tmp_path / "npu-workbench.toml").write_text(f'[paths]\ndevice = "{machine.device}"\n')
    monkeypatch.chdir(tmp_path)
    # Only who may lock memory can raise the limit for real.
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda which: unlimited)
    return tmp_path


@pytest.mark.parametrize(("device", "code"), [("auto", 0), ("model", 0), ("npu", 4)])
def test_a_bare_machine(
    device: str, code: int, bare: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--device", device]) == code
    text = capsys.readouterr().out
    assert "model device: usable" in text
    assert f"npu device: not usable, no {bare}/accel0 here" in " ".join(text.split())
    for name in ("clang", "ziglang", "xdsl", "numpy", "torch", "textual"):
        assert re.search(rf"^  ✓ {name} +\S", text, re.MULTILINE), name
    for name in ("device", "pyxrt", "Peano", "aiecc", "xclbinutil"):
        assert re.search(rf"^  ✗ {name} ", text, re.MULTILINE), name
    last = text.rpartition("\n\n")[2]
    if device == "npu":
        assert last.startswith("The npu device can't be used")
    elif device == "auto":
        assert "since for the NPU something is missing" in " ".join(last.split())


def test_it_is_as_wide_as_a_terminal(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """But for lines that are there to be copied."""
    main(["doctor"])
    wide = [line for line in capsys.readouterr().out.splitlines() if len(line) > WIDTH]
    assert all(re.match(r"      \S|.*/", line) for line in wide)


def test_a_bare_machine_in_json(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json", "--device", "npu"]) == 4
    found = json.loads(capsys.readouterr().out)
    assert (found["device"], found["usable"]) == ("npu", False)
    assert found["model"]["usable"]
    assert not found["npu"]["usable"]
    assert found["settings"] == ["npu-workbench.toml"]
    for probe in found["npu"]["probes"]:
        assert probe["ok"] or (probe["cost"] and probe["mend"]), probe


@pytest.mark.parametrize("device", ["auto", "npu"])
def test_a_complete_machine_is_all_green(
    device: str, complete: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--device", device]) == 0
    text = capsys.readouterr().out
    assert "npu device: usable" in text
    assert "✗" not in text
    assert "~ " not in text
    assert "Kernels run on the NPU" in text
    assert "generation B, 19cce64c" in text


def test_a_complete_machine_in_json(complete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["device"], found["usable"], found["problem"]) == ("npu", True, None)
    assert found["npu"]["generation"] == "B"
    assert all(probe["ok"] for probe in found["npu"]["probes"])


def test_what_one_missing_tool_costs(complete: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (complete / "machine" / "xrt" / "bin" / "xclbinutil").unlink()
    assert main(["doctor", "--device", "npu"]) == 4
    text = " ".join(capsys.readouterr().out.split())
    assert "aiecc of generation B ends with exit 0 and no xclbin" in text
    assert "The npu device can't be used: there is no xclbinutil here." in text


def test_wrong_settings_are_a_usage_error(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (bare / "npu-workbench.toml").write_text("[path]\n")
    assert main(["doctor"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "did you mean paths?" in captured.err


def test_an_unknown_option_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "kernels/attention.c"])
    assert caught.value.code == 2


def test_it_imports_neither_torch_nor_textual(bare: Path) -> None:
    code = (
        "import sys\nfrom workbench.cli import main\nmain(['doctor'])\n"
        "print([m for m in ('torch', 'textual', 'xdsl', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.splitlines()[-1] == "[]"
