"""The line in which one types what to look for in the log; there only while one types."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Input

from workbench.errors import UsageError
from workbench.tui.actions import bindings


class SearchPrompt(Input):
    """Hands what was typed to `on_done` at enter, and "" at escape; then it is gone.

    It stays, with what was typed, where `on_done` raises UsageError.
    """

    BINDINGS = bindings("search")

    def __init__(
        self, on_done: Callable[[str], None], *, asks: str = "look for", value: str = ""
    ) -> None:
        super().__init__(value, placeholder=asks, compact=True)
        self.cursor_blink = False
        self._on_done = on_done

    async def action_submit(self) -> None:
        """Look for what was typed."""
        try:
            self._end(self.value)
        except UsageError as error:
            self.notify(str(error), severity="error", markup=False)

    def action_close(self) -> None:
        """Look for nothing."""
        self._end("")

    def on_blur(self) -> None:
        """Whoever turns elsewhere has given up."""
        self.remove()

    def _end(self, typed: str) -> None:
        self._on_done(typed)
        self.remove()
