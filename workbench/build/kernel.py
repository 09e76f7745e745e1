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
from workbench.build import stack
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
    source: str,
    clang: Clang,
    cache: Path,
    on_lines: OnLines,
    limit_s: float,
    defines: tuple[str, ...] = (),
) -> Built:
    """Compile and link `source` (a path, used as given in messages), or find it already built.

    `defines` are macros, NAME or NAME=VALUE.

    Raises BuildError for a source that can't be read, SourceChanged when it changed meanwhile.
    """
    digest = manifest.sha256_file(source)
    if digest is None:
        raise BuildError("can't read the kernel", where=source)
    work = _Compilation(source, digest, clang, defines, on_lines, limit_s, time.monotonic())
    final = cache / "objects" / _key(work)
    if built := _cached(work, final):
        return built
    draft = final.with_name(f"{final.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        return await _compile(work, draft, final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Compilation:
    """What is to be compiled, and whom to tell; `started` is when it began."""

    source: str
    digest: str
    clang: Clang
    defines: tuple[str, ...]
    on_lines: OnLines
    limit_s: float
    started: float

    def command(self, folder: Path) -> tuple[str, ...]:
        """The command that people know this step by."""
        return self.clang.compile_command(
            self.source, folder / "kernel.ll", folder / "kernel.d", self.defines
        )

    @property
    def seconds(self) -> float:
        """Time spent so far."""
        return time.monotonic() - self.started


def _key(work: _Compilation) -> str:
    source = os.path.abspath(work.source)
    flags = work.clang.compile_command("kernel.c", Path(), Path(), work.defines)
    rewriter = manifest.sha256_file(stack.__file__)
    return manifest.key_of(
        LAYOUT, source, work.source, work.digest, flags, work.clang.identity, rewriter
    )


def _cached(work: _Compilation, folder: Path) -> Built | None:
    data = manifest.read(folder / "manifest.json")
    library = folder / "kernel.so"
    if data is None or manifest.sha256_file(library) != data["library"]:
        return None
    if data["log"]:
        work.on_lines(data["log"])
    artifacts = (Artifact.of(library),)
    step = StepResult("compile", "cached", work.seconds, work.command(folder), artifacts)
    diagnostics = tuple(_diagnostic(d) for d in data["diagnostics"])
    return Built(step, library, work.digest, diagnostics, tuple(data["headers"]))


async def _compile(work: _Compilation, draft: Path, final: Path) -> Built:
    log: list[str] = []

    def keep(lines: list[str]) -> None:
        log.extend(lines[: LOG_KEPT - len(log)])
        work.on_lines(lines)

    command = work.command(draft)
    end = await _build(work, command, draft, keep)
    if manifest.sha256_file(work.source) != work.digest:
        raise SourceChanged
    diagnostics = parse_diagnostics(log)
    headers = tuple(n for n in _prerequisites(draft / "kernel.d") if n != work.source)
    if end.returncode != 0:
        if end.timed_out:
            work.on_lines([f"killed after {work.limit_s:g} s"])
        elif not any(d.severity == "error" for d in diagnostics):
            how = end.signal_name or f"exit {end.returncode}"
            work.on_lines([f"the compiler ended with {how}"])
        failed = StepResult("compile", "failed", work.seconds, command)
        return Built(failed, None, work.digest, diagnostics, headers)
    manifest.write(
        draft / "manifest.json",
        files=manifest.file_hashes(headers),
        data={
            "library": manifest.sha256_file(draft / "kernel.so"),
            "log": log,
            "diagnostics": [asdict(d) for d in diagnostics],
            "headers": headers,
        },
    )
    shutil.rmtree(final, ignore_errors=True)
    os.replace(draft, final)
    library = final / "kernel.so"
    step = StepResult("compile", "ok", work.seconds, command, (Artifact.of(library),))
    return Built(step, library, work.digest, diagnostics, headers)


async def _build(work: _Compilation, command: tuple[str, ...], folder: Path, keep: OnLines) -> Exit:
    """Source to IR, its arrays onto the core's stack, IR to object, object to library."""
    text, rewritten = folder / "kernel.ll", folder / "core.ll"
    object_, library = folder / "kernel.o", folder / "kernel.so"
    end = await _run(command, keep, work.limit_s)
    if end.returncode == 0:
        rewritten.write_text(stack.on_core_stack(text.read_text(), work.source))
        end = await _run(work.clang.object_command(rewritten, object_), keep, work.limit_s)
    if end.returncode == 0:
        end = await _run(work.clang.link_command((object_,), library), keep, work.limit_s)
    return end


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
