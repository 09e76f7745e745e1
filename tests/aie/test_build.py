from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.aie.project import Project, Recorder
from tests.conftest import SetUp
from workbench.build.aie.build import BUILDS_KEPT, NpuBuilt
from workbench.build.aie.phases import PHASES
from workbench.build.kernel import SourceChanged
from workbench.manifest import sha256_file
from workbench.settings import Flags, Settings

GENERATIONS = ("A", "B", "C")


def files_but_caches(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if ".workbench" not in path.parts}


def statuses(built: NpuBuilt) -> dict[str, str]:
    return {step.name: step.status for step in built.steps}


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_a_build_from_end_to_end(
    generation: str, set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine(generation)
    recorder = Recorder()
    built = await project.build(recorder=recorder)
    assert built.error is None, built.error
    assert statuses(built) == {"compile": "ok", "archive": "skipped", "aiecc": "ok"}
    assert recorder.started == ["compile", "archive", "aiecc"]
    assert tuple(recorder.finished) == built.steps
    assert built.xclbin is not None
    assert built.instructions is not None
    content = json.loads(built.xclbin.read_text())
    assert content["generation"] == generation
    assert content["design"] == project.mlir.read_text()
    assert content["sources"] == {"attention.o": str(project.kernel)}
    assert built.instructions.stat().st_size == 300
    assert list(built.images) == [(0, 2)]
    assert built.concerns == ()
    assert {a.path for a in built.steps[2].artifacts} >= {str(built.xclbin)}
    assert not built.cached


@pytest.mark.parametrize("generation", GENERATIONS)
async def test_all_phases_pass_in_order(
    generation: str, set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine(generation)
    recorder = Recorder()
    built = await project.build(recorder=recorder)
    names = list(dict.fromkeys(phase.name for phase in built.phases))
    assert [name for name in names if name != "unknown"] == list(PHASES)
    assert recorder.phases == list(built.phases)
    seconds = [phase.seconds for phase in built.phases]
    assert seconds == sorted(seconds)
    unknown = [phase.detail for phase in built.phases if phase.name == "unknown"]
    assert unknown == (["measure-stack"] if generation == "C" else [])


async def test_provenance_ties_source_to_xclbin(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("B")
    project.kernel.write_text('#include "npu_workbench.h"\n' + project.kernel.read_text())
    built = await project.build()
    made = built.provenance
    assert made["sources"] == {str(project.kernel): sha256_file(project.kernel)}
    assert made["design"] == {str(project.mlir): sha256_file(project.mlir)}
    assert any(name.endswith("npu_workbench.h") for name in made["headers"])
    assert built.xclbin is not None
    assert made["xclbin"] == sha256_file(built.xclbin)
    assert (
        made["linked"]["attention.o"]
        == json.loads(built.xclbin.read_text())["objects"]["attention.o"]
    )
    assert made["images"]["0,2"] == sha256_file(built.images[0, 2])
    assert "llvm-aie" in made["tools"]["Peano"]
    assert json.loads(json.dumps(made)) == made


async def test_the_same_again_runs_nothing(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    first = await project.build()
    recorder = Recorder()
    again = await project.build(recorder=recorder)
    assert statuses(again) == {"compile": "cached", "archive": "skipped", "aiecc": "cached"}
    assert again.cached
    assert again.xclbin == first.xclbin
    assert again.provenance == first.provenance
    assert again.phases == first.phases
    assert len(list((project.cache / "aie" / "builds").iterdir())) == 1


async def test_a_newer_file_with_the_same_text_is_the_same(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    await project.build()
    project.kernel.write_text(project.kernel.read_text())
    assert (await project.build()).cached


async def test_the_same_object_links_nothing(set_up_machine: SetUp, project: Project) -> None:
    """Other flags gave the same bytes: all that follows is proven unchanged."""
    set_up_machine("B")
    first = await project.build()
    built = await project.build(Settings(flags=Flags(compile=("-DUNUSED",))))
    assert statuses(built) == {"compile": "ok", "archive": "skipped", "aiecc": "cached"}
    assert built.xclbin == first.xclbin


async def test_another_source_is_another_build(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("B")
    first = await project.build()
    project.change("out[", "(out + 0)[")
    second = await project.build()
    assert statuses(second) == {"compile": "ok", "archive": "skipped", "aiecc": "ok"}
    assert first.xclbin is not None
    assert second.xclbin is not None
    assert second.xclbin.parent != first.xclbin.parent
    assert second.provenance["functions"] != first.provenance["functions"]
    project.change("(out + 0)[", "out[")
    third = await project.build()
    assert third.cached
    assert third.xclbin == first.xclbin


async def test_another_header_compiles_again(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    header = project.root / "table.h"
    header.write_text("static const int table = 1;\n")
    project.kernel.write_text('#include "table.h"\n' + project.kernel.read_text())
    assert statuses(await project.build())["compile"] == "ok"
    assert statuses(await project.build())["compile"] == "cached"
    header.write_text("static const int table = 2;\n")
    built = await project.build()
    assert statuses(built)["compile"] == "ok"
    assert str(header) in built.headers


async def test_another_design_keeps_the_object(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("C")
    await project.build()
    project.change(
        "%scale_shift = arith.constant 3", "%scale_shift = arith.constant 4", project.mlir
    )
    assert statuses(await project.build()) == {
        "compile": "cached",
        "archive": "skipped",
        "aiecc": "ok",
    }


async def test_other_flags_and_tools_build_again(set_up_machine: SetUp, project: Project) -> None:
    machine = set_up_machine("A", own=True)
    await project.build()
    other = Settings(flags=Flags(compile=("-O1",)))
    built = await project.build(other)
    assert statuses(built)["compile"] == "ok"
    assert "-O1" in built.steps[0].command
    clang = machine.peano / "bin" / "clang"
    clang.write_text(clang.read_text() + "\n# another build of it\n")
    assert statuses(await project.build(look_again=True))["compile"] == "ok"


@pytest.mark.parametrize("kept", ["final.xclbin", "insts.bin", "attention.o"])
async def test_what_was_changed_behind_our_back_is_built_again(
    kept: str, set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    first = await project.build()
    (first.folder / kept).write_bytes(b"something else")
    again = await project.build()
    assert again.error is None
    assert again.folder != first.folder or kept == "attention.o"
    assert not again.cached


async def test_several_sources_are_archived(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("A")
    helper = project.root / "helper.c"
    helper.write_text("int helper(int x) {\n    return x + 1;\n}\n")
    built = await project.build(sources=(helper,))
    assert built.error is None, built.error
    assert statuses(built) == {"compile": "ok", "archive": "ok", "aiecc": "ok"}
    archive = built.objects["attention.o"]
    assert archive.read_bytes().startswith(b"!<arch>\n")
    assert {r.object.path for r in built.reports} == {a.path for a in built.steps[0].artifacts}


async def test_a_design_that_links_an_archive_gets_one(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    project.change('"attention.o"', '"attention.a"', project.mlir)
    built = await project.build()
    assert built.error is None, built.error
    assert statuses(built)["archive"] == "ok"


async def test_the_scheme_reaches_aiecc_and_defaults_are_left_alone(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("B")
    default = await project.build()
    assert not any("alloc-scheme" in word for word in default.steps[2].command)
    promised = await project.build(allocation="basic-sequential")
    assert "--alloc-scheme=basic-sequential" in promised.steps[2].command
    assert promised.error is None
    asked = await project.build(Settings(alloc_scheme="bank-aware"), allocation="basic-sequential")
    assert "--alloc-scheme=bank-aware" in asked.steps[2].command


async def test_cxx_goes_to_clangxx(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("C")
    source = project.root / "attention.cc"
    text = project.kernel.read_text()
    source.write_text(f'extern "C" {{\n{text}\n}}\n')
    project.kernel = source
    built = await project.build()
    assert built.error is None, built.error
    assert built.steps[0].command[0].endswith("clang++")
    assert "-std=c++20" in built.steps[0].command


async def test_npu2_is_compiled_for_aie2p(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("C")
    project.change("npu1_1col", "npu2_1col", project.mlir)
    built = await project.build()
    assert "--target=aie2p-none-unknown-elf" in built.steps[0].command
    assert built.reports[0].object.target == "aie2p"
    forced = await project.build(Settings(target="aie2"))
    assert "--target=aie2-none-unknown-elf" in forced.steps[0].command


async def test_old_builds_are_cleared_away(set_up_machine: SetUp, project: Project) -> None:
    set_up_machine("B")
    for number in range(BUILDS_KEPT + 3):
        project.kernel.write_text(
            f"void attention_64x64(char *a, char *b, int s) {{ a[{number}]; }}"
        )
        assert (await project.build()).error is None
    assert len(list((project.cache / "aie" / "builds").iterdir())) == BUILDS_KEPT
    assert (await project.build()).cached


async def test_a_design_saved_again_is_no_design_of_ours(
    set_up_machine: SetUp, project: Project
) -> None:
    set_up_machine("A")
    stale = replace(project.design, sha256="0" * 64)
    project.__class__ = type("Stale", (Project,), {"design": stale})
    with pytest.raises(SourceChanged):
        await project.build()
    assert list((project.cache / "aie" / "builds").iterdir()) == []


async def test_the_folder_is_the_builds_own(
    set_up_machine: SetUp, project: Project, tmp_path: Path
) -> None:
    set_up_machine("A")
    before = files_but_caches(tmp_path)
    await project.build()
    assert files_but_caches(tmp_path) == before
