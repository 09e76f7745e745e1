"""Where the system reports nothing: polling, and the reason for it said."""

# ruff: noqa: ASYNC240  (small writes in the loop's own thread are what is tested)

from __future__ import annotations

import asyncio
import mmap
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.process.procs import until
from tests.watch.conftest import NEW, OLD, Watched
from tests.watch.saves import ALL, Save
from workbench import manifest
from workbench.loop.watch import LOOK_S, POLL_S, QUIET_S


@pytest.fixture
def unheard(kernel: Path) -> Iterator[Callable[[bytes], None]]:
    """Writes the kernel through mapped memory: no event tells of it, as on network file systems."""
    with open(kernel, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:

        def write(text: bytes) -> None:
            memory[:] = text

        yield write


async def test_a_change_without_an_event_leads_to_polling(
    unheard: Callable[[bytes], None], kernel: Path, watched: Watched, impatient: None
) -> None:
    started = time.monotonic()
    unheard(NEW)
    assert await watched.change() == (str(kernel),)
    assert time.monotonic() - started < LOOK_S + 4 * QUIET_S
    assert watched.watcher.polling_because is None  # the event may yet come
    await until(lambda: watched.watcher.polling_because)
    assert watched.watcher.polling_because == "this file system reports no events"
    unheard(OLD)
    assert await watched.change(2 * LOOK_S) == (str(kernel),)
    assert await watched.all() == [(str(kernel),)] * 2


async def test_an_event_that_comes_late_keeps_events(
    unheard: Callable[[bytes], None], kernel: Path, watched: Watched, impatient: None
) -> None:
    for text in (NEW, OLD):
        unheard(text)
        assert await watched.change(2 * LOOK_S) == (str(kernel),)
        open(kernel, "r+b").close()  # noqa: ASYNC230
        await asyncio.sleep(0.4)
    assert await watched.all() == [(str(kernel),)] * 2
    assert watched.watcher.polling_because is None


@pytest.mark.parametrize("save", ALL, ids=lambda save: save.__name__)
async def test_polling_finds_every_save(save: Save, kernel: Path, watched: Watched) -> None:
    watched.watcher._poll("because of this test")
    started = time.monotonic()
    save(kernel, NEW)
    assert await watched.change() == (str(kernel),)
    assert time.monotonic() - started < 2 * POLL_S + 3 * QUIET_S
    for litter in set(kernel.parent.iterdir()) - {kernel, watched.marker}:
        litter.unlink()
    save(kernel, NEW)
    assert await watched.all() == [(str(kernel),)]
    assert watched.watcher.polling_because == "because of this test"


async def test_polling_finds_what_leaves_no_trace_in_the_stat(
    kernel: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.loop.watch._stat", lambda _path: (0, 0, 0, 0, 0))
    watched.watcher._poll("because of this test")
    kernel.write_bytes(NEW)
    assert await watched.change(2 * LOOK_S) == (str(kernel),)


async def test_a_deleted_file_comes_back(kernel: Path, watched: Watched) -> None:
    watched.watcher._poll("because of this test")
    kernel.unlink()
    assert await watched.change() == (str(kernel),)
    kernel.write_bytes(OLD)
    assert await watched.change() == (str(kernel),)
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(OLD)


REFUSED = """
    import asyncio, ctypes, sys
    from pathlib import Path
    from workbench.loop.watch import Watcher

    newuser = 0x10000000
    if ctypes.CDLL(None).unshare(newuser):
        sys.exit("no user namespace here")
    try:
        Path("/proc/sys/user/{limit}").write_text("0")
    except OSError:
        sys.exit("no limits in this user namespace")

    async def main():
        kernel = Path(sys.argv[1])
        watcher = Watcher()
        watcher.watch([str(kernel)])
        print(watcher.polling_because)
        changed = asyncio.create_task(watcher.changed())
        await asyncio.sleep(0.05)
        kernel.write_text("new")
        print(*await changed)
        watcher.close()

    asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("limit", "why"),
    [
        ("max_inotify_instances", "inotify instance limit reached"),
        ("max_inotify_watches", "inotify watch limit reached"),
    ],
)
def test_the_systems_limit_leads_to_polling(limit: str, why: str, kernel: Path) -> None:
    script = textwrap.dedent(REFUSED.format(limit=limit))
    done = subprocess.run(
        [sys.executable, "-c", script, kernel], capture_output=True, text=True, timeout=30
    )
    if done.stderr.startswith("no "):
        pytest.skip(done.stderr.strip())
    assert done.stdout.splitlines() == [
        f"the system refuses to watch folders: {why}",
        str(kernel),
    ], done.stderr
