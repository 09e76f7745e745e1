"""The kernels of a project: its C and C++ files, those with a spec first."""

from __future__ import annotations

import ast
import contextlib
import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.build.clang import LANGUAGES
from workbench.loop.target import Options, shown, spec_candidates

ENTRIES = 20_000
"""Files and folders that are looked at, the nearest first: more would be felt when opening."""

_GENERATED = {"__pycache__", "node_modules"}
_VENV_MARK = "pyvenv.cfg"


@dataclass(frozen=True, slots=True)
class KernelFile:
    """A file that may be opened; paths are as shown. `spec` is None where there is none."""

    path: str
    spec: str | None


@dataclass(frozen=True, slots=True)
class Kernels:
    """What a folder has; not `complete` where it has too many files to look at them all."""

    folder: str
    files: tuple[KernelFile, ...]
    complete: bool = True


def find_kernels(folder: Path) -> Kernels:
    """The C and C++ files below a folder, but for hidden folders, venvs and what is generated."""
    walk = _Walk()
    found = [_kernel(path) for path in walk.sources(folder)]
    ordered = sorted(found, key=lambda kernel: (kernel.spec is None, kernel.path))
    return Kernels(str(folder), tuple(ordered), complete=walk.complete)


def _kernel(path: Path) -> KernelFile:
    candidates = spec_candidates(Options(str(path)))
    spec = next((shown(each) for each in candidates if each.is_file()), None)
    return KernelFile(shown(path), spec)


def what_it_promises(kernel: KernelFile) -> str:
    """The beginning of what the kernel's spec says of itself; "" where there is none.

    A spec that is broken, or says nothing of itself, is named.
    """
    if kernel.spec is None:
        return ""
    with contextlib.suppress(OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        said = ast.get_docstring(ast.parse(Path(kernel.spec).read_bytes()))
        if said:
            return said.partition("\n\n")[0]
    return f"Its spec is {kernel.spec}."


class _Walk:
    """Goes through a tree by breadth, so that what is near is met first."""

    def __init__(self) -> None:
        self.complete = True

    def sources(self, folder: Path) -> Iterator[Path]:
        folders, left = deque([folder]), ENTRIES
        while folders:
            for entry in self._entries(folders.popleft()):
                if left == 0:
                    self.complete = False
                    return
                left -= 1
                if entry.name.startswith(".") or entry.name in _GENERATED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))
                elif Path(entry.name).suffix in LANGUAGES and entry.is_file():
                    yield Path(entry.path)

    @staticmethod
    def _entries(folder: Path) -> list[os.DirEntry[str]]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:  # one that may not be read has no kernels for us
            return []
        return [] if any(entry.name == _VENV_MARK for entry in entries) else entries
