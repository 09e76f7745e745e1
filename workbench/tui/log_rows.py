"""A log line as rows of a given width: cut with a sign, or wrapped. Pure."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from workbench.tui.ansi import pieces
from workbench.tui.log_store import Heading
from workbench.tui.search import marked, restyled

Span = tuple[int, int]


def text_of(line: str) -> str:
    """What is seen of a raw line."""
    return "".join(text for text, _ in pieces(line))


def rows_of(
    line: str,
    number: int,
    width: int,
    *,
    wraps: bool,
    needle: str = "",
    selected: tuple[Span, Style] | None = None,
) -> list[Strip]:
    """The rows of a line; each character knows its place for the mouse's selection.

    `needle` is marked wherever it is, and the characters that are `selected` get their style.
    """
    parts = pieces(line)
    if isinstance(line, Heading):
        parts = [(text, Style(bold=True)) for text, _ in parts]
    parts = marked(parts, needle)
    text = "".join(part for part, _ in parts)
    if selected is not None:
        (start, end), style = selected
        parts = restyled(parts, [(start, len(text) if end < 0 else end)], style)
    strip = Strip([Segment(part, style) for part, style in parts])
    if strip.cell_length <= width:
        return [strip.apply_offsets(0, number)]
    if not wraps:
        seen = strip.crop(0, width - 1).apply_offsets(0, number)
        return [Strip.join([seen, Strip([Segment("…")])])]
    rows, cell, place = [], 0, 0
    for chunk in chop_cells(text, width):
        cells = cell_len(chunk)
        rows.append(strip.crop(cell, cell + cells).apply_offsets(place, number))
        cell, place = cell + cells, place + len(chunk)
    return rows
