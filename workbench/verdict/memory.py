"""Findings about a core's memory: a stack that overruns, writes where a kernel must not write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.design import hardware
from workbench.design.memory import reached_by_stack
from workbench.design.observed import CoreMemory, HostPart, Overwritten
from workbench.spec.model import HostBuffer
from workbench.verdict.findings import Finding


def memory_findings(
    cores: Iterable[CoreMemory], buffers: Sequence[HostBuffer], damage: str
) -> list[Finding]:
    """All findings about the cores' memory; `damage` says how the result changed, if it did."""
    found: list[Finding] = []
    for core in cores:
        overrun = stack_overrun(core, buffers, damage)
        found += [overrun] if overrun is not None else []
        found += [
            _finding(core, one, buffers, overrun is not None)
            for one in core.overwritten
            if one.reach != "stack"
        ]
    return found


def stack_overrun(
    core: CoreMemory, buffers: Sequence[HostBuffer], damage: str = ""
) -> Finding | None:
    """The core's stack grew past its size, into what lies above it."""
    if core.stack_bytes <= core.stack_limit:
        return None
    reached = reached_by_stack(core.memory, core.stack_bytes)
    hit = {one.region: one for one in core.overwritten if one.reach == "stack"}
    victims = [f"{name}{_rows(hit[name], buffers)}" if name in hit else name for name in reached]
    size = hardware.stack_size_for(core.stack_bytes)
    arrays = sorted(core.arrays, key=lambda array: -array.bytes)
    largest = ", ".join(f"{a.name.split('.')[0]} ({a.bytes:,} B)" for a in arrays[:3])
    given = "" if core.stack_size_given else " (the default)"
    return Finding(
        "stack-overrun",
        "error",
        f"{core.stack_bytes:,} B of stack in {core.stack_limit:,} B{given}: overwrites "
        f"{', '.join(victims) or 'memory above it'}{damage}",
        f"set stack_size = {size} : i32 on the core, or make {largest} static, or pass a buffer",
        where=core.where,
        evidence={
            "tile": list(core.tile),
            "stack_bytes": core.stack_bytes,
            "stack_limit": core.stack_limit,
            "stack_size": size,
            "overwrites": reached,
            "changes_result": bool(damage),
            "victims": {
                name: tensor_rows(hit[name].host, buffers) if name in hit else []
                for name in reached
            },
            "tensors": [part for one in hit.values() for part in tensor_rows(one.host, buffers)],
            "arrays": {f"{a.function}.{a.name}": a.bytes for a in arrays},
        },
    )


def _finding(
    core: CoreMemory, one: Overwritten, buffers: Sequence[HostBuffer], overrun: bool
) -> Finding:
    rows = _rows(one, buffers)
    evidence: dict[str, object] = {
        "tile": list(core.tile),
        "region": one.region,
        "first": one.first,
        "last": one.last,
        "address": one.address,
        "changed": one.changed,
        "calls": one.calls,
        "tensors": tensor_rows(one.host, buffers),
    }
    if one.reach == "input":
        by = "its stack does" if overrun else "it is the producer's: copy what you change"
        return Finding(
            "input-overwritten",
            "warning",
            f"{one.function} changes {one.changed:,} bytes of its input {one.region}{rows}",
            f"mend the stack: {by}" if overrun else by,
            where=one.where,
            evidence=evidence,
        )
    if one.region is not None:
        place = f"bytes {one.first} to {one.last} of {one.region}, which the core doesn't hold"
    else:
        place = f"{one.first} bytes after the end of {one.after or 'everything'}"
    return Finding(
        "out-of-bounds",
        "error",
        f"{one.function} writes {one.changed:,} bytes outside its buffers: {place}",
        "look for an index that runs past its buffer",
        where=one.where,
        evidence=evidence,
    )


def _rows(one: Overwritten, buffers: Sequence[HostBuffer]) -> str:
    parts = tensor_rows(one.host, buffers)
    return f" = {', '.join(parts)}" if parts else f" bytes {one.first} to {one.last}"


def tensor_rows(parts: Iterable[HostPart], buffers: Sequence[HostBuffer]) -> list[str]:
    """Bytes of host buffers as rows of tensors, such as "q rows 0-51"."""
    found = []
    for part in parts:
        start = 0
        for tensor in buffers[part.buffer].tensors if part.buffer < len(buffers) else ():
            first, last = part.first - start, min(part.last - start, tensor.nbytes - 1)
            row = tensor.nbytes // tensor.shape[0]
            if last >= 0 and first < tensor.nbytes:
                low, high = max(first, 0) // row, last // row
                rows = f"row {low}" if low == high else f"rows {low}-{high}"
                found.append(f"{tensor.name} {rows}")
            start += tensor.nbytes
    return found
