"""Windows onto tensors of any shape."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.verdict import cut_panes
from workbench.verdict.panes import SIDE, as_matrix

shapes = st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple)
places = st.integers(-30, 60)


@given(shapes, places, places)
def test_a_window_lies_inside(shape: tuple[int, ...], row: int, column: int) -> None:
    reference = np.arange(math.prod(shape), dtype=np.float64).reshape(shape)
    device = 3 * reference
    panes = cut_panes(device, reference, row, column)
    rows, columns = math.prod(shape[:-1]), shape[-1]
    height, width = min(SIDE, rows), min(SIDE, columns)
    assert 0 <= panes.row <= rows - height
    assert 0 <= panes.column <= columns - width
    for pane, factor in ((panes.reference, 1), (panes.device, 3), (panes.difference, 2)):
        assert [len(line) for line in pane] == [width] * height
        for i, line in enumerate(pane):
            for j, value in enumerate(line):
                assert value == factor * ((panes.row + i) * columns + panes.column + j)
    if 0 <= row <= rows - SIDE and 0 <= column <= columns - SIDE:
        assert (panes.row, panes.column) == (row, column)


@pytest.mark.parametrize(
    ("place", "corner"),
    [((0, 0), (0, 0)), ((-5, 99), (0, 56)), ((60, 60), (56, 56)), ((56, 57), (56, 56))],
)
def test_at_the_edges(place: tuple[int, int], corner: tuple[int, int]) -> None:
    tensor = np.zeros((64, 64))
    panes = cut_panes(tensor, tensor, *place)
    assert (panes.row, panes.column) == corner


def test_leading_dimensions_are_rows() -> None:
    assert as_matrix(np.zeros(5)).shape == (1, 5)
    assert as_matrix(np.zeros((2, 3, 4))).shape == (6, 4)
    assert as_matrix(np.zeros((2, 1, 1, 7))).shape == (2, 7)


@pytest.mark.filterwarnings("error")
def test_what_is_not_finite_is_kept() -> None:
    panes = cut_panes(np.array([math.inf, math.nan, 1.0]), np.array([math.inf, 0.0, -math.inf]))
    assert panes.device[0][0] == math.inf
    assert [math.isnan(x) for x in panes.difference[0]] == [True, True, False]
