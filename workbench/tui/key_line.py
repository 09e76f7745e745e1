"""The last row: the keys that do something now, and a sign where there are more than fit."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen

from workbench.tui.actions import ACTIONS, key_name
from workbench.tui.lines import Lines

_MORE = " …"
_ALWAYS = 3
"""How many of the table's first actions come first, whatever part has the keys."""
_RANKS = {action.id: rank for rank, action in enumerate(ACTIONS)}


class KeyLine(Lines):
    """`? help  q quit`, what the part with the keys can do, all else; a click presses the key."""

    DEFAULT_CSS = "KeyLine { height: 1; dock: bottom; }"

    def __init__(self, only: Sequence[str] | None = None) -> None:
        """`only` these actions, by their ids, in place of those that the table has here."""
        super().__init__()
        self._only = only

    def on_mount(self) -> None:
        """Follow what can be done."""
        self.screen.bindings_updated_signal.subscribe(self, self._on_bindings)

    def _on_bindings(self, _screen: Screen[object]) -> None:
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """As many keys as fit."""
        keys = self._keys()
        fitting = list(keys.values())
        while fitting and sum(label.cell_length for label in fitting) > width:
            fitting.pop()
            if sum(label.cell_length for label in fitting) + len(_MORE) <= width:
                break
        more = (_MORE, "dim") if len(fitting) < len(keys) else ""
        return [Content.assemble(*fitting, more)]

    def on_click(self, event: events.Click) -> None:
        """Press the key under the pointer."""
        right = 0
        for key, label in self._keys().items():
            right += label.cell_length
            if event.x < right:
                self.app.simulate_key(key)
                return

    def _keys(self) -> dict[str, Content]:
        """What is shown for each key."""
        firsts: dict[str, str] = {}
        shown: dict[str, Binding] = {}
        for key, active in self.screen.active_bindings.items():
            binding = active.binding
            if self._is_offered(binding) and binding.action not in firsts:
                firsts[binding.action] = key
                shown[key] = binding
        return {
            key: Content.assemble(
                (f" {key_name(key)} ", "$footer-key-foreground bold"), f"{binding.description} "
            )
            for key, binding in sorted(shown.items(), key=lambda item: self._rank(item[1]))
        }

    def _is_offered(self, binding: Binding) -> bool:
        return binding.show if self._only is None else binding.id in self._only

    def _rank(self, binding: Binding) -> tuple[bool, bool, int]:
        name = binding.id or ""
        if self._only is not None:
            return False, False, self._only.index(name)
        rank = _RANKS.get(name, len(_RANKS))
        return rank >= _ALWAYS, "." not in name, rank
