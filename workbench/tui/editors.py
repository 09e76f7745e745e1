"""Which editor a user has, and how each is told a line: $VISUAL, else $EDITOR. Pure."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from workbench.errors import UsageError
from workbench.loop.problems import Place

VARIABLES = ("VISUAL", "EDITOR")
"""The environment's names for the editor, the one that wins first."""

_PLUS_LINE = {
    *("ex", "vi", "nvi", "elvis", "vile", "view", "joe", "jmacs", "jstar", "jupp", "jed", "ne"),
    *("le", "mg", "zile", "jove", "tilde", "mcedit", "bbedit"),
}
_PLUS_CURSOR = {"vim", "rvim", "vimx", "nvim", "lvim", "gvim", "mvim", "nvim-qt"}
_PLUS_COLON = {"emacs", "emacsclient", "kak", "micro", "gedit", "xed", "pluma"}
_PLUS_COLON |= {"gnome-text-editor"}
_PLUS_COMMA = {"nano", "rnano", "pico"}
_APPENDED = {"hx", "helix", "subl", "sublime_text", "zed", "zeditor", "atom", "geany", "lapce"}
_GOTO = {"code", "code-insiders", "code-oss", "codium", "vscodium", "cursor", "windsurf"}
_LONG = {"idea", "clion", "pycharm", "rustrover", "webstorm", "fleet", "mousepad", "kate", "kwrite"}

_WINDOWED = frozenset(
    {
        *("gvim", "mvim", "nvim-qt", "neovide", "gedit", "xed", "pluma", "gnome-text-editor"),
        *("subl", "sublime_text", "zed", "zeditor", "atom", "geany", "lapce", "bbedit", "mate"),
        *_GOTO,
        *_LONG,
    }
)
_IN_TERMINAL = {"-nw", "-t", "-tty", "--tty", "--no-window-system", "--nw"}
"""Options that keep an Emacs in the terminal."""


@dataclass(frozen=True, slots=True)
class Editor:
    """An editor's command for a place; `variable` is where it is named."""

    name: str
    variable: str
    argv: tuple[str, ...]
    has_window: bool
    knows_lines: bool


def find_editor(place: Place, env: Mapping[str, str]) -> Editor:
    """The user's editor, told to open a place. Raises UsageError when there is none."""
    variable = next((name for name in VARIABLES if env.get(name, "").strip()), None)
    if variable is None:
        hint = "set $VISUAL or $EDITOR, to vim or to code"
        raise UsageError("no editor is named", hint=hint)
    try:
        program, *given = shlex.split(env[variable])
    except ValueError as error:
        raise UsageError(f"${variable} is no command: {str(error).lower()}") from None
    if shutil.which(program, path=env.get("PATH")) is None:
        raise UsageError(f"there is no {program}, the editor that ${variable} names")
    name = os.path.basename(program)
    told = _arguments(name, place)
    plain = (os.path.abspath(place.file),)
    argv = (program, *given, *(told if told and place.line else plain))
    return Editor(name, variable, argv, _has_window(name, given, env), told is not None)


def _arguments(name: str, place: Place) -> tuple[str, ...] | None:
    """How an editor is told a place; None when it isn't known how."""
    file, line, column = os.path.abspath(place.file), place.line, place.column or 1
    if name in _PLUS_CURSOR:
        return (f"+call cursor({line},{column})", file)
    if name in _PLUS_LINE:
        return (f"+{line}", file)
    if name in _PLUS_COLON:
        return (f"+{line}:{column}", file)
    if name in _PLUS_COMMA:
        return (f"+{line},{column}", file)
    if name in _APPENDED:
        return (f"{file}:{line}:{column}",)
    if name in _GOTO:
        return ("--goto", f"{file}:{line}:{column}")
    if name in _LONG:
        return ("--line", f"{line}", "--column", f"{column}", file)
    if name == "mate":
        return ("--line", f"{line}:{column}", file)
    if name == "neovide":
        return (file, "--", f"+call cursor({line},{column})")
    return None


def _has_window(name: str, given: list[str], env: Mapping[str, str]) -> bool:
    if name in ("emacs", "emacsclient"):
        display = env.get("DISPLAY") or env.get("WAYLAND_DISPLAY")
        return bool(display) and _IN_TERMINAL.isdisjoint(given)
    return name in _WINDOWED
