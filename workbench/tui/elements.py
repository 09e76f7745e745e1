"""What a verdict's elements look like in the panes: widths, tolerance, and which panes fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.tui.window import SIDE

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    import numpy as np
    import numpy.typing as npt

    from workbench.tui.window import Window
    from workbench.verdict import Panes, Verdict

DIFFERENCE = 2
"""The pane that shows one tensor minus the other, among the three."""

GAP = 3
"""Cells between two panes."""

CHOICES = {3: ((0, 1, 2),), 2: ((1, 2), (0, 2), (0, 1)), 1: ((2,), (0,), (1,))}
"""The panes that are shown where three, two or one fit; one key goes through the choices."""

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
    """

    verdict: Verdict
    names: tuple[str, str, str]
    rows: int
    columns: int
    whole: bool
    widths: tuple[int, int, int]
    limit: float

    def panes(self, window: Window) -> Panes:
        """The three panes under the window."""
        from workbench.verdict import cut_panes

        return cut_panes(self.verdict.device, self.verdict.reference, window.top, window.left)

    def level(self, difference: float) -> int:
        """0 equal, 1 within the limit, 2 over it, 3 over four times of it or not finite."""
        size = abs(difference)
        if size == 0:
            return 0
        if size <= self.limit:
            return 1
        return 2 if size <= 4 * self.limit else 3

    def layout(self, room: int, choice: int) -> Layout:
        """As many panes as fit into `room` cells, as wide as fits."""
        columns = min(SIDE, self.columns)
        for count in (3, 2, 1):
            shown = CHOICES[count][choice % len(CHOICES[count])]
            for widths in self._candidates():
                chosen = tuple(widths[index] for index in shown)
                for spacing in (3, 2, 1):
                    layout = Layout(shown, chosen, spacing, columns)
                    if layout.width <= room:
                        return layout
        return layout

    def _candidates(self) -> list[tuple[int, int, int]]:
        if self.whole:
            return [self.widths]
        return [(width, width, width) for width in FLOAT_WIDTHS]


def elements_of(verdict: Verdict, names: tuple[str, str, str]) -> Elements:
    """A verdict's elements; `names` are those of its reference, its device and the difference."""
    import numpy as np

    from workbench.verdict.panes import as_matrix

    device, reference = verdict.device, verdict.reference
    with np.errstate(invalid="ignore"):
        difference = device - reference
    rows, columns = as_matrix(device).shape
    whole = all(bool(np.all(_finite(x) % 1 == 0)) for x in (device, reference))
    return Elements(
        verdict,
        names,
        int(rows),
        int(columns),
        whole,
        (_width(reference), _width(device), _width(difference, signed=True)),
        _limit(verdict, whole=whole),
    )


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

    return values[np.isfinite(values)]


def _width(values: npt.NDArray[np.float64], *, signed: bool = False) -> int:
    """Cells that the widest of whole numbers needs, up to WIDEST_NUMBER."""
    finite = _finite(values)
    ends = (float(finite.min()), float(finite.max())) if finite.size else ()
    texts = [f"{end:+.0f}" if signed else f"{end:.0f}" for end in ends]
    least = 2 if finite.size == values.size else len("-inf")
    return min(WIDEST_NUMBER, max([least, *map(len, texts)]))
