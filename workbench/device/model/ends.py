"""What to say of an execution that a kernel has ended early, or never ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.build.debug import Place
from workbench.design import hardware
from workbench.errors import CrashError, HangError, OutOfBoundsError
from workbench.process import Exit

_STOPS = ("SIGABRT", "SIGILL", "SIGTRAP")
"""Of a kernel that has not touched what it mustn't."""


def hang_error(
    function: str, call: str | None, limit_s: float, places: Sequence[Place]
) -> HangError:
    """Of a process killed for its time, which was at `places` shortly before.

    Where none is known it points at the `call`, the file:line in the design.
    """
    said = f"{function} ran for more than {limit_s:g} s and was killed"
    hint = "look for a loop that doesn't end; a longer limit is set with --time-limit"
    if not places:
        return HangError(said, where=call, hint=hint)
    ((file, _),) = Counter(place.file for place in places).most_common(1)
    lines = {place.line for place in places if place.file == file}
    first, last = min(lines), max(lines)
    at = f"at line {first}" if first == last else f"between lines {first} and {last}"
    said, hint = f"{said}; it was {at}", f"{hint}; called at {call}"
    return HangError(said, where=f"{file}:{first}", hint=hint)


def crash_error(
    function: str,
    call: str | None,
    end: Exit,
    fault: dict[str, Any] | None,
    places: Sequence[Place],
) -> CrashError:
    """Of a process that died by a signal, at the first of `places`.

    Where none is known it points at the `call`, the file:line in the design.
    """
    kind, said, hint = _said(function, fault or {"signal": end.signal_name, "kind": "unknown"})
    if not places:
        return kind(said, where=call, hint=hint)
    place = places[0]
    return kind(said, where=f"{place.file}:{place.line}", hint=f"{hint}; called at {call}")


def _said(function: str, fault: dict[str, Any]) -> tuple[type[CrashError], str, str]:
    """The error, its message and its hint."""
    signal, kind, address = fault["signal"], fault["kind"], fault.get("address")
    if signal == "SIGFPE":
        return (
            CrashError,
            f"{function} divides an integer by zero, or its smallest value by -1",
            "check the divisor: a core's division gives garbage there, without a trap",
        )
    if signal in _STOPS:
        return (
            CrashError,
            f"{function} crashed with {signal}",
            "look for an abort, an assertion, a trap, or what the compiler knows to be undefined",
        )
    if kind == "null":
        return (
            CrashError,
            f"{function} uses a null pointer (address {address:#x})",
            "if it is an argument, check their order and number in the design's call",
        )
    if kind == "core":
        return (
            OutOfBoundsError,
            _outside(function, fault),
            "look for an index that runs past its buffer, or a stack that runs past memory",
        )
    at = "" if address is None else f" at address {address:#x}"
    return (
        CrashError,
        f"{function} crashed with {signal}{at}",
        "look for a wild pointer, an index far outside its buffer, or endless recursion",
    )


def _outside(function: str, fault: dict[str, Any]) -> str:
    column, row = fault["tile"]
    offset = int(fault["offset"])
    size = hardware.limits((column, row)).memory_bytes
    side = (
        f"{-offset:,} bytes before the start"
        if offset < 0
        else f"{offset - size:,} bytes after the end"
    )
    return (
        f"out-of-bounds: {function} touches {fault['region']}{fault['within']:+,} bytes, "
        f"{side} of the {size // 1024} KB memory of core ({column},{row})"
    )
