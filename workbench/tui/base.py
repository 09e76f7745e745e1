"""What the app offers on every screen: help, palette, themes, screenshots; the terminal's signals.

It knows neither kernels nor runs.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from textual.app import App
from textual.dom import DOMNode
from textual.notifications import SeverityLevel
from textual.reactive import Reactive
from textual.screen import Screen
from textual.theme import BUILTIN_THEMES, Theme

from workbench.errors import UsageError
from workbench.tui.actions import scopes_of
from workbench.tui.commands import Command, commands_of
from workbench.tui.help import HelpScreen
from workbench.tui.keymap import Keymap
from workbench.tui.overlay import open_over
from workbench.tui.signals import POP_TITLE, PUSH_TITLE, notification, title_sequence
from workbench.tui.text import STYLE_VARIABLES, clean
from workbench.tui.themes import ThemeFile, house_themes, load_theme

THEME_POLL_S = 0.5
"""Between looks at a theme's own file."""


class BaseApp(App[None]):
    """An app with a keymap and themes. Without NO_COLOR's colours everything is still told."""

    ENABLE_COMMAND_PALETTE = False
    TITLE = "npu-workbench"

    title: Reactive[str] = Reactive("", compute=False, repaint=False)
    """The terminal's. Textual's own repaints the whole screen with each change."""

    def __init__(
        self, theme: Theme | ThemeFile | None = None, keymap: Keymap | None = None
    ) -> None:
        """`theme` is Textual's default unless given; that of a file follows the file."""
        self._has_title = False
        # For NO_COLOR Textual makes greys, but none in an app of the terminal's own colours.
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.animation_level = "none"
        self.keymap: Keymap = keymap or {}
        self.set_keymap(dict(self.keymap))
        self._theme_file = theme if isinstance(theme, ThemeFile) else None
        if theme is not None:
            self._show_theme(theme.theme if isinstance(theme, ThemeFile) else theme)

    @property
    def output(self) -> Path:
        """The folder that screenshots go to."""
        raise NotImplementedError

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours, and ours by what they mean."""
        theme = super().get_css_variables()
        ours = {name: theme[color] for name, color in STYLE_VARIABLES.items()}
        return {**ours, **theme}

    def on_mount(self) -> None:
        """Take the terminal's title, and follow the theme's file."""
        self._has_title = True
        self.write_sequence(PUSH_TITLE + title_sequence(self.title))
        if self._theme_file is not None:
            self.set_interval(THEME_POLL_S, self.follow_theme_file, name="theme file")

    async def on_unmount(self) -> None:
        """Give the terminal its title back."""
        self._has_title = False
        self.write_sequence(POP_TITLE)

    def watch_title(self, title: str) -> None:
        """The app's title is the terminal's, once that is put by."""
        if self._has_title:
            self.write_sequence(title_sequence(title))

    def write_sequence(self, sequence: str) -> None:
        """Send a control sequence to the terminal, in line with the frames.

        Textual 8.2 has a public way for the bell and the clipboard alone.
        """
        if self._driver is not None:
            with contextlib.suppress(BrokenPipeError):  # the browser or terminal has gone
                self._driver.write(sequence)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say something in the corner, in place of what was said before.

        More of them than have room scroll, and Textual 8.2 repaints the places where they stood
        before that: their remains stay on the screen.
        """
        self.call_later(self.clear_notifications)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def send_notification(self, text: str) -> None:
        """A notification of the terminal's desktop, where it knows OSC 9."""
        self.write_sequence(notification(text))

    def follow_theme_file(self) -> None:
        """Show the theme's file as it is once it has been saved; a broken one changes nothing."""
        if self._theme_file is None:
            return
        try:
            theme = self._theme_file.changed()
        except UsageError as error:
            self._complain("the theme stays as it was", str(error))
            return
        if theme is not None:
            self._show_theme(theme)

    def _show_theme(self, theme: Theme) -> None:
        self.register_theme(theme)
        if self.theme == theme.name:
            self.mutate_reactive(BaseApp.theme)
        else:
            self.theme = theme.name

    def action_theme(self, name: str = "") -> None:
        """Show a theme of the house or of Textual; without a name the next one of the house."""
        own = None if self._theme_file is None else self._theme_file.theme
        names = house_themes() if own is None else [own.name, *house_themes()]
        if not name:
            at = names.index(self.theme) if self.theme in names else -1
            name = names[(at + 1) % len(names)]
        self._show_theme(own if own is not None and own.name == name else load_theme(name))
        told = f'{clean(name)}\nto keep it: [screen] theme = "{clean(name)}" in npu-workbench.toml'
        self.notify(told, title="theme", markup=False)

    def action_help(self) -> None:
        """Show all keys, those of the part in use first."""
        focused = self.screen.focused
        nodes: list[DOMNode] = [focused, self.screen] if focused is not None else [self.screen]
        here = [scope for node in nodes for scope in scopes_of(node)]
        open_over(self, HelpScreen(self.keymap, here))

    def action_palette(self) -> None:
        """Find a command by its name."""
        from workbench.tui.palette import Palette  # seldom needed, slow to import

        screen: Screen[object] = self.screen
        commands = commands_of(screen, self.keymap, [*house_themes(), *BUILTIN_THEMES])

        async def carry_out(command: Command | None) -> None:
            if command is not None:
                command.show()
                await self.run_action(command.action, command.node)

        open_over(self, Palette(commands), carry_out)

    def action_save_screen(self) -> None:
        """Write the screen as SVG, and say where."""
        svg = self.export_screenshot()
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            number = 1
            while (path := self.output / f"screen-{number}.svg").exists():
                number += 1
            path.write_text(svg, encoding="utf-8")
        except OSError as error:
            self._complain("no screenshot", f"{error.strerror}: {error.filename}")
            return
        self.notify(str(path), title="screenshot", markup=False)

    def _complain(self, title: str, text: str) -> None:
        self.notify(clean(text), title=title, severity="error", markup=False)
