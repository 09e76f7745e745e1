"""Calls of compiled kernels: arguments from MLIR's types to C's, by ctypes.

Every core gets a copy of the library of its own, since on the NPU each has its own static data.
"""

from __future__ import annotations

import ctypes
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workbench.design.model import MemRef, Type
from workbench.device.model import arithmetic
from workbench.errors import DesignError, DeviceError

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
    """A loaded kernel library."""

    def __init__(self, path: Path, copy_to: Path | None = None) -> None:
        """Load `path`, or a copy of it; DeviceError when the loader refuses it."""
        if copy_to is not None:
            shutil.copyfile(path, copy_to)
        try:
            self._loaded = ctypes.CDLL(str(copy_to or path))
        except OSError as error:
            raise DeviceError(f"can't load the built kernel: {error}") from error

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
            return found(*(convert(x) for convert, x in zip(converters, values, strict=True)))

        return call


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
