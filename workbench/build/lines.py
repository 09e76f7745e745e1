"""Places in the sources of a library, from its line table (made with `clang.LINE_TABLES`)."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from workbench.build.debug import Place

_Row = tuple[int, bool, Place | None]
"""An address from which on code comes from a place, and whether a function begins or goes on."""


def places_of(library: Path, offsets: Sequence[int]) -> tuple[Place | None, ...]:
    """Where the code at these offsets of the library's file comes from.

    Of an inlined function it is the place in that function. None for code that the compiler made
    up or mixed from several places, and where the library doesn't say.
    """
    try:
        with open(library, "rb") as file:
            elf = ELFFile(file)
            rows = sorted(_rows(elf), key=lambda row: row[:2])
            return tuple(_place(rows, _address(elf, offset)) for offset in offsets)
    except (
        *(OSError, ELFError, DWARFError, ConstructError),
        *(ValueError, LookupError, TypeError, AttributeError),
    ):
        # pyelftools lets any of these through on a damaged file.
        return tuple(None for _ in offsets)


def _place(rows: list[_Row], address: int | None) -> Place | None:
    if address is None:
        return None
    after = bisect.bisect_right(rows, address, key=lambda row: row[0])
    return rows[after - 1][2] if after else None


def _address(elf: Any, offset: int) -> int | None:
    for part in elf.iter_segments("PT_LOAD"):
        if part["p_offset"] <= offset < part["p_offset"] + part["p_filesz"]:
            return int(offset - part["p_offset"] + part["p_vaddr"])
    return None


def _rows(elf: Any) -> Iterator[_Row]:
    if not elf.has_dwarf_info():
        return
    dwarf = elf.get_dwarf_info()
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        files = list(_files(program.header, unit.get_top_DIE()))
        for entry in program.get_entries():
            state = entry.state
            if state is None:
                continue
            known = state.line and not state.end_sequence
            place = Place(files[state.file], state.line, state.column) if known else None
            yield state.address, not state.end_sequence, place


def _files(header: Any, unit: Any) -> Iterator[str]:
    """The files of a DWARF 5 line table, as the compiler was given them where that is enough."""
    folders = [os.fsdecode(name) for name in header.include_directory]
    compiled_in = os.fsdecode(unit.attributes["DW_AT_comp_dir"].value)
    for entry in header.file_entry:
        folder = folders[entry.dir_index] if entry.dir_index else ""
        name = os.path.join(folder, os.fsdecode(entry.name))
        yield name if os.path.exists(name) else os.path.join(compiled_in, name)
