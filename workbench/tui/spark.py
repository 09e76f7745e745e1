"""A row of numbers as a row of bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

BARS = "▁▂▃▄▅▆▇█"
UNDEFINED = "·"


def spark(
    values: Sequence[float | None], width: int, ends: tuple[float, float] | None = None
) -> str:
    """The last `width` values, each a bar between `ends`, else the smallest and largest of them.

    All are half as high when they are equal; a dot stands for what is undefined or not finite.
    """
    shown = values[-width:] if width > 0 else ()
    finite = [value for value in shown if value is not None and math.isfinite(value)]
    low, high = ends or (min(finite, default=0.0), max(finite, default=0.0))
    return "".join(_bar(value, low, high) for value in shown)


def _bar(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return UNDEFINED
    span = high / 2 - low / 2
    if span <= 0:
        return BARS[len(BARS) // 2 - 1]
    return BARS[max(0, min(len(BARS) - 1, int((value / 2 - low / 2) / span * len(BARS))))]
