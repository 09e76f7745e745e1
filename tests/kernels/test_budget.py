"""What the kernels ask of a core: stack, table, library calls, and no undefined behaviour."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.tiles import KERNELS, N, Tile, drawn
from workbench.build import find_clang

STACK_ARRAYS = {
    "attention": 256,
    "attention_polynomial": 4352,
    "attention_piecewise": 4352,
    "attention_int32": 2560,
}
"""Bytes of the local arrays that survive optimisation."""


@pytest.fixture(params=STACK_ARRAYS)
def kernel(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def without_ir(command: Sequence[str]) -> list[str]:
    """A command to LLVM IR without what makes it one, for another kind of output."""
    return [option for option in command if option not in ("-S", "-emit-llvm")]


def compiled(name: str, output: Path, *options: str) -> str:
    """The kernel compiled as the model device does, but for `options`, to text."""
    source = str(KERNELS / f"{name}.c")
    command = without_ir(find_clang().compile_command(source, output, output.with_suffix(".d")))
    subprocess.run([*command, *options], check=True)
    return output.read_text()


def test_local_arrays(kernel: str, tmp_path: Path) -> None:
    code = compiled(kernel, tmp_path / "kernel.ll", "-S", "-emit-llvm")
    arrays = re.findall(r"= alloca \[(\d+) x i(\d+)\]", code)
    assert len(arrays) == code.count(" = alloca ")
    assert sum(int(n) * int(bits) // 8 for n, bits in arrays) == STACK_ARRAYS[kernel]


def test_tables_are_small(kernel: str, tmp_path: Path) -> None:
    code = compiled(kernel, tmp_path / "kernel.ll", "-S", "-emit-llvm")
    tables = re.findall(r"constant \[(\d+) x i(\d+)\]", code)
    assert sum(int(n) * int(bits) // 8 for n, bits in tables) <= 1024


def test_divisions_are_the_only_library_calls(kernel: str, tmp_path: Path) -> None:
    # Like a scalar AIE2 core, this target multiplies 32 bits by itself and calls a library for
    # division, for 64-bit products and for floating point.
    target = ("--target=riscv32-unknown-elf", "-march=rv32i_zmmul", "-mabi=ilp32", "-fno-pic")
    code = compiled(kernel, tmp_path / "kernel.s", *target, "-ffreestanding", "-S")
    called = set(re.findall(r"^\s+(?:call|tail)\s+(\w+)", code, re.MULTILINE))
    own = set(re.findall(r"^(\w+):", code, re.MULTILINE))
    assert "attention_64x64" in own
    assert called - own <= {"__divsi3", "__udivsi3"}
    if kernel == "attention":
        assert code.count("__udivsi3") == 1


CALLER = """
import ctypes, sys
kernel = ctypes.CDLL(sys.argv[1]).attention_64x64
out = ctypes.create_string_buffer(4096)
while record := sys.stdin.buffer.read(1 + 3 * 4096):
    kernel(record[1:], out, ctypes.c_uint32(record[0]))
"""
"""Calls the kernel on records of a shift and a tile; a trap of the sanitizer ends the process."""


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, bytes], int]:
    """Runs a kernel on records with every sanitizer on; the exit status tells."""
    folder = tmp_path_factory.mktemp("sanitized")

    def run(name: str, records: bytes) -> int:
        clang = find_clang()
        obj, library = folder / f"{name}.o", folder / f"{name}.so"
        source = str(KERNELS / f"{name}.c")
        checks = "-fsanitize=undefined,unsigned-integer-overflow,implicit-conversion"
        command = without_ir(clang.compile_command(source, obj, obj.with_suffix(".d")))
        subprocess.run([*command, "-c", checks, "-fsanitize-trap=all"], check=True)
        subprocess.run(clang.link_command((obj,), library), check=True)
        caller = [sys.executable, "-c", CALLER, str(library)]
        return subprocess.run(caller, input=records, check=False).returncode

    return run


def records(shifts: range) -> bytes:
    """Tiles that drive sums and exponents to their ends, and random ones, for each shift."""
    ends = [np.full((N, N), value, np.int8) for value in (-128, 127)]
    tiles = [Tile(q, k, v) for q in ends for k in ends for v in ends]
    # The largest distance of two scores, and every distance in between.
    halves = np.repeat(np.array([-128, 127], np.int8), N // 2)[:, None] * np.ones(N, np.int8)
    tiles += [Tile(ends[0], halves, v) for v in (*ends, halves)]
    tiles += [drawn(seed, -128, 128) for seed in range(4)]
    return b"".join(bytes([shift]) + tile.packed() for tile in tiles for shift in shifts)


def test_no_undefined_behaviour(sanitized: Callable[[str, bytes], int], kernel: str) -> None:
    assert sanitized(kernel, records(range(32))) == 0


def test_the_sanitizer_traps(sanitized: Callable[[str, bytes], int]) -> None:
    assert sanitized("attention", records(range(32, 33))) in (-signal.SIGILL, -signal.SIGTRAP)
