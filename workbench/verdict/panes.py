"""The 8x8 views: the part of the tensor that the window shows, of reference, device and both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]

SIDE = 8
"""Rows and columns of a pane."""


@dataclass(frozen=True, slots=True)
class Panes:
    """A window at (row, column); each pane is at most 8x8, smaller where the tensor is."""

    row: int
    column: int
    reference: tuple[tuple[float, ...], ...]
    device: tuple[tuple[float, ...], ...]
    difference: tuple[tuple[float, ...], ...]


def as_matrix(tensor: Numbers) -> Numbers:
    """Any tensor as rows and columns: leading dimensions are stacked into rows."""
    return tensor.reshape(-1, tensor.shape[-1])


def cut_panes(device: Numbers, reference: Numbers, row: int = 0, column: int = 0) -> Panes:
    """The panes of two equally shaped tensors; the window is moved inside when it overlaps."""
    d, r = as_matrix(device), as_matrix(reference)
    row = max(0, min(row, d.shape[0] - SIDE))
    column = max(0, min(column, d.shape[1] - SIDE))
    part = (slice(row, row + SIDE), slice(column, column + SIDE))
    with np.errstate(invalid="ignore"):
        difference = d[part] - r[part]
    return Panes(row, column, _rows(r[part]), _rows(d[part]), _rows(difference))


def _rows(part: Numbers) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(x) for x in row) for row in part)
