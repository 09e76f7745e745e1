"""Calls of compiled kernels: arguments from MLIR's types to C's, by ctypes, on the core's stack.

Every core gets a copy of the library of its own, since on the NPU each has its own static data.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench.design.model import MemRef, Type
from workbench.design.observed import LocalArray
from workbench.device.model import arithmetic
from workbench.device.model.recording import HOOK, Hook
from workbench.device.model.workload import CHECKS_SUFFIX
from workbench.errors import DesignError, DeviceError
from workbench.exports import (
    ARRAY_BYTES,
    GLOBAL_BYTES,
    NAMES,
    STACK_HIGH,
    STACK_POINTER,
    STAGE_HOOK,
    TABLE,
    TABLE_BYTES,
)

_INTEGERS: dict[str, Any] = {
    "i1": ctypes.c_bool,
    "i8": ctypes.c_int8,
    "i16": ctypes.c_int16,
    "i32": ctypes.c_int32,
    "i64": ctypes.c_int64,
    # aiecc lowers index to the core's 32-bit word.
    "index": ctypes.c_int32,
}


class Library:
    """A loaded kernel library, whose functions put their local arrays at `stack` and up."""

    def __init__(self, path: Path, copy: Path, stack: int) -> None:
        """Load a copy of `path`, for static data of its own; `stack` is an address.

        Raises DeviceError when the loader refuses it.
        """
        shutil.copyfile(path, copy)
        try:
            self._loaded = ctypes.CDLL(str(copy))
        except OSError as error:
            raise DeviceError(f"can't load the built kernel: {error}") from error
        self._stack = stack
        self._pointer = ctypes.c_uint64.in_dll(self._loaded, STACK_POINTER)
        self._high = ctypes.c_uint64.in_dll(self._loaded, STACK_HIGH)
        self._high.value = stack
        self._checks = _check_table(self._loaded, copy.with_suffix(CHECKS_SUFFIX))
        self.called = False

    def record(self, hook: Hook) -> None:
        """Have the library's stages handed to `hook`, if it is one that records them."""
        try:
            place = ctypes.c_void_p.in_dll(self._loaded, STAGE_HOOK)
        except ValueError:
            return
        self._hook = HOOK(hook)  # kept: the library has only its address
        place.value = ctypes.cast(self._hook, ctypes.c_void_p).value

    @property
    def stack_end(self) -> int:
        """The highest address that any frame has ended at."""
        return int(self._high.value)

    def arrays(self) -> list[LocalArray]:
        """The local arrays of all functions."""
        names, _ = self._names()
        return [
            LocalArray(function, name, size)
            for (function, name), size in zip(
                names, self._sizes(ARRAY_BYTES, len(names)), strict=True
            )
        ]

    def data_bytes(self) -> int:
        """The size of the kernel's own data: its globals and constants."""
        _, names = self._names()
        return sum(self._sizes(GLOBAL_BYTES, len(names)))

    def function(
        self, name: str, arguments: Sequence[Type], results: Sequence[Type], base: int, where: str
    ) -> Callable[..., object]:
        """The kernel function as a callable of the model's values; `base` is added to addresses.

        Raises DesignError when the library doesn't define it, or an argument can't be passed.
        """
        try:
            found = self._loaded[name]
        except AttributeError:
            raise DesignError(
                f"the kernel defines no function {name}, which the design calls",
                where=where,
                hint=f'define {name}, in C++ as extern "C"',
            ) from None
        passed = [_passed(kind, base, where) for kind in arguments]
        found.argtypes = [kind for kind, _ in passed]
        found.restype = _returned(results, where)
        converters = [convert for _, convert in passed]

        def call(*values: Any) -> object:
            self.called = True
            self._pointer.value = self._stack
            return found(*(convert(x) for convert, x in zip(converters, values, strict=True)))

        return call

    def _names(self) -> tuple[list[list[str]], list[str]]:
        text = ctypes.string_at(ctypes.addressof(ctypes.c_char.in_dll(self._loaded, NAMES)))
        arrays, variables = json.loads(text)
        return arrays, variables

    def _sizes(self, table: str, count: int) -> list[int]:
        return list((ctypes.c_uint64 * count).in_dll(self._loaded, table))


def _check_table(library: ctypes.CDLL, path: Path) -> mmap.mmap | None:
    """The file at `path` as the table of a library with checks (see `build.checks`)."""
    try:
        size = ctypes.c_uint64.in_dll(library, TABLE_BYTES).value
    except ValueError:
        return None
    if not size:
        return None
    with open(path, "wb+") as file:
        file.truncate(size)
        table = mmap.mmap(file.fileno(), size)
    start = ctypes.addressof(ctypes.c_char.from_buffer(table))
    ctypes.c_void_p.in_dll(library, TABLE).value = start
    return table


def _same(value: Any) -> Any:
    return value


def _bf16_in_float(value: float) -> float:
    """A float whose low half holds the bf16: x86-64 and AArch64 pass both in the same register."""
    number: float = struct.unpack("<f", struct.pack("<I", arithmetic.to_bits(value)))[0]
    return number


def _passed(kind: Type, base: int, where: str) -> tuple[Any, Callable[[Any], Any]]:
    if isinstance(kind, MemRef):
        return ctypes.c_void_p, lambda address: base + address
    if kind in _INTEGERS:
        return _INTEGERS[kind], _same
    if kind == "f32":
        return ctypes.c_float, _same
    if kind == "bf16":
        return ctypes.c_float, _bf16_in_float
    raise DesignError(f"the model device can't pass a {kind} to a kernel", where=where)


def _returned(results: Sequence[Type], where: str) -> Any:
    if not results:
        return None
    kind = results[0]
    if len(results) == 1 and kind == "f32":
        return ctypes.c_float
    if len(results) == 1 and isinstance(kind, str) and kind in _INTEGERS:
        return _INTEGERS[kind]
    raise DesignError("a kernel returns nothing, an integer or an f32", where=where)
