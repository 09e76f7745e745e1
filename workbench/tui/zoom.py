"""One part of a screen in place of all others; `app.tcss` says what the classes look like."""

from __future__ import annotations

from textual.screen import Screen
from textual.widget import Widget

ZOOMED = "-zoomed"
AROUND = "-around"


def zoomed(screen: Screen[None]) -> Widget | None:
    """The part that is zoomed."""
    return next(iter(screen.query(f".{ZOOMED}").results(Widget)), None)


def zoom(screen: Screen[None], part: Widget | None) -> None:
    """Show this part only, or all of them again."""
    screen.query(f".{ZOOMED}, .{AROUND}").remove_class(ZOOMED, AROUND)
    screen.set_class(part is not None, ZOOMED)
    if part is not None:
        part.add_class(ZOOMED)
        for node in part.ancestors:
            if node is screen:
                break
            node.add_class(AROUND)
