"""The report's kernels do on a clean stack what is known of them, figure for figure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tests.kernels.conftest import Kernel
from tests.kernels.tiles import RANGES, drawn, reference
from workbench.verdict import measure

REPORT = drawn(42, *RANGES["report"])

# Kernel, shift: correlation, mae, rmse, within 5 (%), smallest, largest, largest error.
FIGURES = {
    ("attention_polynomial", 4): (0.1909, 31.70, 36.66, 8.7, -15, 14, 69),
    ("attention_piecewise", 4): (0.1942, 31.37, 36.53, 9.4, -29, 30, 81),
    ("attention_piecewise", 3): (0.1912, 31.38, 36.55, 9.1, -30, 26, 80),
    ("attention_int32", 4): (0.9160, 14.43, 18.40, 26.7, -61, 62, 62),
    ("attention_int32", 3): (0.9654, 6.72, 10.71, 60.8, -64, 63, 59),
}


@pytest.mark.parametrize(("name", "scale_shift"), FIGURES)
def test_figures(kernels: Callable[[str], Kernel], name: str, scale_shift: int) -> None:
    out = kernels(name)(REPORT, scale_shift)
    # The reference divides by 8 whatever the design passes.
    m = measure(out.astype(np.float64), reference(REPORT, 3).astype(np.float64))
    assert m.correlation is not None
    assert m.mae is not None
    assert m.rmse is not None
    figures = (
        round(m.correlation, 4),
        round(m.mae, 2),
        round(m.rmse, 2),
        round(100 * m.within_5, 1),
        int(out.min()),
        int(out.max()),
        m.max_abs,
    )
    assert figures == FIGURES[name, scale_shift]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("attention_polynomial", [[3, -6, -1, 3, -4, -1, 8, -8], [3, -6, -1, 0, -3, -1, 7, -8]]),
        ("attention_piecewise", [[8, -11, -6, 8, -8, -3, 12, -11], [4, -8, 0, -8, -6, 1, 9, -12]]),
    ],
)
def test_first_rows_are_what_silicon_printed(
    kernels: Callable[[str], Kernel], name: str, rows: list[list[int]]
) -> None:
    assert kernels(name)(REPORT, 4)[:2, :8].tolist() == rows


def test_reference_is_the_reports() -> None:
    expected = reference(REPORT, 3)
    assert expected[:2, :8].tolist() == [
        [-15, -52, -27, 61, -42, -29, -8, 23],
        [-50, -17, 45, -49, 3, -15, 56, -14],
    ]
    assert (expected.min(), expected.max()) == (-64, 63)
