from __future__ import annotations

import math
import os
from itertools import combinations
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tests.tui.scripted import PASSED, App, a_run, text_of
from workbench.errors import UsageError
from workbench.tui.text import STYLE_VARIABLES
from workbench.tui.themes import (
    DEFAULT_THEME,
    FOLDER,
    ThemeFile,
    house_themes,
    load_theme,
    theme_for_terminal,
)
from workbench.tui.verdict_bar import VerdictBar

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))
OWN_COLORS = [name for name in NAMES if not load_theme(name).ansi]
"""Those that aren't in the terminal's colours, which are its owner's."""
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
    kinds = {"dark", "light", "high-contrast", "colour-blind", "colour-blind-light", "terminal"}
    assert kinds <= set(NAMES)
    assert house_themes()[0] == DEFAULT_THEME


async def test_high_contrast_is_high() -> None:
    app = App(theme=load_theme("high-contrast"))
    async with app.run_test():
        variables = app.get_css_variables()
        for meaning in STYLE_VARIABLES:
            assert contrast(Color.parse("#000000"), Color.parse(variables[meaning])) >= 10, meaning


DEFICIENCIES = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""Linear RGB as seen without one kind of cone: Machado and others, IEEE TVCG 15(6), 2009."""


def seen(color: Color, deficiency: str) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of what somebody sees of a colour."""
    rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color.normalized]
    r, g, b = (
        min(1.0, max(0.0, sum(weight * c for weight, c in zip(row, rgb, strict=True))))
        for row in DEFICIENCIES[deficiency]
    )
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("name", ["colour-blind", "colour-blind-light"])
async def test_pass_warning_and_failure_differ_for_everybody(name: str, deficiency: str) -> None:
    app = App(theme=load_theme(name))
    async with app.run_test():
        variables = app.get_css_variables()
        colors = [Color.parse(variables[m]) for m in ("wb-pass", "wb-warn", "wb-fail")]
        for one, other in combinations(colors, 2):
            assert math.dist(seen(one, deficiency), seen(other, deficiency)) > 20


@pytest.mark.parametrize("name", OWN_COLORS)
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
    with pytest.raises(UsageError, match=r"there are dark, colour-blind, .*, those of Textual"):
        load_theme(name)


def test_a_theme_that_is_nearly_there() -> None:
    with pytest.raises(UsageError, match=r"did you mean dracula\?"):
        load_theme("dracla")


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
async def test_textuals_own_themes_do(name: str) -> None:
    app = App(theme=load_theme(name))
    async with app.run_test(size=(120, 34)) as pilot:
        while app.engine is None:
            await pilot.pause()
        app.emit(*a_run(PASSED))
        await pilot.pause()
        assert app.theme == name
        assert "PASS" in text_of(app.screen.query_one(VerdictBar))


MINE = 'primary = "#123456"\nbackground = "black"\nforeground = "#fff"\nwb-pass = "{}"\n'


async def test_a_themes_file_is_followed_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, MINE.format("#00ff00"))
    app = App(theme=ThemeFile(path))
    async with app.run_test(size=(120, 34)) as pilot:
        while app.engine is None:
            await pilot.pause()
        app.emit(*a_run(PASSED))
        await pilot.pause()
        assert Color.parse("#00ff00") in grounds(app)
        write(tmp_path, MINE.format("#0000fff"))
        app.follow_theme_file()
        assert not app._notifications  # it may be in the midst of being written
        app.follow_theme_file()
        await pilot.pause()
        (told,) = app._notifications
        assert told.message.startswith(f"{path}: wb-pass = '#0000fff' is no colour")
        assert app.theme == "mine"
        app.follow_theme_file()
        await pilot.pause()
        assert len(app._notifications) == 1
        os.unlink(path)
        app.follow_theme_file()
        write(tmp_path, MINE.format("#0000ff"))
        for _ in range(2):
            app.follow_theme_file()
        await pilot.pause()
        assert Color.parse("#0000ff") in grounds(app)
        assert Color.parse("#00ff00") not in grounds(app)


def grounds(app: App) -> set[Color]:
    """The background colours of the verdict."""
    bar = app.screen.query_one(VerdictBar)
    styles = (segment.style for y in range(bar.size.height) for segment in bar.render_line(y))
    return {Color.from_rich_color(s.bgcolor) for s in styles if s is not None and s.bgcolor}


async def test_the_theme_key_goes_through_those_of_the_house(tmp_path: Path) -> None:
    app = App(theme=ThemeFile(write(tmp_path, MINE.format("#00ff00"))))
    async with app.run_test() as pilot:
        seen_themes = []
        for _ in range(len(NAMES) + 1):
            seen_themes.append(app.theme)
            await pilot.press("T")
        assert seen_themes == ["mine", *house_themes()]
        assert app.theme == "mine"


@pytest.mark.parametrize(
    ("term", "theme"),
    [("xterm-256color", "dark"), ("xterm-16color", "terminal"), ("linux", "terminal")],
)
def test_the_terminal_has_a_say_in_the_default(
    monkeypatch: pytest.MonkeyPatch, term: str, theme: str
) -> None:
    monkeypatch.setenv("TERM", term)
    for name in ("COLORTERM", "TEXTUAL_COLOR_SYSTEM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert theme_for_terminal() == theme
