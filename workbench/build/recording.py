"""The recording build: a kernel that hands its stages (`NPU_STAGE`) to the model device.

It is a build of its own, since what it records has to be in memory: the main build's optimisations
and stack frames stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from workbench.build.clang import INCLUDE, Clang
from workbench.build.kernel import Built, OnLines, build_kernel

RECORD = "NPU_WORKBENCH_RECORD"
"""The macro that turns recording on in `npu_workbench.h`."""

_MARK = re.compile(rb"\bNPU_STAGE\b")


def marks_stages(files: Iterable[str]) -> bool:
    """Whether a kernel's source, or a header of the author's, speaks of stages at all."""
    own = (path for path in map(Path, files) if not path.is_relative_to(INCLUDE))
    return any(_MARK.search(_content(path)) for path in own)


async def build_recording(
    source: str,
    clang: Clang,
    cache: Path,
    on_lines: OnLines,
    limit_s: float,
    defines: tuple[str, ...] = (),
) -> Built:
    """As `build_kernel`, with recording turned on; cached like any other build."""
    return await build_kernel(source, clang, cache, on_lines, limit_s, (*defines, RECORD))


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
