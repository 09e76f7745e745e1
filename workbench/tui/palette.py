"""The palette: type what a command is called or does, enter carries it out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input

from workbench.tui.actions import bindings
from workbench.tui.commands import Command
from workbench.tui.lines import Lines
from workbench.tui.overlay import Overlay


class Palette(Overlay[Command]):
    """Ends with the command that was chosen, or None."""

    BINDINGS = bindings("palette")

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._list = CommandList(commands)

    def compose(self) -> ComposeResult:
        """What is typed, above what that finds."""
        with Vertical():
            prompt = Input(placeholder="a command's name, or what it does", compact=True)
            prompt.cursor_blink = False
            yield prompt
            yield self._list

    def on_input_changed(self, event: Input.Changed) -> None:
        """Find what is typed."""
        self._list.find(event.value)

    def on_input_submitted(self, _event: Input.Submitted) -> None:
        """Choose what the list stands on."""
        if self._list.current is not None:
            self.close_with(self._list.current)

    def on_command_list_picked(self, message: CommandList.Picked) -> None:
        """Choose what was clicked."""
        self.close_with(message.command)

    def action_move(self, by: int) -> None:
        """Stand on another command."""
        self._list.move(by)

    def action_page(self, pages: int) -> None:
        """Move by what is seen at once."""
        self._list.move(pages * max(1, self._list.size.height - 1))


class CommandList(Lines):
    """The commands that are found, the best first; a click picks one."""

    class Picked(Message):
        """A command was clicked."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    def __init__(self, commands: Sequence[Command]) -> None:
        super().__init__()
        self._commands = commands
        self.found = list(commands)
        self._at = 0
        self._top = 0

    @property
    def current(self) -> Command | None:
        """The command that the list stands on."""
        return self.found[self._at] if self.found else None

    def find(self, text: str) -> None:
        """Show what `text` finds."""
        self.found = matching(self._commands, text)
        self._at = 0
        self.changed()

    def move(self, by: int) -> None:
        """Stand on another command, as far as there is one."""
        self._at = max(0, min(self._at + by, len(self.found) - 1))
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The commands that are seen, the current one among them."""
        if not self.found:
            return [Content.styled("   no command is found by that", "dim")]
        self._top = max(min(self._top, self._at), self._at - height + 1, 0)
        seen = self.found[self._top : self._top + height]
        return [self._line(command) for command in seen]

    def _line(self, command: Command) -> Content:
        at = command is self.current
        return Content.assemble(
            (" ▸ " if at else "   ", "$wb-busy bold"),
            (f"{command.title}  ", "bold" if at else ""),
            (f"{command.keys}  ", "$wb-busy"),
            (command.help, "dim"),
        )

    def on_click(self, event: events.Click) -> None:
        """Pick what is under the pointer."""
        inside = event.get_content_offset(self)
        if inside is not None and self._top + inside.y < len(self.found):
            self.post_message(self.Picked(self.found[self._top + inside.y]))

    def on_mouse_scroll_down(self, _event: events.MouseScrollDown) -> None:
        """The wheel."""
        self.move(1)

    def on_mouse_scroll_up(self, _event: events.MouseScrollUp) -> None:
        """The wheel."""
        self.move(-1)


def matching(commands: Sequence[Command], text: str) -> list[Command]:
    """Commands with all words of `text`; those named so first, then those that say whole words."""
    words = text.lower().split()

    def rank(command: Command) -> int | None:
        title = command.title.lower()
        told = f"{title} {command.help} {command.words}".lower()
        if not all(word in told for word in words):
            return None
        if words and title.startswith(words[0]):
            return 0
        if set(words) <= set(re.findall(r"\w+", told)):
            return 1
        return 2 if all(word in title for word in words) else 3

    ranks = ((rank(command), command) for command in commands)
    found = [(own, command) for own, command in ranks if own is not None]
    return [command for _, command in sorted(found, key=lambda pair: pair[0])]
