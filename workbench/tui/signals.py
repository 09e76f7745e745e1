"""What a terminal is told beyond its cells: its title, and that a long run has ended. Pure.

OSC 2 and the title stack are xterm's (ctlseqs, "Operating System Commands" and "Window
manipulation"); OSC 9 is iTerm2's notification, which others took over. Terminals skip those that
they don't know.
"""

from __future__ import annotations

from pathlib import PurePath

from workbench.loop.result import RunResult
from workbench.loop.view import View
from workbench.settings import Screen
from workbench.tui.text import PHASE_GLYPHS, clean

PUSH_TITLE = "\x1b[22;2t"
POP_TITLE = "\x1b[23;2t"


def title_sequence(title: str) -> str:
    """What sets the terminal's title."""
    return f"\x1b]2;{_plain(title)}\x07"


def notification(text: str) -> str:
    """What shows a notification on the desktop."""
    return f"\x1b]9;{_plain(text)}\x07"


def title_of(view: View) -> str:
    """`✗ FAIL vmul`, so that a tab tells the state too; STALE numbers say so here as well."""
    kernel = PurePath(view.kernel).stem
    stale = " (STALE)" if view.shown is not None and not view.is_current else ""
    return f"{PHASE_GLYPHS[view.phase]} {view.phase} {kernel}{stale}"


def is_long(result: RunResult, settings: Screen) -> bool:
    """Whether the end of this run is to be signalled."""
    return settings.signal != "none" and result.seconds >= settings.long_run


def _plain(text: str) -> str:
    return "".join(character for character in clean(text) if character.isprintable())
