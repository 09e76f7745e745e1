"""The memory map: a core's stack against its size, and by address what lies where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from workbench.tui import text
from workbench.tui.actions import bindings
from workbench.tui.core_map import FREE, Row, findings_of, rows_of, victims_of, worst_first
from workbench.tui.lines import ScrolledLines

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.design.model import Tile
    from workbench.design.observed import CoreMemory
    from workbench.verdict import Finding, Verdict

_BAR, _METER = 48, 72
"""Longest bars, in cells: a row's, and the stack's."""

_USED, _OVER, _ROOM = "█", "╳", "░"
_NARROW = 60
"""Below this many columns the sizes in bytes are left out."""

_TALL = 11
"""From this many rows on there is room for the stack's bar, and for whole sentences."""


class MemoryMap(ScrolledLines):
    """The map of one core of the last verdict: the worst one, until the user picks another."""

    BINDINGS = bindings("memory")

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._verdict: Verdict | None = None
        self._cores: tuple[CoreMemory, ...] = ()
        self._picked: Tile | None = None
        self._mark = ""
        self._title()

    @property
    def has_findings(self) -> bool:
        """Whether something is wrong with a core's memory."""
        return self._verdict is not None and any(
            findings_of(self._verdict, core) for core in self._cores
        )

    def show(self, verdict: Verdict | None, *, mark: str) -> None:
        """Paint this verdict; `mark` says so when it isn't of the bytes on disk."""
        if verdict is not self._verdict:
            self._verdict = verdict
            self._cores = worst_first(verdict) if verdict is not None else ()
            self.changed()
        self._mark = mark
        self._title()

    def action_core(self, by: int) -> None:
        """Show another core, in the order of their tiles, going round."""
        tiles = sorted(core.tile for core in self._cores)
        if self._shown is not None:
            self._picked = tiles[(tiles.index(self._shown.tile) + by) % len(tiles)]
            self.top = 0
            self._title()
            self.changed()

    @property
    def _shown(self) -> CoreMemory | None:
        picked = (core for core in self._cores if core.tile == self._picked)
        return next(picked, self._cores[0] if self._cores else None)

    def _title(self) -> None:
        core, verdict = self._shown, self._verdict
        if core is None or verdict is None:
            self.border_title = Content("memory")
            return
        others = sorted((c for c in self._cores if c is not core), key=lambda c: c.tile)
        names = [
            f"{c.tile[0]},{c.tile[1]}".join("()") + (" ✗" if findings_of(verdict, c) else "")
            for c in (core, *others)
        ]
        parts = ["memory", *([self._mark] if self._mark else []), f"core {names[0]}"]
        if others:
            parts.append(f" c: others, {' '.join(names[1:])}")
        self.border_title = Content("  ".join(parts))

    def lines(self, width: int, height: int) -> list[Content]:
        """The stack, what to mend, and the map."""
        core, verdict = self._shown, self._verdict
        if verdict is None:
            return [Content.styled("the map comes with the first verdict", "dim")]
        if core is None:
            return [Content.styled("the device doesn't tell what its memory holds", "dim")]
        findings = findings_of(verdict, core)
        rows = rows_of(core, findings)
        return [
            *_stack(core, rows, width, with_bar=height >= _TALL),
            *_mend(findings, width, most=2 if height < _TALL else 9),
            *_table(rows, width),
        ]


def _stack(core: CoreMemory, rows: Sequence[Row], width: int, *, with_bar: bool) -> list[Content]:
    """The stack's need against its size, and what it runs into."""
    default = "" if core.stack_size_given else " (the default)"
    need = f"stack needs {core.stack_bytes:,} B of {core.stack_limit:,} B"
    if core.stack_bytes <= core.stack_limit:
        head = Content.assemble((f"✓ {need}", "$wb-pass"), (default, "dim"))
        return [head, _meter(core, width)] if with_bar else [head]
    victims = f"overwrites {victims_of(rows) or 'memory above it'}"
    head = Content.styled(f"✗ {need}{default if width >= _NARROW else ''}", "$wb-fail bold")
    if not with_bar:
        return [head, *Content.styled(victims, "$wb-fail").wrap(max(8, width))]
    meter = _meter(core, width)
    own = meter.plain.count(_USED)
    label = f"{f'{core.stack_limit:,} B' if own > 8 else '':{own}}"
    under = Content.assemble((label, "dim"), (f"└ {victims}", "$wb-fail"))
    return [head, meter, under]


def _meter(core: CoreMemory, width: int) -> Content:
    cells = max(2, min(width, _METER))
    scale = cells / max(core.stack_bytes, core.stack_limit, 1)
    if core.stack_bytes > core.stack_limit:
        own = max(1, min(cells - 1, round(core.stack_limit * scale)))
        return Content.assemble((_USED * own, ""), (_OVER * (cells - own), "$wb-fail bold"))
    used = round(core.stack_bytes * scale)
    return Content.assemble((_USED * used, "$wb-pass"), (_ROOM * (cells - used), "dim"))


def _mend(findings: Sequence[Finding], width: int, *, most: int) -> list[Content]:
    """What to do, in at most so many lines each; the stack's own finding is told already."""
    lines: list[Content] = []
    for finding in findings:
        told = finding.id == "stack-overrun"
        where = f"  {finding.where}" if finding.where else ""
        style = text.SEVERITY_STYLES[finding.severity]
        glyph = text.SEVERITY_GLYPHS[finding.severity]
        head = Content.styled(f"{glyph} {text.clean(finding.message)}", style)
        hint = Content.assemble(f"→ {text.clean(finding.hint)}", (text.clean(where), "dim"))
        for line in [hint] if told else [head, hint]:
            wrapped = line.wrap(max(8, width))
            lines += wrapped[:most]
            if len(wrapped) > most:
                lines[-1] = Content.assemble(lines[-1].rstrip(), " …")
    return lines


def _table(rows: Sequence[Row], width: int) -> list[Content]:
    """A line for each row: address, size, name, and a bar with the overwritten part marked."""
    is_narrow = width < _NARROW
    names = max(len(text.clean(row.name)) for row in rows)
    names = min(names, max(8, width - 26), 28)
    notes = max(len(_note(row)) for row in rows)
    used = 8 + (0 if is_narrow else 8) + names + 3 + (notes + 1 if notes else 0)
    bar = max(0, min(_BAR, width - used))
    largest = max((row.bytes for row in rows if row.name != FREE), default=1)
    size = "" if is_narrow else f"{'bytes':>7} "
    lines = [Content.styled(f"address {size}name", "dim")]
    for row in rows:
        style = text.SEVERITY_STYLES[row.severity] if row.severity else ""
        glyph = text.SEVERITY_GLYPHS[row.severity] if row.severity else " "
        name = Content(text.clean(row.name)).truncate(names, ellipsis=True, pad=True)
        number = "" if is_narrow else f"{row.bytes:>7,} "
        lines.append(
            Content.assemble(
                (f"{row.address:#06x}  ", "dim"),
                number,
                name.stylize("dim" if row.name == FREE else f"{style} bold" if style else ""),
                (f" {glyph} ", style),
                *_bar(row, bar / max(1, largest), bar, style),
                (f" {_note(row)}" if row.hit else "", style),
            ).rstrip()
        )
    return lines


def _bar(row: Row, scale: float, width: int, style: str) -> list[tuple[str, str]]:
    """As long as the row is large, with the overwritten part marked; holes are empty."""
    if width < 4:
        return []
    length = 0 if row.name == FREE and not row.hit else max(1, round(row.bytes * scale))
    length = min(length, width)
    if row.used:
        used = max(1, round(row.used * length / row.bytes))
        return [(_USED * used, ""), (_ROOM * (length - used), "dim"), (" " * (width - length), "")]
    start = end = 0
    if row.hit is not None:
        first, last = row.hit
        start = min(length - 1, int(first * length / row.bytes))
        end = min(length, max(start + 1, round((last + 1) * length / row.bytes)))
    return [
        (_ROOM * start, "dim"),
        (_OVER * (end - start), f"{style} bold"),
        (_ROOM * (length - end), "dim"),
        (" " * (width - length), ""),
    ]


def _note(row: Row) -> str:
    if row.hit is None:
        return ""
    first, last = row.hit
    if row.holds:
        return ", ".join(row.holds)
    return f"byte {first:,}" if first == last else f"bytes {first:,} to {last:,}"
