"""A save's whole way on a machine with the NPU: what `check --device npu` gives and says."""

from __future__ import annotations

import asyncio
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SetUp
from tests.engine.conftest import Loop
from tests.headless.command import check, run
from tests.headless.contract import breaches
from tests.npu.test_failures import FAILURES
from tests.projects import Project, copy_of_ours, marked
from workbench.build.aie.phases import PHASES, UNKNOWN
from workbench.errors import DeviceError, ExitCode
from workbench.loop.events import ModelJudged, PhaseSeen, RunCancelled
from workbench.loop.result import RunResult
from workbench.loop.target import Options
from workbench.loop.view import Phase

GENERATIONS = ("A", "B", "C")
STEPS = ["compile", "archive", "aiecc", "load", "run", "judge"]


async def checked(project: Project, **options: Any) -> RunResult:
    loop = Loop(project, Options(str(project.kernel), device="npu", **options))
    try:
        return await loop.engine.check()
    finally:
        await loop.engine.close()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_attention_from_end_to_end(
    generation: str, on_machine: SetUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = copy_of_ours(tmp_path / "ours")
    on_machine(folder, generation)
    monkeypatch.chdir(folder)
    done = check("kernels/attention.c", "--device", "npu")
    record = done.record
    assert (done.code, record["status"]) == (ExitCode.PASS, "pass"), done.err
    assert breaches(record) == []
    assert record["device"] == {
        "kind": "npu",
        "name": "NPU Phoenix (double)",
        "reason": "--device npu",
    }
    assert record["metrics"] == record["model"]["metrics"]
    assert record["metrics"]["exact"] == 1
    assert record["comparison"] == "NPU and model agree, and meet the reference"
    steps = {step["name"]: step for step in record["steps"]}
    assert sorted(steps) == sorted(STEPS)
    assert {name: step["status"] for name, step in steps.items()} == {
        **dict.fromkeys(STEPS, "ok"),
        "archive": "skipped",
    }
    (object_,) = steps["compile"]["artifacts"]
    made = {Path(one["path"]).name: one for one in steps["aiecc"]["artifacts"]}
    (xclbin,) = (one for name, one in made.items() if name.endswith(".xclbin"))
    (instructions,) = (one for name, one in made.items() if name.startswith("insts"))
    provenance = record["provenance"]
    assert provenance["sources"] == {"kernels/attention.c": record["source_sha256"]}
    assert object_["sha256"] in provenance["objects"].values()
    assert provenance["xclbin"] == xclbin["sha256"]
    assert provenance["instructions"] == instructions["sha256"]
    assert set(provenance["images"]) == {"0,2"}
    assert set(provenance["tools"]) == {"Peano", "aiecc", "xclbinutil"}
    assert "kernels/attention.py" in provenance["files"]
    phases = [phase["name"] for phase in record["npu"]["phases"]]
    assert phases
    assert set(phases) <= {*PHASES, UNKNOWN}
    latency = record["npu"]["latency"]
    assert latency["count"] == 20
    assert 0 < latency["min_us"] <= latency["median_us"] <= latency["p95_us"]
    assert record["npu"]["state"] == "COMPLETED"
    again = check("kernels/attention.c", "--device", "npu").record
    assert again["npu"]["cached"]
    assert {step["status"] for step in again["steps"][1:4]} == {"cached", "skipped"}


def test_auto_takes_the_npu_where_everything_is_here(npu_project: Project) -> None:
    record = check("kernels/scale.c").record
    assert record["device"]["kind"] == "npu"
    assert record["device"]["reason"] == "everything for it is here"


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("pyxrt", "there is no pyxrt here"),
        ("aiecc", "there is no aiecc here"),
        ("xclbinutil", "there is no xclbinutil here"),
    ],
)
def test_what_is_missing_is_auto_s_reason_and_npu_s_refusal(
    missing: str, reason: str, project: Project, on_machine: SetUp
) -> None:
    """B without xclbinutil too, whose aiecc would end with exit 0 and no xclbin."""
    on_machine(project.folder, "B", (missing,))
    record = check("kernels/scale.c").record
    assert (record["status"], record["device"]["kind"]) == ("pass", "model")
    assert record["device"]["reason"] == reason
    done = check("kernels/scale.c", "--device", "npu")
    assert (done.code, done.record["status"]) == (ExitCode.DEVICE, "no-device")
    assert done.sentence.startswith(f"the npu can't be used: {reason} (npu-workbench doctor")


BUILD = {
    "backend": ("compile", "unable to legalize instruction"),
    "no-object": ("compile", "clang ended with exit 0, but made no"),
    "orphan": ("aiecc", "is being placed in '.comment'"),
    "peanohack": ("aiecc", "wheels of mlir_aie and llvm-aie don't match"),
    "parse": ("aiecc", "'aiex.runtime_sequence' is unknown"),
    "channels": ("aiecc", "number of input DMA channel exceeded"),
    "bif": ("aiecc", "BIF file is empty"),
    "cdo": ("aiecc", "Overflow of program memory"),
    "xclbinutil": ("aiecc", "Unable to open the JSON file"),
    "no-xclbin": ("aiecc", "aiecc ended with exit 0, but made no final.xclbin"),
}


@pytest.mark.parametrize("fault", BUILD)
async def test_a_build_that_fails(
    fault: str, npu_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPU_DOUBLE", fault)
    npu_project.edit(npu_project.kernel, "* factor", f"* factor /* {fault} */")
    result = await checked(npu_project)
    step, sentence = BUILD[fault]
    assert (result.status, result.exit_code) == ("build-failed", ExitCode.BUILD_FAILED)
    assert sentence in str(result.error)
    assert {s.name: s.status for s in result.steps}[step] == "failed"
    assert result.verdict is None
    assert result.model is not None, "the model's verdict is there all the same"
    assert result.model.passed


@pytest.mark.parametrize("fault", [name for name in FAILURES if name != "no-import"])
async def test_an_npu_that_fails(
    fault: str, npu_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, sentence, _ = FAILURES[fault]
    monkeypatch.setenv("NPU_DOUBLE", f"run={fault}")
    result = await checked(npu_project)
    assert sentence in str(result.error)
    hung = not issubclass(kind, DeviceError)
    assert result.exit_code == (ExitCode.HANG if hung else ExitCode.DEVICE)
    assert result.status == ("hang" if hung else "crash" if fault == "die" else "no-device")
    assert result.verdict is None, "nothing is read of a run that did not complete"


async def test_a_swallowed_flag_is_noticed(npu_project: Project) -> None:
    npu_project.edit(
        npu_project.folder / "npu-workbench.toml",
        "[paths]",
        '[flags]\naiecc = ["--verbos"]\n[paths]',
    )
    result = await checked(npu_project)
    assert result.status == "pass"
    (finding,) = result.findings
    assert "--verbos" in finding.message


async def test_a_stale_and_a_wrong_object(
    npu_project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = await checked(npu_project)
    (compiled,) = next(step for step in first.steps if step.name == "compile").artifacts
    shutil.copy(compiled.path, tmp_path / "old.o")
    npu_project.edit(npu_project.kernel, "* factor", "* factor - 1")
    monkeypatch.setenv("NPU_DOUBLE", f"old-object={tmp_path / 'old.o'}")
    result = await checked(npu_project)
    assert (result.status, result.exit_code) == ("build-failed", ExitCode.BUILD_FAILED)
    assert result.findings[0].id == "wrong-object"
    assert "the core's image holds other code" in result.findings[0].message


async def test_frames_past_the_stack_are_a_finding(ours: Path, on_machine: SetUp) -> None:
    """From the object alone, and by what the model sees overwritten."""
    on_machine(ours, "B")
    kernel = ours / "kernels" / "attention_polynomial.c"
    loop = Loop(Project(ours), Options(str(kernel), device="npu"))
    result = await loop.engine.check()
    await loop.engine.close()
    assert result.status == "fail"
    (concern,) = (one for one in result.concerns if one.id == "stack-overrun")
    assert "at least 4,512 B of stack in 1,024 B" in concern.message
    found = [one for one in result.findings if one.id == "stack-overrun"]
    assert concern in found
    assert any("of_QKV_cons_buff_0 = q rows" in one.message for one in found)


async def test_garbage_with_a_right_model(
    npu_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPU_DOUBLE", "run=garbage")
    result = await checked(npu_project)
    assert (result.status, result.exit_code) == ("fail", ExitCode.NOT_MET)
    assert result.comparison == (
        "NPU differs from the model: memory, synchronisation or toolchain, not arithmetic"
    )
    assert result.model is not None
    assert result.model.passed
    finding = next(one for one in result.findings if one.id == "npu-differs")
    assert "elements of y (rows 0-15, by up to" in finding.message


async def test_alternating_results_name_the_buffer(
    npu_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPU_DOUBLE", "run=alternate")
    result = await checked(npu_project)
    found = [one for one in result.findings if one.id == "nondeterministic"]
    assert any("out_buff_0 or in_cons_buff_0 is damaged" in one.message for one in found), found


async def test_a_deadlock_on_the_model_never_reaches_the_npu(npu_project: Project) -> None:
    given = next(
        line for line in npu_project.design.read_text().splitlines() if "@in, id = 0" in line
    )
    npu_project.edit(npu_project.design, f"{given}\n", "")
    result = await checked(npu_project)
    assert (result.status, result.exit_code) == ("deadlock", ExitCode.HANG)
    assert {s.name: s.status for s in result.steps}["aiecc"] == "skipped"


async def test_a_kernel_that_only_peano_compiles(npu_project: Project) -> None:
    text = npu_project.kernel.read_text()
    npu_project.kernel.write_text(f"#include <aie_api/aie.hpp>\n{text}")
    result = await checked(npu_project)
    assert result.model is None
    assert {s.name: s.status for s in result.steps}["aiecc"] == "ok", result.error
    assert any("the model can't tell what to expect" in note for note in result.notes)


async def test_saves_during_aiecc_leave_nothing(
    npu_project: Project, monkeypatch: pytest.MonkeyPatch, mark: str, tmp_path: Path
) -> None:
    """Twenty saves in a row: each stops the build of the one before, the last one passes."""
    words = tmp_path / "words"
    words.write_text("slow=0.05")
    monkeypatch.setenv("NPU_DOUBLE_FILE", str(words))
    npu_project.edit(npu_project.kernel, "* factor", "* factor /* nothing that the cache knows */")
    loop = Loop(npu_project, Options(str(npu_project.kernel), device="npu"))
    task = asyncio.create_task(loop.engine.watch())
    try:
        for number in range(1, 21):
            await loop.until(partial(phases_of, loop, number))
            npu_project.edit(npu_project.kernel, "* factor", f"* factor /* {number} */")
        words.write_text("")
        await loop.until(lambda: loop.results and loop.view.is_current)
        assert loop.results[-1].status == "pass"
        stopped = [e.run for e in loop.all(RunCancelled)]
        assert len(stopped) >= 20
    finally:
        await loop.engine.close()
        await task
    assert loop.lies == []
    assert marked(mark) == []
    made = npu_project.folder / ".workbench" / "cache" / "aie" / "builds"
    for folder in made.iterdir():
        xclbins = list(folder.glob("*.xclbin"))
        assert not xclbins or (folder / "insts.bin").exists()
    assert not list((npu_project.folder / ".workbench" / "cache").glob("npu-*"))
    again = await checked(npu_project)
    assert again.status == "pass", "the lock is free"


def phases_of(loop: Loop, run: int) -> bool:
    """Whether aiecc of this run, or of a newer one, was seen to be somewhere."""
    return any(event.run >= run for event in loop.all(PhaseSeen))


async def test_while_aiecc_builds_the_models_verdict_is_shown(
    npu_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it stays, as the model's, when the build fails."""
    npu_project.edit(npu_project.kernel, "* factor", "* factor /* for aiecc to fail with */")
    monkeypatch.setenv("NPU_DOUBLE", "no-xclbin")
    loop = Loop(npu_project, Options(str(npu_project.kernel), device="npu"))
    task = asyncio.create_task(loop.engine.watch())
    try:
        await loop.until(lambda: loop.all(ModelJudged))
        seen = loop.view
        await loop.until(lambda: loop.results)
    finally:
        await loop.engine.close()
        await task
    for view in (seen, loop.view):
        assert view.is_current
        assert view.shown is not None
        assert view.shown.verdict is not None
        assert view.device is not None
        assert (view.shown.device.kind, view.device.kind) == ("model", "npu")
        assert view.shown.status == "pass"
    assert (seen.phase, loop.view.phase) == (Phase.RUNNING, Phase.BUILD_FAILED)
    assert loop.lies == []


def test_it_says_so_in_text(npu_project: Project) -> None:
    done = run("check", "kernels/scale.c", "--device", "npu")
    assert done.out.startswith("PASS kernels/scale.c on the npu: ")
    assert "  NPU and model agree, and meet the reference\n" in done.out
    assert "µs median" in done.out
