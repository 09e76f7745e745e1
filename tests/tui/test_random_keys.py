"""Keys at random with saves between them, in a real terminal of 256 and of 16 colours.

At the end of each burst the verdict on screen has to be that of the bytes on disk.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import pytest

from tests.projects import KERNEL, Project
from tests.tui.tmux import WORKBENCH, Tmux
from workbench.tui.actions import ACTIONS

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")

KEYS = int(os.environ.get("NPU_WORKBENCH_RANDOM_KEYS", "200"))
BURST = 50
ESCAPE_S = 0.15
"""A key that comes sooner after escape is taken for one with alt."""
WRONG = KERNEL.replace("* factor", "+ factor")
BROKEN = KERNEL.replace("in[i]", "in[k]")
VERDICTS = {KERNEL: "✓ PASS", WRONG: "✗ FAIL", BROKEN: "✗ BUILD FAILED"}

_NAMES = {
    **{"escape": "Escape", "tab": "Tab", "shift+tab": "BTab", "enter": "Enter", "space": "Space"},
    **{"pagedown": "PageDown", "pageup": "PageUp", "home": "Home", "end": "End"},
    **{"up": "Up", "down": "Down", "left": "Left", "right": "Right"},
    **{"question_mark": "?", "slash": "/", "full_stop": ".", "comma": ",", "colon": ":"},
    **{"apostrophe": "'", "left_square_bracket": "[", "right_square_bracket": "]"},
    **{"right_curly_bracket": "}", "equals_sign": "="},
}


def tmux_key(key: str) -> str:
    """tmux's name of a key."""
    *modifiers, last = key.split("+")
    if key in _NAMES:
        return _NAMES[key]
    name = _NAMES.get(last, last.upper() if last[1:].isdigit() else last)
    return "".join(f"{modifier[0].upper()}-" for modifier in modifiers) + name


PRESSED = sorted(
    {tmux_key(k) for a in ACTIONS if "quit" not in a.name for k in a.keys.split(",")} - {"q"}
    | {*"abcx19$(*", "BSpace", "F3", "C-t", "M-x"}
)


@pytest.mark.parametrize("term", ["screen-256color", "screen"], ids=["256 colours", "16 colours"])
def test_no_key_breaks_the_app_or_keeps_an_old_verdict(project: Project, term: str) -> None:
    chance = random.Random(7)
    env = {name: value for name, value in os.environ.items() if name not in ("COLORTERM", "VISUAL")}
    command = ["env", f"TERM={term}", *WORKBENCH, "kernels/scale.c"]
    with Tmux(command, project.folder, {**env, "EDITOR": "true"}) as terminal:
        terminal.see("✓ PASS", "run 1")
        for _ in range(KEYS // BURST):
            keys = chance.choices(PRESSED, k=BURST)
            terminal.press(*keys[: BURST // 2])
            content = chance.choice(list(VERDICTS))
            project.kernel.write_text(content)
            terminal.press(*keys[BURST // 2 :])
            # Out of whatever is open, back from an older run, and a run even where one was stopped.
            for _ in range(4):
                terminal.press("Escape")
                time.sleep(ESCAPE_S)
            terminal.press("}", "r")
            source = hashlib.sha256(content.encode()).hexdigest()[:7]
            # Nothing judges what isn't built: the last numbers stay, as those of other bytes.
            stale = content == BROKEN
            texts = (VERDICTS[content], source, *(["STALE"] if stale else []))
            terminal.see(*texts, but_not=None if stale else "STALE")
        terminal.see(source, but_not="▌")  # what was said is gone, without remains
        crash = Path(project.folder, ".workbench", "crash.log")
        assert not crash.exists(), crash.read_text()
        terminal.press("q")
        terminal.see("left with 0")
