"""The function scope in words: a table of the helpers, and error curves in half blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.loop.functions import FunctionSweep, Swept
from workbench.loop.words import finding_text, number

ROWS = 6
"""Lines of a curve; each tells two heights apart."""

_HEAD = ("function", "domain", "values", "max error", "at x", "mean error", "inversions", "jumps")


def function_lines(result: FunctionSweep) -> list[str]:
    """A sweep as lines of plain text."""
    return [
        f"FUNCTIONS {result.kernel}: {len(result.swept)} swept against {result.spec}",
        *_table([_HEAD, *(_row(one) for one in result.swept)]),
        *(line for one in result.swept for line in _curve(one)),
        *(f"error function-failed: {one.error}" for one in result.swept if one.error),
        *(finding_text(finding) for one in result.swept for finding in one.findings),
        *(f"the kernel has no {name}: skipped" for name in result.skipped),
    ]


def bars(values: Sequence[float | None], rows: int = ROWS) -> list[str]:
    """Columns as high as the values in `rows` lines of half blocks; None leaves a gap.

    The largest fills its column; whatever isn't 0 is at least half a block high.
    """
    largest = max((value for value in values if value is not None), default=0.0)
    heights = [
        0 if not value or not largest else max(1, round(value / largest * 2 * rows))
        for value in values
    ]
    return [
        "".join("█" if h >= 2 * row + 2 else "▄" if h > 2 * row else " " for h in heights).rstrip()
        for row in reversed(range(rows))
    ]


def _row(one: Swept) -> tuple[str, ...]:
    scope = one.scope
    if scope is None:
        return (one.name, *("-" for _ in _HEAD[1:]))
    return (
        one.name,
        f"{number(scope.low)}..{number(scope.high)}",
        f"{scope.points:,}",
        number(scope.max_abs),
        number(scope.worst_x),
        number(scope.mean_abs),
        str(len(scope.inversions)),
        str(len(scope.jumps)),
    )


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        name_width, *other_widths = widths
        cells = (f"{cell:>{width}}" for cell, width in zip(others, other_widths, strict=True))
        yield f"  {first:<{name_width}}  {'  '.join(cells)}"


def _curve(one: Swept) -> Iterator[str]:
    scope = one.scope
    if scope is None or not scope.max_abs:
        return
    yield f"  |error| of {one.expression}"
    top = number(scope.max_abs)
    labels = [top, *[""] * (ROWS - 2), "0"]
    for label, line in zip(labels, bars(scope.curve), strict=True):
        yield f"  {label:>{len(top)}} │{line}"
    low, high = number(scope.low), number(scope.high)
    yield f"  {'':{len(top)}}  {low}{high:>{max(len(scope.curve) - len(low), len(high) + 1)}}"
