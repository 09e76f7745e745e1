"""A closer look at a kernel's arithmetic: a build with checks, executed once, and the lint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.build import Clang
from workbench.build.checks import read_table
from workbench.build.kernel import SourceChanged
from workbench.build.lint import lint_kernel
from workbench.build.sanitize import Sanitized, build_sanitized
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import Workload
from workbench.errors import WorkbenchError
from workbench.loop.concerns import findings_of

if TYPE_CHECKING:
    from workbench.verdict.findings import Finding

OnLines = Callable[[list[str]], None]


async def closer_look(
    source: str,
    source_sha256: str,
    clang: Clang,
    work: Workload,
    device: ModelDevice,
    on_lines: OnLines,
    limit_s: float,
    *,
    defines: tuple[str, ...] = (),
    lint: bool = True,
) -> tuple[tuple[Finding, ...], tuple[str, ...]]:
    """What checks of the kernel's arithmetic and the lint find, and notes on how far they got.

    `source` is the kernel, of this content, and `defines` the macros that it was compiled with;
    `work` is the main run's, for any library of which the one with checks stands in. `on_lines` is
    told what the execution printed if it ended early: else the main run has printed the same.
    `limit_s` is for each of the builds and the execution. Without `lint` nothing is said of what a
    core lacks: a real object for it says that better.

    A build or an execution that fails is a note. Raises SourceChanged when the source is another
    by now, OSError when the cache can't be written.
    """
    findings: list[Finding] = []
    notes: list[str] = []
    try:
        built = await build_sanitized(source, clang, work.cache, limit_s, defines)
        if built.source_sha256 != source_sha256:
            raise SourceChanged
        found, note = await _executed(built, work, device, on_lines, limit_s)
        findings += found
        notes += note
    except WorkbenchError as error:
        notes.append(f"the kernel's arithmetic is not checked: {error.message}")
    if lint:
        try:
            concerns = await lint_kernel(source, clang, work.cache, limit_s, defines)
            findings += findings_of(concerns)
        except WorkbenchError as error:
            notes.append(f"what a core lacks is not looked for: {error.message}")
    return tuple(findings), tuple(notes)


async def _executed(
    built: Sanitized, work: Workload, device: ModelDevice, on_lines: OnLines, limit_s: float
) -> tuple[list[Finding], list[str]]:
    """The findings of an execution with checks, and what ended it early."""
    from workbench.verdict.sanitizer import check_findings

    libraries = dict.fromkeys(work.libraries, built.library)
    log: list[str] = []
    checked = await device.check(replace(work, libraries=libraries), log.extend, limit_s)
    notes = []
    if checked.error is not None:
        if log:
            on_lines(log)
        notes.append(f"the checks of the arithmetic cover what ran until {checked.error.message}")
    return check_findings(read_table(built.sites, checked.tables)), notes
