"""The help page: every action with its keys as they are set, those of the part in use first."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content

from workbench.tui.actions import ACTIONS, SCOPE_TITLES, Scope, bindings
from workbench.tui.keymap import Keymap, shown_keys
from workbench.tui.lines import ScrolledLines
from workbench.tui.overlay import Overlay

_LEAST_KEYS = 20
"""Cells that the keys have at least."""


class HelpScreen(Overlay[None]):
    """Keys over another screen; closed by escape. `here` are the scopes of what has the keys."""

    BINDINGS = bindings("help")

    def __init__(self, keymap: Keymap, here: Sequence[Scope]) -> None:
        super().__init__()
        self._page = HelpPage(keymap, here)

    def compose(self) -> ComposeResult:
        """One page of lines."""
        yield self._page


class HelpPage(ScrolledLines):
    """The page."""

    def __init__(self, keymap: Keymap, here: Sequence[Scope]) -> None:
        super().__init__(classes="panel")
        self._keymap = keymap
        self._scopes = [
            scope for scope in dict.fromkeys((*here, *SCOPE_TITLES)) if scope in SCOPE_TITLES
        ]

    def on_mount(self) -> None:
        """Give the page its title and the focus, so that it scrolls."""
        self.border_title = Content("keys  (esc: back)")
        self.focus()

    def lines(self, width: int, height: int) -> list[Content]:
        """A line for each action, by scope."""
        keys = {action.id: shown_keys(action, self._keymap) for action in ACTIONS}
        room = max(_LEAST_KEYS, *map(len, keys.values()))
        lines: list[Content] = []
        for scope in self._scopes:
            lines.append(Content.styled(SCOPE_TITLES[scope], "bold"))
            lines += [
                Content.assemble(
                    (f"  {keys[action.id]:<{room}}", "$wb-busy"),
                    action.help,
                    (f"  {action.id}", "dim"),
                )
                for action in ACTIONS
                if action.scope == scope
            ]
            lines.append(Content(""))
        return [*lines, *_LEGEND]


_LEGEND = [
    Content.styled("signs", "bold"),
    Content("  STALE               numbers of other bytes than those on disk"),
    Content("  OLD RUN 3           of an older run that you look at; the state is the newest's"),
    Content("  ◆  ▲ ▼ =            baseline; better, worse, the same since"),
    Content("  MODEL  NPU          what executed: the functional model on this host, or the NPU"),
    Content(
        "  · + ~ !             difference: none, within tolerance, over it, over 4 times of it"
    ),
    Content("  ✓ ✗ ▶ ·             step or criterion: fine, failed, running, not yet"),
    Content(""),
    Content.styled("your own keys", "bold"),
    Content(
        "  [keys] in npu-workbench.toml: an action's name, as it stands here in grey, and keys"
    ),
]
