"""Places and type names in LLVM IR that was made with -g or -gline-tables-only."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

_NODE = re.compile(r"^!(\d+) = (?:distinct )?!(DI\w+)\((.*)\)$", re.MULTILINE)
_AT = re.compile(r", !dbg !(\d+)")
_FIELD = r"(?:^|, ){}: (\"[^\"]*\"|[!\w]+)"
_ESCAPE = re.compile(r"\\([0-9A-F]{2})")
_SIZES = {"char": 8, "short": 16, "long": 64}


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a source, with the file's name as the compiler was given it; 1-based."""

    file: str
    line: int
    column: int


class DebugInfo:
    """The debug information of one module, compiled from `source` in the current folder."""

    def __init__(self, text: str, source: str) -> None:
        self._nodes = {int(m[1]): (m[2], m[3]) for m in _NODE.finditer(text)}
        self._source = source
        self._typedefs = {
            self._field(number, "name"): self._field(number, "baseType")
            for number, (kind, rest) in self._nodes.items()
            if kind == "DIDerivedType" and "DW_TAG_typedef" in rest
        }

    def place(self, instruction: str) -> Place | None:
        """Where an instruction comes from; None when it doesn't say, or was made up."""
        at = _AT.search(instruction)
        if at is None or (line := int(self._field(int(at[1]), "line") or 0)) == 0:
            return None
        scope = _number(self._field(int(at[1]), "scope"))
        while scope in self._nodes and not self._field(scope, "file"):
            scope = _number(self._field(scope, "scope"))
        file = _number(self._field(scope, "file"))
        if file not in self._nodes:
            return None
        return Place(self._file(file), line, int(self._field(int(at[1]), "column") or 0))

    def integer(self, name: str) -> tuple[int, bool] | None:
        """(bits, signed) of an integer type by its name in C; None for any other name."""
        for _ in range(len(self._typedefs) + 1):
            words = set(name.split())
            if words and words <= {*_SIZES, "int", "signed", "unsigned"}:
                bits = next((_SIZES[word] for word in _SIZES if word in words), 32)
                return bits, "unsigned" not in words
            base = _number(self._typedefs.get(name, ""))
            if base not in self._nodes:
                return None
            name = self._field(base, "name")
        return None

    def _file(self, number: int) -> str:
        name = self._field(number, "filename")
        path = os.path.join(self._field(number, "directory"), name)
        same = os.path.abspath(path) == os.path.abspath(self._source)
        return self._source if same else name if os.path.exists(name) else path

    def _field(self, number: int, name: str) -> str:
        """The field's text without quotes; empty when the node doesn't have it."""
        if number not in self._nodes:
            return ""
        found = re.search(_FIELD.format(name), self._nodes[number][1])
        return unescaped(found[1].strip('"')) if found else ""


def unescaped(text: str) -> str:
    """A string of LLVM IR, where all but printable ASCII is \\ and two hex digits."""
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("latin-1", "replace").decode(errors="replace")


def _number(reference: str) -> int:
    return int(reference[1:]) if re.fullmatch(r"!\d+", reference) else -1
