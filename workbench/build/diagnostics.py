"""Diagnostics of clang, read from the lines it prints for people.

Only header lines ("path:line:column: error: message") are parsed, anchored at the line's start, so
that source text quoted under a diagnostic can't be taken for one. Notes belong to the diagnostic
before them; the linker's complaints, which have no place, keep an empty file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning"]

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_HEADER = re.compile(
    r"^(?P<file>(?:[A-Za-z]:)?[^:\n]+):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"(?P<severity>fatal error|error|warning|note): (?P<message>.*)$"
)
_LINKER = re.compile(r"^ld\.lld: (?P<severity>error|warning): (?P<message>.*)$")
_REFERENCE = re.compile(r"^>>> (?P<message>referenced by .*)$")


def strip_ansi(text: str) -> str:
    """`text` without terminal escape sequences and other control characters; tabs stay."""
    if text.isprintable():
        return text
    plain = _ANSI.sub("", text)
    return "".join(c for c in plain if c == "\t" or c.isprintable() or c == " ")


@dataclass(frozen=True, slots=True)
class Note:
    """A note attached to a diagnostic."""

    file: str
    line: int
    column: int
    message: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning with its place; line and column are 1-based, 0 when not given."""

    file: str
    line: int
    column: int
    severity: Severity
    message: str
    notes: tuple[Note, ...] = ()

    @property
    def where(self) -> str:
        """The place as "file:line:column", as far as it is known."""
        parts = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return ":".join(parts) if self.file else "link"


def parse_diagnostics(lines: Iterable[str]) -> tuple[Diagnostic, ...]:
    """The diagnostics in a compiler's output, in its order."""
    found: list[Diagnostic] = []
    for raw in lines:
        line = strip_ansi(raw)
        if match := _HEADER.match(line):
            place = (match["file"], int(match["line"]), int(match["column"] or 0))
            if match["severity"] == "note":
                if found:
                    note = Note(*place, match["message"])
                    found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
                continue
            severity: Severity = "warning" if match["severity"] == "warning" else "error"
            found.append(Diagnostic(*place, severity, match["message"]))
        elif match := _LINKER.match(line):
            severity = "warning" if match["severity"] == "warning" else "error"
            found.append(Diagnostic("", 0, 0, severity, match["message"]))
        elif (match := _REFERENCE.match(line)) and found:
            note = Note("", 0, 0, match["message"])
            found[-1] = replace(found[-1], notes=(*found[-1].notes, note))
    return tuple(found)
