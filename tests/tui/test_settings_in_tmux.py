"""The settings of a project in a real terminal: keys, theme, signals, and what is wrong in them."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.projects import Project
from tests.tui.tmux import WORKBENCH, Tmux
from workbench.settings import FILE

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")

THEME = 'primary = "#123456"\nbackground = "{}"\nforeground = "#ffffff"\n'


WIDE = (240, 34)
"""A sentence and the path before it in one row, however deep the tests' folder lies."""


def opened(project: Project, settings: str) -> Tmux:
    (project.folder / FILE).write_text(settings)
    return Tmux([*WORKBENCH, "kernels/scale.c"], project.folder, os.environ, WIDE)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('[keys]\nrernu = "R"', "there is no action rernu (did you mean rerun?)"),
        ('[keys]\nrerun = "x"', "keys.rerun: x is the key of cancel too"),
        ('[keys]\nlog.wrap = "contrl+w"', "keys.log.wrap: there is no key 'contrl+w'"),
        ('[screen]\ntheme = "drak"', "there is no theme drak (did you mean dark?)"),
        ('[screen]\nsignal = "horn"', 'screen.signal must be "none" or "bell"'),
    ],
)
def test_what_is_wrong_is_told_before_the_screen_opens(
    project: Project, settings: str, told: str
) -> None:
    with opened(project, settings) as terminal:
        terminal.see(told, "left with 2")


def test_keys_and_the_theme_of_a_file_that_is_followed(project: Project) -> None:
    theme = project.folder / "mine.toml"
    theme.write_text(THEME.format("#010203"))
    with opened(project, '[screen]\ntheme = "mine.toml"\n[keys]\nrerun = "R"') as terminal:
        terminal.see("✓ PASS", "run 1", " R rerun")
        assert "48;2;1;2;3" in terminal.styled or "48;5;" in terminal.styled
        terminal.press("r", "R")
        terminal.see("✓ PASS", "run 2")
        theme.write_text("background = 3\n")
        terminal.see("the theme stays as it was", "background = 3 is no colour")
        terminal.press("q")
        terminal.see("left with 0")
