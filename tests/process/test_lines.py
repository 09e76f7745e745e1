"""Bytes to lines: any chunking gives the same lines, and nothing is dropped without saying so."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.process import LINE_LIMIT, LineSplitter

chunkings = st.lists(st.binary(max_size=40), max_size=20)


def split(chunks: list[bytes]) -> list[str]:
    splitter = LineSplitter()
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.end()


@given(chunkings)
def test_chunking_makes_no_difference(chunks: list[bytes]) -> None:
    assert split(chunks) == split([b"".join(chunks)])


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", codec="utf-8"))))
def test_lines_come_out_as_they_went_in(lines: list[str]) -> None:
    assert split([f"{line}\n".encode() for line in lines]) == lines


@given(st.binary(max_size=200))
def test_any_bytes_survive(data: bytes) -> None:
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    assert split([data]) == [line.decode(errors="replace").removesuffix("\r") for line in lines]


def test_a_character_across_chunks_is_whole() -> None:
    assert split([bytes([byte]) for byte in "größe …\n".encode()]) == ["größe …"]


def test_the_last_line_needs_no_newline() -> None:
    assert split([b"one\ntwo"]) == ["one", "two"]
    assert split([b"one\n"]) == ["one"]
    assert split([]) == []


def test_a_line_within_the_limit_is_whole() -> None:
    assert split([b"x" * 100_000, b"\n"]) == ["x" * 100_000]
    assert split([b"x" * LINE_LIMIT]) == ["x" * LINE_LIMIT]


def test_a_longer_line_is_cut_and_says_so() -> None:
    chunks = [b"x" * 65_536] * 160 + [b"\nnext\n"]
    first, second = split(chunks)
    assert first == "x" * LINE_LIMIT + f" … [line cut: {160 * 65_536 - LINE_LIMIT:,} more bytes]"
    assert second == "next"
