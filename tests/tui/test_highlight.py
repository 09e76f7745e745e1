"""Colours of a language: never another text, and where they belong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projects import DESIGN, ROOT, SPEC
from workbench.tui.highlight import STYLES, highlighted
from workbench.tui.source_rows import tidy


def styled(lines: list[str], name: str) -> list[tuple[str, str]]:
    return [
        (content.plain[span.start : span.end], str(span.style))
        for content in highlighted(lines, name)
        for span in content.spans
    ]


@pytest.mark.parametrize("name", ["kernels/attention.c", "kernels/attention.py"])
def test_a_files_lines_stay_what_they_are(name: str) -> None:
    lines = (ROOT / name).read_text().split("\n")
    found = highlighted(lines, name)
    assert [content.plain for content in found] == lines
    assert sum(bool(content.spans) for content in found) > len(lines) / 3


@given(
    st.lists(st.text(st.sampled_from("ab01 \t\"'/*\\%@!#x<>\x1b\x0c\u2028[]\x85é漢"), max_size=12)),
    st.sampled_from(["k.c", "k.cc", "k.py", "k.mlir", "k.toml", "k.unheard-of"]),
)
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back(lines: list[str], name: str) -> None:
    shown = tidy(lines)
    assert [content.plain for content in highlighted(shown, name)] == list(shown)


def test_c_and_python_have_their_colours() -> None:
    assert styled(["// a", "static int f(void) {", '  return "s"[0x1F];'], "k.c") == [
        ("// a", "italic dim"),
        ("static", "$primary bold"),
        ("int", "$primary"),
        ("f", "bold"),
        ("void", "$primary"),
        ("return", "$primary bold"),
        *((part, "$secondary") for part in ('"', "s", '"')),
        ("0x1F", "$accent"),
    ]
    assert ("def", STYLES_OF["keyword"]) in styled(SPEC.split("\n"), "k.py")


STYLES_OF = {"keyword": "$primary bold", "type": "$primary", "number": "$accent"}


def test_mlir_has_its_colours() -> None:
    lines = ["%x = arith.constant 0xFF : i32 // why", "func.func @f(memref<4x?xi8>, !aie.t<i32>)"]
    assert styled(lines, "d.mlir") == [
        ("arith.constant", "$primary bold"),
        ("0xFF", "$accent"),
        ("i32", "$primary"),
        ("// why", "italic dim"),
        ("func.func", "$primary bold"),
        ("@f", "bold"),
        ("memref", "$primary"),
        ("4x", "$accent"),
        ("?x", "$accent"),
        ("i8", "$primary"),
        ("!aie.t", "$primary"),
        ("i32", "$primary"),
    ]
    assert ("aie.device", STYLES_OF["keyword"]) in styled(DESIGN.split("\n"), "d.mlir")


def test_no_colour_of_a_text_means_good_or_bad() -> None:
    assert not [style for style in STYLES.values() if "wb-" in style or "error" in style]
