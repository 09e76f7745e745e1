"""Searching lines for a substring: which have it, and where in them; restyling parts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from rich.style import Style

from workbench.build.diagnostics import strip_ansi

_FOUND = Style(reverse=True)


_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


def find(lines: Sequence[str], needle: str, start: int, step: int) -> int | None:
    """Index of the first raw line from `start` on that has the needle, going round.

    Capitals count only when the needle has some. `step` is 1 or -1.
    """
    for distance in range(len(lines)):
        index = (start + step * distance) % len(lines)
        if _places(plain(lines[index]), needle):
            return index
    return None


def marked(pieces: list[tuple[str, Style]], needle: str) -> list[tuple[str, Style]]:
    """The pieces of a line with every occurrence of the needle reversed."""
    places = _places("".join(text for text, _ in pieces), needle)
    return restyled(pieces, [(place, place + len(needle)) for place in places], _FOUND)


def restyled(
    pieces: list[tuple[str, Style]], spans: list[tuple[int, int]], style: Style
) -> list[tuple[str, Style]]:
    """The pieces with a style over these spans of characters."""
    return [part for part in _split(pieces, spans, style) if part[0]]


def plain(line: str) -> str:
    """A raw line without escape sequences; most have none, or only colours."""
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    return strip_ansi(line) if "\x1b" in line else line


def _places(text: str, needle: str) -> list[int]:
    """Where the needle begins, without overlaps."""
    if not needle:
        return []
    if needle == needle.lower():
        lowered = text.lower()
        text = lowered if len(lowered) == len(text) else text
    places = []
    place = text.find(needle)
    while place >= 0:
        places.append(place)
        place = text.find(needle, place + len(needle))
    return places


def _split(
    pieces: list[tuple[str, Style]], spans: list[tuple[int, int]], over: Style
) -> Iterator[tuple[str, Style]]:
    edges = sorted({edge for span in spans for edge in span})
    start = 0
    for text, style in pieces:
        cuts = [0, *(edge - start for edge in edges if 0 < edge - start < len(text)), len(text)]
        for first, last in pairwise(cuts):
            inside = any(low <= start + first < high for low, high in spans)
            yield text[first:last], style + over if inside else style
        start += len(text)
