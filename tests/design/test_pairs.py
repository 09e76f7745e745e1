"""Braces and quotes without a partner are named where they are to be mended."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.projects import ROOT
from workbench.design import parse_design
from workbench.design.pairs import unended_string, unpaired_brace
from workbench.errors import DesignError

DESIGNS = sorted((ROOT / "mlir").glob("*.mlir"))


def without(text: str, at: int) -> str:
    return text[:at] + text[at + 1 :]


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def partner(text: str, closing: int) -> int:
    """The brace that a `}` of a whole text closes."""
    depth = 0
    for at in range(closing, -1, -1):
        depth += {"}": 1, "{": -1}.get(text[at], 0)
        if depth == 0:
            return at
    raise AssertionError("the text is not whole")


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.name)
def test_each_block_that_lacks_its_end_is_named(path: Path) -> None:
    text = path.read_text()
    ends = [match.start(1) for match in re.finditer(r"^\s*(\})", text, re.MULTILINE)]
    assert unpaired_brace(text) is None
    assert len(ends) > 3
    for end in ends:
        broken = without(text, end)
        begin = partner(text, end)
        assert unpaired_brace(broken) == ("{", begin)
        with pytest.raises(DesignError) as caught:
            parse_design(broken, "d.mlir")
        assert str(caught.value.message) == "the block that begins here has no }"
        assert (caught.value.where or "").startswith(f"d.mlir:{line_of(text, begin)}:")


@pytest.mark.parametrize("path", DESIGNS, ids=lambda path: path.name)
def test_a_brace_too_many_is_named(path: Path) -> None:
    text = path.read_text()
    assert unpaired_brace(f"{text}\n}}") == ("}", len(text) + 1)


def test_braces_in_strings_and_comments_are_none() -> None:
    assert unpaired_brace('a { // }\n "}" "\\"{" }') is None
    assert unended_string('"a" // "\n "b') == ('"', 10)


@given(st.text(st.sampled_from('{}" \n/a\\'), max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    found = unpaired_brace(text)
    assert found is None or text[found.position] == found.sign
