"""The model device's compile step: a kernel's source to a shared library, cached by content."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench import manifest
from workbench.build import stack
from workbench.build.clang import Clang
from workbench.build.diagnostics import Diagnostic, DiagnosticParser, Note, parse_diagnostics
from workbench.build.steps import Artifact, StepResult
from workbench.errors import BuildError
from workbench.process import Exit, Process

OnLines = Callable[[list[str]], None]

LAYOUT = 1
"""Raised when a cached object's folder changes its meaning."""

_NOT_FOUND = re.compile(r"^'(?P<file>[^']+)' file not found")

LOG_KEPT = 2_000
"""Lines of compiler output kept with a cached object, to be shown again."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the compile step gave. `library` is None when it failed.

    `headers` are the files that the source included, ours and the user's, not the system's; of a
    build that failed, also those that the compiler named or missed. `source_sha256` is the content
    that was compiled.
    """

    step: StepResult
    library: Path | None
    source_sha256: str
    diagnostics: tuple[Diagnostic, ...] = ()
    headers: tuple[str, ...] = ()


class SourceChanged(Exception):
    """The source or a header was saved during the compilation: the result is of neither state."""


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

    Raises BuildError for a source that can't be read or compiled to a library at all, OSError when
    the cache can't be written, SourceChanged when the source or a header changed meanwhile.
    """
    digest = manifest.sha256_file(source)
    if digest is None:
        raise BuildError("can't read the kernel", where=source)
    work = _Compilation(source, digest, clang, defines, on_lines, limit_s, time.monotonic())
    objects, key = cache / "objects", _key(work)
    for folder in objects.glob(f"{key}-*"):
        if built := _cached(work, folder):
            return built
    with manifest.new_folder(objects, key) as folder:
        return await _compile(work, folder)


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
    data = manifest.read(folder / manifest.MANIFEST)
    library = folder / "kernel.so"
    if data is None or manifest.sha256_file(library) != data["library"]:
        return None
    if data["log"]:
        work.on_lines(data["log"])
    artifacts = (Artifact.of(library),)
    step = StepResult("compile", "cached", work.seconds, work.command(folder), artifacts)
    diagnostics = tuple(stored_diagnostic(d) for d in data["diagnostics"])
    return Built(step, library, work.digest, diagnostics, tuple(data["headers"]))


async def _compile(work: _Compilation, folder: Path) -> Built:
    log = _Log(work.on_lines)
    began = manifest.change_time(folder)
    command = work.command(folder)
    end = await _build(work, command, folder, log.add)
    diagnostics = log.parser.diagnostics
    headers = tuple(n for n in prerequisites(folder / "kernel.d") if n != work.source)
    if manifest.sha256_file(work.source) != work.digest or manifest.changed_since(headers, began):
        raise SourceChanged
    if end.returncode != 0:
        if end.timed_out:
            work.on_lines([f"killed after {work.limit_s:g} s"])
        elif not any(d.severity == "error" for d in diagnostics):
            how = end.signal_name or f"exit {end.returncode}"
            work.on_lines([f"the compiler ended with {how}"])
        failed = StepResult("compile", "failed", work.seconds, command)
        named = dict.fromkeys((*headers, *_named(diagnostics, work.source)))
        return Built(failed, None, work.digest, diagnostics, tuple(named))
    library = folder / "kernel.so"
    manifest.write(
        folder / manifest.MANIFEST,
        files=manifest.file_hashes(headers),
        data={
            "library": manifest.sha256_file(library),
            "log": log.kept(),
            "diagnostics": [asdict(d) for d in diagnostics],
            "headers": headers,
        },
    )
    step = StepResult("compile", "ok", work.seconds, command, (Artifact.of(library),))
    return Built(step, library, work.digest, diagnostics, headers)


class _Log:
    """A compiler's output on its way to `on_lines`: read for diagnostics, its beginning kept."""

    def __init__(self, on_lines: OnLines) -> None:
        self.parser = DiagnosticParser()
        self._on_lines = on_lines
        self._lines: list[str] = []
        self._dropped = 0

    def add(self, lines: list[str]) -> None:
        kept = lines[: LOG_KEPT - len(self._lines)]
        self._lines += kept
        self._dropped += len(lines) - len(kept)
        self.parser.feed(lines)
        self._on_lines(lines)

    def kept(self) -> list[str]:
        if not self._dropped:
            return self._lines
        return [*self._lines, f"… [{self._dropped:,} more lines were not kept]"]


def _named(diagnostics: tuple[Diagnostic, ...], source: str) -> Iterator[str]:
    """Files that a failed build was about: where its diagnostics are, and what it didn't find."""
    for diagnostic in diagnostics:
        for file in (diagnostic.file, *(note.file for note in diagnostic.notes)):
            if file and file != source and not file.startswith("<"):
                yield file
        if missing := _NOT_FOUND.match(diagnostic.message):
            yield os.path.join(os.path.dirname(diagnostic.file), missing["file"])


async def _build(work: _Compilation, command: tuple[str, ...], folder: Path, keep: OnLines) -> Exit:
    """Source to IR, its arrays onto the core's stack, IR to object, object to library."""
    text, rewritten = folder / "kernel.ll", folder / "core.ll"
    object_, library = folder / "kernel.o", folder / "kernel.so"
    end = await run_tool(command, keep, work.limit_s)
    if end.returncode == 0:
        rewritten.write_text(stack.on_core_stack(text.read_text(), work.source))
        end = await run_tool(work.clang.object_command(rewritten, object_), keep, work.limit_s)
    if end.returncode == 0:
        end = await run_tool(work.clang.link_command((object_,), library), keep, work.limit_s)
    return end


async def run_tool(command: tuple[str, ...], on_lines: OnLines, limit_s: float) -> Exit:
    """Run a compiler or linker to its end; BuildError when it can't be started."""
    try:
        process = Process(command, on_lines=on_lines)
    except OSError as error:
        raise BuildError(f"can't start {command[0]}: {error.strerror}") from error
    try:
        return await process.wait(limit_s)
    finally:
        await process.stop()


async def run_quietly(command: tuple[str, ...], source: str, limit_s: float) -> None:
    """Run a compiler or linker for `source`; BuildError with its first error when it fails."""
    log: list[str] = []
    end = await run_tool(command, log.extend, limit_s)
    if end.returncode != 0:
        errors = (d for d in parse_diagnostics(log) if d.severity == "error")
        first = next(errors, None)
        how = f"it took more than {limit_s:g} s" if end.timed_out else "the compiler failed"
        raise BuildError(first.message if first else how, where=first.where if first else source)


def prerequisites(dependencies: Path) -> list[str]:
    """The files of a make rule as clang writes it: backslash-newlines, `\\ ` for a space."""
    try:
        text = dependencies.read_text(errors="surrogateescape")
    except OSError:
        return []
    _, _, rule = text.replace("\\\n", " ").partition(": ")
    names = re.split(r"[ \n]+", rule.replace("\\ ", "\0").strip(" \n"))
    return [
        name.replace("\0", " ").replace("$$", "$").replace("\\#", "#") for name in names if name
    ]


def stored_diagnostic(data: dict[str, Any]) -> Diagnostic:
    """A diagnostic from what `asdict` made of it."""
    notes = tuple(Note(**note) for note in data["notes"])
    return Diagnostic(**{**data, "notes": notes})
