"""The line in which one types what to look for in the log; there only while one types."""

from __future__ import annotations

from collections.abc import Callable

from textual.widgets import Input

from workbench.tui.actions import bindings


class SearchPrompt(Input):
    """Hands what was typed to `on_done` at enter, and "" at escape; then it is gone."""

    BINDINGS = bindings("search")

    def __init__(self, on_done: Callable[[str], None]) -> None:
        super().__init__(placeholder="look for", compact=True)
        self.cursor_blink = False
        self._on_done = on_done

    async def action_submit(self) -> None:
        """Look for what was typed."""
        self._end(self.value)

    def action_close(self) -> None:
        """Look for nothing."""
        self._end("")

    def on_blur(self) -> None:
        """Whoever turns elsewhere has given up."""
        self.remove()

    def _end(self, needle: str) -> None:
        self._on_done(needle)
        self.remove()
