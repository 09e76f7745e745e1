"""Looks at a process: they find where it is, and change nothing of what it does."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.process.procs import until
from workbench.build import build_kernel, find_clang
from workbench.build.lines import places_of
from workbench.device.model.spot import Spot, copies, look, spot_of, watch
from workbench.process import Process

SOURCE = """\
unsigned work(unsigned rounds) {
    unsigned sum = 0;
    for (unsigned i = 0; i < rounds; i++) {
        __asm__ volatile("" : "+r"(sum));
        sum += i;
    }
    return sum;
}
"""

WORK = """
import ctypes, sys
work = ctypes.CDLL(sys.argv[1]).work
work.restype = ctypes.c_uint
print("ready", flush=True)
for _ in range(int(sys.argv[3])):
    print(work(int(sys.argv[2])), flush=True)
sys.exit(7)
"""

ROUNDS = 50_000_000

Start = Callable[[int, int], Process]


@pytest.fixture
async def library(tmp_path: Path) -> Path:
    """A library as a run's folder has it."""
    source = tmp_path / "work.c"
    source.write_text(SOURCE)
    built = await build_kernel(str(source), find_clang(), tmp_path / "cache", print, 60)
    assert built.library is not None
    (tmp_path / "run").mkdir()
    return built.library.rename(next(copies(tmp_path / "run")))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(library: Path, said: list[str]) -> Start:
    """Starts a process that works, so many rounds so many times."""

    def started(rounds: int, times: int) -> Process:
        command = (sys.executable, "-c", WORK, str(library), str(rounds), str(times))
        return Process(command, on_lines=said.extend)

    return started


async def test_a_process_goes_on_as_if_nobody_had_looked(
    start: Start, said: list[str], library: Path, tmp_path: Path
) -> None:
    process = start(ROUNDS, 5)
    seen: list[Spot] = []
    await until(lambda: said)
    async with asyncio.timeout(60):
        await watch(process, 0, seen.append)
        end = await process.wait()
    assert (end.returncode, end.timed_out) == (7, False)
    assert said == ["ready", *[str(sum(range(ROUNDS)) % 2**32)] * 5]
    assert len(seen) > 5
    assert {spot.library for spot in seen} == {library.name}
    places = places_of(library, [spot.offset for spot in seen])
    assert {place.line for place in places if place} <= {3, 4, 5}
    assert {place.file for place in places if place} == {str(tmp_path / "work.c")}


async def test_looking_may_end_at_any_time(start: Start, said: list[str]) -> None:
    process = start(ROUNDS, 3)
    await until(lambda: said)
    for turns in range(20):
        looking = asyncio.create_task(look(process))
        for _ in range(turns % 4):
            await asyncio.sleep(0)
        looking.cancel()
    assert (await process.wait(60)).returncode == 7
    assert len(said) == 4


async def test_a_process_may_end_while_it_is_looked_at(start: Start, said: list[str]) -> None:
    process = start(1, 1)
    await watch(process, 0, lambda spot: None)
    assert (await process.wait()).returncode == 7
    assert await look(process) is None


async def test_a_process_can_be_killed_while_it_is_looked_at(start: Start, said: list[str]) -> None:
    process = start(2**32 - 1, 1)
    await until(lambda: said)
    looking = asyncio.create_task(look(process))
    await asyncio.sleep(0)
    end = await process.wait(0)
    assert (end.signal_name, end.timed_out) == ("SIGKILL", True)
    await looking


async def test_a_process_that_is_elsewhere(start: Start, said: list[str]) -> None:
    command = (sys.executable, "-c", "import time; print('ready', flush=True); time.sleep(600)")
    process = Process(command, on_lines=said.extend)
    await until(lambda: said)
    assert await look(process) is None
    process.kill()
    await process.stop()


def test_an_address_that_is_in_no_library() -> None:
    assert spot_of(os.getpid(), (0, 1 << 40)) is None
