from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tui.log_store import MAX_LINE, Heading, LogStore


def test_lines_keep_their_numbers_when_older_ones_go() -> None:
    store = LogStore(max_lines=3)
    store.extend("abc")
    assert store[1] == "b"
    store.extend("de")
    assert (store.first, store.end) == (2, 5)
    assert [store[n] for n in range(2, 5)] == ["c", "d", "e"]
    with pytest.raises(IndexError):
        store[1]


def test_long_lines_are_cut_and_say_so() -> None:
    store = LogStore()
    store.extend(["x" * (MAX_LINE + 1234)])
    assert store[0].endswith("x … [1,234 more characters]")
    assert len(store[0]) < MAX_LINE + 40


def test_characters_are_limited_too() -> None:
    store = LogStore(max_characters=1000)
    store.extend("x" * 100 for _ in range(50))
    assert store.end == 50
    assert 0 < store.end - store.first <= 10


def test_headings_stay_headings() -> None:
    store = LogStore()
    store.extend([Heading("── run"), "y" * (MAX_LINE + 1)])
    assert isinstance(store[0], Heading)


def test_clear_starts_anew() -> None:
    store = LogStore(max_lines=2)
    store.extend("abc")
    store.clear()
    assert (store.first, store.end) == (0, 0)
    store.extend("d")
    assert store[0] == "d"


@given(st.lists(st.lists(st.text("ab", max_size=5), max_size=9), max_size=9), st.integers(1, 7))
def test_the_newest_lines_are_kept(batches: list[list[str]], limit: int) -> None:
    store = LogStore(max_lines=limit)
    everything: list[str] = []
    for batch in batches:
        store.extend(batch)
        everything += batch
    assert store.end == len(everything)
    assert [store[n] for n in range(store.first, store.end)] == everything[-limit:]
