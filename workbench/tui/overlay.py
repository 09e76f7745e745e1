"""A screen over another one, which is opened once and closed once however fast keys come.

Keys that were pressed before a screen opened or closed still reach the one that had them then:
closing it again would take the screen below away.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from textual.app import App
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Overlay(ModalScreen[Result]):
    """Closed with a result, or None."""

    def close_with(self, result: Result | None) -> None:
        """Close, unless that has been done."""
        if self.is_current:
            self.dismiss(result)

    def action_close(self) -> None:
        """Close without a result."""
        self.close_with(None)


def open_over(
    app: App[None],
    overlay: Overlay[Result],
    then: Callable[[Result | None], None]
    | Callable[[Result | None], Awaitable[None]]
    | None = None,
) -> None:
    """Open an overlay, unless there is one; `then` gets its result."""
    if not isinstance(app.screen, Overlay):
        app.push_screen(overlay, then)
