from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from workbench.tui.window import SIDE, Window, that_fit

windows = st.builds(Window, st.integers(1, 100), st.integers(1, 100))
steps = st.lists(
    st.tuples(
        st.sampled_from(["move", "at", "scroll", "size"]),
        st.integers(-200, 200),
        st.integers(-200, 200),
    ),
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
        match kind:
            case "move":
                window = window.moved(rows, columns)
            case "at":
                window = window.at(rows, columns)
            case "scroll":
                window = window.scrolled(rows, columns)
            case _:
                window = window.sized(1 + abs(rows), 1 + abs(columns))
        assert 0 <= window.top <= window.row <= window.last_row < window.rows
        assert 0 <= window.left <= window.column <= window.last_column < window.columns
        assert window.last_row - window.top + 1 == min(window.height, window.rows)
        assert window.last_column - window.left + 1 == min(window.width, window.columns)


def test_another_size_keeps_the_cursor_and_the_same_one_everything() -> None:
    window = Window(64, 64).at(17, 43).moved(3, 5)
    assert window.sized(SIDE, SIDE) is window
    large = window.sized(24, 16)
    assert (large.row, large.column, large.top, large.left) == (20, 48, 0, 48)
    assert (large.last_row, large.last_column) == (23, 63)


@given(st.integers(1, 300), st.integers(-5, 300))
def test_all_fit_or_whole_blocks_or_a_few(size: int, room: int) -> None:
    fit = that_fit(size, room)
    assert 1 <= fit <= size
    assert fit <= max(1, room)
    assert fit == size or fit % SIDE == 0 or fit == max(1, room) < SIDE
