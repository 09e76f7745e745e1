"""The end of an execution before its time, and turns: the NPU is let go of, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from tests.npu.conftest import Npu, X, out
from tests.process.procs import alive, children, gone, until
from workbench.device.npu.device import GRACE_S
from workbench.device.npu.lock import device_lock, lock_file
from workbench.errors import HangError

AT_ONCE = -7.9
"""A grace that leaves 0.1 s of the 8 s that a run may take."""


def held() -> bool:
    """Whether somebody has the device."""
    waited: list[int | None] = []

    def give_up(holder: int | None) -> None:
        waited.append(holder)
        raise BlockingIOError

    try:
        with device_lock(lock_file(), os.getpid(), give_up):
            return False
    except BlockingIOError:
        return bool(waited)


def queued(file: Path) -> bool:
    """Whether a process is blocked on the lock, as the kernel tells."""
    inode = f":{file.stat().st_ino} "
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and inode in line for line in lines)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """A FIFO that opens when it is written to."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


class Execution:
    """An execution on its way, with the process that drives the NPU."""

    def __init__(
        self,
        npu: Npu,
        faults: str,
        *,
        grace_s: float = GRACE_S,
        limit_s: float = 60,
        gate: Path | None = None,
    ) -> None:
        self.npu = npu
        before = children()
        device = npu.device(faults, grace_s=grace_s, gate=gate)
        self.task = asyncio.create_task(
            device.execute(npu.work(), npu.lines.extend, limit_s=limit_s)
        )
        self._before = before
        self.pid = 0

    async def reaches(self, call: str) -> None:
        """Wait until the double is where it was told to stay."""
        await until(lambda: self.npu.named(call))
        (self.pid,) = set(children()) - set(self._before)

    async def ends_cancelled(self) -> None:
        with pytest.raises(asyncio.CancelledError):
            await self.task
        await gone(self.pid)
        assert not held()
        assert self.npu.leftovers() == []


async def test_cancelling_waits_for_the_run_that_the_npu_is_at(npu: Npu, gate: Path) -> None:
    execution = Execution(npu, "busy", gate=gate)
    await execution.reaches("busy")
    execution.task.cancel()
    for _ in range(3):  # a save, and another: more often doesn't mean harder
        await asyncio.sleep(0)
        execution.task.cancel()
    await until(lambda: npu.named("term"))
    assert alive(execution.pid)
    assert held()
    os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))  # fails when nobody waits there
    await execution.ends_cancelled()
    assert len(npu.named("run")) == 1
    assert npu.dropped() == ["run", "kernel", "bo", "bo", "bo", "context", "device"]
    assert npu.misuses() == []


async def test_a_wait_that_never_returns_is_killed_after_its_grace(npu: Npu) -> None:
    execution = Execution(npu, "hang", grace_s=-7.0)
    await execution.reaches("hang")
    started = time.monotonic()
    execution.task.cancel()
    await execution.ends_cancelled()
    assert 1.0 <= time.monotonic() - started < 5.0


async def test_the_limit_is_a_hang(npu: Npu) -> None:
    execution = Execution(npu, "hang", grace_s=AT_ONCE, limit_s=1.0)
    await execution.reaches("hang")
    with pytest.raises(HangError, match="the NPU gave no result in 1 s"):
        await execution.task
    assert npu.lines[-1] == "no result after 1 s: waiting for the NPU to let go"
    await gone(execution.pid)
    assert not held()
    assert npu.leftovers() == []


async def test_a_device_that_others_use_is_waited_for(npu: Npu) -> None:
    with device_lock(lock_file(), 4711, lambda _: None):
        execution = Execution(npu, "", limit_s=5)
        waiting = "another npu-workbench, pid 4711, is using the device: waiting for it"
        await until(lambda: npu.lines)
        assert npu.lines == [waiting]
        await until(lambda: queued(lock_file()))
        assert not npu.calls()
    outcome = await execution.task
    assert np.array_equal(out(outcome.runs[0]), 3 * X[:256])


async def test_waiting_for_the_device_does_not_count(npu: Npu, gate: Path) -> None:
    first = Execution(npu, "busy", gate=gate)
    await first.reaches("busy")
    second = Execution(npu, "", limit_s=5)
    await until(lambda: any("waiting for it" in line for line in npu.lines))
    assert f"pid {os.getpid()}" in npu.lines[-1]
    # Both pass all of their waits through the gate's reader, one after another.
    opener = asyncio.create_task(asyncio.to_thread(_keep_open, gate, first.task))
    assert (await first.task).state == "COMPLETED"
    assert (await second.task).state == "COMPLETED"
    await opener


def _keep_open(gate: Path, task: asyncio.Task[object]) -> None:
    fd = os.open(gate, os.O_RDWR)
    while not task.done():
        os.sched_yield()
    os.close(fd)


async def test_who_waits_for_the_device_is_stopped_at_once(npu: Npu) -> None:
    with device_lock(lock_file(), 4711, lambda _: None):
        execution = Execution(npu, "")
        await until(lambda: queued(lock_file()))
        execution.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await execution.task
    assert not held()
    assert npu.calls() == []
    assert npu.leftovers() == []


async def test_the_lock_ends_with_its_process_however_that_ends(npu: Npu) -> None:
    execution = Execution(npu, "hang")
    await execution.reaches("hang")
    assert held()
    os.kill(execution.pid, signal.SIGKILL)
    with pytest.raises(Exception, match="SIGKILL"):
        await execution.task
    assert not held()


async def test_cancelled_at_any_moment_nothing_is_left(npu: Npu) -> None:
    before = children()
    for turn in range(10):
        execution = Execution(npu, "")
        await until(partial(npu.has_called, 6 * turn))
        execution.task.cancel()
        await asyncio.wait([execution.task])
        npu.record.unlink(missing_ok=True)
    assert children() == before
    assert not held()
    assert npu.leftovers() == []


def test_the_lock_is_this_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert lock_file().parent == tmp_path
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert str(os.getuid()) in str(lock_file())


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"), device_lock(file, 1, lambda _: None):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_holder_that_is_not_told_yet(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    told: list[int | None] = []

    def give_up(holder: int | None) -> None:
        told.append(holder)
        raise BlockingIOError

    with device_lock(file, 17, lambda _: None):
        for content in (None, "", "x"):
            if content is not None:
                file.write_text(content)
            with pytest.raises(BlockingIOError), device_lock(file, 1, give_up):
                pass
    assert told == [17, None, None]
