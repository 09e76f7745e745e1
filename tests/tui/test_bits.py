"""Bits under the cursor and sparklines: pure text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.tui.bits import bits_text, ulp_text
from workbench.tui.spark import BARS, UNDEFINED, spark


@pytest.mark.parametrize(
    ("value", "dtype", "told"),
    [
        (47, "int8", "0x2f 0010 1111"),
        (-5, "int8", "0xfb 1111 1011"),
        (-2, "int16", "0xfffe 1111 1111 1111 1110"),
        (1.0, "bfloat16", "0x3f80 0·01111111·0000000"),
        (-2.5, "bfloat16", "0xc020 1·10000000·0100000"),
        (-0.0, "float32", "0x80000000 1·00000000·00000000000000000000000"),
        (1.0, "float16", "0x3c00 0·01111·0000000000"),
    ],
)
def test_elements_as_they_lie_in_memory(value: float, dtype: str, told: str) -> None:
    assert bits_text(value, dtype) == told
    assert bits_text(value, dtype, binary=False) == told.split()[0]


def test_how_far_floats_are_apart() -> None:
    assert ulp_text(1.0, 1.0, "bfloat16") == "0 ULP"
    assert ulp_text(1.0078125, 1.0, "bfloat16") == "1 ULP"
    assert ulp_text(1.0, 2.0, "float16") == "1,024 ULP"
    assert ulp_text(math.nan, 2.0, "float16") is None
    assert ulp_text(3, 2, "int8") is None


def test_a_spark_goes_from_the_smallest_to_the_largest() -> None:
    assert spark([0, 1, 2, 3, 4, 5, 6, 7], 8) == BARS
    assert spark([9, 1, 2], 2) == "▁█"
    assert spark([0.5, 0.5], 9) == "▄▄"
    assert spark([1, None, math.nan, 2], 9) == f"▁{UNDEFINED}{UNDEFINED}█"
    assert spark([1, 2], 0) == spark([], 5) == ""


@given(st.lists(st.one_of(st.none(), st.floats())), st.integers(-1, 30))
def test_any_numbers_have_a_spark(values: list[float | None], width: int) -> None:
    told = spark(values, width)
    assert len(told) == min(len(values), max(0, width))
    assert set(told) <= {*BARS, UNDEFINED}
