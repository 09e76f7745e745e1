"""The arithmetic of core programs, as Python expressions over Python ints and floats.

Integers are held as signed values of their type (i1 as bool, index as 64 bits), f32 and bf16 as the
floats of the same value. Semantics are those of MLIR's arith dialect; a division by zero, undefined
there, raises ZeroDivisionError.
"""

from __future__ import annotations

import ctypes
import math
import struct

FLOATS = ("f32", "bf16")


def width(kind: str) -> int:
    """Bits of an integer type; index counts as 64."""
    return 64 if kind == "index" else int(kind.lstrip("sui"))


def wrapped(expression: str, kind: str) -> str:
    """`expression` reduced to the signed range of `kind`."""
    if kind == "i1":
        return f"bool(({expression}) & 1)"
    half = 1 << (width(kind) - 1)
    if half > 1 << 60:
        # Python adds such numbers slowly; nearly all values of these types are small.
        fold = f"(x + {half} & {2 * half - 1}) - {half}"
        return f"(x if {-half} <= (x := {expression}) < {half} else {fold})"
    return f"((({expression}) + {half} & {2 * half - 1}) - {half})"


def unsigned(expression: str, kind: str) -> str:
    """The bits of `expression` read as an unsigned integer."""
    return f"(({expression}) & {(1 << width(kind)) - 1})"


def rounded(expression: str, kind: str) -> str:
    """`expression` rounded to the nearest value of the float type `kind`."""
    return f"{kind}({expression})"


def f32(value: float) -> float:
    """The nearest float32."""
    return ctypes.c_float(value).value


def bf16(value: float) -> float:
    """The nearest bfloat16, ties to even."""
    return from_bits(to_bits(value))


def to_bits(value: float) -> int:
    """The 16 bits of the nearest bfloat16, ties to even."""
    bits = int.from_bytes(bytes(ctypes.c_float(value)), "little")
    if math.isnan(value):
        return bits >> 16 | 0x40
    return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16


def from_bits(bits: int) -> float:
    """The value of a bfloat16."""
    value: float = struct.unpack("<f", (bits << 16).to_bytes(4, "little"))[0]
    return value


def quotient(a: int, b: int) -> int:
    """a / b towards zero, as C divides."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def remainder(a: int, b: int) -> int:
    """What is left of a after `quotient`; has the sign of a."""
    return a - b * quotient(a, b)


def float_quotient(a: float, b: float) -> float:
    """a / b as IEEE 754 has it, divisions by zero included."""
    if b:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def from_int(value: int) -> float:
    """The float32 nearest to an integer of any size."""
    spare = max(0, value.bit_length() - 50)
    if spare:
        # A set last bit stands for all that is cut off, so that a double can be rounded again.
        value = (value >> spare | bool(value & (1 << spare) - 1)) << spare
    return f32(float(value))


def to_int(value: float, bits: int) -> int:
    """`value` truncated into a signed integer of `bits` bits, saturated (MLIR leaves it open)."""
    if math.isnan(value):
        return 0
    half = 1 << (bits - 1)
    return max(-half, min(half - 1, int(max(-2e19, min(2e19, value)))))


def extreme(a: float, b: float, largest: bool, quiet: bool) -> float:
    """Maximum or minimum; a NaN wins (maximumf) or, when `quiet`, loses (maxnumf)."""
    if math.isnan(a) or math.isnan(b):
        return (b if math.isnan(a) else a) if quiet else math.nan
    if a == b:
        negative = math.copysign(1.0, a) < 0
        return b if negative == largest else a
    return max(a, b) if largest else min(a, b)


HELPERS = {
    "f32": f32,
    "bf16": bf16,
    "to_bits": to_bits,
    "from_bits": from_bits,
    "quotient": quotient,
    "remainder": remainder,
    "float_quotient": float_quotient,
    "to_int": to_int,
    "from_int": from_int,
    "extreme": extreme,
    "nan": math.nan,
    "inf": math.inf,
    "isnan": math.isnan,
    "reinterpret": lambda value, source, target: struct.unpack(target, struct.pack(source, value))[
        0
    ],
}
"""What the expressions call."""

_SIGNED = {
    "arith.addi": "{a} + {b}",
    "arith.subi": "{a} - {b}",
    "arith.muli": "{a} * {b}",
    "arith.divsi": "quotient({a}, {b})",
    "arith.remsi": "remainder({a}, {b})",
    "arith.floordivsi": "{a} // {b}",
    "arith.ceildivsi": "-(-{a} // {b})",
    "arith.andi": "{a} & {b}",
    "arith.ori": "{a} | {b}",
    "arith.xori": "{a} ^ {b}",
    "arith.maxsi": "max({a}, {b})",
    "arith.minsi": "min({a}, {b})",
}
_UNSIGNED = {
    "arith.divui": "{a} // {b}",
    "arith.remui": "{a} % {b}",
    "arith.ceildivui": "-(-{a} // {b})",
    "arith.maxui": "max({a}, {b})",
    "arith.minui": "min({a}, {b})",
}
_FLOAT = {
    "arith.addf": "{a} + {b}",
    "arith.subf": "{a} - {b}",
    "arith.mulf": "{a} * {b}",
    "arith.divf": "float_quotient({a}, {b})",
    "arith.maximumf": "extreme({a}, {b}, True, False)",
    "arith.minimumf": "extreme({a}, {b}, False, False)",
    "arith.maxnumf": "extreme({a}, {b}, True, True)",
    "arith.minnumf": "extreme({a}, {b}, False, True)",
}
_COMPARE = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def binary(name: str, a: str, b: str, kind: str) -> str | None:
    """The expression of a two-operand operation of type `kind`; None for another operation."""
    if name in _FLOAT:
        return rounded(_FLOAT[name].format(a=a, b=b), kind)
    if kind == "i1" and name in _SIGNED:
        a, b = f"-int({a})", f"-int({b})"
    if name in _SIGNED:
        return wrapped(_SIGNED[name].format(a=a, b=b), kind)
    if name in _UNSIGNED:
        a, b = unsigned(a, kind), unsigned(b, kind)
        return wrapped(_UNSIGNED[name].format(a=a, b=b), kind)
    if name in ("arith.shli", "arith.shrsi", "arith.shrui"):
        return _shift(name, a, b, kind)
    return None


def _shift(name: str, a: str, b: str, kind: str) -> str:
    bits = width(kind)
    amount = unsigned(b, kind)
    # Shifts by the width or more are undefined in MLIR; here they shift everything out.
    if name == "arith.shli":
        return wrapped(f"{a} << min({amount}, {bits})", kind)
    if name == "arith.shrsi":
        return wrapped(f"{a} >> min({amount}, {bits})", kind)
    return wrapped(f"{unsigned(a, kind)} >> min({amount}, {bits})", kind)


def compare_ints(predicate: str, a: str, b: str, kind: str) -> str:
    """The expression of arith.cmpi."""
    if predicate in ("eq", "ne"):
        return f"{a} {_COMPARE[predicate]} {b}"
    if predicate[0] == "u":
        a, b = unsigned(a, kind), unsigned(b, kind)
    elif kind == "i1":
        a, b = f"-int({a})", f"-int({b})"
    return f"{a} {_COMPARE[predicate[1:]]} {b}"


def compare_floats(predicate: str, a: str, b: str) -> str:
    """The expression of arith.cmpf."""
    unordered = f"(isnan({a}) or isnan({b}))"
    if predicate in ("true", "false"):
        return predicate.capitalize()
    if predicate in ("ord", "uno"):
        return unordered if predicate == "uno" else f"not {unordered}"
    plain = f"{a} {_COMPARE[predicate[1:]]} {b}"
    return f"({unordered} or {plain})" if predicate[0] == "u" else f"(not {unordered} and {plain})"


def cast(name: str, value: str, source: str, target: str) -> str | None:
    """The expression of an operation that turns a scalar into another type; None for another."""
    match name:
        case "arith.extsi":
            return f"-int({value})" if source == "i1" else value
        case "arith.extui":
            return wrapped(unsigned(value, source), target)
        case "arith.trunci" | "arith.index_cast":
            return wrapped(f"-int({value})" if source == "i1" else value, target)
        case "arith.index_castui":
            return wrapped(unsigned(value, source), target)
        case "arith.extf" | "arith.truncf":
            return rounded(value, target)
        case "arith.sitofp":
            return _from_int(f"-int({value})" if source == "i1" else value, target)
        case "arith.uitofp":
            return _from_int(unsigned(value, source), target)
        case "arith.fptosi":
            return f"to_int({value}, {width(target)})"
        case "arith.fptoui":
            return wrapped(f"max(0, to_int({value}, {width(target) + 1}))", target)
        case "arith.bitcast":
            return _bitcast(value, source, target)
        case _:
            return None


def _from_int(value: str, target: str) -> str:
    # To bf16 by way of f32, as LLVM does where there is no instruction for it.
    found = f"from_int({value})"
    return found if target == "f32" else rounded(found, target)


def _bitcast(value: str, source: str, target: str) -> str:
    if source == target or not {source, target} & set(FLOATS):
        return value
    if source == "bf16":
        return wrapped(f"to_bits({value})", target)
    if target == "bf16":
        return f"from_bits({unsigned(value, source)})"
    formats = ("<f", "<i") if source == "f32" else ("<i", "<f")
    return f"reinterpret({value}, {formats[0]!r}, {formats[1]!r})"
