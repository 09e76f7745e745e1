"""Reading the tables of one build: values, order, several cores, a process that was killed."""

from __future__ import annotations

import struct

from workbench.build.checks import Site, read_table
from workbench.build.debug import Place
from workbench.design.checked import CType

INT = CType("int", "int", 32)
ADD = Site("add_overflow", Place("k.c", 3, 1), (INT,))
MULTIPLY = Site("mul_overflow", Place("k.c", 2, 1), (INT,))


def table(*entries: tuple[int, int, int, int, int]) -> bytes:
    return b"".join(struct.pack("<5Q", *entry) for entry in entries)


def test_what_failed_first_comes_first() -> None:
    both = table((10, 1, 1, 2, 2), (10, 1, 3, 4, 1))
    assert [hit.line for hit in read_table((ADD, MULTIPLY), [both])] == [2, 3]


def test_what_never_failed_is_left_out() -> None:
    assert read_table((ADD, MULTIPLY), [table((10, 0, 0, 0, 0), (0, 0, 0, 0, 0))]) == ()


def test_the_tables_of_several_cores_add_up() -> None:
    never, late, early = (10, 0, 0, 0, 0), (10, 2, 7, 8, 5), (10, 3, 5, 6, 1)
    (hit,) = read_table((ADD,), [table(never), table(late), table(early)])
    assert (hit.hits, hit.evaluations, hit.values) == (5, 30, (5, 6))


def test_operands_are_read_by_their_type() -> None:
    minus_one = (1 << 32) - 1
    (hit,) = read_table((ADD,), [table((1, 1, minus_one, 1 << 31, 1))])
    assert hit.values == (-1, -(1 << 31))
    half = Site("float_cast_overflow", Place("k.c", 1, 1), (CType("__bf16", "float", 16), INT))
    (hit,) = read_table((half,), [table((1, 1, 0x7F80, 0, 1))])
    assert hit.values == (float("inf"),)


def test_a_table_that_was_never_made_tells_nothing() -> None:
    assert read_table((ADD,), []) == read_table((ADD,), [b""]) == read_table((ADD,), [b"12"]) == ()
