"""A design with other constants or other stacks than its text says: what a trial runs with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from workbench.design.model import Body, Design, Op, Region
from workbench.device.model.arithmetic import FLOATS, width
from workbench.device.model.workload import Override
from workbench.errors import DesignError


def overridden(
    design: Design, constants: Sequence[Override], stack_bytes: int | None
) -> tuple[Design, tuple[str, ...]]:
    """The design with these constants passed and stacks of that size, and what to say of it.

    DesignError for an argument that a call doesn't have, or that is no scalar.
    """
    notes = [note for override in constants for note in _passed_instead(design, override)]
    cores = []
    for core in design.cores:
        if stack_bytes is not None:
            column, row = core.tile
            notes.append(
                f"the stack of core ({column},{row}) has {stack_bytes:,} bytes in place of the "
                f"design's {core.stack_size:,}"
            )
            core = replace(core, stack_size=stack_bytes, stack_size_given=True)
        cores.append(replace(core, body=_with_constants(design, core.body, constants)))
    functions = {
        name: function
        if function.body is None
        else replace(function, body=_with_constants(design, function.body, constants))
        for name, function in design.functions.items()
    }
    return replace(design, cores=tuple(cores), functions=functions), tuple(notes)


def _passed_instead(design: Design, override: Override) -> Iterator[str]:
    """What a reader should know of an override, unless it changes nothing."""
    before = {
        None if constant is None else constant.value
        for call in design.kernel_calls()
        if call.function == override.function
        for constant in call.arguments[override.argument : override.argument + 1]
    }
    if before - {override.value}:
        known = [f"{value:g}" for value in sorted(value for value in before if value is not None)]
        what = " and ".join(known) or "own value"
        yield (
            f"{override.name} = {override.value:g} passed {override.reason} in place of the "
            f"design's {what}"
        )


def _with_constants(design: Design, body: Body, constants: Sequence[Override]) -> Body:
    """`body`, where each call that an override is about gets a constant of its own."""
    used = [number for op in body.walk() for number in (*op.operands, *op.results)]
    used += [number for number, _ in body.buffers]
    used += [number for block in _blocks(body.region) for number in block]
    numbers = count(max(used, default=0) + 1)

    def calls(op: Op) -> Iterator[Op]:
        operands = list(op.operands)
        for override in constants:
            if op.name != "func.call" or op.attributes["callee"] != override.function:
                continue
            kind = dict(enumerate(op.operand_types)).get(override.argument)
            if not isinstance(kind, str):
                raise DesignError(
                    f"argument {override.argument} of @{override.function} is no scalar: "
                    f"{override.name} can't be passed there",
                    where=f"{design.path}:{op.line}",
                )
            number = operands[override.argument] = next(numbers)
            value: dict[str, object] = {"value": _as(kind, override.value)}
            yield Op("arith.constant", op.line, (), (number,), (), (kind,), value)
        regions = tuple(rebuilt(region) for region in op.regions)
        yield replace(op, operands=tuple(operands), regions=regions)

    def rebuilt(region: Region) -> Region:
        return replace(
            region,
            blocks=tuple(
                replace(block, ops=tuple(new for op in block.ops for new in calls(op)))
                for block in region.blocks
            ),
        )

    return replace(body, region=rebuilt(body.region))


def _blocks(region: Region) -> Iterator[tuple[int, ...]]:
    """The arguments of every block."""
    for block in region.blocks:
        yield block.arguments
        for op in block.ops:
            for inner in op.regions:
                yield from _blocks(inner)


def _as(kind: str, value: int | float) -> int | float | bool:
    """A number as constants of a type are held: signed integers, i1 as bool, floats."""
    if kind in FLOATS:
        return float(value)
    if kind == "i1":
        return bool(value)
    half = 1 << (width(kind) - 1)
    return (int(value) + half) % (2 * half) - half
