"""The author's files that a spec is made from: modules and data, each hashed as it is opened.

Used in the spec's own process only, for its whole life.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType

from workbench import manifest

_PYTHON = os.path.dirname(os.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def is_own(filename: str) -> bool:
    """Whether a file is the author's: neither Python's, nor an installed package's, nor ours.

    By its absolute name; names like "<string>", and those of a library's own sources, are no files.
    """
    installed = not _INSTALLED.isdisjoint(filename.split(os.sep))
    return os.path.isabs(filename) and not (installed or filename.startswith((_PYTHON, _OURS)))


class Sources:
    """Notes what is opened for reading from `start` on.

    `files` are content hashes by absolute path: every module of the author's, wherever it lies, and
    every other file below the folder above the spec's, unless it is hidden.
    """

    def __init__(self, spec: Path) -> None:
        self.files: dict[str, str] = {}
        above = spec.parent.parent
        self._root = spec.parent if above == above.parent else above

    def start(self) -> None:
        """Begin; there is no way to end it."""
        sys.addaudithook(self._note)
        sys.path_hooks.insert(0, _finder)
        sys.path_importer_cache.clear()

    def add_modules(self) -> None:
        """Note the author's modules that an import hook of somebody else's has brought in."""
        for module in list(sys.modules.values()):
            path = getattr(module, "__file__", None)
            if isinstance(path, str) and path.endswith(".py") and is_own(path):
                self._hash(os.path.abspath(path))

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open":
            return
        path, _, flags = arguments
        if isinstance(path, str | bytes | os.PathLike) and isinstance(flags, int):
            name = os.path.abspath(os.fsdecode(path))
            if flags & os.O_ACCMODE == os.O_RDONLY and is_own(name) and self._matters(name):
                self._hash(name)

    def _matters(self, name: str) -> bool:
        if name.endswith(".py"):
            return True
        path = Path(name)
        return path.is_relative_to(self._root) and not any(
            part.startswith(".") for part in path.relative_to(self._root).parts
        )

    def _hash(self, name: str) -> None:
        if name in self.files:
            return
        self.files[name] = ""  # hashing opens the file, which comes here again
        digest = manifest.sha256_file(name)
        if digest is None:
            del self.files[name]
        else:
            self.files[name] = digest


class _FromSource(SourceFileLoader):
    """Never takes compiled code from a file, nor writes any.

    Python's own cache goes by size and whole seconds, and lies next to the sources.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _finder(folder: str) -> FileFinder:
    """A path hook: finds the author's modules."""
    if not (os.path.isdir(folder) and is_own(os.path.join(folder, ""))):
        raise ImportError
    return FileFinder(
        folder, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_FromSource, SOURCE_SUFFIXES)
    )
