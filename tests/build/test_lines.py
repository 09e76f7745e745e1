"""Line tables: the places that code comes from, at no cost for the code."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.build.conftest import KERNEL, Workshop
from tests.projects import ROOT
from workbench.build import find_clang
from workbench.build.lines import places_of
from workbench.build.stack import on_core_stack

INCLUDED = """\
static inline int doubled(int x) {
    return 2 * x;
}
"""


def offsets_of(library: Path, name: str) -> range:
    """The offsets in the file of a function's code."""
    with open(library, "rb") as file:
        elf = ELFFile(file)
        symbols = elf.get_section_by_name(".symtab")
        assert isinstance(symbols, SymbolTableSection)
        (symbol,) = (each for each in symbols.iter_symbols() if each.name == name)
        address, size = symbol["st_value"], symbol["st_size"]
        (start,) = elf.address_offsets(address)
    return range(start, start + size)


async def test_places(workshop: Workshop) -> None:
    header = workshop.write("sub/doubled.h", INCLUDED)
    text = '#include "sub/doubled.h"\nint kernel(int x) {\n    return doubled(x)\n        / 7;\n}\n'
    source = workshop.write("kernel.c", text)
    built = await workshop.build(source)
    assert built.library is not None
    places = places_of(built.library, offsets_of(built.library, "kernel"))
    found = {(place.file, place.line) for place in places if place}
    assert {(str(source), 4), (str(header), 2)} <= found
    assert {file for file, _ in found} == {str(source), str(header)}


async def test_places_are_named_as_the_source_was(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.write("a b/größe.c", KERNEL)
    monkeypatch.chdir(workshop.folder)
    built = await workshop.build("a b/größe.c")
    assert built.library is not None
    offsets = offsets_of(built.library, "kernel")
    assert {p.file for p in places_of(built.library, offsets) if p} == {"a b/größe.c"}
    os.chdir("a b")
    whole = str(workshop.folder / "a b/größe.c")
    assert {p.file for p in places_of(built.library, offsets) if p} == {whole}


async def test_what_is_no_code_has_no_place(workshop: Workshop) -> None:
    built = await workshop.build(workshop.write("kernel.c", KERNEL))
    assert built.library is not None
    size = built.library.stat().st_size
    assert places_of(built.library, (0, size - 1, size, 1 << 60)) == (None,) * 4
    assert places_of(Path(ctypes.__file__), (1, 2)) == (None, None)
    assert places_of(workshop.folder / "gone.so", (1,)) == (None,)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lines")
    (folder / "kernel.c").write_text(KERNEL)
    return _linked(str(folder / "kernel.c"), folder)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(data=st.data())
def test_a_damaged_library_says_nothing(library: Path, data: st.DataObject) -> None:
    content = bytearray(library.read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[at] = data.draw(st.integers(0, 255))
    damaged = library.with_name("damaged.so")
    damaged.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert len(places_of(damaged, offsets_of(library, "kernel"))) > 1


@pytest.mark.parametrize("name", ["attention", "attention_int32", "attention_polynomial"])
def test_the_code_is_the_same_as_without(name: str, tmp_path: Path) -> None:
    source = str(ROOT / "kernels" / f"{name}.c")
    with_tables, without = (_linked(source, tmp_path, *options) for options in ((), ("-g0",)))
    assert with_tables.stat().st_size > without.stat().st_size
    for section in (".text", ".rodata", ".data"):
        assert _section(with_tables, section) == _section(without, section)


def test_nothing_but_lines_is_kept(library: Path) -> None:
    text = library.with_name("kernel.ll").read_text()
    assert "DILocation" in text
    assert "DILocalVariable" not in text


def _linked(source: str, folder: Path, *options: str) -> Path:
    """The library as the compile step makes it, but for further options."""
    clang = find_clang()
    text, core, object_ = (folder / name for name in ("kernel.ll", "core.ll", "kernel.o"))
    library = folder / f"kernel{len(options)}.so"
    command = clang.compile_command(source, text, folder / "kernel.d", (), options)
    subprocess.run(command, check=True)
    core.write_text(on_core_stack(text.read_text(), source))
    subprocess.run(clang.object_command(core, object_), check=True)
    subprocess.run(clang.link_command((object_,), library), check=True)
    return library


def _section(library: Path, name: str) -> bytes:
    with open(library, "rb") as file:
        section = ELFFile(file).get_section_by_name(name)
        return bytes(section.data()) if section else b""
