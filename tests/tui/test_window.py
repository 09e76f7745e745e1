from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.tui.window import SIDE, Window

windows = st.builds(Window, st.integers(1, 100), st.integers(1, 100))
steps = st.lists(
    st.tuples(st.sampled_from(["move", "at"]), st.integers(-200, 200), st.integers(-200, 200)),
    max_size=8,
)


def test_opens_on_the_block_of_eight() -> None:
    window = Window(64, 64).at(17, 43)
    assert (window.top, window.left, window.row, window.column) == (16, 40, 17, 43)
    assert (window.last_row, window.last_column) == (23, 47)


def test_the_last_block_stays_inside() -> None:
    window = Window(20, 10).at(19, 9)
    assert (window.top, window.left) == (12, 2)


def test_moves_only_as_far_as_the_cursor_needs() -> None:
    window = Window(64, 64).moved(7, 0)
    assert window.top == 0
    assert window.moved(1, 0).top == 1
    assert window.moved(1, 0).moved(-1, 0).top == 1


@given(windows, steps)
def test_the_cursor_is_always_seen(window: Window, moves: list[tuple[str, int, int]]) -> None:
    for kind, rows, columns in moves:
        window = window.moved(rows, columns) if kind == "move" else window.at(rows, columns)
        assert 0 <= window.top <= window.row <= window.last_row < window.rows
        assert 0 <= window.left <= window.column <= window.last_column < window.columns
        assert window.last_row - window.top + 1 == min(SIDE, window.rows)
        assert window.last_column - window.left + 1 == min(SIDE, window.columns)
