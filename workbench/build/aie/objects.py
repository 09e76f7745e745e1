"""What a kernel's object says before it has run: stack, program, data and symbols against the core.

Nothing in aiecc of generations A and B checks the stack; program memory shows up only as a CDO
error. Here each is a `Concern` with the numbers, and so is a core image that holds another code
than the object it was to be linked from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.build.aie.concern import Concern
from workbench.build.aie.elf import ObjectFile, same_code
from workbench.build.aie.stack import (
    START_BYTES,
    StackNeed,
    reachable,
    stack_need,
)
from workbench.build.aie.symbols import symbol_concerns
from workbench.design import hardware
from workbench.design.memory import Region, memory_map, reached_by_stack
from workbench.design.model import Core, Design
from workbench.errors import DesignError


@dataclass(frozen=True, slots=True)
class CoreNeed:
    """What a core's program needs of it, in bytes; `stack` is None when no frame is known.

    `data_room` is what the stack and the buffers leave of the data memory, None when the design's
    memory can't be laid out.
    """

    tile: tuple[int, int]
    functions: tuple[str, ...]
    stack: StackNeed | None
    stack_bytes: int | None
    """The path's frames and the start-up code's: at least this much."""
    stack_limit: int
    data_room: int | None


@dataclass(frozen=True, slots=True)
class ObjectReport:
    """An object against its design; sizes in bytes."""

    object: ObjectFile
    cores: tuple[CoreNeed, ...]
    text_limit: int = hardware.PROGRAM_MEMORY_BYTES
    data_limit: int = hardware.CORE_MEMORY_BYTES
    concerns: tuple[Concern, ...] = ()


def inspect(
    file: ObjectFile, design: Design, source: str, allocation: str = "bank-aware"
) -> ObjectReport:
    """Everything that can be said of an object: needs of each core, and concerns.

    `source` is what messages name; `allocation` is the scheme by which buffers are placed.
    """
    cores = tuple(_need(file, design, core, allocation) for core in design.cores)
    concerns = (
        *symbol_concerns(file, design, source),
        *_stack_concerns(design, cores, allocation),
        *_size_concerns(file, cores, source),
    )
    return ObjectReport(file, cores, concerns=concerns)


def _need(file: ObjectFile, design: Design, core: Core, allocation: str) -> CoreNeed:
    called = tuple(dict.fromkeys(c.function for c in design.kernel_calls() if c.tile == core.tile))
    needs = [stack_need(file.functions, name) for name in called if name in file.functions]
    worst = max(needs, key=lambda need: need.bytes, default=None)
    if worst is not None and not file.has_stack_sizes:
        worst = None
    start = START_BYTES[file.target or "aie2"]
    regions = _memory(design, core, allocation)
    top = max((region.end for region in regions), default=None)
    return CoreNeed(
        core.tile,
        called,
        worst,
        worst.bytes + start if worst is not None else None,
        core.stack_size,
        hardware.CORE_MEMORY_BYTES - top if top is not None else None,
    )


def _memory(design: Design, core: Core, allocation: str) -> tuple[Region, ...]:
    try:
        return memory_map(design, core.tile, allocation)
    except DesignError:  # aiecc will say the same, in its own words
        return ()


def _stack_concerns(
    design: Design, cores: Iterable[CoreNeed], allocation: str
) -> Iterator[Concern]:
    for need in cores:
        core = design.core(need.tile)
        if need.stack is None or need.stack_bytes is None or core is None:
            continue
        where = f"{design.path}:{core.line}"
        path = " → ".join(need.stack.path)
        if need.stack.recursion:
            cycle = " → ".join(need.stack.recursion)
            yield Concern(
                "recursion",
                "warning",
                f"{cycle} calls itself: its stack has no bound that a linker could know",
                "write it as a loop",
                where,
                {"cycle": list(need.stack.recursion)},
            )
        if need.stack_bytes <= need.stack_limit:
            continue
        regions = _memory(design, core, allocation)
        victims = reached_by_stack(regions, need.stack_bytes)
        unit = hardware.STACK_ALIGNMENT["aie2p" if design.target.startswith("npu2") else "aie2"]
        size = hardware.stack_size_for(need.stack_bytes, unit)
        default = "" if core.stack_size_given else " (the default)"
        yield Concern(
            "stack-overrun",
            "error",
            f"at least {need.stack_bytes:,} B of stack in {need.stack_limit:,} B{default}, by the "
            f"object's frames of {path}: overwrites {', '.join(victims) or 'memory above it'}",
            f"set stack_size = {size} : i32 on the core, or make large arrays static, or pass a "
            "buffer",
            where,
            {
                "tile": list(need.tile),
                "stack_bytes": need.stack_bytes,
                "stack_limit": need.stack_limit,
                "stack_size": size,
                "overwrites": victims,
                "path": list(need.stack.path),
                "unknown": list(need.stack.unknown),
            },
        )


def _size_concerns(file: ObjectFile, cores: Iterable[CoreNeed], source: str) -> Iterator[Concern]:
    limit = hardware.PROGRAM_MEMORY_BYTES
    if file.text_bytes > limit:
        largest = sorted(file.functions.values(), key=lambda f: -f.bytes)[:3]
        names = ", ".join(f"{f.name} ({f.bytes:,} B)" for f in largest)
        yield Concern(
            "program-memory",
            "error",
            f"{file.text_bytes:,} B of code in a core's {limit:,} B of program memory",
            f"make {names} smaller: unroll less, inline less, or try -Os",
            source,
            {"text_bytes": file.text_bytes, "limit": limit},
        )
    room = min((need.data_room for need in cores if need.data_room is not None), default=None)
    if room is not None and file.data_bytes > room:
        yield Concern(
            "data-memory",
            "error",
            f"{file.data_bytes:,} B of static data and constants, where stack and buffers leave "
            f"{room:,} B of a core's {hardware.CORE_MEMORY_BYTES:,} B",
            "make tables smaller, buffers fewer, or a FIFO's depth 1",
            source,
            {"data_bytes": file.data_bytes, "room": room},
        )


def wrong_object(
    file: ObjectFile, image: ObjectFile, called: Iterable[str], where: str
) -> Concern | None:
    """The core's image holds other code than the object it should have been linked from.

    `called` are the functions that the core's program calls; what they call is compared too.
    """
    for name in reachable(file.functions, called):
        ours, linked = file.functions[name], image.functions.get(name)
        if linked is None and not ours.exported:  # its symbol may have been dropped
            continue
        if linked is not None and same_code(ours, linked):
            continue
        what = "has none" if linked is None else "holds other code under that name"
        return Concern(
            "wrong-object",
            "error",
            f"{name} was compiled, but the core's image {what}: the edit would not run",
            "look for another file of the object's name where aiecc searches, and for a cache",
            where,
            {"function": name, "object": file.path, "image": image.path},
        )
    return None
