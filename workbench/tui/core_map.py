"""A core's memory as rows by address: what lies where, and what was overwritten. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.design.observed import CoreMemory, Overwritten
    from workbench.verdict import Finding, Verdict

FREE = "free"

LEAST_FREE = 32
"""Smaller holes between buffers are alignment, which nobody asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """A region of a core's memory, or a hole between regions.

    `hit` are the first and the last byte in it that were overwritten; `severity` says how bad that
    is, and `holds` which rows of which tensors lay there, where that is known. `used` are the bytes
    of the stack that were needed.
    """

    address: int
    bytes: int
    name: str
    hit: tuple[int, int] | None = None
    severity: Literal["error", "warning"] | None = None
    holds: tuple[str, ...] = ()
    used: int = 0

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.bytes


def findings_of(verdict: Verdict, core: CoreMemory) -> tuple[Finding, ...]:
    """The findings about this core's memory, in the verdict's order.

    A warning about an input that changed says nothing new beside the error that changed it.
    """
    own = [f for f in verdict.findings if f.evidence.get("tile") == list(core.tile)]
    errors = [f for f in own if f.severity == "error"]
    return tuple(errors or own)


def worst_first(verdict: Verdict) -> tuple[CoreMemory, ...]:
    """The cores: those with findings first, then by how much of their stack is left."""
    return tuple(
        sorted(
            verdict.cores,
            key=lambda c: (not findings_of(verdict, c), c.stack_limit - c.stack_bytes, c.tile),
        )
    )


def rows_of(core: CoreMemory, findings: Sequence[Finding]) -> tuple[Row, ...]:
    """The core's whole memory, by address; holes are rows too."""
    from workbench.design.hardware import limits

    return tuple(
        _row(core, findings, place)
        for place in _places(core, limits(core.tile).memory_bytes)
        if place.name != FREE or place.bytes >= LEAST_FREE or _hit(core, place) is not None
    )


def victims_of(rows: Sequence[Row]) -> str:
    """What was overwritten that must not be, in words."""
    return ", ".join(
        f"{row.name} = {', '.join(row.holds)}" if row.holds else row.name
        for row in rows
        if row.severity == "error"
    )


def _row(core: CoreMemory, findings: Sequence[Finding], place: Row) -> Row:
    hit = _hit(core, place)
    if hit is None:
        return place
    is_error = place.address < core.stack_bytes or any(
        one.reach != "input" for one in _changed_in(core, place)
    )
    severity: Literal["error", "warning"] = "error" if is_error else "warning"
    return replace(place, hit=hit, severity=severity, holds=_holds(place.name, findings))


def _places(core: CoreMemory, size: int) -> Iterator[Row]:
    """Everything that lies in the memory, and the holes."""
    from workbench.design.memory import STACK

    end = 0
    for region in sorted(core.memory, key=lambda region: region.address):
        if region.address > end:
            yield Row(end, region.address - end, FREE)
        used = min(core.stack_bytes, region.bytes) if region.name == STACK else 0
        yield Row(region.address, region.bytes, region.name, used=used)
        end = max(end, region.end)
    if size > end:
        yield Row(end, size - end, FREE)


def _hit(core: CoreMemory, place: Row) -> tuple[int, int] | None:
    """First and last byte in it of what was changed or lies under an overrun stack."""
    spans = [(one.address, one.address + one.last - one.first) for one in _changed_in(core, place)]
    if place.bytes and core.stack_limit <= place.address < core.stack_bytes:
        spans.append((place.address, min(place.end, core.stack_bytes) - 1))
    if not spans:
        return None
    first, last = min(first for first, _ in spans), max(last for _, last in spans)
    return first - place.address, last - place.address


def _changed_in(core: CoreMemory, place: Row) -> list[Overwritten]:
    return [one for one in core.overwritten if place.address <= one.address < place.end]


def _holds(name: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """What the findings know of the tensors that lie in the region of this name."""
    for finding in findings:
        evidence = finding.evidence
        victims = evidence.get("victims")
        tensors = (
            victims.get(name)
            if isinstance(victims, Mapping)
            else evidence.get("tensors")
            if evidence.get("region") == name
            else None
        )
        if isinstance(tensors, list) and tensors:
            return tuple(str(tensor) for tensor in tensors)
    return ()
