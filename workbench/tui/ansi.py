"""A raw output line as pieces of text and style; nothing else of it can reach the terminal.

Of the escape sequences only SGR (colours and attributes, ECMA-48 section 8.3.117) is understood.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

TAB = 8

_SEQUENCE = re.compile(
    r"\x1b\[([0-?]*)[ -/]*([@-~])"  # CSI
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b]*(?:\x1b\\)?"  # DCS, SOS, PM, APC
    r"|\x1b[ -/]*[0-~]"
)

_ATTRIBUTES = {
    1: Style(bold=True),
    2: Style(dim=True),
    3: Style(italic=True),
    4: Style(underline=True),
    7: Style(reverse=True),
    9: Style(strike=True),
    22: Style(bold=False, dim=False),
    23: Style(italic=False),
    24: Style(underline=False),
    27: Style(reverse=False),
    29: Style(strike=False),
    39: Style(color="default"),
    49: Style(bgcolor="default"),
}


def pieces(line: str) -> list[tuple[str, Style]]:
    """Printable text and styles. Tabs are expanded; after carriage returns the last part counts."""
    if line.isprintable():
        return [(line, Style.null())]
    found: list[tuple[str, Style]] = []
    column = 0
    for raw, style in _styled(_last_part(line)):
        text = _printable(raw, column)
        column += cell_len(text)
        if text:
            found.append((text, style))
    return found


def _last_part(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part), "") if "\r" in line else line


def _styled(line: str) -> Iterator[tuple[str, Style]]:
    style, position = Style.null(), 0
    for match in _SEQUENCE.finditer(line):
        yield line[position : match.start()], style
        position = match.end()
        if match[2] == "m":
            style = _sgr(style, match[1])
    yield line[position:], style


def _sgr(style: Style, parameters: str) -> Style:
    """The style after an SGR sequence; what it doesn't know it skips."""
    codes = [int(p) if p.isdecimal() and len(p) < 6 else 0 for p in re.split("[;:]", parameters)]
    rest = iter(codes)
    for code in rest:
        if code == 0:
            style = Style.null()
        elif code in _ATTRIBUTES:
            style += _ATTRIBUTES[code]
        elif code in (38, 48):
            color = _extended(rest)
            if color is not None:
                style += Style(color=color) if code == 38 else Style(bgcolor=color)
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style += Style(color=Color.from_ansi(code - 30 if code < 90 else code - 82))
        elif 40 <= code <= 47 or 100 <= code <= 107:
            style += Style(bgcolor=Color.from_ansi(code - 40 if code < 100 else code - 92))
    return style


def _extended(rest: Iterator[int]) -> Color | None:
    kind = next(rest, 0)
    if kind == 5:
        return Color.from_ansi(min(255, next(rest, 0)))
    if kind == 2:
        red, green, blue = (min(255, next(rest, 0)) for _ in range(3))
        return Color.from_rgb(red, green, blue)
    return None


def _printable(text: str, column: int) -> str:
    """Text without control and format characters; tabs expanded from `column` on."""
    if text.isprintable():
        return text
    done: list[str] = []
    for character in text:
        if character == "\t":
            character = " " * (TAB - column % TAB)
        elif not character.isprintable():
            # Spaces of other widths than one are not printable to Python but harmless.
            is_space = unicodedata.category(character) == "Zs"
            character = " " * cell_len(character) if is_space else ""
        column += cell_len(character)
        done.append(character)
    return "".join(done)
