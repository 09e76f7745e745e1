"""A command line that asks for what there isn't: exit 2 and one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.cli import main
from workbench.errors import ExitCode

KERNEL = "kernels/scale.c"

USAGE = {
    "no kernel": (["check"], "the following arguments are required: KERNEL"),
    "unknown option": (["check", "--frob", KERNEL], "unrecognized arguments: --frob"),
    "abbreviated": (["check", "--desi", "x", KERNEL], "unrecognized arguments: --desi"),
    "two kernels": (["check", KERNEL, "b.c"], "unrecognized arguments: b.c"),
    "no number": (["check", "--seed", "x", KERNEL], "argument --seed: must be a whole number fr"),
    "no seed": (["watch", "--seed", "-1", KERNEL], "argument --seed: must be a whole number fr"),
    "big seed": (["check", "--seed", str(2**32), KERNEL], "argument --seed: must be a whole num"),
    "no time": (["check", "--time-limit", "0", KERNEL], "argument --time-limit: must be a posi"),
    "NaN": (["check", "--time-limit", "nan", KERNEL], "argument --time-limit: must be a positi"),
    "forever": (["check", "--time-limit", "inf", KERNEL], "argument --time-limit: must be a po"),
    "words": (["check", "--time-limit", "long", KERNEL], "argument --time-limit: must be a posi"),
    "device": (["check", "--device", "gpu", KERNEL], "argument --device: invalid choice: 'gpu'"),
    "no name": (["new"], "the following arguments are required: NAME"),
    "two names": (["new", "a", "b"], "unrecognized arguments: b"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(capsys: pytest.CaptureFixture[str], name: str) -> None:
    arguments, said = USAGE[name]
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    assert (end.value.code, out) == (2, "")
    command = " ".join(["npu-workbench", *arguments[:1]])
    assert err.startswith(f"npu-workbench: {said}")
    assert err.endswith(f"(see {command} --help)\n")
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["watch", "-h"]])
def test_help_tells_the_exit_codes(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert "exit codes of check: 0 all criteria met" in " ".join(capsys.readouterr().out.split())


def test_a_defect_of_ours_is_never_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_arguments: object, **_options: object) -> int:
        raise RuntimeError("a defect")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("workbench.headless.check", fails)
    assert main(["check", "kernels/attention.c"]) == ExitCode.USAGE
    assert "a defect of npu-workbench" in capsys.readouterr().err
    assert "RuntimeError: a defect" in (tmp_path / ".workbench" / "crash.log").read_text()
