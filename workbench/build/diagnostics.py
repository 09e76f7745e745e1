"""Diagnostics of clang, read from the lines it prints for people.

Only header lines ("path:line:column: error: message") are parsed, anchored at the line's start, so
that source text quoted under a diagnostic can't be taken for one. Notes belong to the diagnostic
before them; complaints of the linker and the driver, which have no place, keep an empty file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Severity = Literal["error", "warning"]

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_HEADER = re.compile(
    r"^(?P<file>\S[^\n]*?):(?P<line>\d+):(?:(?P<column>\d+):)? "
    r"(?P<severity>fatal error|error|warning|note): (?P<message>.*)$"
)
# Only tools by name: older clangs quote source lines bare, and `error:` is a fine label in C.
_PLACELESS = re.compile(
    r"^[\w.+-]*(?:clang|lld)[\w.+-]*: "
    r"(?P<severity>fatal error|error|warning): (?P<message>.*)$"
)
_REFERENCE = re.compile(r"^>>> (?P<message>referenced by .*)$")

KEPT = 1_000
"""Warnings that are kept; how many more there were is said. Errors are all kept."""


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
    parser = DiagnosticParser()
    parser.feed(lines)
    return parser.diagnostics


class DiagnosticParser:
    """Collects diagnostics from output that comes piece by piece, and keeps none of the rest."""

    def __init__(self) -> None:
        self._found: list[Diagnostic] = []
        self._warnings = 0
        self._dropping = False

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Those found so far, in their order."""
        more = self._warnings - KEPT
        if more <= 0:
            return tuple(self._found)
        text = f"{more:,} more warnings, in the log"
        return (*self._found, Diagnostic("", 0, 0, "warning", text))

    def feed(self, lines: Iterable[str]) -> None:
        """Read whole lines, as the compiler printed them."""
        for raw in lines:
            line = strip_ansi(raw)
            if match := _HEADER.match(line):
                place = (match["file"], int(match["line"]), int(match["column"] or 0))
                if match["severity"] == "note":
                    self._note(Note(*place, match["message"]))
                else:
                    self._add(Diagnostic(*place, _severity(match), match["message"]))
            elif match := _PLACELESS.match(line):
                self._add(Diagnostic("", 0, 0, _severity(match), match["message"]))
            elif match := _REFERENCE.match(line):
                self._note(Note("", 0, 0, match["message"]))

    def _add(self, diagnostic: Diagnostic) -> None:
        self._warnings += diagnostic.severity == "warning"
        self._dropping = diagnostic.severity == "warning" and self._warnings > KEPT
        if not self._dropping:
            self._found.append(diagnostic)

    def _note(self, note: Note) -> None:
        if self._found and not self._dropping:
            last = self._found[-1]
            self._found[-1] = replace(last, notes=(*last.notes, note))


def _severity(match: re.Match[str]) -> Severity:
    return "warning" if match["severity"] == "warning" else "error"
