"""Widgets made of lines: what is shown is a list of `Content`, painted by `render_line`.

Nothing here lays out or scrolls through Textual, so that new content is a repaint and no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.content import Content
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from workbench.tui.actions import bindings


def strip_of(widget: Widget, content: Content, width: int) -> Strip:
    """One line of content in the widget's style, cut with a sign and padded to `width` cells."""
    base = widget.visual_style
    parts = content.truncate(width, ellipsis=True).render(base, end="", parse_style=_parsed)
    segments = [Segment(text, style.rich_style) for text, style in parts]
    return Strip(segments).adjust_cell_length(width, base.rich_style)


def _parsed(style: str | Style) -> Style:
    return Style.parse(style) if isinstance(style, str) else style


def is_seen(widget: Widget) -> bool:
    """Whether neither the widget nor anything around it is hidden."""
    return all(node.display for node in widget.ancestors_with_self if isinstance(node, Widget))


def flow(parts: Sequence[tuple[int, Content]], width: int, rows: int) -> list[Content]:
    """Parts set into at most `rows` lines; the highest ranks are left out until they fit."""
    lines: list[Content] = []
    for rank in sorted({rank for rank, _ in parts}, reverse=True):
        lines = _wrapped([part for own, part in parts if own <= rank], width)
        if len(lines) <= rows and all(line.cell_length <= width for line in lines):
            break
    return lines[:rows]


def _wrapped(parts: Sequence[Content], width: int) -> list[Content]:
    lines: list[Content] = []
    for part in parts:
        if lines and lines[-1].cell_length + 2 + part.cell_length <= width:
            lines[-1] = Content.assemble(lines[-1], "  ", part)
        else:
            lines.append(Content.assemble(" ", part) if lines else part)
    return lines


class Lines(Widget):
    """A widget of `lines(width, height)`, kept until `changed` or a resize."""

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self._lines: Sequence[Content] | None = None

    def lines(self, width: int, height: int) -> Sequence[Content]:
        """All lines for a widget of this size."""
        raise NotImplementedError

    def changed(self) -> None:
        """What the lines are made from has changed: make and paint them anew."""
        self._lines = None
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        """Make the lines for the new size."""
        self.changed()

    def all_lines(self) -> Sequence[Content]:
        """The lines for the widget's size."""
        if self._lines is None:
            self._lines = self.lines(self.size.width, self.size.height)
        return self._lines

    def render_line(self, y: int) -> Strip:
        """A line of the widget."""
        lines = self.all_lines()
        content = lines[y] if 0 <= y < len(lines) else Content("")
        return strip_of(self, content, self.size.width)


class ScrolledLines(Lines, can_focus=True):
    """Lines that move by key and wheel; how many lie below is said in the last row."""

    BINDINGS = bindings("list")

    def __init__(self, *, classes: str | None = None) -> None:
        super().__init__(classes=classes)
        self.top = 0

    def render_line(self, y: int) -> Strip:
        """A visible line."""
        lines, height, width = self.all_lines(), self.size.height, self.size.width
        self.top = max(0, min(self.top, len(lines) - height))
        below = len(lines) - self.top - height
        line = lines[self.top + y] if self.top + y < len(lines) else Content("")
        if y == height - 1 and below > 0:
            more = f" ▼{below}"
            line = line.truncate(max(0, width - len(more)), ellipsis=True, pad=True)
            line = Content.assemble(line, (more, "dim"))
        return strip_of(self, line, width)

    def reveal(self, first: int, last: int) -> None:
        """Move so that lines `first` to `last` are seen, the first of them at least."""
        height = max(1, self.size.height - 1)
        self.top = min(first, max(self.top, last - height + 1))
        self.refresh()

    def action_scroll(self, lines: int) -> None:
        """Move by lines."""
        self.top += lines
        self.refresh()

    def action_page(self, pages: int) -> None:
        """Move by pages."""
        self.action_scroll(pages * max(1, self.size.height - 1))

    def action_edge(self, edge: int) -> None:
        """Go to the first (-1) or the last line (1)."""
        self.action_scroll(edge * len(self.all_lines()))

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel."""
        self.action_scroll(1)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        self.action_scroll(-1)
