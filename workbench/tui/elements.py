"""What a verdict's elements look like in the panes: widths, tolerance, and which panes fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from workbench.tui.window import SIDE, that_fit

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    import numpy as np
    import numpy.typing as npt

    from workbench.tui.window import Window
    from workbench.verdict import Verdict

DIFFERENCE = 2
"""The pane that shows one tensor minus the other, among the three."""

GAP = 3
"""Cells between two panes."""

CHOICES = {3: ((0, 1, 2),), 2: ((1, 2), (0, 2), (0, 1)), 1: ((2,), (0,), (1,))}
"""The panes that are shown where three, two or one fit; one key goes through the choices."""

EQUAL, NEAR, OVER, FAR = range(4)
"""How far an element is off: not at all, within the limit, over it, over four times of it."""

Cells = list[list[float]]
"""A pane's elements, row by row."""

WIDEST_NUMBER = 7
FLOAT_WIDTHS = (7, 6, 5)


@dataclass(frozen=True, slots=True)
class Layout:
    """The panes shown (of the three), their numbers' widths, the cells between numbers."""

    shown: tuple[int, ...]
    widths: tuple[int, ...]
    spacing: int
    columns: int

    @property
    def pane_widths(self) -> tuple[int, ...]:
        """Cells that each pane takes."""
        return tuple(self.columns * (width + self.spacing) for width in self.widths)

    @property
    def width(self) -> int:
        """Cells that all of them take."""
        return sum(self.pane_widths) + GAP * (len(self.shown) - 1)

    def column_at(self, x: int) -> int | None:
        """The column of the window whose number is at cell `x` of the panes; None in a gap."""
        left = 0
        for width, pane in zip(self.widths, self.pane_widths, strict=True):
            if left <= x < left + pane:
                return (x - left) // (width + self.spacing)
            left += pane + GAP
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """A verdict's tensors as the panes need them; made once a verdict.

    `whole`: all finite elements are whole numbers. `widths`: cells that each tensor's widest
    number needs, the same wherever the window stands. `limit`: differences up to it are near.
    `levels`: EQUAL, NEAR, OVER or FAR for each element, as a matrix; what isn't finite is FAR.
    `mismatches`: flat indices of those that are OVER or FAR, in order.
    """

    verdict: Verdict
    names: tuple[str, str, str]
    rows: int
    columns: int
    whole: bool
    widths: tuple[int, int, int]
    limit: float
    levels: npt.NDArray[np.uint8]
    mismatches: npt.NDArray[np.intp]

    def panes(self, window: Window) -> tuple[Cells, Cells, Cells]:
        """Reference, device and difference under the window."""
        import numpy as np

        from workbench.verdict.panes import as_matrix

        part = slice(window.top, window.last_row + 1), slice(window.left, window.last_column + 1)
        reference, device = (
            as_matrix(t)[part] for t in (self.verdict.reference, self.verdict.device)
        )
        with np.errstate(invalid="ignore"):
            difference = device - reference
        return reference.tolist(), device.tolist(), difference.tolist()

    def mismatch(self, row: int, column: int, by: int) -> tuple[int, int] | None:
        """The next (`by` 1) or previous (-1) mismatch from an element, going round; None if none.

        In the order of rows.
        """
        if not self.mismatches.size:
            return None
        here = row * self.columns + column
        side: Literal["left", "right"] = "right" if by > 0 else "left"
        place = int(self.mismatches.searchsorted(here, side)) - (by < 0)
        return divmod(int(self.mismatches[place % self.mismatches.size]), self.columns)

    def place(self, row: int, column: int) -> int | None:
        """Which of the mismatches, from 1 on, an element is; None when it is none."""
        if self.levels[row, column] < OVER:
            return None
        return int(self.mismatches.searchsorted(row * self.columns + column)) + 1

    def layout(self, room: int, choice: int, most: int = SIDE) -> Layout:
        """As many panes as fit into `room` cells, as wide as fits, with up to `most` columns.

        Which panes, and how wide their numbers are, doesn't hang on `most`.
        """
        layout = self._panes_that_fit(room, choice)
        each = sum(layout.widths) + len(layout.widths)
        columns = (room - GAP * (len(layout.shown) - 1)) // each
        columns = that_fit(min(most, self.columns), columns)
        for spacing in (3, 2, 1):
            layout = replace(layout, spacing=spacing, columns=columns)
            if layout.width <= room:
                break
        return layout

    def _panes_that_fit(self, room: int, choice: int) -> Layout:
        """Those of which eight columns fit, as close as can be."""
        columns = min(SIDE, self.columns)
        for count in (3, 2, 1):
            shown = CHOICES[count][choice % len(CHOICES[count])]
            for widths in self._candidates():
                layout = Layout(shown, tuple(widths[index] for index in shown), 1, columns)
                if layout.width <= room:
                    return layout
        return layout

    def _candidates(self) -> list[tuple[int, int, int]]:
        """Widths of the numbers to choose from; a column's own number fits over each."""
        least = len(str(self.columns - 1))
        reference, device, difference = (max(width, least) for width in self.widths)
        if self.whole:
            return [(reference, device, difference)]
        return [(max(width, least),) * 3 for width in FLOAT_WIDTHS]


def elements_of(verdict: Verdict, names: tuple[str, str, str]) -> Elements:
    """A verdict's elements; `names` are those of its reference, its device and the difference."""
    import numpy as np

    from workbench.verdict.panes import as_matrix

    device, reference = verdict.device, verdict.reference
    with np.errstate(invalid="ignore"):
        difference = device - reference
    rows, columns = as_matrix(device).shape
    whole = _is_whole(reference) and _is_whole(device)
    limit = _limit(verdict, whole=whole)
    levels = levels_of(difference, limit).reshape(rows, columns)
    return Elements(
        verdict,
        names,
        int(rows),
        int(columns),
        whole,
        (_width(reference), _width(device), _width(difference, signed=True)),
        limit,
        levels,
        np.flatnonzero(levels >= OVER),
    )


def levels_of(difference: npt.NDArray[np.float64], limit: float) -> npt.NDArray[np.uint8]:
    """EQUAL, NEAR, OVER or FAR of each difference."""
    import numpy as np

    size = np.abs(difference)
    levels = np.full(size.shape, FAR, np.uint8)
    for bound in (4 * limit, limit, 0):
        levels -= size <= bound
    return levels


def _limit(verdict: Verdict, *, whole: bool) -> float:
    """The limit of a max_abs criterion, else 5 when within_5 is demanded.

    Else one step of whole numbers, or a hundredth of the reference's range.
    """
    targets = {c.criterion.metric: c.criterion.target for c in verdict.criteria}
    if targets.get("max_abs", 0) > 0:
        return targets["max_abs"]
    if "within_5" in targets:
        return 5
    low, high = verdict.output.reference_minimum, verdict.output.reference_maximum
    if whole or low is None or high is None or low == high:
        return 1
    return (high - low) / 100


def _finite(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    import numpy as np

    is_finite = np.isfinite(values)
    return values if is_finite.all() else values[is_finite]


def _is_whole(values: npt.NDArray[np.float64]) -> bool:
    """Whether all finite elements are whole numbers; of most tensors the first ones tell."""
    import numpy as np

    finite = _finite(values).ravel()
    return all(bool(np.all(np.rint(x) == x)) for x in (finite[:4096], finite))


def _width(values: npt.NDArray[np.float64], *, signed: bool = False) -> int:
    """Cells that the widest of whole numbers needs, up to WIDEST_NUMBER."""
    finite = _finite(values)
    ends = (float(finite.min()), float(finite.max())) if finite.size else ()
    texts = [f"{end:+.0f}" if signed else f"{end:.0f}" for end in ends]
    least = 2 if finite.size == values.size else len("-inf")
    return min(WIDEST_NUMBER, max([least, *map(len, texts)]))
