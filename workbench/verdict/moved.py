"""Guesses that whole rows, or columns, of the output are others of the reference."""

from __future__ import annotations

import numpy as np

from workbench.verdict.hypotheses import EXPLAINS, Numbers, Pattern

COMPARED = 64
"""Elements by which rows are compared."""

FEWEST = 16
"""Elements by which a row can be told from the others."""

MOST_ROWS = 1024
"""Each wrong row is compared with every row of the reference."""

NAMED = 4
"""Moved rows that a message names."""


def moved(device: Numbers, reference: Numbers) -> Pattern | None:
    """Rows, or columns, that are others of the reference: permuted, swapped, one for another."""
    found = _moved_rows(device, reference, "rows")
    return found if found is not None else _moved_rows(device.T, reference.T, "columns")


def _moved_rows(device: Numbers, reference: Numbers, axis: str) -> Pattern | None:
    height, width = reference.shape
    if width < FEWEST or height > MOST_ROWS:
        return None
    columns = np.unique(np.linspace(0, width - 1, min(width, COMPARED)).astype(np.int64))
    d, r = device[:, columns], reference[:, columns]
    if not (np.isfinite(d).all() and np.isfinite(r).all()):
        return None
    error = ((d - r) ** 2).sum(axis=1)
    wrong = np.flatnonzero(error > 0)
    if not wrong.size:
        return None
    # |d - r|^2 for each pair of rows, by its three products.
    distances = (
        (d[wrong] ** 2).sum(axis=1)[:, None] - 2 * d[wrong] @ r.T + (r**2).sum(axis=1)[None, :]
    )
    source = np.arange(height)
    source[wrong] = distances.argmin(axis=1)
    gone = np.flatnonzero(source != np.arange(height))
    if not gone.size:
        return None
    left = float(((d - r[source]) ** 2).sum())
    spread = float(((d[wrong] - d[wrong].mean()) ** 2).sum())
    least = min(float(error.sum()), spread)
    if not least > 0 or 1 - left / least < EXPLAINS:
        return None
    explained = 1 - left / least
    bijective = sorted(source[gone]) == sorted(gone)
    what = "are in another order" if bijective else "are others of the reference"
    pairs = ", ".join(f"{i} holds {source[i]}" for i in gone[:NAMED])
    more = f" and {gone.size - NAMED} more" if gone.size > NAMED else ""
    return Pattern(
        f"permuted-{axis}" if bijective else f"moved-{axis}",
        explained,
        explained,
        f"{gone.size} of {height} {axis} {what}: {pairs}{more}",
        "look for an index that is computed wrongly, or buffers that are swapped",
        {"axis": axis, "moved": {int(i): int(source[i]) for i in gone[:COMPARED]}},
    )
