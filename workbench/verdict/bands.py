"""Where an output is wrong when the rest of it is right: bands, halves, blocks, every second call.

Memory that something else overwrites, a call that is skipped and a transfer of the wrong size all
leave whole rows, or columns, wrong between right ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.verdict.hypotheses import EXPLAINS, Mask, Numbers, Pattern
from workbench.verdict.metrics import FLOAT_BITS

QUANTILE = 0.2
"""Share of the rows, or columns, whose error is taken for that of the right ones."""

TIMES = 4
"""Times that error: from there on an element is wrong."""

ROUNDINGS = {"float32": 2.0**-21, "float16": 2.0**-8, "bfloat16": 2.0**-6}
"""Of the largest reference: what a float may be off by and still be right."""

LEAST, CLEAN = 0.2, 0.1
"""Share of wrong elements in the worst row, and of that share what right rows may have."""

FILLED = 0.5
"""Share of the elements in a wrong band that have to be wrong."""

BLOCK_ROWS, BLOCK_SHARE = 4, 1 / 8
"""Rows of a band, and right columns in it, that make it a block."""

FEWEST = 8
"""Elements of a row from which the share of wrong ones says something."""

PIECE = 16
"""Elements of a vector that are looked at together, like a row."""

MOST_BANDS = 4
"""Bands that are named one by one."""

_OVERLAP = "look for memory that something else writes too: an overrun stack, a neighbouring buffer"
_HALF = "check the loop's bounds, and the size and offset of what is transferred for that half"
_CALLS = "each block may be a call: look at one of two ping-pong buffers, or a call that is skipped"
_SCATTERED = "look for what these have in common: an index, a mask, a branch"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the indices of wrong rows or columns make up."""

    name: str
    words: str
    hint: str


def bands(device: Numbers, reference: Numbers, dtype: str) -> Pattern | None:
    """The rows, columns or block that hold nearly all of the error; None when it is everywhere.

    A tensor with a single row, or column, is looked at in pieces.
    """
    if min(device.shape) == 1:
        return _pieces(device.ravel(), reference.ravel(), dtype)
    error = _error(device, reference)
    limit = _right_up_to(error, reference, dtype)
    return _band(error, device, limit, ("rows", "columns")) or _band(
        error.T, device.T, limit, ("columns", "rows")
    )


def _pieces(device: Numbers, reference: Numbers, dtype: str) -> Pattern | None:
    if device.size % PIECE or device.size < 4 * PIECE:
        return None
    d, r = device.reshape(-1, PIECE), reference.reshape(-1, PIECE)
    error = _error(d, r)
    return _band(error, d, _right_up_to(error, r, dtype), ("elements", ""))


def _band(error: Numbers, device: Numbers, limit: float, axes: tuple[str, str]) -> Pattern | None:
    """The pattern of wrong rows, `axes` being what the matrix's rows and columns are called."""
    if error.shape[1] < FEWEST:
        return None
    wrong = error > limit
    rows = _split(wrong.mean(axis=1))
    if rows is None or rows.all():
        return None
    columns = _block_columns(wrong[rows]) if axes[1] else None
    zone = np.outer(rows, np.ones(error.shape[1], np.bool_) if columns is None else columns)
    # The others' usual error isn't what is to be explained.
    energy = np.where(wrong, error * error, 0)
    explained = float(energy[zone].sum() / energy.sum())
    if wrong[zone].mean() < FILLED or explained < EXPLAINS:
        return None
    if not axes[1]:
        rows = np.repeat(rows, error.shape[1])
    return _pattern(rows, columns, axes, explained, _held(error, device, zone))


def _held(error: Numbers, device: Numbers, zone: Mask) -> dict[str, float | None]:
    """The mean error in the zone and outside, and the one value that is all it holds."""
    held = device[zone]
    return {
        "inside": float(error[zone].mean()),
        "outside": float(error[~zone].mean()),
        "value": float(held[0]) if bool((held == held[0]).all()) else None,
    }


def _error(device: Numbers, reference: Numbers) -> Numbers:
    """|d - r|; where that is no number, as much as the largest that is one."""
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(device - reference)
    finite = np.isfinite(error)
    if finite.all():
        return error
    largest = float(np.max(error, where=finite, initial=1.0))
    return np.where(finite, error, largest)


def _right_up_to(error: Numbers, reference: Numbers, dtype: str) -> float:
    """What an element may be off by where the output is right."""
    squares = error * error
    usual = min(
        float(np.quantile(np.sqrt(squares.mean(axis=axis)), QUANTILE, method="lower"))
        for axis in (0, 1)
    )
    largest = float(np.max(np.abs(reference), where=np.isfinite(reference), initial=0.0))
    step = ROUNDINGS[dtype] * largest if dtype in FLOAT_BITS else 1.0
    return max(step, TIMES * usual)


def _split(shares: Numbers) -> Mask | None:
    """Which rows are wrong, by their shares of wrong elements; None unless others are all right."""
    most = float(shares.max())
    wrong: Mask = shares >= most / 2
    right = shares <= CLEAN * most
    return wrong if most >= LEAST and bool((wrong | right).all()) else None


def _block_columns(rows: Mask) -> Mask | None:
    """The columns that the wrong rows are wrong in, when that is only a part of them."""
    columns = _split(rows.mean(axis=0)) if len(rows) >= BLOCK_ROWS else None
    if columns is None or np.count_nonzero(~columns) < BLOCK_SHARE * columns.size:
        return None
    return columns


def _pattern(
    rows: Mask,
    columns: Mask | None,
    axes: tuple[str, str],
    explained: float,
    held: dict[str, float | None],
) -> Pattern:
    shape = _shape(axes[0], rows)
    parameters: dict[str, object] = {axes[0]: _runs(rows), **held}
    if columns is not None:
        inner = _shape(axes[1], columns)
        shape = _Shape("block", f"{shape.words} and {inner.words}", _HALF)
        parameters[axes[1]] = _runs(columns)
    value = held["value"]
    content = "" if value is None else f", where it is {value:g} everywhere"
    message = (
        f"the output is wrong in {shape.words} only{content}: the mean error is "
        f"{held['inside']:.4g} there and {held['outside']:.4g} elsewhere"
    )
    return Pattern(shape.name, explained, explained, message, shape.hint, parameters)


def _shape(axis: str, wrong: Mask) -> _Shape:
    runs, length = _runs(wrong), wrong.size
    one = axis.removesuffix("s")
    if len(runs) == 1:
        first, last = runs[0]
        if last - first + 1 == length // 2 and (first == 0 or last == length - 1):
            half = "first" if first == 0 else "second"
            return _Shape("half-tile", f"the {half} half of the {axis} ({first}-{last})", _HALF)
        return _Shape(f"{one}-band", _named(axis, runs), _OVERLAP)
    period = _period(runs, length)
    if period is not None:
        block, distance = period
        what = f"{block} {axis if block > 1 else one}"
        words = f"{what} of every {distance} (from {one} {runs[0][0]} on)"
        name = "every-second-call" if distance == 2 * block else "periodic"
        return _Shape(name, words, _CALLS)
    if len(runs) <= MOST_BANDS:
        return _Shape(f"{one}-band", _named(axis, runs), _OVERLAP)
    return _Shape(f"scattered-{axis}", _named(axis, runs), _SCATTERED)


def _runs(wrong: Mask) -> list[list[int]]:
    """First and last index of each run of wrong ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wrong, [False]]).astype(np.int8)))
    return [[int(first), int(end) - 1] for first, end in edges.reshape(-1, 2)]


def _period(runs: Sequence[Sequence[int]], length: int) -> tuple[int, int] | None:
    """Length and distance of the runs when they repeat up to the end; the last may be cut off."""
    firsts = [first for first, _ in runs]
    lengths = [last - first + 1 for first, last in runs]
    distance = firsts[1] - firsts[0]
    expected = list(range(firsts[0] % distance, length, distance))
    *whole, end = lengths
    cut = runs[-1][1] == length - 1
    if firsts != expected or len(set(whole)) != 1 or not (end == whole[0] or cut):
        return None
    return whole[0], distance


def _named(axis: str, runs: Sequence[Sequence[int]]) -> str:
    named = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs[:MOST_BANDS])
    more = f" and {len(runs) - MOST_BANDS} more" if len(runs) > MOST_BANDS else ""
    single = len(runs) == 1 and runs[0][0] == runs[0][1]
    return f"{axis.removesuffix('s') if single else axis} {named}{more}"
