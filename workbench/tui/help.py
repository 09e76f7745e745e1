"""The help page: every action with its keys, from the table of actions."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import ModalScreen

from workbench.tui.actions import ACTIONS, SCOPE_TITLES, bindings, shown_keys
from workbench.tui.lines import ScrolledLines


class HelpScreen(ModalScreen[None]):
    """Keys over the main screen; closed by escape."""

    BINDINGS = bindings("help")

    def compose(self) -> ComposeResult:
        """One page of lines."""
        yield HelpPage()


class HelpPage(ScrolledLines):
    """The page."""

    def __init__(self) -> None:
        super().__init__(classes="panel")

    def on_mount(self) -> None:
        """Give the page its title and the focus, so that it scrolls."""
        self.border_title = Content("keys  (esc: back)")
        self.focus()

    def lines(self, width: int, height: int) -> list[Content]:
        """A line for each action, by scope."""
        lines: list[Content] = []
        for scope, title in SCOPE_TITLES.items():
            lines.append(Content.styled(title, "bold"))
            lines += [
                Content.assemble((f"  {shown_keys(action):<20}", "$wb-busy"), action.help)
                for action in ACTIONS
                if action.scope == scope
            ]
            lines.append(Content(""))
        return [*lines, *_LEGEND]


_LEGEND = [
    Content.styled("signs", "bold"),
    Content("  STALE               numbers of other bytes than those on disk"),
    Content("  MODEL  NPU          what executed: the functional model on this host, or the NPU"),
    Content(
        "  · + ~ !             difference: none, within tolerance, over it, over 4 times of it"
    ),
    Content("  ✓ ✗ ▶ ·             step or criterion: fine, failed, running, not yet"),
]
