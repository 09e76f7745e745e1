"""The checks against Python's arithmetic: they fail exactly where a result isn't the true one."""

from __future__ import annotations

import ctypes
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.checks.conftest import Build, Kernel

TEXT = """\
int add(int32_t a, int32_t b) { return a + b; }
int subtract(int32_t a, int32_t b) { return a - b; }
int multiply(int32_t a, int32_t b) { return a * b; }
int shift(int32_t a, int32_t b) { return a << b; }
int right(int32_t a, int32_t b) { return a >> b; }
int quotient(int32_t a, int32_t b) { return b ? a / b : 0; }
int implicit8(int32_t a) { int8_t x = a; return x; }
int unsigned8(int32_t a) { uint8_t x = a; return x; }
int implicit16(int32_t a) { int16_t x = a; return x; }
int explicit8(int32_t a) { return (int8_t)a; }
int explicit16(int32_t a) { return (int16_t)a; }
int explicit32(int64_t a) { return (int32_t)a; }
int deliberate(int32_t a) { return (uint8_t)a; }
int to_int8(float a) { return (int8_t)a; }
int to_int32(float a) { return (int32_t)a; }
"""

INTS = st.integers(-(1 << 31), (1 << 31) - 1) | st.integers(-300, 300)
LONGS = st.integers(-(1 << 63), (1 << 63) - 1) | INTS
FLOATS = st.floats(width=32)


@pytest.fixture(scope="module")
def kernel(build: Build) -> Kernel:
    return build(TEXT)


def fits(value: float, bits: int, low: int | None = None) -> bool:
    least = -(1 << (bits - 1)) if low is None else low
    return least <= value < least + (1 << bits)


def wrapped(value: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return (value + half) % (2 * half) - half


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("add", lambda a, b: a + b),
        ("subtract", lambda a, b: a - b),
        ("multiply", lambda a, b: a * b),
        ("quotient", lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if b else 0),
    ],
)
def test_overflows(kernel: Kernel, name: str, operation: object) -> None:
    assert callable(operation)

    @given(INTS, INTS)
    def holds(a: int, b: int) -> None:
        if name == "quotient" and (a, b) == (-(1 << 31), -1):
            return  # ends the process on this host
        hits = kernel.call(ctypes.c_int32(a), ctypes.c_int32(b), name=name)
        assert [hit.values for hit in hits] == ([] if fits(operation(a, b), 32) else [(a, b)])

    holds()


@given(INTS, st.integers(-40, 40))
def test_a_left_shift_may_lose_nothing(kernel: Kernel, a: int, b: int) -> None:
    hits = kernel.call(ctypes.c_int32(a), ctypes.c_int32(b), name="shift")
    right = 0 <= b < 32 and fits(a << b, 32)
    assert [hit.values for hit in hits] == ([] if right else [(a, b)])


@given(INTS, st.integers(-40, 40))
def test_only_the_amount_of_a_right_shift_counts(kernel: Kernel, a: int, b: int) -> None:
    hits = kernel.call(ctypes.c_int32(a), ctypes.c_int32(b), name="right")
    assert [hit.values for hit in hits] == ([] if 0 <= b < 32 else [(a, b)])


@given(
    st.sampled_from([("implicit8", 8), ("implicit16", 16), ("explicit8", 8), ("explicit16", 16)]),
    INTS,
)
def test_truncations(kernel: Kernel, function: tuple[str, int], a: int) -> None:
    name, bits = function
    hits = kernel.call(ctypes.c_int32(a), name=name)
    assert [hit.values for hit in hits] == ([] if fits(a, bits) else [(a, wrapped(a, bits))])


@given(LONGS)
def test_truncations_of_longs(kernel: Kernel, a: int) -> None:
    hits = kernel.call(ctypes.c_int64(a), name="explicit32")
    assert [hit.values for hit in hits] == ([] if fits(a, 32) else [(a, wrapped(a, 32))])


@given(INTS)
def test_truncations_to_unsigned(kernel: Kernel, a: int) -> None:
    hits = kernel.call(ctypes.c_int32(a), name="unsigned8")
    assert [hit.values for hit in hits] == ([] if fits(a, 8, 0) else [(a, a & 255)])
    assert kernel.call(ctypes.c_int32(a), name="deliberate") == ()


@given(st.sampled_from([("to_int8", 8), ("to_int32", 32)]), FLOATS)
def test_floats_to_integers(kernel: Kernel, function: tuple[str, int], a: float) -> None:
    name, bits = function
    hits = kernel.call(ctypes.c_float(a), name=name)
    right = math.isfinite(a) and fits(math.trunc(a), bits)
    bytes_ = [struct.pack("<f", hit.values[0]) for hit in hits]
    assert bytes_ == ([] if right else [struct.pack("<f", a)])
