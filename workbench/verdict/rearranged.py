"""Guesses that the right elements lie in the wrong places: transposed, shifted, swapped, tiled.

Each guess is a function that says which element of the reference the device has at row i, column j;
elements from outside the tensor are ones that the guess says nothing about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from workbench.verdict.hypotheses import EXPLAINS, Indices, Pattern, Sample

Source = Callable[[Indices, Indices], tuple[Indices, Indices]]
Axis = Literal["rows", "columns"]

SCREENED = 512
"""Positions at which a guess has to look right before the others are tried."""

LOOKS_RIGHT = 0.7

TILES = ((2, 8), (4, 2), (4, 4), (4, 8), (8, 4), (8, 8), (4, 16), (16, 16), (32, 32))
"""Rows and columns of the blocks that matrix kernels store one after another."""

_PLACES = "check the strides and offsets of the transfers and of the kernel's stores"


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """A guess: where the element at (i, j) of the device's tensor comes from."""

    name: str
    message: str
    source: Source
    hint: str = _PLACES
    parameters: dict[str, object] = field(default_factory=dict)


def rearranged(found: Sample) -> Iterator[Pattern]:
    """The rearrangements that explain the error."""
    few = found.part(SCREENED)
    for guess in rearrangements(*found.shape):
        if _explained(few, guess)[0] < LOOKS_RIGHT:
            continue
        certainty, explained = _explained(found, guess)
        if certainty >= EXPLAINS:
            yield Pattern(
                guess.name, certainty, explained, guess.message, guess.hint, guess.parameters
            )


def rearrangements(height: int, width: int) -> Iterator[Rearrangement]:
    """All guesses for a tensor of this shape, the plainest first."""
    yield from _transposed(height, width)
    for axis, length in (("rows", height), ("columns", width)):
        yield from (_along(guess, axis) for guess in _one_way(axis, length))
    yield from _flat_shifts(height, width)
    yield from _strides(height, width)
    for tile in TILES:
        yield from _tiled(height, width, *tile)


def _explained(found: Sample, guess: Rearrangement) -> tuple[float, float]:
    height, width = found.shape
    i, j = guess.source(found.rows, found.columns)
    known = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    predicted = found.whole[np.where(known, i, 0), np.where(known, j, 0)]
    return found.explained(predicted, known)


def _transposed(height: int, width: int) -> Iterator[Rearrangement]:
    if height == width:
        yield Rearrangement(
            "transposed",
            "the output is the reference transposed",
            lambda i, j: (j, i),
            "swap the indices of the store, or of the operand that is read by columns",
        )
        return
    yield Rearrangement(
        "transposed",
        f"the output holds the reference column by column: as {width}x{height}, transposed",
        lambda i, j: _split(i * width + j, height)[::-1],
        "swap the indices of the store",
    )
    yield Rearrangement(
        "transposed",
        f"the output holds the reference's rows of {width} as columns of {height}",
        lambda i, j: _split(j * height + i, width),
        "swap the indices of the store",
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """A guess along one axis: the index that each index comes from."""

    name: str
    message: str
    source: Callable[[Indices], Indices]
    hint: str = _PLACES
    parameters: dict[str, object] = field(default_factory=dict)


def _along(guess: _Line, axis: str) -> Rearrangement:
    line = guess.source
    source: Source = (lambda i, j: (line(i), j)) if axis == "rows" else (lambda i, j: (i, line(j)))
    parameters = {"axis": axis, **guess.parameters}
    return Rearrangement(guess.name, guess.message, source, guess.hint, parameters)


def _one_way(axis: str, length: int) -> Iterator[_Line]:
    if length < 2:
        return
    half = length // 2
    one = axis.removesuffix("s")
    if length % 2 == 0:
        yield _Line(
            "swapped-halves",
            f"the two halves of the {axis} are swapped",
            lambda i: (i + half) % length,
            "check which call, buffer or offset each half goes to",
        )
    yield _Line("reversed", f"the {axis} are in reverse order", lambda i: length - 1 - i)
    if length % 2 == 0:
        yield _Line(
            "interleaved",
            f"the two halves of the {axis} are interleaved",
            lambda i: i // 2 + (i % 2) * half,
            "check how vectors are zipped or packed before the store",
        )
        yield _Line(
            "interleaved",
            f"even and odd {axis} are in two halves, not interleaved",
            lambda i: (2 * i) % length + (2 * i) // length,
            "check how vectors are unzipped or unpacked before the store",
        )
    yield from _repeated(axis, length)
    for by in _distances(half):
        yield _Line(
            "shifted",
            f"every {one} holds what the reference has {_beside(axis, by)}",
            lambda i, by=by: i - by,  # type: ignore[misc]
            "look for a loop or an offset that begins one step early or late"
            if abs(by) == 1
            else "look for a buffer that is used a call late, or an offset that is off by a block",
            {"by": by},
        )


def _repeated(axis: str, length: int) -> Iterator[_Line]:
    block = length
    while block % 2 == 0 and block > 1:
        block //= 2
        yield _Line(
            "repeated",
            f"every block of {block} {axis} holds the first block's result"
            if block > 1
            else f"every one of the {axis} holds the first one's result",
            lambda i, block=block: i % block,  # type: ignore[misc]
            "look for an offset that doesn't advance from call to call",
            {"block": block},
        )


def _beside(axis: str, by: int) -> str:
    side = ("above" if by > 0 else "below") if axis == "rows" else ("left" if by > 0 else "right")
    where = side if axis == "rows" else f"to the {side}"
    return f"{abs(by)} {axis if abs(by) > 1 else axis.removesuffix('s')} {where}"


def _distances(most: int) -> Iterator[int]:
    """1, -1, 2, -2, 3, -3, 4, -4, 8, -8 ... up to `most`."""
    steps = [1, 2, 3, *(1 << k for k in range(2, 20))]
    yield from (sign * step for step in steps if step <= most for sign in (1, -1))


def _flat_shifts(height: int, width: int) -> Iterator[Rearrangement]:
    for by in _distances(min(64, height * width // 2)):
        if by % width == 0:
            continue
        what = f"{abs(by)} element{'s' if abs(by) > 1 else ''}"
        yield Rearrangement(
            "shifted",
            f"the whole output is shifted by {what} {'on' if by > 0 else 'back'}, across rows",
            lambda i, j, by=by: _split(i * width + j - by, width),  # type: ignore[misc]
            "check the offset that the first element is written to or transferred from",
            {"axis": "elements", "by": by},
        )


def _strides(height: int, width: int) -> Iterator[Rearrangement]:
    for stride in (width - 1, width + 1, 2 * width, width // 2):
        if stride < 1 or height < 2:
            continue
        yield Rearrangement(
            "stride",
            f"row i begins {stride} elements after the one before it, not {width}",
            lambda i, j, stride=stride: _split(i * stride + j, width),  # type: ignore[misc]
            "check the row stride of the loads, the stores and the transfers",
            {"stride": stride, "expected": width},
        )


def _tiled(height: int, width: int, tall: int, wide: int) -> Iterator[Rearrangement]:
    if height % tall or width % wide or (tall, wide) == (height, width) or wide == width:
        return
    across, block = width // wide, tall * wide

    def stored(i: Indices, j: Indices) -> tuple[Indices, Indices]:
        tile, inside = np.divmod(i * width + j, block)
        return tile // across * tall + inside // wide, tile % across * wide + inside % wide

    def read(i: Indices, j: Indices) -> tuple[Indices, Indices]:
        tile = i // tall * across + j // wide
        return _split(tile * block + i % tall * wide + j % wide, width)

    parameters: dict[str, object] = {"tile": [tall, wide]}
    yield Rearrangement(
        "tiled",
        f"the output is stored in tiles of {tall}x{wide}, one after another",
        stored,
        "give the output's transfer the dimensions that put tiles back into rows",
        parameters,
    )
    yield Rearrangement(
        "tiled",
        f"the output is put back from tiles of {tall}x{wide} that it isn't stored in",
        read,
        "take the dimensions from the output's transfer, or store tiles",
        parameters,
    )


def _split(flat: Indices, width: int) -> tuple[Indices, Indices]:
    """Row and column of flat positions; those before the first are in a negative row."""
    return flat // width, flat % width
