"""The compile step through the real compiler and linker."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build.conftest import KERNEL, Workshop
from tests.process.procs import children, until
from workbench.build import Built, Clang, build_kernel, find_clang
from workbench.build.kernel import LOG_KEPT, SourceChanged
from workbench.errors import BuildError
from workbench.manifest import sha256_bytes


async def test_a_kernel_becomes_a_library(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    built = await workshop.build(source)
    assert (built.step.name, built.step.status, workshop.log) == ("compile", "ok", [])
    assert built.library is not None
    assert built.source_sha256 == sha256_bytes(source.read_bytes())
    assert (built.diagnostics, built.headers) == ((), ())
    (artifact,) = built.step.artifacts
    assert artifact.path == str(built.library)
    assert artifact.sha256 == sha256_bytes(built.library.read_bytes())
    assert artifact.bytes == built.library.stat().st_size
    assert built.step.seconds > 0
    assert str(source) in built.step.command
    out = (ctypes.c_int8 * 64)()
    ctypes.CDLL(str(built.library)).kernel((ctypes.c_int8 * 64)(*range(64)), out)
    assert list(out) == list(range(1, 65))


async def test_the_same_content_is_cached(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    first = await workshop.build(source)
    os.utime(source)
    again = await workshop.build(source)
    assert (again.step.status, again.library) == ("cached", first.library)
    assert again.step.artifacts == first.step.artifacts
    assert again.step.seconds < first.step.seconds
    workshop.write("kernel.c", KERNEL.replace("+ 1", "+ 2"))
    assert (await workshop.build(source)).step.status == "ok"
    workshop.write("kernel.c", KERNEL)
    assert (await workshop.build(source)).library == first.library


async def test_a_damaged_library_is_built_again(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    first = await workshop.build(source)
    assert first.library is not None
    first.library.write_bytes(first.library.read_bytes()[:-1])
    second = await workshop.build(source)
    assert second.step.status == "ok"
    assert second.library is not None
    second.library.unlink()
    assert (await workshop.build(source)).step.status == "ok"


async def test_an_edited_header_is_compiled(workshop: Workshop) -> None:
    header = workshop.write("include/a b.h", '#include "deep.h"\n')
    deep = workshop.write("include/deep.h", "#define N 1\n")
    source = workshop.write("kernel.c", '#include "include/a b.h"\nint kernel(void) {return N;}\n')
    first = await workshop.build(source)
    assert set(first.headers) == {str(header), str(deep)}
    assert (await workshop.build(source)).step.status == "cached"
    deep.write_text("#define N 2\n")
    second = await workshop.build(source)
    assert second.step.status == "ok"
    assert ctypes.CDLL(str(second.library)).kernel() == 2
    deep.write_text("#define N 1\n")
    back = await workshop.build(source)
    assert (back.step.status, back.library, back.headers) == (
        "cached",
        first.library,
        first.headers,
    )
    deep.unlink()
    assert (await workshop.build(source)).step.status == "failed"


async def test_our_header_is_found_and_is_a_dependency(workshop: Workshop) -> None:
    source = workshop.write(
        "kernel.c", '#include "npu_workbench.h"\nint kernel(void) {return 1;}\n'
    )
    (header,) = (await workshop.build(source)).headers
    assert Path(header).name == "npu_workbench.h"


async def test_warnings_are_kept_and_shown_again(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", "int kernel(void) {\n  int unused;\n  return 1;\n}\n")
    first = await workshop.build(source)
    log = list(workshop.log)
    (warning,) = first.diagnostics
    assert (warning.file, warning.line, warning.column) == (str(source), 2, 7)
    assert (warning.severity, first.step.status) == ("warning", "ok")
    assert any("\x1b[" in line for line in log)
    again = await workshop.build(source)
    assert (again.step.status, again.diagnostics, workshop.log) == ("cached", (warning,), log)


async def test_a_flood_of_output_is_kept_in_part_and_says_so(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", '#pragma message "again"\n' * 2000 + KERNEL)
    first = await workshop.build(source)
    printed = len(workshop.log)
    assert printed > LOG_KEPT
    assert (await workshop.build(source)).diagnostics == first.diagnostics
    assert workshop.log[-1] == f"… [{printed - LOG_KEPT:,} more lines were not kept]"
    assert len(workshop.log) == LOG_KEPT + 1


async def test_a_syntax_error_has_its_place(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", "int kernel(void) {\n  return 1 +;\n}\n")
    built = await workshop.build(source)
    assert (built.step.status, built.library) == ("failed", None)
    (error,) = built.diagnostics
    assert error.where == f"{source}:2:13"
    assert error.message == "expected expression"
    assert workshop.leftovers() == []


async def test_notes_of_the_real_compiler(workshop: Workshop) -> None:
    header = workshop.write("old.h", "int f(int a);\n")
    source = workshop.write("kernel.c", '#include "old.h"\nfloat f(int a) {return a;}\n')
    (error,) = (await workshop.build(source)).diagnostics
    assert error.message == "conflicting types for 'f'"
    ((note),) = error.notes
    assert (note.file, note.line, note.message) == (str(header), 1, "previous declaration is here")


async def test_an_error_in_a_header_names_the_header(workshop: Workshop) -> None:
    header = workshop.write("bad.h", "int bad\n")
    source = workshop.write("kernel.c", '#include "bad.h"\nint kernel(void) {return 1;}\n')
    built = await workshop.build(source)
    assert built.diagnostics[0].file == str(header)
    assert str(header) in built.headers


async def test_a_missing_header_is_a_dependency(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", '#include "include/gone.h"\nint kernel(void) {return N;}\n')
    built = await workshop.build(source)
    assert built.diagnostics[0].where == f"{source}:1:10"
    assert built.headers == (str(workshop.folder / "include" / "gone.h"),)


async def test_an_undefined_symbol_is_an_error(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", "int gone(void);\nint kernel(void) {return gone();}\n")
    built = await workshop.build(source)
    assert built.step.status == "failed"
    (error,) = built.diagnostics
    assert error.message == "undefined symbol: gone"
    assert error.file == ""


async def test_cpp(workshop: Workshop) -> None:
    text = (
        'template <int n> int value() {return n;}\nextern "C" int kernel() {return value<7>();}\n'
    )
    for suffix in (".cc", ".cpp", ".cxx"):
        built = await workshop.build(workshop.write(f"kernel{suffix}", text))
        assert built.step.status == "ok", workshop.log
        assert ctypes.CDLL(str(built.library)).kernel() == 7


@pytest.mark.parametrize("name", ["kernel.rs", "kernel", "kernel.C", "kernel.h"])
async def test_an_unknown_suffix_is_refused(name: str, workshop: Workshop) -> None:
    source = workshop.write(name, KERNEL)
    with pytest.raises(BuildError, match="don't know how to compile") as refused:
        await workshop.build(source)
    assert refused.value.where == str(source)
    assert workshop.leftovers() == []


async def test_a_missing_kernel_is_refused(workshop: Workshop) -> None:
    for source in (workshop.folder / "gone.c", workshop.folder):
        with pytest.raises(BuildError, match="can't read the kernel"):
            await workshop.build(source)


NAMES = [
    "a b.c",
    "größe_核.c",
    "x;touch $(id)`id`&.c",
    "quote'\"s.c",
    "star*?[a].c",
    "hash#dollar$.c",
    "percent%s.c",
    "=@plus+.c",
    "a:1:2: error: b.c",
]


@pytest.mark.parametrize("name", NAMES)
async def test_names_that_a_shell_would_mind(name: str, workshop: Workshop) -> None:
    header = workshop.write(f"in {name}/{name}.h", "#define N 5\n")
    include = f'#include "{name}.h"\n' if '"' not in name else "#define N 5\n"
    source = workshop.write(f"in {name}/{name}", f"{include}int kernel(void) {{return N;}}\n")
    built = await workshop.build(source)
    assert built.step.status == "ok", workshop.log
    assert ctypes.CDLL(str(built.library)).kernel() == 5
    assert built.headers == ((str(header),) if '"' not in name else ())
    assert (await workshop.build(source)).step.status == "cached"
    source.write_text("int kernel(void) {return gone;}\n")
    (error,) = (await workshop.build(source)).diagnostics
    assert error.line == 1
    if ": error: " not in name:
        assert error.where == f"{source}:1:26"
    assert sorted(p.name for p in workshop.folder.iterdir()) == [f"in {name}"]


async def test_a_relative_path_is_kept_in_messages(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.write("sub/kernel.c", '#include "k.h"\nint kernel(void) {return gone;}\n')
    workshop.write("sub/k.h", "")
    monkeypatch.chdir(workshop.folder)
    built = await workshop.build("sub/kernel.c")
    assert built.diagnostics[0].where == "sub/kernel.c:2:26"
    assert built.headers == ("sub/k.h",)


async def endless(workshop: Workshop, limit_s: float = 60.0) -> asyncio.Task[Built]:
    """A build whose compiler waits for somebody to write a header."""
    os.mkfifo(workshop.folder / "slow.h")
    text = '#include "slow.h"\nint kernel(void) {return N;}\n'
    source = workshop.write("kernel.c", text)
    before = children()
    task = asyncio.create_task(workshop.build(source, limit_s))
    await until(lambda: set(children()) - set(before))
    return task


async def test_a_cancelled_build_leaves_nothing(workshop: Workshop) -> None:
    before = children()
    task = await endless(workshop)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(children()) <= set(before)
    assert workshop.leftovers() == []


async def test_the_compile_time_limit(workshop: Workshop) -> None:
    before = children()
    task = await endless(workshop, limit_s=0.1)
    built = await task
    assert (built.step.status, built.library) == ("failed", None)
    assert workshop.log == ["killed after 0.1 s"]
    assert set(children()) <= set(before)
    assert workshop.leftovers() == []


GATE = 'touch "$0/waiting"; while [ ! -e "$0/go" ]; do :; done; exec "$@"'


async def build_while(workshop: Workshop, source: Path, meanwhile: Callable[[], object]) -> Built:
    """A build during which something happens: its compiler waits for that."""
    clang = find_clang()
    waiting = replace(clang, compiler=("sh", "-c", GATE, str(workshop.folder), *clang.compiler))
    building = build_kernel(str(source), waiting, workshop.cache, workshop.log.extend, 60)
    task = asyncio.create_task(building)
    await until((workshop.folder / "waiting").exists)
    meanwhile()
    (workshop.folder / "go").touch()
    return await task


async def test_a_source_saved_meanwhile_is_of_neither_state(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    with pytest.raises(SourceChanged):
        await build_while(workshop, source, lambda: source.write_text(KERNEL + "\n"))
    assert workshop.leftovers() == []


async def test_a_header_saved_meanwhile_is_of_neither_state(workshop: Workshop) -> None:
    header = workshop.write("k.h", "#define N 1\n")
    source = workshop.write("kernel.c", '#include "k.h"\nint kernel(void) {return N;}\n')
    with pytest.raises(SourceChanged):
        await build_while(workshop, source, lambda: header.write_text("#define N 2\n"))
    assert workshop.leftovers() == []
    built = await workshop.build(source)
    assert ctypes.CDLL(str(built.library)).kernel() == 2


async def test_two_builds_of_one_kernel_at_once(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    one, two = await asyncio.gather(workshop.build(source), workshop.build(source))
    for built in (one, two):
        assert built.library is not None
        assert built.library.exists()
    assert (await workshop.build(source)).step.status == "cached"


async def test_a_cache_that_cannot_be_written(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    workshop.cache.write_text("this is a file")
    with pytest.raises(OSError, match="Not a directory") as refused:
        await workshop.build(source)
    assert str(workshop.cache) in str(refused.value.filename)


async def test_a_compiler_that_is_not_there(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", KERNEL)
    gone = Clang("clang", "1", ("/gone/clang",), (), ("/gone/lld",), ())
    with pytest.raises(BuildError, match="can't start /gone/clang: No such file"):
        await build_kernel(str(source), gone, workshop.cache, workshop.log.extend, 60)


async def test_a_compiler_that_crashes_says_how(workshop: Workshop) -> None:
    script = workshop.write("clang", "#!/bin/sh\nkill -SEGV $$\n")
    script.chmod(0o755)
    source = workshop.write("kernel.c", KERNEL)
    crashing = Clang("clang", "1", (str(script),), (), (), ())
    built = await build_kernel(str(source), crashing, workshop.cache, workshop.log.extend, 60)
    assert built.step.status == "failed"
    assert workshop.log == ["the compiler ended with SIGSEGV"]


async def test_the_command_can_be_given_by_hand(workshop: Workshop) -> None:
    source = workshop.write("a b.c", KERNEL)
    built = await workshop.build(source)
    again = await asyncio.create_subprocess_shell(shlex.join(built.step.command))
    assert await again.wait() == 0


async def test_the_oldest_builds_are_deleted(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.manifest.prune.__defaults__", (3,))
    source = workshop.folder / "kernel.c"
    for number in range(5):
        source.write_text(f"int kernel(void) {{return {number};}}\n")
        await workshop.build(source)
    assert len(list(workshop.cache.glob("objects/*"))) == 3
    assert (await workshop.build(source)).step.status == "cached"


async def test_defines_are_part_of_the_key(workshop: Workshop) -> None:
    source = workshop.write("kernel.c", "int kernel(void) {return N;}\n")
    for number in (1, 2, 1):
        built = await build_kernel(
            str(source), find_clang(), workshop.cache, workshop.log.extend, 60, (f"N={number}",)
        )
        assert ctypes.CDLL(str(built.library)).kernel() == number
