"""What the watcher takes for a change, when it says so, and what it costs."""

# ruff: noqa: ASYNC240  (small writes in the loop's own thread are what is tested)

from __future__ import annotations

import asyncio
import shutil
import statistics
import threading
import time
from pathlib import Path

import pytest

from tests.process.procs import open_fds, until
from tests.watch.conftest import NEW, OLD, Watched, watching
from tests.watch.saves import ALL, Save, vim_backup_rename, vscode_atomic
from workbench import manifest
from workbench.loop.watch import DEADLINE_S, LOOK_S, QUIET_S, QUIET_WHOLE_S, Watcher


async def test_saves_in_a_row_are_one_change(kernel: Path, watched: Watched) -> None:
    for number in range(5):
        vim_backup_rename(kernel, b"%d" % number)
    assert await watched.change() == (str(kernel),)
    assert await watched.all() == [(str(kernel),)]
    assert watched.touches == 2  # the kernel's, the marker's
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(b"4")


async def test_a_file_written_piece_by_piece_is_one_change(kernel: Path, watched: Watched) -> None:
    with kernel.open("wb", buffering=0) as file:
        for number in range(5):
            file.write(b"%d" % number)
            await asyncio.sleep(QUIET_WHOLE_S * 2)
        assert watched.changes == []
    assert await watched.change() == (str(kernel),)
    assert await watched.all() == [(str(kernel),)]
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(b"01234")


async def test_a_file_written_without_end_is_reported_at_the_deadline(
    kernel: Path, watched: Watched
) -> None:
    started = time.monotonic()
    with kernel.open("wb", buffering=0) as file:
        while not watched.changes:
            file.write(b".")
            await asyncio.sleep(QUIET_S / 5)
    assert DEADLINE_S <= time.monotonic() - started < DEADLINE_S + 0.25


@pytest.mark.parametrize("save", ALL)
async def test_a_save_is_noticed_quickly(kernel: Path, watched: Watched, save: Save) -> None:
    seconds = []
    for number in range(10):
        started = time.perf_counter()
        save(kernel, b"%d" % number)
        await watched.change()
        seconds.append(time.perf_counter() - started)
    assert QUIET_WHOLE_S < statistics.median(seconds) < QUIET_S


async def test_a_file_that_stays_open_counts_once_it_is_quiet(
    kernel: Path, watched: Watched
) -> None:
    with kernel.open("wb", buffering=0) as file:
        started = time.perf_counter()
        file.write(NEW)
        await watched.change()
        assert QUIET_S < time.perf_counter() - started < DEADLINE_S


async def test_touched_comes_at_once(kernel: Path) -> None:
    touched: list[float] = []
    watcher = Watcher(lambda: touched.append(time.perf_counter()))
    watcher.watch([str(kernel)])
    changed = asyncio.create_task(watcher.changed())
    try:
        await asyncio.sleep(0)
        with kernel.open("wb", buffering=0) as file:
            started = time.perf_counter()
            file.write(NEW)
            await until(lambda: touched)
            assert not changed.done()
            assert touched[0] - started < QUIET_S / 2
        await changed
        assert len(touched) == 1
    finally:
        watcher.close()


async def test_a_file_put_back_at_once_is_reported(kernel: Path, watched: Watched) -> None:
    kernel.write_bytes(NEW)
    await until(lambda: watched.touches)
    kernel.write_bytes(OLD)
    assert await watched.change() == (str(kernel),)
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(OLD)


async def test_an_emptied_file_is_waited_for(kernel: Path, watched: Watched) -> None:
    kernel.write_bytes(b"")
    await asyncio.sleep(DEADLINE_S / 2)
    assert watched.touches == 0
    kernel.write_bytes(NEW)
    await watched.change()
    assert await watched.all() == [(str(kernel),)]


async def test_a_save_without_change_that_takes_its_time(kernel: Path, watched: Watched) -> None:
    kernel.write_bytes(b"")
    await asyncio.sleep(DEADLINE_S / 2)
    kernel.write_bytes(OLD)
    assert await watched.all() == []
    assert watched.touches == 1  # the marker's


async def test_a_deleted_file_is_reported_at_the_deadline(kernel: Path, watched: Watched) -> None:
    started = time.monotonic()
    kernel.unlink()
    assert await watched.change() == (str(kernel),)
    assert DEADLINE_S <= time.monotonic() - started < DEADLINE_S + 0.25
    assert watched.touches == 1
    assert watched.watcher.state()[str(kernel)] is None
    kernel.write_bytes(OLD)
    assert await watched.change() == (str(kernel),)
    assert await watched.all() == [(str(kernel),)] * 2


async def test_an_emptied_file_is_reported_at_the_deadline(kernel: Path, watched: Watched) -> None:
    kernel.write_bytes(b"")
    await watched.change()
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(b"")


async def test_an_empty_header_holds_nothing_up(kernel: Path, tmp_path: Path) -> None:
    header, missing = tmp_path / "empty.h", tmp_path / "missing.h"
    header.touch()
    async with watching(tmp_path, kernel, header, missing) as watched:
        started = time.monotonic()
        kernel.write_bytes(NEW)
        assert await watched.change() == (str(kernel),)
        assert time.monotonic() - started < DEADLINE_S
        missing.write_bytes(b"1")
        assert await watched.change() == (str(missing),)


async def test_files_changed_together_are_one_change(kernel: Path, tmp_path: Path) -> None:
    header = tmp_path / "a.h"
    header.write_bytes(OLD)
    async with watching(tmp_path, kernel, header) as watched:
        vim_backup_rename(kernel, NEW)
        vscode_atomic(header, NEW)
        assert await watched.change() == (str(header), str(kernel))


@pytest.mark.parametrize("name", ["a b.c", "größe.c", "$(x);`y`.c", "[a]*?.c", "bad\udcff.c"])
async def test_names(name: str, tmp_path: Path) -> None:
    folder = tmp_path / f"in {name}"
    folder.mkdir()
    kernel = folder / name
    kernel.write_bytes(OLD)
    async with watching(tmp_path, kernel) as watched:
        vscode_atomic(kernel, NEW)
        started = time.monotonic()
        assert await watched.change() == (str(kernel),)
        assert time.monotonic() - started < LOOK_S / 2


async def test_a_relative_path_is_reported_as_absolute(
    kernel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(kernel.parent)
    watcher = Watcher()
    watcher.watch(["kernel.c", "./kernel.c"])
    watcher.close()
    assert watcher.files == (str(kernel),)


async def test_a_link_that_is_turned(kernel: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.c"
    link.symlink_to("kernel.c")
    other = tmp_path / "other.c"
    other.write_bytes(NEW)
    async with watching(tmp_path, link) as watched:
        new = tmp_path / "new"
        new.symlink_to("other.c")
        new.rename(link)
        assert await watched.change() == (str(link),)
        other.write_bytes(OLD + NEW)
        assert await watched.change() == (str(link),)
        kernel.write_bytes(b"nobody looks at this")
        assert len(await watched.all()) == 2
        assert watched.watcher.polling_because is None


async def test_a_linked_folder_that_is_turned(tmp_path: Path, impatient: None) -> None:
    for name, text in (("one", OLD), ("two", NEW)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kernel.c").write_bytes(text)
    folder = tmp_path / "current"
    folder.symlink_to("one")
    kernel = folder / "kernel.c"
    async with watching(tmp_path, kernel) as watched:
        new = tmp_path / "new"
        new.symlink_to("two")
        new.rename(folder)
        assert await watched.change() == (str(kernel),)
        await asyncio.sleep(0.4)
        assert watched.watcher.polling_because is None  # no event could tell of this
        kernel.write_bytes(OLD + NEW)
        assert await watched.change() == (str(kernel),)


@pytest.mark.parametrize("away", [shutil.rmtree, lambda folder: folder.rename(f"{folder}.old")])
async def test_a_folder_that_is_replaced(away: object, tmp_path: Path) -> None:
    assert callable(away)
    folder = tmp_path / "kernels"
    folder.mkdir()
    kernel = folder / "kernel.c"
    kernel.write_bytes(OLD)
    async with watching(tmp_path, kernel) as watched:
        for number in range(3):
            away(folder)
            folder.mkdir()
            kernel.write_bytes(b"%d" % number)
            assert await watched.change() == (str(kernel),)
            kernel.write_bytes(b"%d again" % number)
            started = time.monotonic()
            assert await watched.change() == (str(kernel),)
            assert time.monotonic() - started < LOOK_S / 2
            shutil.rmtree(f"{folder}.old", ignore_errors=True)
        assert len(await watched.all()) == 6
        assert watched.watcher.polling_because is None


async def test_files_are_added_and_dropped(kernel: Path, tmp_path: Path) -> None:
    header = tmp_path / "include" / "new.h"
    header.parent.mkdir()
    header.write_bytes(OLD)
    async with watching(tmp_path, kernel) as watched:
        kernel.write_bytes(NEW)
        await watched.change()
        watched.watcher.watch([str(p) for p in (kernel, watched.marker, header)])
        header.write_bytes(NEW)
        assert await watched.change() == (str(header),)
        watched.watcher.watch([str(p) for p in (kernel, watched.marker)])
        header.write_bytes(OLD)
        assert len(await watched.all()) == 2


async def test_a_change_is_not_lost_when_the_list_changes(kernel: Path, tmp_path: Path) -> None:
    header = tmp_path / "new.h"
    header.write_bytes(OLD)
    async with watching(tmp_path, kernel) as watched:
        kernel.write_bytes(NEW)
        watched.watcher.watch([str(p) for p in (kernel, watched.marker, header)])
        assert await watched.change() == (str(kernel),)


async def test_a_new_file_is_compared_with_what_its_reader_read(
    kernel: Path, tmp_path: Path
) -> None:
    header = tmp_path / "new.h"
    header.write_bytes(NEW)
    async with watching(tmp_path, kernel) as watched:
        files = [str(p) for p in (kernel, watched.marker, header)]
        watched.watcher.watch(files, known={str(header): manifest.sha256_bytes(OLD)})
        started = time.monotonic()
        assert await watched.change() == (str(header),)
        assert time.monotonic() - started < LOOK_S / 2


async def test_a_cancelled_wait_loses_nothing(kernel: Path) -> None:
    touched = 0

    def count() -> None:
        nonlocal touched
        touched += 1

    watcher = Watcher(count)
    watcher.watch([str(kernel)])
    waiting = asyncio.create_task(watcher.changed())
    await asyncio.sleep(0)
    kernel.write_bytes(NEW)
    await until(lambda: touched)
    waiting.cancel()
    started = time.monotonic()
    assert await watcher.changed() == (str(kernel),)
    assert time.monotonic() - started < LOOK_S / 2
    watcher.close()


async def test_waiting_costs_nothing(kernel: Path, watched: Watched) -> None:
    await asyncio.sleep(0.1)
    cpu, started = time.process_time(), time.monotonic()
    await asyncio.sleep(1.5)
    assert (time.process_time() - cpu) / (time.monotonic() - started) < 0.01


def observers() -> list[threading.Thread]:
    """The threads that watchers need."""
    return [t for t in threading.enumerate() if type(t).__module__.startswith("watchdog")]


async def test_close_is_immediate_and_leaves_nothing(kernel: Path) -> None:
    await until(lambda: not observers())
    fds = open_fds()
    for _ in range(3):
        watcher = Watcher()
        watcher.watch([str(kernel)])
        assert observers()
        # The library holds a file that left the folder back for half a second, and is deaf then.
        kernel.rename(kernel.parent.parent / kernel.name)
        await asyncio.sleep(0.02)
        started = time.monotonic()
        watcher.close()
        watcher.close()
        assert time.monotonic() - started < 0.05
        (kernel.parent.parent / kernel.name).rename(kernel)
    await until(lambda: not observers())
    assert open_fds() == fds


async def test_the_loop_may_end_before_the_watcher(
    kernel: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def run() -> None:
        async def start() -> Watcher:
            watcher = Watcher()
            watcher.watch([str(kernel)])
            return watcher

        watcher = asyncio.run(start())
        kernel.write_bytes(NEW)
        watcher.close()

    await asyncio.to_thread(run)
    await until(lambda: not observers())
    assert capfd.readouterr().err == ""
