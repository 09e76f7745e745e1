"""The compile and archive steps: sources to the object files that a design links."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench import manifest
from workbench.build.aie.commands import archive_command, compile_command, compile_flags
from workbench.build.aie.find import Toolchain
from workbench.build.aie.steps import LOG_SHOWN, Step, check_exit, check_made
from workbench.build.diagnostics import Diagnostic, parse_diagnostics
from workbench.build.kernel import SourceChanged, prerequisites, stored_diagnostic
from workbench.build.steps import Artifact
from workbench.errors import BuildError
from workbench.settings import Settings, Target

LAYOUT = 1
"""Raised when a record changes its meaning."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """An object and what it was made from; `headers` are all files that the source included."""

    object: Path
    source: str
    source_sha256: str
    headers: tuple[str, ...]
    flags: tuple[str, ...]
    diagnostics: tuple[Diagnostic, ...]
    cached: bool


async def compile_source(
    source: str,
    target: Target,
    toolchain: Toolchain,
    settings: Settings,
    folder: Path,
    records: Path,
    step: Step,
) -> Compiled:
    """Compile a source into `folder`, or find the same one compiled by the same tools.

    Raises BuildError in the compiler's first words, or for a source that can't be read;
    SourceChanged when it was saved again meanwhile.
    """
    digest = manifest.sha256_file(source)
    if digest is None:
        raise BuildError("can't read the kernel", where=source)
    flags = compile_flags(toolchain, source, target, settings.flags.compile)
    object_ = folder / f"{Path(source).stem}.o"
    command = compile_command(flags, source, object_)
    step.command = step.command or command
    record = records / f"compile-{_key(source, digest, flags, toolchain)}.json"
    if found := _recorded(record, source, digest, flags, step):
        return found
    began = time.time()
    ran = await step.run(command, folder / "compile.log")
    if manifest.sha256_file(source) != digest:
        raise SourceChanged
    headers = tuple(n for n in prerequisites(object_.with_suffix(".d")) if n != source)
    diagnostics = parse_diagnostics(ran.lines)
    step.headers += headers
    step.diagnostics += diagnostics
    if ran.end.returncode != 0 and not ran.end.timed_out:
        _refuse(diagnostics)
    check_exit(ran, Path(command[0]).name, step.limit_s, source)
    check_made(object_, Path(command[0]).name, began, source)
    manifest.write(
        record,
        files=manifest.file_hashes([*headers, str(object_)]),
        data={
            "object": str(object_),
            "headers": headers,
            "log": ran.lines[:LOG_SHOWN],
            "diagnostics": [asdict(d) for d in diagnostics],
        },
    )
    return Compiled(object_, source, digest, headers, flags, diagnostics, cached=False)


def _key(source: str, digest: str, flags: tuple[str, ...], toolchain: Toolchain) -> str:
    place = os.path.abspath(source)
    return manifest.key_of(LAYOUT, place, source, digest, flags, toolchain.identity)


def _refuse(diagnostics: tuple[Diagnostic, ...]) -> None:
    errors = [d for d in diagnostics if d.severity == "error" and d.file]
    if errors:
        more = f"{len(errors) - 1} more errors" if len(errors) > 1 else None
        raise BuildError(errors[0].message, where=errors[0].where, hint=more)


def _recorded(
    record: Path, source: str, digest: str, flags: tuple[str, ...], step: Step
) -> Compiled | None:
    data = manifest.read(record)
    if data is None:
        return None
    step.replay(data["log"])
    diagnostics = tuple(stored_diagnostic(d) for d in data["diagnostics"])
    object_, headers = Path(data["object"]), tuple(data["headers"])
    step.headers += headers
    step.diagnostics += diagnostics
    os.utime(object_.parent)  # used: the last to be cleared away
    return Compiled(object_, source, digest, headers, flags, diagnostics, cached=True)


def needs_archive(names: tuple[str, ...], objects: int) -> bool:
    """Whether there is anything to archive: a single object is linked as it is."""
    return objects > 1 or any(name.endswith(".a") for name in names)


async def archive(
    objects: list[Path], target: Path, toolchain: Toolchain, settings: Settings, step: Step
) -> None:
    """Pack objects into one file that can be linked."""
    _clear(target)
    began = time.time()
    command = archive_command(toolchain, target, objects, settings.flags.archive)
    ran = await step.run(command, target.parent / "archive.log")
    check_exit(ran, "llvm-ar", step.limit_s, str(target))
    check_made(target, "llvm-ar", began, str(target))
    step.artifacts = (Artifact.of(target),)


def _clear(target: Path) -> None:
    """An archive is updated, not replaced, by llvm-ar: what a renamed source gave would stay."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)


def place_object(object_: Path, target: Path) -> None:
    """The object under the name that the design links it by."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if object_ != target:
        shutil.copyfile(object_, target)
