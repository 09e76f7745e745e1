"""Diagnostics out of what a compiler prints: none invented, none lost, whatever comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.build import Diagnostic, parse_diagnostics
from workbench.build.diagnostics import KEPT, DiagnosticParser, Note, strip_ansi

plain = st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "), min_size=1)
files = plain.filter(lambda name: name.strip() == name and ": " not in name and name[0] != ":")
severities = st.sampled_from(["error", "fatal error", "warning"])
numbers = st.integers(1, 10**6)


@given(st.lists(st.text()))
def test_nothing_makes_it_raise(lines: list[str]) -> None:
    parse_diagnostics(lines)


@given(st.lists(st.tuples(files, numbers, numbers, severities, plain)), st.data())
def test_every_header_line_is_found(
    headers: list[tuple[str, int, int, str, str]], data: st.DataObject
) -> None:
    lines = []
    for file, line, column, severity, message in headers:
        lines.append(f"{file}:{line}:{column}: {severity}: {message}")
        lines += [f" {line:4} | {data.draw(plain)}", "      |     ^~~~"]
    found = parse_diagnostics(lines)
    assert [(d.line, d.column, d.severity, d.message) for d in found] == [
        (line, column, severity.removeprefix("fatal "), message)
        for _, line, column, severity, message in headers
    ]


@given(st.text())
def test_what_is_stripped_is_harmless(text: str) -> None:
    stripped = strip_ansi(text)
    assert all(c.isprintable() or c == "\t" for c in stripped)
    assert strip_ansi(stripped) == stripped


@given(st.lists(st.text(), max_size=20), st.integers(0, 20))
def test_pieces_make_no_difference(lines: list[str], cut: int) -> None:
    lines = [*lines, "a.c:1:2: warning: w", "a.c:1:2: note: n"]
    parser = DiagnosticParser()
    parser.feed(lines[:cut])
    parser.feed(lines[cut:])
    assert parser.diagnostics == parse_diagnostics(lines)


def test_colours_and_links_are_no_part_of_it() -> None:
    line = (
        "\x1b[1m\x1b]8;;file:///x\x1b\\a.c:3:5: \x1b[0m\x1b[0;1;31merror: \x1b[0m\x1b[1mno\x1b[0m"
    )
    assert parse_diagnostics([line]) == (Diagnostic("a.c", 3, 5, "error", "no"),)


def test_places() -> None:
    lines = [
        "C:\\work\\a.c:1:2: error: one",
        "odd:name.c:3:4: error: b.c:5:6: error: two",
        "kernels/with space.c:7: warning: three",
    ]
    found = parse_diagnostics(lines)
    assert [d.file for d in found] == ["C:\\work\\a.c", "odd:name.c", "kernels/with space.c"]
    assert [d.where for d in found] == ["C:\\work\\a.c:1:2", "odd:name.c:3:4", f"{found[2].file}:7"]
    assert found[1].message == "b.c:5:6: error: two"


def test_notes_belong_to_what_is_before_them() -> None:
    lines = [
        "a.c:1:1: note: of nothing",
        "a.c:2:1: error: one",
        "a.h:3:1: note: here",
        "a.h:4:1: note: and here",
        "a.c:5:1: warning: two",
    ]
    one, two = parse_diagnostics(lines)
    assert one.notes == (Note("a.h", 3, 1, "here"), Note("a.h", 4, 1, "and here"))
    assert two.notes == ()


def test_quoted_source_is_no_diagnostic() -> None:
    lines = [
        "a.c:1:1: error: one",
        '    1 | a.c:9:9: error: "in a string"',
        "error: goto error;",
        "In file included from a.c:1:",
        "1 error generated.",
    ]
    assert len(parse_diagnostics(lines)) == 1


def test_complaints_without_a_place() -> None:
    lines = [
        "ld.lld: error: undefined symbol: gone",
        ">>> referenced by kernel.ll",
        ">>>               kernel.o:(f)",
        "clang: error: no such file or directory: 'x'",
        "clang++-20: warning: argument unused",
    ]
    found = parse_diagnostics(lines)
    assert [(d.file, d.severity, d.message) for d in found] == [
        ("", "error", "undefined symbol: gone"),
        ("", "error", "no such file or directory: 'x'"),
        ("", "warning", "argument unused"),
    ]
    assert found[0].notes == (Note("", 0, 0, "referenced by kernel.ll"),)


def test_a_flood_of_warnings_is_cut_and_said_but_no_error_is_lost() -> None:
    warning = ["a.c:1:1: warning: again", "a.c:1:1: note: here"]
    lines = [*warning * (KEPT + 50), "a.c:2:2: error: after all", "a.c:2:2: note: its own"]
    *warnings, error, more = parse_diagnostics(lines)
    assert len(warnings) == KEPT
    assert all(len(w.notes) == 1 for w in warnings)
    assert error == Diagnostic("a.c", 2, 2, "error", "after all", (Note("a.c", 2, 2, "its own"),))
    assert more == Diagnostic("", 0, 0, "warning", "50 more warnings, in the log")
