"""Every file that a result depends on: edited, broken, mended, deleted and restored."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Watching
from tests.engine.test_saves import slow, version
from tests.projects import KERNEL, SPEC, Project
from workbench.loop.events import Missing, Reverted, RunStarted
from workbench.loop.view import Phase

FILES = {"kernel": "kernels/scale.c", "header": "kernels/factor.h"} | {
    "spec": "kernels/scale.py",
    "design": "mlir/scale.mlir",
}
COMMENTS = {"spec": "# more\n"}


@pytest.mark.parametrize("name", FILES)
async def test_an_edit_is_a_run(watching: Watching, name: str) -> None:
    async with watching() as loop:
        await loop.finished(1)
        file = getattr(loop.project, name)
        file.write_text(file.read_text() + COMMENTS.get(name, "// more\n"))
        result = await loop.finished(2)
        assert result.status == "pass"
        assert loop.all(RunStarted)[-1].reason == f"saved {FILES[name]}"


async def test_an_edited_design_is_judged(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.edit(loop.project.design, "constant 3 : i32", "constant 2 : i32")
        result = await loop.finished(2)
        assert result.status == "fail"
        assert result.findings[0].id == "scalar-mismatch"
        assert result.findings[0].where == "mlir/scale.mlir:11"


@pytest.mark.parametrize(
    ("name", "broken", "status", "said"),
    [
        ("kernel", "void scale( {", "build-failed", "kernels/scale.c:1:13: "),
        ("header", "enum { COUNT = x };", "build-failed", "kernels/factor.h:1:16: "),
        ("spec", "SPEC = Spec(", "error", "kernels/scale.py:1: syntax error: '(' was never closed"),
        ("spec", "1 / 0", "error", "kernels/scale.py:1: ZeroDivisionError: division by zero"),
        ("design", "aie.device(", "error", "mlir/scale.mlir:"),
    ],
)
async def test_broken_and_mended(
    watching: Watching, name: str, broken: str, status: str, said: str
) -> None:
    async with watching() as loop:
        await loop.finished(1)
        file = getattr(loop.project, name)
        whole = file.read_text()
        file.write_text(broken)
        result = await loop.finished(2)
        assert (result.status, result.verdict) == (status, None)
        assert str(result.error).startswith(said)
        assert loop.view.shown is not None
        assert (loop.view.shown.run, loop.view.is_current) == (1, False)
        file.write_text(whole)
        assert (await loop.finished(3)).status == "pass"
        assert loop.view.is_current


async def test_a_broken_spec_is_mended_in_the_module_that_it_imports(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        helper = loop.project.spec.with_name("shapes.py")
        helper.write_text("SHAPE = (16, 0)\n")
        loop.project.edit(loop.project.spec, "X, Y =", "from shapes import SHAPE\n\nX, Y =")
        loop.project.edit(loop.project.spec, "(16, 16)", "SHAPE")
        result = await loop.finished(2)
        # The error is the spec's, what mends it is not.
        assert str(result.error).startswith("kernels/scale.py:5: tensor x: shape (16, 0) ")
        helper.write_text("SHAPE = (16, 16)\n")
        assert (await loop.finished(3)).status == "pass"
        helper.write_text("SHAPE = (16, 16)  # rows, columns\n")
        assert (await loop.finished(4)).status == "pass"


async def test_a_kernel_deleted_and_restored(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.kernel.unlink()
        await loop.until(lambda: loop.all(Missing))
        assert (loop.view.phase, loop.view.missing) == (Phase.MISSING, "kernels/scale.c")
        assert not loop.view.is_current
        loop.project.kernel.write_text(KERNEL)
        await loop.until(lambda: loop.all(Reverted))
        assert (loop.view.phase, loop.view.is_current) == (Phase.PASS, True)
        loop.project.kernel.unlink()
        await loop.until(lambda: len(loop.all(Missing)) == 2)
        loop.project.kernel.write_text(version(1))
        assert (await loop.finished(2)).status == "pass"


async def test_a_kernel_deleted_while_it_runs(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.kernel.write_text(slow(1))
        await loop.begun(2)
        loop.project.kernel.unlink()
        await loop.until(lambda: loop.all(Missing))
        assert loop.view.phase is Phase.MISSING
        loop.project.kernel.write_text(version(1))
        assert (await loop.finished(3)).status == "pass"
        assert [result.run for result in loop.results] == [1, 3]


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("header", "build-failed", "kernels/scale.c:2:10: 'factor.h' file not found"),
        ("spec", "error", "kernels/scale.c: this kernel has no spec"),
        ("design", "error", "mlir/scale.mlir: there is no such design"),
    ],
)
async def test_deleted_and_restored(watching: Watching, name: str, status: str, said: str) -> None:
    async with watching() as loop:
        await loop.finished(1)
        file = getattr(loop.project, name)
        whole = file.read_text()
        file.unlink()
        result = await loop.finished(2)
        assert result.status == status
        assert str(result.error).startswith(said)
        file.write_text(whole)
        assert (await loop.finished(3)).status == "pass"


async def test_a_kernel_that_is_yet_to_be_written(project: Project, watching: Watching) -> None:
    project.kernel.unlink()
    async with watching() as loop:
        result = await loop.finished(1)
        assert str(result.error).startswith(f"{project.kernel}: no such kernel")
        project.kernel.write_text(KERNEL)
        assert (await loop.finished(2)).status == "pass"


async def test_a_spec_that_appears_beside_the_kernel(project: Project, watching: Watching) -> None:
    project.spec.rename(project.spec.with_name("other.py"))
    project.kernel.write_text(f"// workbench: spec=other.py\n{KERNEL}")
    async with watching() as loop:
        assert (await loop.finished(1)).spec == "kernels/other.py"
        project.spec.write_text(SPEC)
        assert (await loop.finished(2)).spec == "kernels/scale.py"
