"""Themes: one flat TOML file each. Those of the house lie in `themes/`; a path names another."""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from workbench.errors import UsageError
from workbench.tui.text import STYLE_VARIABLES

FOLDER = Path(__file__).with_name("themes")
DEFAULT_THEME = "dark"

_COLORS = (
    *("primary", "secondary", "accent", "success", "warning", "error"),
    *("foreground", "background", "surface", "panel"),
)
_REQUIRED = ("primary", "background", "foreground")
_OURS = tuple(STYLE_VARIABLES)
"""Meanings with a colour of their own: `wb-pass`, `wb-fail` …"""


def load_theme(name: str) -> Theme:
    """A theme of the house by its name, or one of a TOML file by its path.

    Raises UsageError, which names the file and the key, for one that isn't there or is broken.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise UsageError(f"there is no theme {name}", hint=f"there are {known}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"this is no TOML: {error}", where=str(path)) from error
    return _theme(content, str(path), path.stem)


def _theme(content: dict[str, Any], where: str, name: str) -> Theme:
    known = (*_COLORS, *_OURS, "dark")
    for key, value in content.items():
        if key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
            raise UsageError(f"no theme has a key {key}", where=where, hint=hint)
        if key == "dark":
            if not isinstance(value, bool):
                raise UsageError("dark must be true or false", where=where)
        else:
            _check_color(key, value, where)
    missing = [key for key in _REQUIRED if key not in content]
    if missing:
        raise UsageError(f"{', '.join(missing)} missing", where=where)
    own = {key: value for key, value in content.items() if key in _OURS}
    return Theme(name=name, variables=own, **{k: v for k, v in content.items() if k not in _OURS})


def _check_color(key: str, value: object, where: str) -> None:
    try:
        Color.parse(value if isinstance(value, str) else "")
    except ColorParseError as error:
        hint = "write it as #RRGGBB"
        raise UsageError(f"{key} = {value!r} is no colour", where=where, hint=hint) from error
