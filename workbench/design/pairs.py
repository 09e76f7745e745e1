"""What lacks its end in a design's text: a parser would complain far from where that is."""

from __future__ import annotations

import re
from typing import NamedTuple

# xDSL's own pattern takes exponential time on a string that doesn't end.
_TOKENS = re.compile(
    r'//[^\n]*|"(?:[^"\\\n\v\f]|\\(?:["nt\\]|[0-9A-Fa-f]{2}))*+"|(?P<quote>")|(?P<brace>[{}])'
)


class Unpaired(NamedTuple):
    """A quote or brace without a partner, and its offset in the text."""

    sign: str
    position: int


def unended_string(text: str) -> Unpaired | None:
    """The quote of a string that doesn't end; None where all do."""
    quotes = (match for match in _TOKENS.finditer(text) if match["quote"])
    return next((Unpaired('"', match.start()) for match in quotes), None)


def unpaired_brace(text: str) -> Unpaired | None:
    """The brace to mend; None where all have partners.

    A `}` that begins its line closes the block whose line is indented like it: blocks within that
    which are still open lack their own.
    """
    opened: list[Unpaired] = []
    for match in _TOKENS.finditer(text):
        brace = Unpaired(match["brace"] or "", match.start())
        if brace.sign == "{":
            opened.append(brace)
        elif brace.sign == "}":
            inner = [each for each in opened if _closes_around(text, brace, each)]
            if inner or not opened:
                return inner[0] if inner else brace
            opened.pop()
    return opened[-1] if opened else None


def _closes_around(text: str, closing: Unpaired, opening: Unpaired) -> bool:
    """Whether a brace that begins its line is indented less than the line of an opening one."""
    indent, begins = _indent(text, closing.position)
    return begins and indent < _indent(text, opening.position)[0]


def _indent(text: str, position: int) -> tuple[int, bool]:
    """How far the line of an offset is indented, and whether the offset is its first sign."""
    start = text.rfind("\n", 0, position) + 1
    before = text[start:position]
    blank = len(before) - len(before.lstrip(" \t"))
    return blank, blank == len(before)
