"""Themes: one flat TOML file each. Those of the house lie in `themes/`; a path names another.

Textual's own are there by their names too.
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rich.console import Console
from textual.color import Color, ColorParseError
from textual.constants import COLOR_SYSTEM
from textual.theme import BUILTIN_THEMES, Theme

from workbench.errors import UsageError
from workbench.tui.text import STYLE_VARIABLES

FOLDER = Path(__file__).with_name("themes")
DEFAULT_THEME = "dark"
TERMINAL_THEME = "terminal"
"""In the terminal's own colours, for those that have 16 of them."""

MANY_COLORS = ("256", "truecolor")
"""Rich's names for the colours of terminals that have more than 16."""

_COLORS = (
    *("primary", "secondary", "accent", "success", "warning", "error"),
    *("foreground", "background", "surface", "panel"),
)
_REQUIRED = ("primary", "background", "foreground")
_SWITCHES = ("dark", "ansi")
"""`ansi`: the colours are the terminal's own, such as ansi_red."""
_OURS = tuple(STYLE_VARIABLES)
"""Meanings with a colour of their own: `wb-pass`, `wb-fail` …"""


def house_themes() -> list[str]:
    """The names of the house's themes, the default first."""
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return sorted(names, key=lambda name: name != DEFAULT_THEME)


def theme_for_terminal() -> str:
    """The default theme; with no more than 16 colours, that of the terminal's own."""
    system = COLOR_SYSTEM if COLOR_SYSTEM != "auto" else Console().color_system
    return DEFAULT_THEME if system in MANY_COLORS else TERMINAL_THEME


class ThemeFile:
    """A theme of a file that is followed while its author works on it.

    Raises UsageError as `load_theme` does.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._seen = self._shown = self._stamp()
        self.theme = load_theme(path)

    def changed(self) -> Theme | None:
        """The theme when the file is another than at the last call but one, and rests since.

        Raises UsageError, once for each save, when it is broken; `theme` is the last good one.
        """
        stamp, before = self._stamp(), self._seen
        self._seen = stamp
        if stamp is None or stamp != before or stamp == self._shown:
            return None
        self._shown = stamp
        self.theme = load_theme(self.path)
        return self.theme

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(self.path)
        except OSError:  # a save may replace it, with a moment between
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def load_theme(name: str) -> Theme:
    """A theme of the house or of Textual by its name, or one of a TOML file by its path.

    Raises UsageError, which names the file and the key, for one that isn't there or is broken.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if name in BUILTIN_THEMES and name not in house_themes():
        return BUILTIN_THEMES[name]
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        near = get_close_matches(name, [*house_themes(), *BUILTIN_THEMES], 1)
        hint = f"there are {', '.join(house_themes())}, those of Textual, and files NAME.toml"
        hint = f"did you mean {near[0]}?" if near else hint
        raise UsageError(f"there is no theme {name}", hint=hint) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this is no TOML: {error}", where=str(path)) from error
    return _theme(content, str(path), path.stem)


def _theme(content: dict[str, Any], where: str, name: str) -> Theme:
    known = (*_COLORS, *_OURS, *_SWITCHES)
    for key, value in content.items():
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
            raise UsageError(f"no theme has a key {key}", where=where, hint=hint)
        if key in _SWITCHES:
            if not isinstance(value, bool):
                raise UsageError(f"{key} must be true or false", where=where)
        else:
            _check_color(key, value, where)
    missing = [key for key in _REQUIRED if key not in content]
    if missing:
        raise UsageError(f"{', '.join(missing)} missing", where=where)
    own = {key: value for key, value in content.items() if key in _OURS}
    if content.get("ansi"):
        like = BUILTIN_THEMES["ansi-dark" if content.get("dark", True) else "ansi-light"]
        own = {**like.variables, **own}
    return Theme(name=name, variables=own, **{k: v for k, v in content.items() if k not in _OURS})


def _check_color(key: str, value: object, where: str) -> None:
    try:
        Color.parse(value if isinstance(value, str) else "")
    except ColorParseError as error:
        hint = "write it as #RRGGBB"
        raise UsageError(f"{key} = {value!r} is no colour", where=where, hint=hint) from error
