from __future__ import annotations

from pathlib import Path

import pytest
from textual.color import Color

from tests.tui.scripted import App
from workbench.errors import UsageError
from workbench.tui.text import STYLE_VARIABLES
from workbench.tui.themes import FOLDER, load_theme

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
READABLE = 4.5
"""Contrast that WCAG 2.1 asks of text (criterion 1.4.3)."""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def luminance(color: Color) -> float:
    """Relative luminance by WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: Color, b: Color) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_there_are_themes() -> None:
    assert {"dark", "light", "colour-blind"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_each_meaning_is_readable(name: str) -> None:
    app = App(theme=load_theme(name))
    async with app.run_test():
        assert app.theme == name
        variables = app.get_css_variables()
        ground = Color.parse(variables["background"])
        for meaning in STYLE_VARIABLES:
            color = Color.parse(variables[meaning])
            assert contrast(ground, color) >= READABLE, meaning


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    required = 'primary = "#123456"\nbackground = "black"\nforeground = "#fff"\n'
    theme = load_theme(write(tmp_path, required + 'wb-pass = "#00ff00"\ndark = false'))
    assert (theme.name, theme.dark, theme.primary) == ("mine", False, "#123456")
    assert theme.variables == {"wb-pass": "#00ff00"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('primry = "#fff"', "no theme has a key primry (did you mean primary?)"),
        ("primary = 3", "primary = 3 is no colour (write it as #RRGGBB)"),
        ('primary = "#ggg"', "primary = '#ggg' is no colour (write it as #RRGGBB)"),
        ('dark = "yes"', "dark must be true or false"),
        ('primary = "#fff"', "background, foreground missing"),
        ("primary = ", "this is no TOML: "),
        ("[wb]\npass = 3", "no theme has a key wb "),
    ],
)
def test_a_broken_file_is_told_by_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_theme(path)
    assert str(caught.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("name", ["no-such", "no/such.toml"])
def test_a_theme_that_is_not_there(name: str) -> None:
    with pytest.raises(UsageError, match="there are colour-blind, dark, light"):
        load_theme(name)
