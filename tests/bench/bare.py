"""What the kernel itself costs: compiled and called by hand, in this process."""

from __future__ import annotations

import ctypes
import itertools
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench.project import KERNEL, Project
from workbench.build import Clang, find_clang

Command = tuple[str, ...]
Commands = Callable[[Clang, Path], tuple[Command, ...]]

_scratch = itertools.count()


def plain(clang: Clang, base: Path) -> tuple[Command, ...]:
    """Source to object, object to library: what a person would type."""
    object_ = base.with_suffix(".o")
    to_ir = clang.compile_command(KERNEL, object_, base.with_suffix(".d"))
    to_object = ("-c" if word == "-S" else word for word in to_ir if word != "-emit-llvm")
    return tuple(to_object), clang.link_command((object_,), base.with_suffix(".so"))


def same(clang: Clang, base: Path) -> tuple[Command, ...]:
    """The workbench's own commands, by way of LLVM IR."""
    text, object_ = base.with_suffix(".ll"), base.with_suffix(".o")
    return (
        clang.compile_command(KERNEL, text, base.with_suffix(".d")),
        clang.object_command(text, object_),
        clang.link_command((object_,), base.with_suffix(".so")),
    )


def seconds(project: Project, scratch: Path, commands: Commands) -> float:
    """Compile the kernel as it was never compiled, load it, and call it once on ready inputs."""
    qkv = np.random.RandomState(42).randint(-64, 64, 3 * 64 * 64, dtype=np.int8)
    out = np.zeros(64 * 64, np.int8)
    base = scratch / f"bare{next(_scratch)}"
    clang = find_clang()
    project.kernel.write_text(project.next_source())
    started = time.monotonic()
    for command in commands(clang, base):
        subprocess.run(command, cwd=project.folder, check=True, capture_output=True)
    kernel = ctypes.CDLL(str(base.with_suffix(".so"))).attention_64x64
    kernel(ctypes.c_void_p(qkv.ctypes.data), ctypes.c_void_p(out.ctypes.data), ctypes.c_uint32(3))
    took = time.monotonic() - started
    assert out.any()
    return took
