"""The model device's compile step: a kernel's source to a shared library, cached by content."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench import manifest
from workbench.build.clang import Clang
from workbench.build.diagnostics import Diagnostic, Note, parse_diagnostics
from workbench.build.steps import Artifact, StepResult
from workbench.errors import BuildError
from workbench.process import Exit, Process

OnLines = Callable[[list[str]], None]

LAYOUT = 1
"""Raised when a cached object's folder changes its meaning."""

LOG_KEPT = 2_000
"""Lines of compiler output kept with a cached object, to be shown again."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the compile step gave. `library` is None when it failed.

    `headers` are the files that the source included, ours and the user's, not the system's;
    `source_sha256` is the content that was compiled.
    """

    step: StepResult
    library: Path | None
    source_sha256: str
    diagnostics: tuple[Diagnostic, ...] = ()
    headers: tuple[str, ...] = ()


class SourceChanged(Exception):
    """The source was saved again while it was being compiled: the result is of neither state."""


async def build_kernel(
    source: str, clang: Clang, cache: Path, on_lines: OnLines, limit_s: float
) -> Built:
    """Compile and link `source` (a path, used as given in messages), or find it already built.

    Raises BuildError for a source that can't be read, SourceChanged when it changed meanwhile.
    """
    started = time.monotonic()
    digest = manifest.sha256_file(source)
    if digest is None:
        raise BuildError("can't read the kernel", where=source)
    final = cache / "objects" / _key(source, digest, clang)
    command = clang.compile_command(source, final / "kernel.o", final / "kernel.d")
    if built := _cached(final, command, digest, started, on_lines):
        return built
    draft = final.with_name(f"{final.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        return await _compile(source, clang, digest, draft, final, started, on_lines, limit_s)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _key(source: str, digest: str, clang: Clang) -> str:
    flags = clang.compile_command("kernel.c", Path(), Path())
    return manifest.key_of(LAYOUT, os.path.abspath(source), source, digest, flags, clang.identity)


def _cached(
    folder: Path, command: tuple[str, ...], digest: str, started: float, on_lines: OnLines
) -> Built | None:
    data = manifest.read(folder / "manifest.json")
    library = folder / "kernel.so"
    if data is None or manifest.sha256_file(library) != data["library"]:
        return None
    if data["log"]:
        on_lines(data["log"])
    seconds = time.monotonic() - started
    step = StepResult("compile", "cached", seconds, command, (Artifact.of(library),))
    diagnostics = tuple(_diagnostic(d) for d in data["diagnostics"])
    return Built(step, library, digest, diagnostics, tuple(data["headers"]))


async def _compile(
    source: str,
    clang: Clang,
    digest: str,
    draft: Path,
    final: Path,
    started: float,
    on_lines: OnLines,
    limit_s: float,
) -> Built:
    log: list[str] = []

    def keep(lines: list[str]) -> None:
        log.extend(lines[: LOG_KEPT - len(log)])
        on_lines(lines)

    dependencies = draft / "kernel.d"
    command = clang.compile_command(source, draft / "kernel.o", dependencies)
    end = await _run(command, keep, limit_s)
    if end.returncode == 0:
        link = clang.link_command((draft / "kernel.o",), draft / "kernel.so")
        end = await _run(link, keep, limit_s)
    if manifest.sha256_file(source) != digest:
        raise SourceChanged
    diagnostics = parse_diagnostics(log)
    headers = tuple(name for name in _prerequisites(dependencies) if name != source)
    seconds = time.monotonic() - started
    if end.returncode != 0:
        if end.timed_out:
            on_lines([f"killed after {limit_s:g} s"])
        elif not any(d.severity == "error" for d in diagnostics):
            on_lines([f"the compiler ended with {end.signal_name or f'exit {end.returncode}'}"])
        failed = StepResult("compile", "failed", seconds, command)
        return Built(failed, None, digest, diagnostics, headers)
    library = draft / "kernel.so"
    manifest.write(
        draft / "manifest.json",
        files=manifest.file_hashes(headers),
        data={
            "library": manifest.sha256_file(library),
            "log": log,
            "diagnostics": [asdict(d) for d in diagnostics],
            "headers": headers,
        },
    )
    shutil.rmtree(final, ignore_errors=True)
    os.replace(draft, final)
    library = final / "kernel.so"
    step = StepResult("compile", "ok", seconds, command, (Artifact.of(library),))
    return Built(step, library, digest, diagnostics, headers)


async def _run(command: tuple[str, ...], on_lines: OnLines, limit_s: float) -> Exit:
    try:
        process = Process(command, on_lines=on_lines)
    except OSError as error:
        raise BuildError(f"can't start {command[0]}: {error.strerror}") from error
    try:
        return await process.wait(limit_s)
    finally:
        await process.stop()


def _prerequisites(dependencies: Path) -> list[str]:
    """The files of a make rule as clang writes it: backslash-newlines, `\\ ` for a space."""
    try:
        text = dependencies.read_text(errors="surrogateescape")
    except OSError:
        return []
    _, _, rule = text.replace("\\\n", " ").partition(": ")
    names = rule.replace("\\ ", "\0").split()
    return [name.replace("\0", " ").replace("$$", "$").replace("\\#", "#") for name in names]


def _diagnostic(data: dict[str, Any]) -> Diagnostic:
    notes = tuple(Note(**note) for note in data["notes"])
    return Diagnostic(**{**data, "notes": notes})
