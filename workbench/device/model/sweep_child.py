"""The process of a sweep: `python -m workbench.device.model.sweep_child LIBRARY FOLDER COUNT`.

Maps in.bin, out.bin and at.bin in the folder and hands them to the library's function; what that
has written is there even when it ends this process.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import sys
from pathlib import Path

from workbench.build.helper import SWEEP
from workbench.design import hardware
from workbench.exports import STACK_POINTER
from workbench.process import die_with_parent


def main(library: str, folder: str, count: str) -> None:
    """Call the function once."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    loaded = ctypes.CDLL(library)
    stack = ctypes.create_string_buffer(hardware.CORE_MEMORY_BYTES)
    ctypes.c_uint64.in_dll(loaded, STACK_POINTER).value = ctypes.addressof(stack)
    files = [_mapped(Path(folder, f"{name}.bin")) for name in ("in", "out", "at")]
    function = loaded[SWEEP]
    function.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_uint64]
    function.restype = None
    function(*map(ctypes.addressof, files), int(count))


def _mapped(path: Path) -> ctypes.Array[ctypes.c_char]:
    with open(path, "r+b") as file:
        mapped = mmap.mmap(file.fileno(), 0)
    return (ctypes.c_char * len(mapped)).from_buffer(mapped)


if __name__ == "__main__":
    main(*sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # what a kernel left behind is nobody's business
