"""Kernels built with checks, called here on a stack of ours."""

from __future__ import annotations

import asyncio
import ctypes
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.build import find_clang
from workbench.build.checks import Site, read_table
from workbench.build.sanitize import build_sanitized
from workbench.design.checked import CheckHit
from workbench.exports import STACK_POINTER, TABLE, TABLE_BYTES

HEAD = "#include <stdint.h>\n#include <string.h>\n"


@dataclass(slots=True)
class Kernel:
    """A loaded library with checks; `source` is the path it was built from."""

    source: str
    library: ctypes.CDLL
    sites: tuple[Site, ...]

    def __post_init__(self) -> None:
        self._stack = ctypes.create_string_buffer(1 << 16)
        self._table = ctypes.create_string_buffer(
            ctypes.c_uint64.in_dll(self.library, TABLE_BYTES).value
        )
        ctypes.c_void_p.in_dll(self.library, TABLE).value = ctypes.addressof(self._table)
        pointer = ctypes.c_uint64.in_dll(self.library, STACK_POINTER)
        pointer.value = -(-ctypes.addressof(self._stack) // 64) * 64

    _stack: Any = None
    _table: Any = None

    def call(self, *arguments: Any, name: str = "kernel") -> tuple[CheckHit, ...]:
        """The checks that fail in one call of a function."""
        ctypes.memset(self._table, 0, len(self._table))
        function = self.library[name]
        function.restype = ctypes.c_int
        function(*arguments)
        return read_table(self.sites, [self._table.raw])


Build = Callable[..., Kernel]


@pytest.fixture(scope="session")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checks")


@pytest.fixture(scope="session")
def build(_folder: Path) -> Build:
    """A function from a kernel's text to the kernel; line 3 is the text's first."""

    def made(text: str, suffix: str = ".c") -> Kernel:
        count = len(list(_folder.glob("kernel*")))
        source = _folder / f"kernel{count}{suffix}"
        source.write_text(HEAD + textwrap.dedent(text))
        built = asyncio.run(build_sanitized(str(source), find_clang(), _folder / "cache", 60))
        return Kernel(str(source), ctypes.CDLL(str(built.library)), built.sites)

    return made
