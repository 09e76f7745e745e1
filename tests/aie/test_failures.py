from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.aie.project import Project, Recorder
from tests.conftest import SetUp
from tests.process.procs import children, until
from workbench.build.aie.build import NpuBuilt
from workbench.build.aie.find import find_machine
from workbench.settings import Flags, Limits, Settings

SMALL = "void attention_64x64(signed char *qkv, signed char *out, int shift) {{\n{body}\n}}\n"


def error(built: NpuBuilt) -> str:
    assert built.error is not None
    assert built.xclbin is None
    assert built.instructions is None
    return str(built.error)


def failed(built: NpuBuilt) -> str:
    """The step that failed."""
    return next(step.name for step in built.steps if step.status == "failed")


async def test_a_syntax_error_is_clangs(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    project.kernel.write_text("void attention_64x64(char *a) {\n")
    built = await project.build()
    assert failed(built) == "compile"
    assert error(built) == f"{project.kernel}:2:1: expected '}}'"
    assert built.diagnostics[0].where == f"{project.kernel}:2:1"
    assert "expected '}'" in (built.folder / "compile.log").read_text()


async def test_a_backend_error_is_explained(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    monkeypatch.setenv("NPU_DOUBLE", "backend")
    built = await project.build()
    assert failed(built) == "compile"
    assert "unable to legalize instruction" in error(built)
    assert "write float literals: 0.1f" in error(built)
    assert [e.message.id for e in built.explained] == ["clang-double"]


async def test_a_missing_header_can_be_watched(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    project.kernel.write_text('#include "nowhere.h"\n' + project.kernel.read_text())
    assert "'nowhere.h' file not found" in error(await project.build())


async def test_a_compiler_that_writes_nothing(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    monkeypatch.setenv("NPU_DOUBLE", "no-object")
    built = await project.build()
    assert error(built).startswith(f"{project.kernel}: clang ended with exit 0, but made no")


async def test_a_source_that_is_not_there(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    project.kernel.unlink()
    assert error(await project.build()) == f"{project.kernel}: can't read the kernel"


async def test_a_suffix_that_is_no_kernels(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    project.kernel = project.kernel.rename(project.root / "attention.rs")
    assert "don't know how to compile .rs files" in error(await project.build())


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ('"/opt/attention.o"', "outside of the build's folder"),
        ('"../attention.o"', "outside of the build's folder"),
    ],
)
async def test_links_that_no_build_can_have(
    link: str, sentence: str, set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("A")
    project.change('"attention.o"', link, project.mlir)
    built = await project.build()
    assert sentence in error(built)
    assert built.steps == ()
    assert f"{project.mlir}:4" in error(built)


async def test_a_design_that_links_nothing(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    project.change(' attributes {link_with = "attention.o"}', "", project.mlir)
    assert "links no object" in error(await project.build())


async def test_a_missing_function_is_said_before_aiecc_runs(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    project.change("attention_64x64(", "attention_64x46(")
    built = await project.build()
    assert "the design calls attention_64x64, which the object doesn't define" in error(built)
    assert "did you mean attention_64x46?" in error(built)
    assert [step.name for step in built.steps] == ["compile"]


async def test_a_mangled_function(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("B")
    project.kernel = project.kernel.rename(project.root / "attention.cc")
    assert 'wrap attention_64x64 in extern "C"' in error(await project.build())


@pytest.mark.parametrize("generation", ["A", "B", "C"])
async def test_an_undefined_symbol_is_lds(
    generation: str, set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine(generation)
    monkeypatch.setenv("NPU_DOUBLE", "no-libm")
    project.kernel.write_text(SMALL.format(body="out[0] = sqrtf(shift);"))
    built = await project.build()
    assert failed(built) == "aiecc"
    assert "ld.lld: error: undefined symbol: sqrtf" in error(built)
    assert "a table or a polynomial" in error(built)
    assert [c.id for c in built.concerns] == ["undefined-symbol"]


FAILURES = {
    "orphan": ("is being placed in '.comment'", "two builds shared a directory"),
    "peanohack": ("expected type", "wheels of mlir_aie and llvm-aie don't match"),
    "parse": ("'aiex.runtime_sequence' is unknown", "spelled for another aiecc"),
    "channels": ("number of input DMA channel exceeded", "two DMA channels each way"),
    "bif": ("BIF file is empty", "two builds shared a directory"),
    "cdo": ("Overflow of program memory", "larger than its 16 KB"),
    "xclbinutil": ("Unable to open the JSON file", ""),
    "no-xclbin": ("made no", ""),
}


@pytest.mark.parametrize("generation", ["A", "B", "C"])
@pytest.mark.parametrize("failure", FAILURES)
async def test_every_failure_has_its_first_line_and_its_meaning(
    generation: str,
    failure: str,
    set_up_machine: SetUp,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up_machine(generation)
    monkeypatch.setenv("NPU_DOUBLE", failure)
    built = await project.build()
    line, meaning = FAILURES[failure]
    assert failed(built) == "aiecc"
    assert line in error(built)
    assert meaning in error(built)
    if failure in ("parse", "channels"):
        assert built.error is not None
        assert built.error.where is not None
        assert built.error.where.startswith(f"{project.mlir}:")
    log = (built.folder / "aiecc.log").read_text()
    assert line in log or failure == "no-xclbin"


async def test_a_python_without_aie(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    project.toolchain = (await find_machine(Settings())).toolchain
    monkeypatch.setenv("NPU_DOUBLE", "no-aie")
    built = await project.build()
    assert "ModuleNotFoundError: No module named 'aie'" in error(built)
    assert "activate the venv" in error(built)


async def test_too_many_bytes_in_a_core(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("B")
    project.change("stack_size = 1024", "stack_size = 40000", project.mlir)
    built = await project.build()
    assert "allocated buffers exceeded available memory" in error(built)
    assert built.diagnostics[-1].file == str(project.mlir)
    assert built.diagnostics[-1].notes[0].file == str(project.mlir)


@pytest.mark.parametrize(("generation", "tool"), [("A", "CDO"), ("B", "CDO"), ("C", "ld.lld")])
async def test_a_program_that_is_too_large(
    generation: str,
    tool: str,
    set_up_machine: SetUp,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Known from the object, whatever aiecc will say of it and however late."""
    set_up_machine(generation)
    monkeypatch.setenv("NPU_DOUBLE", "code=16384")
    project.kernel.write_text(SMALL.format(body="out[0] = 1;"))
    built = await project.build()
    assert [c.id for c in built.concerns] == ["program-memory"]
    assert "16,4" in built.concerns[0].message
    assert error(built).startswith(f"{project.mlir}: {tool}: ") or tool in error(built)


async def test_data_that_does_not_fit(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    monkeypatch.setenv("NPU_DOUBLE", "data=40000")
    built = await project.build()
    assert [c.id for c in built.concerns] == ["data-memory"]
    assert "will not fit in region 'data'" in error(built)


@pytest.mark.parametrize("generation", ["A", "B"])
async def test_frames_alone_show_a_stack_that_overruns(
    generation: str, set_up_machine: SetUp, tmp_path: Path
) -> None:
    """Neither tool says a word, and the build passes."""
    set_up_machine(generation)
    project = Project.of(tmp_path / "report", "attention_polynomial.c")
    built = await project.build()
    assert built.error is None
    (concern,) = (c for c in built.concerns if c.id == "stack-overrun")
    assert "at least 4,512 B of stack in 1,024 B" in concern.message
    assert "attention_64x64 → attention_tile → softmax → clamp" in concern.message
    assert concern.where == f"{project.mlir}:13"
    assert concern.evidence["stack_bytes"] == 4512


async def test_aiecc_of_generation_c_checks_the_stack_itself(
    set_up_machine: SetUp, tmp_path: Path
) -> None:
    set_up_machine("C")
    project = Project.of(tmp_path / "report", "attention_polynomial.c")
    built = await project.build()
    assert "stack_size = 1024 is insufficient" in error(built)
    assert "stack-overrun" in [c.id for c in built.concerns]


async def test_b_without_xclbinutil_does_not_pass_for_success(
    set_up_machine: SetUp, project: Project
) -> None:
    machine = set_up_machine("B", own=True)
    toolchain = (await find_machine(Settings())).toolchain
    assert toolchain is not None
    (machine.xrt / "bin" / "xclbinutil").unlink()
    project.toolchain = replace(toolchain, xclbinutil=None)
    built = await project.build()
    assert "aiecc ended with exit 0, but made no final.xclbin" in error(built)
    assert "install XRT" in error(built)


@pytest.mark.parametrize("flag", ["--alloc-scheme", "--verbose"])
async def test_a_swallowed_flag_of_ours_is_an_error(
    flag: str, set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("B")
    monkeypatch.setenv("NPU_DOUBLE", f"forgets={flag}")
    built = await project.build(allocation="basic-sequential")
    assert f"aiecc took no notice of {flag}" in error(built)


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--xclbin-name", "made no final.xclbin"),
        ("--npu-insts-name", "made no insts.bin"),
        ("--aie-generate-xclbin", "made no final.xclbin"),
        ("--aie-generate-npu-insts", "made no insts.bin"),
        ("--no-xchesscc", "Could not find aietools"),
        ("--no-xbridge", "Could not find xchesscc_wrapper"),
        ("--peano", "Could not find Peano compiler tools"),
    ],
)
async def test_a_swallowed_flag_that_changes_what_is_made(
    flag: str,
    sentence: str,
    set_up_machine: SetUp,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up_machine("B")
    monkeypatch.setenv("NPU_DOUBLE", f"forgets={flag}")
    built = await project.build()
    assert sentence in error(built)


async def test_a_misspelt_flag_of_the_users_is_a_concern(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    flags = Flags(aiecc=("--dynamic-objfifos", "--opt-level=1"))
    built = await project.build(Settings(flags=flags))
    assert built.error is None
    (concern,) = built.concerns
    assert concern.id == "swallowed-flag"
    assert "--dynamic-objfifos" in concern.message


@pytest.mark.parametrize("generation", ["A", "C"])
async def test_where_unknown_flags_are_refused_that_is_the_error(
    generation: str, set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine(generation)
    built = await project.build(Settings(flags=Flags(aiecc=("--dynamic-objfifos",))))
    assert "--dynamic-objfifos" in error(built)
    assert "doesn't know a flag" in error(built)


async def test_the_wrong_object_is_caught(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit in a static function, which its caller's code doesn't show."""
    set_up_machine("A")
    first = await project.build()
    assert first.error is None
    old = project.root / "old.o"
    shutil.copy(first.objects["attention.o"], old)
    project.change("+= ", "-= ")
    monkeypatch.setenv("NPU_DOUBLE", f"old-object={old}")
    built = await project.build()
    assert "was compiled, but the core's image holds other code under that name" in error(built)
    assert built.error is not None
    assert built.error.finding == "wrong-object"
    assert failed(built) == "aiecc"
    monkeypatch.delenv("NPU_DOUBLE")
    assert (await project.build()).error is None


async def test_a_stale_xclbin_is_caught(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("B")
    first = await project.build()
    assert first.xclbin is not None
    old = project.root / "old.xclbin"
    shutil.copy(first.xclbin, old)
    os.utime(old, (1, 1))
    project.change("out[", "(out + 0)[")
    monkeypatch.setenv("NPU_DOUBLE", f"old-xclbin={old}")
    built = await project.build()
    assert "left a final.xclbin that is older than this build" in error(built)
    assert built.error is not None
    assert built.error.finding == "stale-artifact"


async def test_a_failed_build_is_tried_again(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("A")
    monkeypatch.setenv("NPU_DOUBLE", "bif")
    failure = await project.build()
    assert failure.folder.is_dir()
    monkeypatch.delenv("NPU_DOUBLE")
    built = await project.build()
    assert built.error is None
    assert [s.status for s in built.steps] == ["cached", "skipped", "ok"]


async def test_a_step_past_its_limit_is_stopped(
    set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine("B")
    project.toolchain = (await find_machine(Settings())).toolchain
    monkeypatch.setenv("NPU_DOUBLE", "slow=60")
    built = await project.build(Settings(limits=Limits(compile=0.5)))
    assert "clang took longer than 0.5 s and was stopped" in error(built)
    assert "[limits]" in error(built)
    assert children() == []


@pytest.mark.parametrize("generation", ["A", "B", "C"])
async def test_a_cancelled_build_leaves_nothing(
    generation: str, set_up_machine: SetUp, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_machine(generation)
    await project.build()
    builds, records = project.cache / "aie" / "builds", project.cache / "aie" / "records"
    before = {*builds.iterdir(), *records.iterdir()}
    project.change("stack_size = 1024", "stack_size = 2048", project.mlir)
    monkeypatch.setenv("NPU_DOUBLE", "slow=0.3")
    recorder = Recorder()
    task = asyncio.create_task(project.build(recorder=recorder))
    await asyncio.wait_for(recorder.first_phase.wait(), 60)
    assert len(list(builds.iterdir())) == 2
    monkeypatch.delenv("NPU_DOUBLE")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: not children())
    assert {*builds.iterdir(), *records.iterdir()} == before
    assert [s.name for s in recorder.finished] == ["compile", "archive"]
    assert (await project.build()).error is None


async def test_twenty_saves_in_a_row_leave_one_build(
    set_up_machine: SetUp, project: Project
) -> None:
    """Each build is stopped at another place by the next one."""
    set_up_machine("B")
    await project.build()
    for number in range(20):
        project.kernel.write_text(SMALL.format(body=f"out[0] = {number};"))
        recorder = Recorder()
        task = asyncio.create_task(project.build(recorder=recorder))
        seen = {
            0: lambda told=recorder: told.started,
            1: lambda told=recorder: "aiecc" in told.started,
            2: lambda told=recorder: told.phases,
            3: lambda told=recorder: len(told.phases) > 5,
        }
        await until(seen[number % 4], 60)
        task.cancel()
        await asyncio.wait([task])
    assert children() == []
    built = await project.build()
    assert built.error is None
    assert built.reports[0].object.functions["attention_64x64"].code
    builds = {path.name for path in (project.cache / "aie" / "builds").iterdir()}
    assert len(builds) <= 3  # the first, the last, and its object where that was compiled before
    assert not list((project.cache / "aie").rglob("*.tmp"))


async def test_a_tool_that_went_away(set_up_machine: SetUp, project: Project) -> None:
    machine = set_up_machine("A", own=True)
    project.toolchain = (await find_machine(Settings())).toolchain
    (machine.peano / "bin" / "clang").unlink()
    assert "can't start" in error(await project.build())
