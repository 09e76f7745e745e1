"""A run in words: units, and numbers that never say more than is so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.headless.command import run
from tests.projects import Project
from workbench.loop.words import metric_text, number, plain, range_text, seconds_text, target_text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("correlation", None, "undefined"),
        ("correlation", 0.19090119, "0.19090"),
        ("correlation", 0.999999, "0.99999"),
        ("correlation", 0.9999999999999999, "1.00000"),  # perfect, but for the rounding of sums
        ("correlation", -1.0, "-1.00000"),
        ("slope", 1.25, "1.25000"),
        ("within_5", 0.0869140625, "8.69 %"),
        ("exact", 4095.9 / 4096, "99.99 %"),
        ("exact", 1.0, "100.00 %"),
        ("max_abs", 69.0, "69"),
        ("mae", 31.699218, "31.6992"),
        ("rmse", 1.5e-7, "1.5e-07"),
        ("sqnr_db", 0.136, "0.1 dB"),
    ],
)
def test_metric(name: str, value: float | None, text: str) -> None:
    assert metric_text(name, value) == text


@given(st.floats(0, 1, exclude_max=True))
def test_only_a_perfect_share_reads_as_perfect(value: float) -> None:
    if value < 1 - 1e-9:
        assert metric_text("exact", value) != metric_text("exact", 1.0)
        assert metric_text("correlation", value) != metric_text("correlation", 1.0)


@pytest.mark.parametrize(
    ("name", "op", "target", "text"),
    [
        ("correlation", ">=", 0.9999, "≥ 0.9999"),
        ("exact", ">=", 0.995, "≥ 99.5 %"),
        ("max_abs", "<=", 1, "≤ 1"),
        ("mae", "<", 2.0, "< 2"),
    ],
)
def test_target(name: str, op: str, target: float, text: str) -> None:
    assert target_text(name, op, target) == text


def test_numbers_and_ranges() -> None:
    assert [number(x) for x in (-64.0, 0.5, 1e12, None)] == ["-64", "0.5000", "1e+12", "undefined"]
    assert range_text(-64.0, 63.0) == "-64..63"
    assert range_text(None, 63.0) == "undefined"
    assert [seconds_text(x) for x in (0.0042, 0.5, 12.3)] == ["4.2 ms", "0.50 s", "12 s"]


@given(st.text())
def test_plain_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    line = plain(text)
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line


def test_arithmetic_is_told_where_memory_changed_the_result(project: Project) -> None:
    # An array of 2 KB in a stack of 1 KB, filled when the output above it is written.
    project.with_body("volatile int8_t much[2048]; for (int i = 0; i < 2048; i++) much[i] = 1;")
    done = run("check", "kernels/scale.c")
    assert done.code == 1
    exact = next(line for line in done.out.splitlines() if line.startswith("  equal "))
    assert "   ≥ 100 %    NOT MET   arithmetic 100.00 %" in exact
    assert any(line.startswith("error stack-overrun: ") for line in done.out.splitlines())
