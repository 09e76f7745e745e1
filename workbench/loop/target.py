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

TIME_LIMIT_S = 10.0
"""How long a kernel may run, unless something else is asked for."""

__all__ = ["PROJECT_MARKS", "Changes", "Options", "find_spec", "shown"]

_SPEC_LINE = re.compile(r"^\s*(?://|/?\*)\s*workbench:\s*spec\s*=\s*(?P<file>\S+?)(?:\*/|\s|$)")
_SPEC_LINES = 10
_SPEC_LINES_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run is to do otherwise than the files say, which are left as they are.

    `defines` are macros of the kernel (NAME=VALUE), `scalars` values to pass in place of the
    design's constants, `stack_bytes` is every core's stack.
    """

    defines: tuple[str, ...] = ()
    scalars: tuple[tuple[str, int | float], ...] = ()
    stack_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The command line's common options. Paths are as the user gave them."""

    kernel: str
    spec: str | None = None
    design: str | None = None
    device: Literal["auto", "model", "npu"] = "auto"
    set_name: str | None = None
    seed: int = 42
    time_limit_s: float | None = None
    """None: the settings', else TIME_LIMIT_S."""
    changes: Changes = Changes()

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

    def run_limit_s(self, from_settings: float | None) -> float:
        """How long a kernel may run."""
        return self.time_limit_s or from_settings or TIME_LIMIT_S

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
    """Files that would be the spec if they existed, best first.

    --spec alone; else NAME.py beside NAME.c, then what a line `// workbench: spec=FILE` among the
    source's first ten names; without such a line every PREFIX.py beside it with
    NAME = PREFIX_something, the longest first.
    """
    if options.spec is not None:
        return [Path(os.path.abspath(options.spec))]
    kernel = options.kernel_path
    beside = kernel.with_suffix(".py")
    if named := _named_in_source(kernel):
        return [beside, Path(os.path.abspath(kernel.parent / named))]
    parts = kernel.stem.split("_")
    prefixes = ("_".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    return [beside, *(kernel.with_name(f"{prefix}.py") for prefix in prefixes if prefix)]


def find_spec(options: Options) -> Path:
    """The spec of a kernel: the first candidate there is; UsageError when there is none."""
    kernel = options.kernel_path
    if not kernel.exists():
        raise UsageError("no such kernel", where=options.kernel, hint="give the path of a C file")
    if not kernel.is_file():
        what = "a folder" if kernel.is_dir() else "a device or pipe"
        raise UsageError(f"this is {what}, not a kernel", where=options.kernel)
    with open(kernel, "rb"):
        pass  # what can't be read is said at once, in the system's words
    candidates = spec_candidates(options)
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    if options.spec is not None:
        raise UsageError("no such spec (--spec)", where=shown(candidates[-1]))
    if _named_in_source(kernel):
        source = f"{shown(kernel)} names its spec"
        raise UsageError(f"no such spec ({source})", where=shown(candidates[-1]))
    raise UsageError(
        "this kernel has no spec, the Python file that says what it promises",
        where=shown(kernel),
        hint="npu-workbench new NAME writes a kernel, spec and design that pass, to start from; "
        f"or write {shown(candidates[0])}, or name one with --spec FILE",
    )


def _named_in_source(kernel: Path) -> str | None:
    if not kernel.is_file():
        return None
    try:
        with open(kernel, "rb") as file:
            beginning = file.read(_SPEC_LINES_BYTES).decode(errors="replace")
    except OSError:  # whoever needs its content will say so
        return None
    matches = (_SPEC_LINE.match(line) for line in beginning.splitlines()[:_SPEC_LINES])
    return next((match["file"] for match in matches if match), None)
