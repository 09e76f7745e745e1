from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from workbench.tui.ansi import pieces


def plain(line: str) -> str:
    return "".join(text for text, _ in pieces(line))


def test_colours_become_styles() -> None:
    assert pieces("a \x1b[1;31mred\x1b[0m b") == [
        ("a ", Style.null()),
        ("red", Style(bold=True, color="color(1)")),
        (" b", Style.null()),
    ]


def test_extended_colours() -> None:
    assert pieces("\x1b[38;5;196mx")[0][1].color == Style(color="color(196)").color
    assert pieces("\x1b[48;2;1;2;3mx")[0][1].bgcolor == Style(bgcolor="#010203").bgcolor
    assert plain("\x1b[38m\x1b[38;5m\x1b[38;9;1m\x1b[999;;mx") == "x"


def test_other_sequences_vanish() -> None:
    clear, title, link, device = (
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bP1$r\x1b\\",
    )
    assert plain(f"a{clear}b{title}c{link}d{device}e\x1b(Bf\x1b") == "abcdef"


def test_tabs_are_measured_in_cells() -> None:
    assert plain("a\tb") == "a       b"
    assert plain("界\tb") == "界      b"
    assert plain("\x1b[31mab\x1b[0m\tc") == "ab      c"


def test_the_last_part_after_carriage_returns_counts() -> None:
    assert plain("10 %\r50 %\r100 %") == "100 %"
    assert plain("done\r") == "done"
    assert plain("\r\r") == ""


def test_invisible_characters_go_and_wide_spaces_stay_wide() -> None:
    assert plain("a\x00\x08\u202e\u200bb\u3000c\u00a0d") == "ab  c d"


@given(st.text(st.characters(codec="utf-8", categories=["C", "L", "Z", "M", "N", "P", "S"])))
def test_nothing_unprintable_comes_through(line: str) -> None:
    assert plain(line).isprintable()


@given(st.text(st.sampled_from("ab1;m[]\x1b\x9b\x07\t\r\\P(?0 38"), max_size=60))
def test_broken_sequences_are_survived(line: str) -> None:
    assert plain(line).isprintable()
