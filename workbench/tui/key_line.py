"""The last row: the keys that do something now, and a sign where there are more than fit."""

from __future__ import annotations

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
            if binding.show and binding.action not in firsts:
                firsts[binding.action] = key
                shown[key] = binding
        return {
            key: Content.assemble(
                (f" {key_name(key)} ", "$footer-key-foreground bold"), f"{binding.description} "
            )
            for key, binding in sorted(shown.items(), key=lambda item: _rank(item[1]))
        }


def _rank(binding: Binding) -> tuple[bool, bool, int]:
    rank = _RANKS.get(binding.id or "", len(_RANKS))
    return rank >= _ALWAYS, "." not in (binding.id or ""), rank
