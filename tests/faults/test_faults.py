"""Every planted fault goes through a check, whose first finding names it; the bases have none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.faults import BASES, FAULTS, Edit, Fault
from workbench.loop.engine import Engine
from workbench.loop.result import RunResult
from workbench.loop.target import Options

SOURCES = Path(__file__).parent / "bases"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bases as a project, whose cache keeps what their specs computed."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "npu-workbench.toml").touch()
    for base in BASES:
        for kind in (".c", ".py", ".mlir"):
            shutil.copy(SOURCES / f"{base}{kind}", folder)
    return folder


async def checked(kernel: Path, spec: Path, design: Path) -> RunResult:
    """What a check of these files says in the end."""
    options = Options(str(kernel), spec=str(spec), design=str(design), device="model")
    engine = Engine(options, lambda event: None)
    try:
        return await engine.check()
    finally:
        await engine.close()


def edited(file: Path, edits: tuple[Edit, ...], folder: Path) -> Path:
    """A copy of a file in `folder`, with each of the texts replaced where it stands."""
    text = file.read_text()
    for old, new in edits:
        assert text.count(old) == 1, f"{file.name} has {text.count(old)} times {old!r}"
        text = text.replace(old, new)
    copy = folder / file.name
    copy.write_text(text)
    return copy


@pytest.mark.parametrize("base", BASES)
async def test_a_base_is_right(project: Path, base: str) -> None:
    result = await checked(*(project / f"{base}{kind}" for kind in (".c", ".py", ".mlir")))
    assert result.status == "pass", result.error
    assert [f for f in result.findings if f.severity != "info"] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.base}: {fault.name}")
async def test_a_fault_is_named(project: Path, fault: Fault) -> None:
    folder = project / fault.name.replace(" ", "-")
    folder.mkdir()
    result = await checked(
        edited(project / f"{fault.base}.c", fault.kernel, folder),
        project / f"{fault.base}.py",
        edited(project / f"{fault.base}.mlir", fault.design, folder),
    )
    seen = result.status != "pass" or any(f.severity == "error" for f in result.findings)
    assert seen, "the fault passes unseen"
    if fault.finding is None:
        assert result.findings == ()
        assert fault.says in str(result.error)
        return
    first, *_ = result.findings
    said = f"{first.where}: {first.message} ({first.hint})"
    assert (first.id, fault.says if fault.says in said else said) == (fault.finding, fault.says)


def test_the_corpus_is_large_enough() -> None:
    assert len({(fault.base, fault.name) for fault in FAULTS}) == len(FAULTS) >= 32
    assert {fault.base for fault in FAULTS} == set(BASES)
