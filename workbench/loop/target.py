"""What a run is of: the kernel, its spec, the project it lies in, and the wishes of the user."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workbench.errors import UsageError
from workbench.paths import shown

if TYPE_CHECKING:  # NumPy comes with it; a front end paints before it needs that
    from workbench.spec.cases import Request

PROJECT_MARKS = ("npu-workbench.toml", "pyproject.toml", ".git")
"""A folder that holds one of these is a project; generated files go to its `.workbench/`."""

__all__ = ["PROJECT_MARKS", "Options", "find_spec", "shown"]

_SPEC_LINE = re.compile(r"^\s*(?://|/?\*)\s*workbench:\s*spec\s*=\s*(?P<file>\S+)")
_SPEC_LINES = 10


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's common options. Paths are as the user gave them."""

    kernel: str
    spec: str | None = None
    design: str | None = None
    device: Literal["auto", "model", "npu"] = "auto"
    set_name: str | None = None
    seed: int = 42
    time_limit_s: float = 10.0

    @property
    def kernel_path(self) -> Path:
        """The kernel's absolute path; a symbolic link is kept as it is."""
        return Path(os.path.abspath(self.kernel))

    @property
    def project(self) -> Path:
        """The project that the kernel lies in."""
        return project_of(self.kernel_path)

    @property
    def cache(self) -> Path:
        """Where everything is kept that can be made again."""
        return cache_of(self.project)

    def request(self, spec: Path) -> Request:
        """What is asked of the spec."""
        from workbench.spec.cases import Request

        return Request(spec, self.cache, self.set_name, self.seed)


def project_of(file: Path) -> Path:
    """The nearest folder above a file that is a project, else the file's own folder."""
    folders = (file.parent, *file.parent.parents)
    marked = (folder for folder in folders if any((folder / m).exists() for m in PROJECT_MARKS))
    return next(marked, file.parent)


def cache_of(project: Path) -> Path:
    """Where everything of a project is kept that can be made again."""
    return project / ".workbench" / "cache"


def spec_candidates(options: Options) -> list[Path]:
    """Files that would be the spec if they existed: --spec, else NAME.py beside NAME.c."""
    given = Path(options.spec).absolute() if options.spec is not None else None
    return [given or options.kernel_path.with_suffix(".py")]


def find_spec(options: Options) -> Path:
    """The spec of a kernel; UsageError when there is none.

    In this order: --spec; NAME.py beside NAME.c; a line `// workbench: spec=FILE` among the
    source's first ten; the longest PREFIX.py beside it with NAME = PREFIX_something.
    """
    kernel = options.kernel_path
    if not kernel.exists():
        raise UsageError("no such kernel", where=options.kernel, hint="give the path of a C file")
    if kernel.is_dir():
        raise UsageError("this is a folder, not a kernel", where=options.kernel)
    if options.spec is not None:
        return _existing(Path(options.spec).absolute(), "--spec")
    beside = kernel.with_suffix(".py")
    if beside.exists():
        return beside
    if named := _named_in_source(kernel):
        return _existing(kernel.parent / named, f"{shown(kernel)} names its spec")
    parts = kernel.stem.split("_")
    for count in range(len(parts) - 1, 0, -1):
        candidate = kernel.with_name("_".join(parts[:count]) + ".py")
        if candidate.exists():
            return candidate
    raise UsageError(
        "this kernel has no spec",
        where=shown(kernel),
        hint=f"write {shown(beside)}, or name one with --spec FILE",
    )


def _named_in_source(kernel: Path) -> str | None:
    with open(kernel, encoding="utf-8", errors="replace") as file:
        for _, line in zip(range(_SPEC_LINES), file, strict=False):
            if match := _SPEC_LINE.match(line):
                return match["file"]
    return None


def _existing(path: Path, source: str) -> Path:
    if not path.is_file():
        raise UsageError(f"no such spec ({source})", where=shown(path))
    return path
