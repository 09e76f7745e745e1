"""What a kernel's ELF file says: its functions with their code, stack frames and references.

AIE objects and core images are ELF32, little-endian, `e_machine` 264, with RELA relocations; each
function has a section of its own in an object (Peano, AIE.cpp), and all lie in `.text` in an image.
Nothing here depends on relocation types: any relocation in a function's code is a reference.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.common.exceptions import ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from workbench.errors import BuildError

E_MACHINE = 264
"""Peano's `EM_AIE`, which pyelftools has no name for."""

FLAGS = {2: "aie2", 3: "aie2p"}
"""What `e_flags` says of the target (checked on objects of Peano 19)."""

ARCHIVE_MAGIC = b"!<arch>\n"

INSTRUCTION_BYTES = 16
"""The longest AIE2 instruction: 128 bits. What a relocation may change, counted from its offset."""

_SHF_WRITE, _SHF_ALLOC, _SHF_EXECUTABLE = 0x1, 0x2, 0x4


class ObjectError(BuildError):
    """A file that should be an AIE object or image isn't one."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function in an object or image; sizes in bytes."""

    name: str
    code: bytes
    patched: tuple[int, ...]
    """Offsets in `code` at which the linker writes."""
    frame: int | None
    """Its stack frame by `.stack_sizes`; None when that says nothing of it."""
    references: tuple[str, ...]
    """Symbols that its code refers to: functions that it calls, and data."""
    exported: bool

    @property
    def bytes(self) -> int:
        """The size of its code."""
        return len(self.code)


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """An AIE object or core image."""

    path: str
    target: str | None
    """"aie2" or "aie2p"; None for other flags."""
    functions: dict[str, Function]
    undefined: tuple[str, ...]
    text_bytes: int
    data_bytes: int
    """What `.data`, `.rodata` and `.bss` take of the core's data memory."""
    has_stack_sizes: bool


def read_object(path: Path | str) -> ObjectFile:
    """Read an object or image; ObjectError when it is something else or damaged."""
    try:
        with open(path, "rb") as file:
            if file.read(len(ARCHIVE_MAGIC)) == ARCHIVE_MAGIC:
                raise ObjectError("this is an archive, not an object", where=str(path))
            file.seek(0)
            return _Reader(ELFFile(file), str(path)).object_file()
    except OSError as error:
        reason = error.strerror or error
        raise ObjectError(f"the object can't be read: {reason}", where=str(path)) from None
    except (ELFError, ConstructError, ValueError, LookupError, TypeError, AttributeError) as error:
        # pyelftools lets any of these through on a damaged file.
        reason = str(error) or type(error).__name__
        raise ObjectError(f"this is no AIE object: {reason}", where=str(path)) from None


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    section: int
    value: int
    size: int
    exported: bool


class _Reader:
    def __init__(self, elf: Any, path: str) -> None:
        self._elf = elf
        self._path = path
        if elf.header.e_machine not in (E_MACHINE, "EM_AIE") or elf.elfclass != 32:
            raise ValueError(f"machine {elf.header.e_machine}, {elf.elfclass} bits")
        self._sections = list(elf.iter_sections())
        self._linked = elf.header.e_type == "ET_EXEC"
        tables = [s for s in self._sections if isinstance(s, SymbolTableSection)]
        self._symbols = [symbol for table in tables for symbol in table.iter_symbols()]
        self._functions: dict[int, list[_Symbol]] = {}
        for symbol in self._symbols:
            if symbol.entry.st_info.type == "STT_FUNC" and isinstance(symbol.entry.st_shndx, int):
                function = self._function(symbol)
                self._functions.setdefault(function.section, []).append(function)
        for functions in self._functions.values():
            functions.sort(key=lambda function: function.value)

    def object_file(self) -> ObjectFile:
        frames = self._frames()
        sizes = {"text": 0, "data": 0}
        for section in self._sections:
            flags = section.header.sh_flags
            if flags & _SHF_ALLOC:
                sizes["text" if flags & _SHF_EXECUTABLE else "data"] += section.data_size
        undefined = (
            symbol.name
            for symbol in self._symbols
            if symbol.entry.st_shndx == "SHN_UNDEF" and symbol.name
        )
        return ObjectFile(
            self._path,
            FLAGS.get(self._elf.header.e_flags & 0xF),
            {function.name: function for function in self._all(frames)},
            tuple(dict.fromkeys(undefined)),
            sizes["text"],
            sizes["data"],
            bool(frames),
        )

    def _function(self, symbol: Any) -> _Symbol:
        entry = symbol.entry
        exported = entry.st_info.bind != "STB_LOCAL"
        base = self._sections[entry.st_shndx].header.sh_addr if self._linked else 0
        return _Symbol(symbol.name, entry.st_shndx, entry.st_value - base, entry.st_size, exported)

    def _all(self, frames: dict[tuple[int, int], int]) -> Iterator[Function]:
        for index, functions in self._functions.items():
            data = self._sections[index].data()
            relocations = self._relocations(index)
            for place, function in enumerate(functions):
                following = functions[place + 1].value if place + 1 < len(functions) else len(data)
                end = function.value + function.size if function.size else following
                inside = [r for r in relocations if function.value <= r[0] < end]
                yield Function(
                    function.name,
                    data[function.value : end],
                    tuple(offset - function.value for offset, _, _ in inside),
                    frames.get((index, function.value)),
                    tuple(dict.fromkeys(filter(None, (self._name(s, a) for _, s, a in inside)))),
                    function.exported,
                )

    def _relocations(self, index: int) -> list[tuple[int, Any, int]]:
        """(offset, symbol, addend) of each relocation of a section, by offset."""
        found = []
        for section in self._sections:
            if isinstance(section, RelocationSection) and section.header.sh_info == index:
                for relocation in section.iter_relocations():
                    symbol = self._symbols[relocation.entry.r_info_sym]
                    addend = relocation.entry.get("r_addend", 0) or 0
                    found.append((relocation.entry.r_offset, symbol, addend))
        return sorted(found, key=lambda item: item[0])

    def _name(self, symbol: Any, addend: int) -> str:
        """The symbol's name; for a section's symbol the function there, if there is one."""
        if symbol.entry.st_info.type != "STT_SECTION":
            return str(symbol.name)
        function = self._at(symbol.entry.st_shndx, symbol.entry.st_value + addend)
        return function.name if function else ""

    def _at(self, section: int, offset: int) -> _Symbol | None:
        functions = self._functions.get(section, [])
        place = bisect.bisect_right([function.value for function in functions], offset) - 1
        return functions[place] if place >= 0 else None

    def _frames(self) -> dict[tuple[int, int], int]:
        """(section, offset) of a function to its frame, from all `.stack_sizes`.

        An entry is the function's address in 4 bytes, by relocation in an object, and its frame as
        ULEB128.
        """
        frames = {}
        for index, section in enumerate(self._sections):
            if section.name == ".stack_sizes":
                data = section.data()
                places = {offset: (s, a) for offset, s, a in self._relocations(index)}
                at = 0
                while at < len(data):
                    address = int.from_bytes(data[at : at + 4], "little")
                    size, end = _uleb128(data, at + 4)
                    place = self._place(places[at]) if at in places else self._image(address)
                    frames[place] = size
                    at = end
        return frames

    def _place(self, target: tuple[Any, int]) -> tuple[int, int]:
        symbol, addend = target
        return symbol.entry.st_shndx, symbol.entry.st_value + addend

    def _image(self, address: int) -> tuple[int, int]:
        for index in self._functions:
            header = self._sections[index].header
            if header.sh_addr <= address < header.sh_addr + header.sh_size:
                return index, address - header.sh_addr
        raise ValueError(f".stack_sizes names {address:#x}, where no function is")


def _uleb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def same_code(one: Function, linked: Function) -> bool:
    """Whether an image holds an object's function, but for what the linker wrote into it."""
    if one.bytes != linked.bytes:
        return False
    masked = {n for at in one.patched for n in range(at, at + INSTRUCTION_BYTES)}
    return all(
        n in masked or a == b for n, (a, b) in enumerate(zip(one.code, linked.code, strict=True))
    )
