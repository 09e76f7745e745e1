"""`check --inputs all --seeds N` through the real command: what is told, and in which order."""

from __future__ import annotations

import json
import shlex
import signal

import pytest

from tests.headless.command import SECONDS, check, run, started
from tests.projects import Project, marked

KERNEL = "kernels/scale.c"


@pytest.fixture(autouse=True)
def two_sets(project: Project) -> None:
    """Both with variance: a constant reference is no reference."""
    project.edit(project.spec, "uniform(1, 2)", "uniform(1, 3)")


BROKEN = "if (in[0] > 20) { out[0] = 77; } if (in[0] < -20) { *(volatile int *)8 = 1; }"
"""Wrong for some inputs, a crash for others."""


def test_every_set_and_seed(project: Project) -> None:
    done = check(KERNEL, "--inputs", "all", "--seeds", "3")
    assert done.code == 0
    swept = done.record["sweep"]
    cases = {(case["inputs"]["set"], case["inputs"]["seed"]) for case in swept["cases"]}
    assert cases == {(name, seed) for name in ("small", "ones") for seed in (42, 43, 44)}
    assert {case["status"] for case in swept["cases"]} == {"pass"}
    assert {name: some["cases"] for name, some in swept["sets"].items()} == {"small": 3, "ones": 3}
    assert swept["exit_code"] == 0
    *_, last = done.err.splitlines()
    assert last.startswith("6 of 6 cases, ")
    assert last.endswith("0:00 left")


def test_the_worst_comes_first_and_can_be_had_alone(project: Project) -> None:
    project.with_body(BROKEN)
    done = check(KERNEL, "--inputs", "small,ones", "--seeds", "12", "--seed", "1")
    cases = done.record["sweep"]["cases"]
    order = [case["status"] for case in cases]
    assert set(order) == {"crash", "fail", "pass"}
    assert order == sorted(order)
    assert (done.code, done.record["sweep"]["exit_code"]) == (4, 4)
    errors = [case["metrics"]["max_abs"] for case in cases if case["status"] == "fail"]
    assert errors == sorted(errors, reverse=True)
    for status, code in (("crash", 4), ("fail", 1), ("pass", 0)):
        case = next(case for case in cases if case["status"] == status)
        program, *arguments = shlex.split(case["command"])
        assert program == "npu-workbench"
        alone = run(*arguments, "--json")
        assert alone.code == code
        record = json.loads(alone.out)
        assert record["inputs"] == case["inputs"]
        assert record["metrics"] == case["metrics"]
        assert record["error"] == case["error"]


def test_in_words(project: Project) -> None:
    project.with_body(BROKEN)
    done = run("check", KERNEL, "--inputs", "all", "--seeds", "12", "--seed", "1")
    head, titles, first, *rest = done.out.splitlines()
    passed = head.removeprefix("FAIL kernels/scale.c on the model: ").removesuffix(" cases pass")
    assert passed.endswith(" of 24")
    assert titles.split()[:3] == ["set", "seed", "status"]
    assert first.split()[::2][:2] == ["small", "crash"]
    assert first.endswith(f"check {KERNEL} --inputs small --seed {first.split()[1]}")
    summary = rest[rest.index("") + 1 :]
    assert [line.split()[0] for line in summary] == ["set", "small", "ones"]


def test_a_kernel_that_is_saved_meanwhile(project: Project) -> None:
    with started("check", KERNEL, "--inputs", "small", "--seeds", "40", "--jobs", "1") as process:
        assert process.stderr is not None
        assert " of 40 cases" in process.stderr.readline()
        project.with_body("out[0] = 77;")
        out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "the kernel was saved meanwhile: not all cases are of one state\n" in out


def test_a_long_table_is_cut(project: Project) -> None:
    done = run("check", KERNEL, "--inputs", "ones", "--seeds", "43")
    assert "and 3 more, none worse than the last of these" in done.out
    assert done.out.count("--inputs ones --seed") == 40


def test_seeds_alone_are_of_the_first_set(project: Project) -> None:
    record = check(KERNEL, "--seeds", "2").record
    assert list(record["sweep"]["sets"]) == ["small"]


def test_what_is_wrong_with_the_kernel_is_said_of_each(project: Project) -> None:
    project.kernel.write_text("void scale(void) { nonsense }\n")
    done = check(KERNEL, "--seeds", "2")
    assert done.code == 3
    assert [case["status"] for case in done.record["sweep"]["cases"]] == ["build-failed"] * 2


def test_a_set_that_fails_leaves_the_others(project: Project) -> None:
    project.edit(project.spec, "uniform(1, 3)", "lambda tensors, random: 1 / 0")
    done = check(KERNEL, "--inputs", "all", "--seeds", "2")
    assert done.code == 2
    cases = done.record["sweep"]["cases"]
    assert [case["status"] for case in cases] == ["error", "error", "pass", "pass"]
    assert [
        f" --inputs {name} " in case["command"]
        for case, name in zip(cases, ("ones", "ones", "small", "small"), strict=True)
    ] == [True] * 4
    assert cases[0]["error"]["where"].startswith("kernels/scale.py:")


USAGE = {
    "unknown": (
        ["--inputs", "small,other"],
        "kernels/scale.py: no input set 'other' (the spec has small, ones)",
    ),
    "empty": (["--inputs", "small,"], "kernels/scale.py: no input set '' (the spec has small"),
    "npu": (["--device", "npu", "--seeds", "2"], "many runs at a time are for the model, not f"),
    "too many": (
        ["--seeds", "3", "--seed", str(2**32 - 2)],
        "--seed 4294967294 leaves no room for 3 seeds below 2**32",
    ),
    "no seeds": (["--seeds", "0"], "argument --seeds: must be a whole number from 1 on"),
    "matrix": (["--ablate", "--seeds", "2"], "--ablate is for one input set and one seed"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(project: Project, name: str) -> None:
    arguments, said = USAGE[name]
    done = run("check", KERNEL, *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.sentence.startswith(said)


def test_interrupted(project: Project, mark: str) -> None:
    project.with_body("for (volatile int forever = 1; forever;) {}")
    with started(
        "check", KERNEL, "--inputs", "all", "--seeds", "500", "--time-limit", "0.2"
    ) as process:
        assert process.stderr is not None
        assert " don't pass, " in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "npu-workbench: interrupted"
    assert marked(mark) == []
