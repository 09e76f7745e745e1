"""Writes ELF files as Peano and its lld would: objects and core images for AIE2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

MACHINE, AIE2, AIE2P = 264, 2, 3
REL, EXEC = 1, 2
CALL, WORD = 1, 50
"""Relocation types; any will do."""

ALLOC_CODE, ALLOC_DATA, ALLOC_CONST = 0x6, 0x3, 0x2
_PROGBITS, _SYMTAB, _STRTAB, _RELA, _NOBITS = 1, 2, 3, 4, 8
_LOCAL, _GLOBAL = 0, 1
_NOTYPE, _OBJECT, _FUNC, _SECTION, _FILE = 0, 1, 2, 3, 4
_ABS = 0xFFF1


@dataclass(frozen=True)
class Code:
    """A function to be written: its code, its frame, and (offset, symbol) of what it refers to."""

    name: str
    code: bytes
    frame: int | None = None
    calls: Sequence[tuple[int, str]] = ()
    exported: bool = True


@dataclass
class _Section:
    name: str
    kind: int
    flags: int
    data: bytes
    address: int = 0
    link: int = 0
    info: int = 0
    align: int = 1
    entry: int = 0
    size: int | None = None


@dataclass
class _File:
    kind: int
    flags: int
    sections: list[_Section] = field(default_factory=lambda: [_Section("", 0, 0, b"")])
    symbols: list[tuple[str, int, int, int, int, int]] = field(default_factory=list)
    """name, value, size, bind, type, section"""

    def add(self, section: _Section) -> int:
        self.sections.append(section)
        return len(self.sections) - 1

    def symbol(self, name: str) -> int:
        """The index of a symbol in the table; a new undefined one if there is none."""
        ordered = self._ordered()
        for index, entry in enumerate(ordered):
            if entry[0] == name:
                return index + 1
        raise KeyError(name)

    def _ordered(self) -> list[tuple[str, int, int, int, int, int]]:
        return sorted(self.symbols, key=lambda s: s[3])

    def write(self) -> bytes:
        names, strings = bytearray(b"\0"), bytearray(b"\0")
        table = bytearray(16)
        ordered = self._ordered()
        for name, value, size, bind, kind, section in ordered:
            at = len(strings) if name else 0
            strings += name.encode() + b"\0" if name else b""
            table += struct.pack("<IIIBBH", at, value, size, bind << 4 | kind, 0, section)
        local = 1 + sum(1 for s in ordered if s[3] == _LOCAL)
        symtab = self.add(_Section(".symtab", _SYMTAB, 0, bytes(table), 0, 0, local, 4, 16))
        self.sections[symtab].link = self.add(_Section(".strtab", _STRTAB, 0, bytes(strings)))
        for section_ in self.sections:
            if section_.kind == _RELA:
                section_.link = symtab
        self.add(_Section(".shstrtab", _STRTAB, 0, b""))
        offsets = []
        for section_ in self.sections:
            offsets.append(len(names) if section_.name else 0)
            names += section_.name.encode() + b"\0" if section_.name else b""
        self.sections[-1].data = bytes(names)
        body, headers = bytearray(52), bytearray()
        for name_at, section_ in zip(offsets, self.sections, strict=True):
            body += bytes(-len(body) % max(section_.align, 1))
            size = len(section_.data) if section_.size is None else section_.size
            headers += struct.pack(
                "<10I", name_at, section_.kind, section_.flags, section_.address,
                len(body) if section_.kind else 0, size, section_.link, section_.info,
                section_.align if section_.kind else 0, section_.entry,
            )  # fmt: skip
            body += section_.data
        body += bytes(-len(body) % 4)
        ident = b"\x7fELF" + bytes([1, 1, 1]) + bytes(9)
        body[:52] = ident + struct.pack(
            "<HHIIIIIHHHHHH", self.kind, MACHINE, 1, 0, 0, len(body), self.flags, 52, 0, 0, 40,
            len(self.sections), len(self.sections) - 1,
        )  # fmt: skip
        return bytes(body + headers)


def uleb128(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def write_object(
    functions: Sequence[Code],
    *,
    flags: int = AIE2,
    data: bytes = b"",
    constants: bytes = b"",
    bss: int = 0,
    source: str = "kernel.c",
    notes: dict[str, bytes] | None = None,
    by_section: bool = False,
) -> bytes:
    """An object: each function in `.text.NAME`, its frame in a `.stack_sizes` of its own.

    `by_section` refers to local functions by their section's symbol, as compilers may.
    """
    file = _File(REL, flags)
    file.symbols.append((source, 0, 0, _LOCAL, _FILE, _ABS))
    texts = {}
    for code in functions:
        index = file.add(_Section(f".text.{code.name}", _PROGBITS, ALLOC_CODE, code.code, align=16))
        texts[code.name] = index
        bind = _GLOBAL if code.exported else _LOCAL
        file.symbols.append((code.name, 0, len(code.code), bind, _FUNC, index))
        file.symbols.append((f"#{code.name}", 0, 0, _LOCAL, _SECTION, index))
    for name in dict.fromkeys(target for code in functions for _, target in code.calls):
        if name not in texts:
            file.symbols.append((name, 0, 0, _GLOBAL, _NOTYPE, 0))
    for name, flag, content in ((".data", ALLOC_DATA, data), (".rodata", ALLOC_CONST, constants)):
        if content:
            file.add(_Section(name, _PROGBITS, flag, content, align=4))
    if bss:
        file.add(_Section(".bss", _NOBITS, ALLOC_DATA, b"", size=bss, align=4))
    for code in functions:
        _relocate(file, code, texts, functions, by_section)
    for name, content in (notes or {}).items():
        file.add(_Section(name, _PROGBITS, 0, content))
    comment = b"\0clang version 19.0.0 (https://github.com/Xilinx/llvm-aie 0123456789abcdef)\0"
    file.add(_Section(".comment", _PROGBITS, 0x30, comment))
    file.symbols = [("" if s[4] == _SECTION else s[0], *s[1:]) for s in file.symbols]
    return file.write()


def _relocate(
    file: _File,
    code: Code,
    texts: dict[str, int],
    functions: Sequence[Code],
    by_section: bool,
) -> None:
    hidden = {f.name for f in functions if not f.exported} if by_section else set()
    if code.calls:
        entries = b"".join(
            struct.pack("<IIi", at, file.symbol(f"#{n}" if n in hidden else n) << 8 | CALL, 0)
            for at, n in code.calls
        )
        name, info = f".rela.text.{code.name}", texts[code.name]
        file.add(_Section(name, _RELA, 0x40, entries, info=info, align=4, entry=12))
    if code.frame is not None:
        sizes = _Section(
            ".stack_sizes", _PROGBITS, 0x80, bytes(4) + uleb128(code.frame), link=texts[code.name]
        )
        index = file.add(sizes)
        entry = struct.pack("<IIi", 0, file.symbol(f"#{code.name}") << 8 | WORD, 0)
        file.add(_Section(".rela.stack_sizes", _RELA, 0x40, entry, info=index, align=4, entry=12))


def write_image(functions: Sequence[Code], *, flags: int = AIE2, data: bytes = b"") -> bytes:
    """A core's linked image: all code in one `.text` at 0, calls written into it."""
    file = _File(EXEC, flags)
    places, text = {}, bytearray()
    for code in functions:
        text += bytes(-len(text) % 16)
        places[code.name] = len(text)
        text += code.code
    for code in functions:
        for at, target in code.calls:
            place = places[code.name] + at
            text[place : place + 4] = struct.pack("<I", 0xC0DE0000 | places.get(target, 0xFFF))
    index = file.add(_Section(".text", _PROGBITS, ALLOC_CODE, bytes(text), align=16))
    sizes = b"".join(
        struct.pack("<I", places[c.name]) + uleb128(c.frame)
        for c in functions
        if c.frame is not None
    )
    if data:
        file.add(_Section(".data", _PROGBITS, ALLOC_DATA, data, 0x78400, align=4))
    if sizes:
        file.add(_Section(".stack_sizes", _PROGBITS, 0, sizes))
    for code in functions:
        bind = _GLOBAL if code.exported else _LOCAL
        entry = (code.name, places[code.name], len(code.code), bind, _FUNC, index)
        file.symbols.append(entry)
    return file.write()
