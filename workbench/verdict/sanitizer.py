"""Findings from the checks of a kernel's arithmetic, one for each place in the source.

What C leaves undefined is an error. A value that a narrower type can't hold is a warning: C defines
what comes out, and who wraps by intention casts to an unsigned type. So are a float divided by
zero, which is infinite by definition, and a misaligned access, which a processor may well do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from workbench.design.checked import CheckHit
from workbench.verdict.findings import Finding

_SIGNS = {"add_overflow": "+", "sub_overflow": "-", "mul_overflow": "*", "divrem_overflow": "/"}
_ARRAY = re.compile(r"^(?P<element>[^\[]*)\[(?P<count>\d+)\]")


def check_findings(hits: Iterable[CheckHit]) -> list[Finding]:
    """A finding for each check that failed, in the order of the first failures.

    That order stands in the evidence too: what fails first may well be why the others do.
    """
    findings = map(_finding, hits)
    return [
        replace(finding, evidence={**finding.evidence, "order": order})
        for order, finding in enumerate(findings, 1)
    ]


def _finding(hit: CheckHit) -> Finding:
    match hit.check:
        case "add_overflow" | "sub_overflow" | "mul_overflow" | "negate_overflow":
            return _overflow(hit)
        case "divrem_overflow":
            return _division(hit)
        case "shift_out_of_bounds":
            return _shift(hit)
        case "out_of_bounds":
            return _index(hit)
        case "implicit_conversion" | "explicit_conversion":
            return _truncation(hit)
        case "float_cast_overflow":
            return _float_cast(hit)
        case "type_mismatch_v1":
            return _access(hit)


def _overflow(hit: CheckHit) -> Finding:
    a, *others = (_shown(value) for value in hit.values)
    sum_ = f"{a} {_SIGNS[hit.check]} {_operand(others[0])}" if others else f"-({a})"
    return _made(
        hit,
        "signed-overflow",
        "error",
        f"{sum_} overflows {hit.types[0].name}",
        "scale the operands down first, or use a type with room for the largest result",
    )


def _division(hit: CheckHit) -> Finding:
    kind = hit.types[0]
    a, b = hit.values
    if b != 0:
        return _overflow(hit)
    if kind.kind == "float":
        return _made(
            hit,
            "division-by-zero",
            "warning",
            f"{_shown(a)} / 0 gives {'NaN' if a == 0 or math.isnan(a) else 'infinity'}",
            "check the divisor, or add a small constant to it",
        )
    return _made(
        hit,
        "division-by-zero",
        "error",
        f"{_shown(a)} is divided by zero",
        "check the divisor: a core's division gives garbage there, without a trap",
    )


def _shift(hit: CheckHit) -> Finding:
    kind = hit.types[0]
    value, by = hit.values
    if 0 <= by < kind.bits:
        message = f"{_shown(value)} << {by} loses bits of {kind.name}"
        hint = "shift less, or use a type with room for the largest result"
    else:
        message = f"a shift of {kind.name} by {by}: only 0 to {kind.bits - 1} are defined"
        hint = "keep the amount in that range: processors differ in what they make of others"
    return _made(hit, "shift-fault", "error", message, hint)


def _index(hit: CheckHit) -> Finding:
    array = _ARRAY.match(hit.types[0].name)
    range_ = f": 0 to {int(array['count']) - 1}" if array else ""
    return _made(
        hit,
        "out-of-bounds",
        "error",
        f"index {hit.values[0]} is outside {hit.types[0].name}{range_}",
        "mend the index: it reaches into what lies beside the array",
    )


def _truncation(hit: CheckHit) -> Finding:
    before, after = (_shown(value) for value in hit.values)
    source, target = hit.types
    if hit.check == "implicit_conversion":
        id_, how = "implicit-truncation", f"where {source.name} is narrowed to {target.name}"
    else:
        id_, how = "explicit-truncation", f"in a cast to {target.name}"
    return _made(
        hit,
        id_,
        "warning",
        f"{before} becomes {after} {how}",
        f"{target.name} holds {target.low:,} to {target.high:,}: keep the value in a wider type, "
        "or clamp it before it is narrowed; where it is to wrap, cast to an unsigned type first",
    )


def _float_cast(hit: CheckHit) -> Finding:
    target = hit.types[1]
    return _made(
        hit,
        "float-cast-overflow",
        "error",
        f"{_shown(hit.values[0])} doesn't fit into {target.name}",
        "clamp the float before it is converted: a core makes something else of it than this host",
    )


def _access(hit: CheckHit) -> Finding:
    address, alignment, store = (int(value) for value in hit.values)
    what = f"a {'store' if store else 'load'} of {hit.types[0].name}"
    if address == 0:
        return _made(
            hit,
            "null-pointer",
            "error",
            f"{what} through a null pointer",
            "check the order and number of arguments in the design's call",
        )
    if address % alignment:
        return _made(
            hit,
            "misaligned",
            "warning",
            f"{what} from an address that isn't a multiple of {alignment}",
            "copy the bytes with memcpy: compilers may assume that pointers are aligned",
        )
    return _made(
        hit,
        "out-of-bounds",
        "error",
        f"{what} lies outside the variable that the pointer points into",
        "mend the pointer: it reaches into what lies beside the variable",
    )


def _made(
    hit: CheckHit,
    id_: str,
    severity: Literal["error", "warning"],
    message: str,
    hint: str,
) -> Finding:
    return Finding(
        id_,
        severity,
        f"{message}, {_share(hit)}",
        hint,
        where=hit.where,
        evidence={
            "values": [_plain(value) for value in hit.values],
            "types": [kind.name for kind in hit.types],
            "hits": hit.hits,
            "evaluations": hit.evaluations,
            "share": hit.hits / hit.evaluations,
        },
    )


def _share(hit: CheckHit) -> str:
    if hit.hits == hit.evaluations:
        return f"in all {hit.hits:,} evaluations" if hit.hits > 1 else "in its only evaluation"
    share = f"{hit.hits / hit.evaluations:.1%}".replace("%", " %")
    return f"in {hit.hits:,} of {hit.evaluations:,} evaluations ({share})"


def _shown(value: int | float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _operand(text: str) -> str:
    """A number to the right of a sign."""
    return f"({text})" if text.startswith("-") else text


def _plain(value: int | float) -> int | float | str:
    """A value that JSON can hold."""
    return value if math.isfinite(value) else str(value)
