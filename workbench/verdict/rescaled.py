"""Guesses that each element is the right one changed: scaled, negated, cut off, wrapped, and so."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.spec.dtypes import to_numbers, to_storage
from workbench.verdict.health import limits
from workbench.verdict.hypotheses import EXPLAINS, Mask, Pattern, Sample
from workbench.verdict.metrics import FLOAT_BITS, ulps

NEAR = 0.03
"""How far, relatively, a measured gain may be from the simple ratio that it is taken for."""

LARGEST_TERM = 8
"""Of the fractions that a gain is taken for."""

ENOUGH = 16
"""Elements that have to be wrong in the same way to make a pattern of it."""

NEARLY_ALL = 0.98

CHANGED, ROUNDED = 0.25, 0.05
"""Shares of elements that truncation changes at least: of floats by an ULP, of integers by one."""


def rescaled(found: Sample, dtype: str) -> Iterator[Pattern]:
    """The changes of each element that explain the error."""
    guesses = (
        gain(found, dtype),
        offset(found),
        clipped(found),
        narrowed(found, dtype),
        unclamped(found, dtype),
        truncated(found, dtype),
        byte_order(found, dtype),
    )
    yield from (pattern for pattern in guesses if pattern is not None)


def gain(found: Sample, dtype: str) -> Pattern | None:
    """device = a * reference, cut off at the limits of the dtype: least squares through 0.

    Where the reference itself is cut off nothing is known of what a gain makes of it.
    """
    low, high = limits(dtype)
    known = (found.reference > low) & (found.reference < high)
    inside = known & (found.device > low) & (found.device < high)
    d, r = found.device[inside], found.reference[inside]
    energy = float(r @ r)
    if not energy > 0:
        return None
    factor = float(d @ r) / energy
    name, ratio = _ratio(factor)
    value = float(ratio) if ratio is not None else factor
    certainty, explained = found.explained(np.clip(value * found.reference, low, high), known)
    if certainty < EXPLAINS:
        return None
    parameters = {"gain": factor, "ratio": value if ratio is not None else None}
    if ratio == -1:
        message = "the output has the wrong sign: it is -1 times the reference"
        return Pattern(
            "sign-flip",
            certainty,
            explained,
            message,
            "look for a subtraction the wrong way round",
            parameters,
        )
    return Pattern(
        "gain",
        certainty,
        explained,
        f"the output is {name} times the reference: correlation doesn't see that",
        _gain_hint(ratio),
        parameters,
    )


def _ratio(factor: float) -> tuple[str, Fraction | None]:
    """A gain in words, and the power of two or simple fraction that it is near."""
    mantissa, exponent = np.frexp(abs(factor))
    power = int(exponent) - 1 if mantissa < 0.75 else int(exponent)
    sign = -1 if factor < 0 else 1
    simple = (
        sign * Fraction(2) ** power,
        Fraction(factor).limit_denominator(LARGEST_TERM),
    )
    for ratio in simple:
        if ratio and abs(factor / float(ratio) - 1) <= NEAR:
            return str(ratio), ratio
    return f"{factor:.4g}", None


def _gain_hint(ratio: Fraction | None) -> str:
    if ratio is None or abs(ratio) == 1:
        return "look for a scale that is applied twice, or not at all"
    above, below = abs(ratio).numerator, abs(ratio).denominator
    if above & (above - 1) or below & (below - 1):
        return "look for a scale that is applied twice, or not at all"
    bits = above.bit_length() - below.bit_length()
    way = "more" if bits > 0 else "less"
    return f"look for a scale: it is as if a right shift had to be {abs(bits)} {way}"


def offset(found: Sample) -> Pattern | None:
    """device = reference + b."""
    by = float(np.mean(found.device - found.reference))
    certainty, explained = found.explained(found.reference + by)
    if certainty < EXPLAINS:
        return None
    return Pattern(
        "offset",
        certainty,
        explained,
        f"every element is {abs(by):.4g} too {'large' if by > 0 else 'small'}",
        "look for a bias, a zero point or a rounding constant that is added twice or not at all",
        {"offset": by},
    )


def clipped(found: Sample) -> Pattern | None:
    """device = the reference cut off at bounds that are narrower than its own range."""
    low, high = float(found.device.min()), float(found.device.max())
    at_bounds = np.count_nonzero((found.device == low) | (found.device == high))
    if low >= high or at_bounds < ENOUGH:
        return None
    certainty, explained = found.explained(np.clip(found.reference, low, high))
    if certainty < EXPLAINS:
        return None
    return Pattern(
        "clipped",
        certainty,
        explained,
        f"the output is the reference cut off at {low:g} and {high:g}",
        "look for a clamp with the wrong bounds, or one before a scale instead of after it",
        {"low": low, "high": high},
    )


def narrowed(found: Sample, dtype: str) -> Pattern | None:
    """device = the reference wrapped into fewer bits than the output's integers have."""
    for bits in (8, 16):
        if dtype in FLOAT_BITS or bits >= np.iinfo(dtype).bits:
            continue
        half = 2.0 ** (bits - 1)
        wrapped = (found.reference + half) % (2 * half) - half
        for kind, predicted in (("", wrapped), ("u", np.mod(wrapped, 2 * half))):
            certainty, explained = found.explained(predicted)
            if certainty >= EXPLAINS:
                return Pattern(
                    "wrapped",
                    certainty,
                    explained,
                    f"the output is the reference wrapped into {kind}int{bits}",
                    f"look for an accumulator or a cast of {bits} bits",
                    {"bits": bits},
                )
    return None


def unclamped(found: Sample, dtype: str) -> Pattern | None:
    """Only elements whose reference is at a limit are wrong, and far off: they wrapped instead."""
    low, high = limits(dtype)
    error = np.abs(found.device - found.reference)
    far = error > (high - low) / 2
    limited = (found.reference == low) | (found.reference == high)
    both = np.count_nonzero(far & limited)
    if dtype in FLOAT_BITS or both < ENOUGH or both < NEARLY_ALL * np.count_nonzero(far):
        return None
    explained = float(np.sum(error[far & limited] ** 2) / np.sum(error**2))
    if explained < EXPLAINS:
        return None
    return Pattern(
        "wrapped",
        explained,
        explained,
        f"elements that should be clamped at {low:g} or {high:g} wrap to the other end",
        "clamp before the cast to the output's type",
        {"bits": int(np.iinfo(dtype).bits)},
    )


def truncated(found: Sample, dtype: str) -> Pattern | None:
    """All errors are one step, and to the same side: rounding was left out."""
    d, r = found.device, found.reference
    wrong = d != r
    count = int(np.count_nonzero(wrong))
    if dtype in FLOAT_BITS:
        steps = ulps(d, r, dtype).astype(np.float64)
        least = CHANGED
    else:
        steps, least = np.abs(d - r), ROUNDED
    if count < max(ENOUGH, least * d.size) or steps.max() > 1:
        return None
    ways: tuple[tuple[str, Mask], ...] = (
        ("towards zero", np.where(r < 0, d > r, d < r)),
        ("downwards", d < r),
    )
    for way, mask in ways:
        share = int(np.count_nonzero(mask & wrong)) / count
        if share >= NEARLY_ALL:
            return Pattern(
                "truncated",
                share,
                share,
                f"{100 * count / d.size:.0f} % of the elements are one step off, {way}: the result "
                "is cut off, not rounded",
                "add half of the divisor before the shift or cast, or round half to even",
                {"direction": way},
            )
    return None


def byte_order(found: Sample, dtype: str) -> Pattern | None:
    """The device's elements have their bytes in reverse."""
    stored = to_storage(found.reference, dtype)
    if stored.itemsize == 1:
        return None
    d = to_storage(found.device, dtype)
    swapped = _bits(stored.byteswap())
    telling = swapped != _bits(stored)
    count = int(np.count_nonzero(telling))
    if count < ENOUGH:
        return None
    share = int(np.count_nonzero((swapped == _bits(d)) & telling)) / count
    if share < EXPLAINS:
        return None
    return Pattern(
        "byte-order",
        share,
        share,
        f"the bytes of every element are in reverse: {_example(stored, dtype)}",
        "look for a byte swap, or a cast between pointers to types of other sizes",
    )


def _bits(stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return stored.view(f"u{stored.itemsize}")


def _example(stored: npt.NDArray[Any], dtype: str) -> str:
    first = int(np.argmax(_bits(stored.byteswap()) != _bits(stored)))
    one = stored[first : first + 1]
    right, swapped = (float(to_numbers(x, dtype)[0]) for x in (one, one.byteswap()))
    return f"{right:g} is read as {swapped:g}"
