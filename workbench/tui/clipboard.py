"""Copying to the terminal's clipboard, and saying what was copied."""

from __future__ import annotations

from textual.widget import Widget

_SHOWN = 200
"""Characters of what was copied that are shown."""


def copy(widget: Widget, what: str, text: str) -> None:
    """Copy by OSC 52, which some terminals refuse: hence the way is said too."""
    widget.app.copy_to_clipboard(text)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
    widget.notify(shown, title=f"copied {what} (OSC 52)", markup=False)
