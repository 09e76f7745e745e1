"""Child processes for real: what `sh` and Python print, how they end, and that nobody is left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.procs import alive, children, gone, open_fds, until
from workbench.process import LINE_LIMIT, TERM_GRACE_S, Exit, Process, kill_all


async def run(script: str, limit_s: float | None = 10.0) -> tuple[list[str], Exit]:
    """What a shell script prints, and how it ends."""
    lines: list[str] = []
    process = Process(["sh", "-c", script], on_lines=lines.extend)
    end = await process.wait(limit_s)
    await gone(process.pid)
    return lines, end


def shell(script: str) -> tuple[Process, list[str]]:
    """A running shell script, and the lines it has printed so far."""
    lines: list[str] = []
    return Process(["sh", "-c", script], on_lines=lines.extend), lines


async def test_lines_and_exit_code() -> None:
    lines, end = await run("echo one; echo two >&2; exit 7")
    assert lines == ["one", "two"]
    assert (end.returncode, end.signal_name, end.timed_out) == (7, None, False)
    assert 0 < end.seconds < 5


async def test_two_streams() -> None:
    out: list[str] = []
    err: list[str] = []
    process = Process(
        ["sh", "-c", "echo out; echo err >&2; printf last; printf end >&2"],
        on_lines=out.extend,
        on_errors=err.extend,
    )
    await process.wait()
    assert (out, err) == (["out", "last"], ["err", "end"])


async def test_bad_utf8_and_no_newline_at_the_end() -> None:
    lines, _ = await run(r"printf 'a\377b\nlast'")
    assert lines == ["a\ufffdb", "last"]


async def test_long_lines() -> None:
    lines, _ = await run("head -c 100000 /dev/zero | tr '\\0' x; echo")
    assert lines == ["x" * 100_000]
    lines, _ = await run("head -c 10000000 /dev/zero | tr '\\0' x; echo; echo next")
    assert lines[0].endswith(f" … [line cut: {10_000_000 - LINE_LIMIT:,} more bytes]")
    assert lines[1:] == ["next"]


async def test_input_is_fed_and_closed() -> None:
    lines: list[str] = []
    process = Process(["cat"], on_lines=lines.extend, takes_input=True)
    process.feed(b"hello\n")
    assert (await process.wait(10)).returncode == 0
    assert lines == ["hello"]


async def test_feeding_a_dead_process_is_no_error() -> None:
    process = Process(["true"], on_lines=lambda _: None, takes_input=True)
    await process.wait()
    process.feed(b"nobody is there")
    lines: list[str] = []
    deaf = ["sh", "-c", "exec <&-; echo ready; exec sleep 100"]
    process = Process(deaf, on_lines=lines.extend, takes_input=True)
    await until(lambda: lines)
    process.feed(b"nobody reads this")
    await process.stop()


async def test_a_command_that_cannot_start(tmp_path: Path) -> None:
    before = open_fds()
    with pytest.raises(FileNotFoundError):
        Process([str(tmp_path / "nothing")], on_lines=lambda _: None)
    assert open_fds() == before


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL", "SIGABRT", "SIGFPE"])
async def test_signals_are_named(name: str) -> None:
    _, end = await run(f"kill -{name[3:]} $$")
    assert (end.signal_name, end.returncode) == (name, -signal.Signals[name])
    assert Exit(-64, 0.0).signal_name in ("SIGRTMAX", "signal 64")
    assert Exit(-63, 0.0).signal_name == "signal 63"


async def test_time_limit_kills_the_group() -> None:
    process, lines = shell("sleep 100 & echo $!; trap '' TERM; echo ready; wait; sleep 100")
    await until(lambda: "ready" in lines)
    end = await process.wait(0.05)
    assert end.timed_out
    assert end.signal_name == "SIGKILL"
    await gone(process.pid)
    await until(lambda: not alive(int(lines[0])))


async def test_a_limit_that_is_not_reached() -> None:
    _, end = await run("exit 3", limit_s=10)
    assert (end.returncode, end.timed_out) == (3, False)


async def test_stop_is_a_term_first() -> None:
    process, lines = shell("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done")
    await until(lambda: lines)
    await process.stop()
    end = await process.wait()
    assert (lines[-1], end.returncode, end.timed_out) == ("bye", 5, False)


async def test_stop_kills_what_ignores_term() -> None:
    process, lines = shell("trap '' TERM; (trap '' TERM; sleep 100) & echo ready; sleep 100")
    await until(lambda: lines)
    started = time.monotonic()
    await process.stop()
    assert TERM_GRACE_S <= time.monotonic() - started < TERM_GRACE_S + 2
    assert (await process.wait()).signal_name == "SIGKILL"
    await gone(process.pid)


async def test_a_process_with_a_grace_of_its_own() -> None:
    lines: list[str] = []
    script = f"trap 'sleep {2 * TERM_GRACE_S}; exit 5' TERM; echo ready; while :; do :; done"
    process = Process(["sh", "-c", script], on_lines=lines.extend, term_grace_s=30)
    await until(lambda: lines)
    await process.stop()
    assert (await process.wait()).returncode == 5


async def test_stopped_processes_are_killed_too() -> None:
    process, lines = shell("echo ready; kill -STOP $$")
    await until(lambda: lines)
    await process.stop()
    await gone(process.pid)


async def test_grandchildren_die_with_the_leader_though_they_hold_the_pipe() -> None:
    started = time.monotonic()
    lines, end = await run("(trap '' TERM HUP; sleep 100) & echo $!; exit 0")
    assert end.returncode == 0
    assert time.monotonic() - started < 5
    await until(lambda: not alive(int(lines[0])))


async def test_what_left_the_group_cannot_hold_us_up(escapee: str) -> None:
    process, lines = shell(f"{escapee}; echo ready; wait")
    await until(lambda: lines)
    async with asyncio.timeout(5):
        await process.stop()


async def test_cancelled_stop_kills_at_once() -> None:
    process, lines = shell("trap '' TERM; echo ready; while :; do sleep 0.01; done")
    await until(lambda: lines)
    started = time.monotonic()
    stopping = asyncio.create_task(process.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert (await process.wait()).signal_name == "SIGKILL"
    assert time.monotonic() - started < TERM_GRACE_S


async def test_everything_may_be_said_twice() -> None:
    process, lines = shell("echo ready; sleep 100")
    await until(lambda: lines)
    await asyncio.gather(process.stop(), process.stop(), process.wait(), process.wait())
    await process.stop()
    process.kill()
    assert (await process.wait()).signal_name == "SIGTERM"
    assert not process.running


async def test_no_signal_is_sent_once_the_id_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    process, _ = shell("exit 0")
    await process.wait()
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda pgid, _number: sent.append(pgid))
    process.kill()
    await process.stop()
    assert sent == []


async def test_a_flood_arrives_whole_at_a_slow_consumer() -> None:
    lines: list[str] = []

    def slow(new: list[str]) -> None:
        time.sleep(0.001)
        lines.extend(new)

    process = Process(["seq", "200000"], on_lines=slow)
    end = await process.wait(30)
    assert end.returncode == 0
    assert lines == [str(n) for n in range(1, 200_001)]


async def test_a_flood_lets_the_loop_breathe() -> None:
    process = Process(["yes", "x" * 100], on_lines=lambda _: None)
    ticks = 0
    end = time.monotonic() + 0.2
    while time.monotonic() < end:
        await asyncio.sleep(0)
        ticks += 1
    await process.stop()
    assert ticks > 100
    await gone(process.pid)


@pytest.fixture
def escapee(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Shell code that starts a process outside the group, which holds the output open."""
    monkeypatch.setattr("workbench.process.DRAIN_S", 0.05)
    file = tmp_path / "pid"
    start = f"setsid sh -c 'echo $$ > {file}; exec sleep 100' &"
    yield f"{start} while [ ! -s {file} ]; do :; done"
    os.kill(int(file.read_text()), signal.SIGKILL)


async def test_the_last_output_arrives_though_somebody_holds_the_pipe(escapee: str) -> None:
    lines, _ = await run(f"{escapee}; seq 5000; printf end")
    assert lines == [*(str(n) for n in range(1, 5001)), "end"]


async def test_a_consumer_that_raises_leaves_no_process(escapee: str) -> None:
    def bad(_lines: list[str]) -> None:
        raise ValueError("bad consumer")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    for script in ("echo one; printf two", f"{escapee}; printf two"):
        process = Process(["sh", "-c", script], on_lines=bad)
        async with asyncio.timeout(10):
            assert (await process.wait()).returncode == 0
        await gone(process.pid)


async def test_nothing_leaks_after_200_processes() -> None:
    await run("true")
    before, kin = open_fds(), children()
    for _ in range(20):
        processes = [Process(["sh", "-c", "echo x"], on_lines=lambda _: None) for _ in range(10)]
        await asyncio.gather(*(process.wait(10) for process in processes))
    assert open_fds() == before
    assert children() == kin


async def test_kill_all() -> None:
    process, lines = shell("sleep 100 & echo ready; wait")
    await until(lambda: lines)
    kill_all()
    assert (await process.wait(10)).signal_name == "SIGKILL"
    await gone(process.pid)


PARENT = """
    import asyncio, sys
    from workbench.process import Process

    async def main():
        child = [sys.executable, "-c", sys.argv[1]]
        Process(child, on_lines=lambda lines: print(*lines, flush=True))
        {then}

    asyncio.run(main())
"""

CHILD = """
import os, time
from workbench.process import die_with_parent
die_with_parent()
print(os.getpid(), flush=True)
time.sleep(100)
"""


def parent(then: str) -> list[str]:
    """A Python process that starts CHILD and passes on its process id."""
    return [sys.executable, "-c", textwrap.dedent(PARENT.format(then=then)), CHILD]


async def test_a_killed_parent_takes_its_children_along() -> None:
    lines: list[str] = []
    process = Process(parent("await asyncio.sleep(100)"), on_lines=lines.extend)
    await until(lambda: lines)
    child = int(lines[0])
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: not alive(child))
    await process.wait(10)


async def test_a_loop_that_closes_waits_for_nobody() -> None:
    """asyncio.run cancels every task, ours too, and waits for what they still do."""
    lines: list[str] = []
    work = """
        async def work():
            process = Process(["sleep", "100"], on_lines=print)
            print(process.pid, flush=True)
            try:
                await process.wait()
            finally:
                await process.stop()
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    """
    process = Process(parent(work.strip()), on_lines=lines.extend)
    end = await process.wait(20)
    assert (end.returncode, end.timed_out) == (0, False)
    await until(lambda: not alive(int(lines[0])))


GENTLE = """
import os, pathlib, signal, sys
from workbench.process import die_with_parent
def bye(*_):
    pathlib.Path({file!r}).write_text("bye")
    sys.exit()  # whether it comes during the pause or just before
signal.signal(signal.SIGTERM, bye)
die_with_parent(by=signal.SIGTERM)
print(os.getpid(), flush=True)
signal.pause()
"""


async def test_a_child_may_be_asked_to_end_when_its_parent_is_killed(tmp_path: Path) -> None:
    lines: list[str] = []
    file = tmp_path / "asked"
    command = [*parent("await asyncio.sleep(100)")[:-1], GENTLE.format(file=str(file))]
    process = Process(command, on_lines=lines.extend)
    await until(lambda: lines)
    os.kill(process.pid, signal.SIGKILL)
    await until(lambda: not alive(int(lines[0])))
    assert file.read_text() == "bye"
    await process.wait(10)


async def test_nothing_is_left_when_we_end_in_an_exception() -> None:
    lines: list[str] = []
    process = Process(parent("await asyncio.sleep(0.5); 1 / 0"), on_lines=lines.extend)
    end = await process.wait(20)
    assert end.returncode == 1
    await until(lambda: not alive(int(lines[0])))
