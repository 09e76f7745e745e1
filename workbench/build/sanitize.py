"""The checked build: a kernel whose arithmetic is watched, cached by content like the main build.

The source is compiled with clang's UBSan, which `checks` makes count; then it is optimised, its
arrays are put on the core's stack, and it is linked, as in the main build. It is for finding
causes, not for results.
"""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench import manifest
from workbench.build import checks, debug, stack
from workbench.build.checks import Site
from workbench.build.clang import Clang
from workbench.build.debug import Place
from workbench.build.kernel import SourceChanged, prerequisites, run_quietly
from workbench.design.checked import CType
from workbench.errors import BuildError

LAYOUT = 1
"""Raised when a cached build's folder changes its meaning."""

_OPTIONS = (*checks.UBSAN, "-g", "-w", "-Xclang", "-disable-llvm-passes")


@dataclass(frozen=True, slots=True)
class Sanitized:
    """A library with checks, and what they are of: the entries of its table in their order."""

    library: Path
    sites: tuple[Site, ...]
    source_sha256: str
    seconds: float
    cached: bool


async def build_sanitized(
    source: str,
    clang: Clang,
    cache: Path,
    limit_s: float,
    defines: tuple[str, ...] = (),
) -> Sanitized:
    """Compile and link `source` (a path, used as given in places) with checks.

    Raises BuildError, in the compiler's first words, when it can't be built; OSError when
    the cache can't be written; SourceChanged when the source or a header was saved meanwhile.
    """
    started = time.monotonic()
    digest = manifest.sha256_file(source)
    if digest is None:
        raise BuildError("can't read the kernel", where=source)
    command = clang.compile_command("kernel.c", Path(), Path(), defines, _OPTIONS)
    code = [manifest.sha256_file(module.__file__ or "") for module in (checks, debug, stack)]
    key = manifest.key_of(LAYOUT, os.getcwd(), source, digest, command, clang.identity, code)
    folders = cache / "sanitized"
    for folder in folders.glob(f"{key}-*"):
        data = manifest.read(folder / manifest.MANIFEST)
        library = folder / "kernel.so"
        if data is not None and manifest.sha256_file(library) == data["library"]:
            sites = tuple(_site(stored) for stored in data["sites"])
            return Sanitized(library, sites, digest, time.monotonic() - started, cached=True)
    with manifest.new_folder(folders, key) as folder:
        began = manifest.change_time(folder)
        sites = await _build(source, clang, folder, limit_s, defines)
        headers = [name for name in prerequisites(folder / "kernel.d") if name != source]
        if manifest.sha256_file(source) != digest or manifest.changed_since(headers, began):
            raise SourceChanged
        library = folder / "kernel.so"
        manifest.write(
            folder / manifest.MANIFEST,
            files=manifest.file_hashes(headers),
            data={
                "library": manifest.sha256_file(library),
                "sites": [asdict(site) for site in sites],
            },
        )
    return Sanitized(library, sites, digest, time.monotonic() - started, cached=False)


async def _build(
    source: str,
    clang: Clang,
    folder: Path,
    limit_s: float,
    defines: tuple[str, ...],
) -> tuple[Site, ...]:
    """Source to IR with checks, these to counts, optimised, onto the core's stack, to a library."""
    texts = [folder / f"{name}.ll" for name in ("kernel", "counting", "optimised", "core")]
    kernel, counting, optimised, core = texts
    object_, library = folder / "kernel.o", folder / "kernel.so"
    dependencies = folder / "kernel.d"

    async def run(command: tuple[str, ...]) -> None:
        await run_quietly(command, source, limit_s)

    await run(clang.compile_command(source, kernel, dependencies, defines, _OPTIONS))
    text, sites = checks.with_checks(kernel.read_text(), source)
    counting.write_text(text)
    await run(clang.optimise_command(counting, optimised))
    core.write_text(stack.on_core_stack(optimised.read_text(), source))
    await run(clang.object_command(core, object_))
    await run(clang.link_command((object_,), library))
    for part in (*texts, object_):
        part.unlink()
    return sites


def _site(data: dict[str, Any]) -> Site:
    types = tuple(CType(**kind) for kind in data["types"])
    return Site(**{**data, "place": Place(**data["place"]), "types": types})
