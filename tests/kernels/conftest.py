"""Kernels compiled by the project's own build step, callable on a tile."""

from __future__ import annotations

import asyncio
import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from tests.kernels.tiles import KERNELS, Int8, N, Tile
from workbench.build import build_kernel, find_clang
from workbench.exports import STACK_POINTER

Kernel = Callable[[Tile, int], Int8]


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Kernel]:
    """A function from a kernel's name to the kernel."""
    folder = tmp_path_factory.mktemp("kernels")
    stack = ctypes.create_string_buffer(64 * 1024)  # apart from the kernels' buffers

    @cache
    def load(name: str) -> Kernel:
        log: list[str] = []
        source = str(KERNELS / f"{name}.c")
        built = asyncio.run(build_kernel(source, find_clang(), folder, log.extend, limit_s=60))
        assert built.library is not None, log
        assert built.diagnostics == ()
        library = ctypes.CDLL(str(built.library))
        ctypes.c_uint64.in_dll(library, STACK_POINTER).value = ctypes.addressof(stack)
        function = library.attention_64x64
        function.argtypes = (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint32)
        function.restype = None

        def call(tile: Tile, scale_shift: int) -> Int8:
            out = np.zeros((N, N), np.int8)
            function(tile.packed(), out.ctypes.data, scale_shift)
            return out

        return call

    return load
