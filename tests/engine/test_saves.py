"""Saves: one run each, none for a save without change, and never anything untrue on screen."""

from __future__ import annotations

from tests.engine.conftest import Watching
from tests.projects import HEADER, KERNEL, marked
from tests.watch import saves
from workbench import manifest
from workbench.loop.events import Reverted, RunCancelled, RunStarted, Saved
from workbench.loop.view import Phase


def version(number: int) -> str:
    """The kernel with another text and the same meaning."""
    return f"{KERNEL}// version {number}\n"


def slow(number: int) -> str:
    """The kernel taking a tenth of a second, each time it is called."""
    body = KERNEL[: KERNEL.rindex("}")]
    return f"int usleep(unsigned);\n{body}    usleep(100000);\n}}\n// version {number}\n"


async def test_each_way_of_saving_is_one_run(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        for run, save in enumerate(saves.ALL, start=2):
            text = version(run).encode()
            save(loop.project.kernel, text)
            result = await loop.finished(run)
            assert result.source_sha256 == manifest.sha256_bytes(text), save.__name__
            assert loop.view.is_current, save.__name__
            # A second run for this save would take the next one's number.
        assert loop.all(RunCancelled) == []


async def test_a_save_without_change_is_no_run(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        for save in saves.ALL:
            save(loop.project.kernel, KERNEL.encode())
        loop.project.header.write_text(HEADER + "\n")
        await loop.finished(2)
        assert [event.reason for event in loop.all(RunStarted)] == [
            "opened",
            "saved kernels/factor.h",
        ]


async def test_five_saves_while_it_runs_end_in_one_result(watching: Watching, mark: str) -> None:
    async with watching() as loop:
        await loop.finished(1)
        for number in range(5):
            loop.project.kernel.write_text(slow(number))
            await loop.begun(number + 2)
        result = await loop.finished(6)
        assert result.status == "pass"
        assert result.source_sha256 == manifest.sha256_bytes(slow(4).encode())
        assert [r.run for r in loop.results] == [1, 6]
        # At once, not when it is quiet.
        assert loop.all(RunCancelled) == [RunCancelled(n, "a newer save") for n in (2, 3, 4, 5)]
        # The process of the next execution, and nobody else.
        await loop.until(lambda: len(marked(mark)) == 1)


async def test_five_saves_at_once_are_one_run(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        for number in range(5):
            loop.project.kernel.write_text(version(number))
        result = await loop.finished(2)
        assert result.source_sha256 == manifest.sha256_bytes(version(4).encode())
        assert loop.all(RunCancelled) == []


async def test_what_is_shown_is_stale_from_the_save_on(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        assert (loop.view.phase, loop.view.is_current) == (Phase.PASS, True)
        loop.project.kernel.write_text("int broken")
        await loop.until(lambda: not loop.view.is_current)
        assert isinstance(loop.events[-1], Saved)
        assert loop.view.phase is Phase.WAITING
        result = await loop.finished(2)
        assert (result.status, loop.view.phase) == ("build-failed", Phase.BUILD_FAILED)
        assert loop.view.shown is not None
        assert (loop.view.shown.run, loop.view.is_current) == (1, False)
        loop.project.kernel.write_text(KERNEL)
        await loop.finished(3)
        assert loop.view.is_current


async def test_undone_before_it_is_quiet_is_told(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.kernel.write_text(version(1))
        await loop.until(lambda: loop.all(Saved))
        loop.project.kernel.write_text(KERNEL)
        await loop.until(lambda: loop.all(Reverted))
        assert (loop.view.phase, loop.view.is_current) == (Phase.PASS, True)
        assert loop.started == [1]


async def test_undone_while_it_runs_is_run_again(watching: Watching) -> None:
    async with watching() as loop:
        await loop.finished(1)
        loop.project.kernel.write_text(slow(1))
        await loop.begun(2)
        loop.project.kernel.write_text(KERNEL)
        result = await loop.finished(3)
        assert result.source_sha256 == manifest.sha256_bytes(KERNEL.encode())
        assert loop.all(Reverted) == []
        assert loop.view.is_current
