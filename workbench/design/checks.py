"""Rules of a whole design that need no run to see; the rest is left to the run.

Words in backticks or quotes of the toolchain's diagnostics are mlir-aie's (AIEDialect.cpp and
AIEObjectFifoStatefulTransform) and MLIR's (func).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from workbench.design.held import check_held
from workbench.design.model import Body, Core, Design, End, Fifo, Op, Pool
from workbench.design.transfers import check_sequence
from workbench.errors import DesignError


def check_design(design: Design) -> None:
    """Refuse a design that can't work. Raises DesignError with file:line."""
    for core in design.cores:
        _check_link_with(design, core)
        _check_ports(design, core)
        _check_calls(design, core.body)
        check_held(design, core)
    for function in design.functions.values():
        if function.body is not None:
            _check_calls(design, function.body)
    if design.sequence is not None:
        check_sequence(design, design.sequence)


def _refuse(design: Design, line: int, message: str, hint: str | None = None) -> NoReturn:
    raise DesignError(message, where=f"{design.path}:{line}", hint=hint)


def _check_link_with(design: Design, core: Core) -> None:
    linked = next((f for f in _called(design, core.body) if design.functions[f].link_with), None)
    if core.link_with is not None and linked is not None:
        _refuse(
            design,
            core.line,
            "link_with stands on the core and on a function that it calls",
            f"leave it on func.func @{linked}",
        )


def _called(design: Design, body: Body) -> Iterator[str]:
    for op in body.walk():
        if op.name == "func.call" and op.attributes["callee"] in design.functions:
            yield str(op.attributes["callee"])


def _check_ports(design: Design, core: Core) -> None:
    acquired: dict[int, Op] = {}
    for op in core.body.walk():
        match op.name:
            case "aie.objectfifo.acquire":
                fifo, pool = _port(design, core, op)
                _check_acquire(design, op, fifo, pool)
                acquired[op.results[0]] = op
            case "aie.objectfifo.release":
                _port(design, core, op)
            case "aie.objectfifo.subview.access":
                _check_access(design, op, acquired.get(op.operands[0]))


def _port(design: Design, core: Core, op: Op) -> tuple[Fifo, Pool]:
    """The FIFO of an acquire or release, and the pool that this core reaches through it."""
    name, port, count = (op.attributes[key] for key in ("fifo", "port", "count"))
    fifo = design.fifos.get(str(name))
    if fifo is None:
        _refuse(
            design, op.line, "cannot retrieve associated object FIFO", f"@{name} isn't declared"
        )
    assert isinstance(count, int)
    if count < 1:
        _refuse(design, op.line, f"the number of objects must be positive, it is {count}")
    role, tiles = (
        ("producer", (fifo.producer,)) if port == "Produce" else ("consumer", fifo.consumers)
    )
    if core.tile not in tiles:
        there = ", ".join(map(str, tiles))
        _refuse(
            design,
            op.line,
            f"{role} port of objectFifo accessed by core running on non-{role} tile",
            f"the core is on {core.tile}, the {role} of @{fifo.name} on {there}",
        )
    end = _end(design, core, fifo, str(port))
    if any(fifo.name in (*link.inputs, *link.outputs) for link in design.links):
        _check_linked(design, core, op, fifo)
    assert end.pool is not None
    return fifo, design.pools[end.pool]


def _end(design: Design, core: Core, fifo: Fifo, port: str) -> End:
    route = design.routes[fifo.name]
    ends = (route.source,) if port == "Produce" else route.targets
    return next(end for end in ends if end.tile == core.tile)


def _check_linked(design: Design, core: Core, op: Op, fifo: Fifo) -> None:
    for link in design.links:
        outputs = [design.fifos[name] for name in link.outputs]
        at_link = any(output.producer == core.tile for output in outputs)
        if at_link and fifo.name in (*link.inputs, *link.outputs):
            _refuse(
                design,
                op.line,
                "currently cannot access objectFifo used in ObjectFifoLinkOp",
                f"@{fifo.name} is linked on this core's tile",
            )


def _check_acquire(design: Design, op: Op, fifo: Fifo, pool: Pool) -> None:
    given, count = op.attributes["object"], op.attributes["count"]
    assert isinstance(count, int)
    if given != fifo.object:
        _refuse(
            design,
            op.line,
            "ObjectFifo element and ObjectFifoSubview element must match",
            f"@{fifo.name} holds {fifo.object}, the acquire says {given}",
        )
    if count > pool.depth:
        _refuse(
            design,
            op.line,
            f"acquire of {count} objects of @{fifo.name}, which has {pool.depth} on this tile",
            "acquire fewer, or give the FIFO more depth",
        )


def _check_access(design: Design, op: Op, acquire: Op | None) -> None:
    if acquire is None:
        return
    index, count = op.attributes["index"], acquire.attributes["count"]
    assert isinstance(index, int)
    assert isinstance(count, int)
    if not 0 <= index < count:
        _refuse(
            design,
            op.line,
            "accessed farther than number of acquired elements (index out of bounds)",
            f"object {index} of the {count} acquired in line {acquire.line}",
        )
    if op.result_types[0] != acquire.attributes["object"]:
        _refuse(design, op.line, "the access has another type than the acquired objects")


def _check_calls(design: Design, body: Body) -> None:
    for op in body.walk():
        if op.name == "func.call":
            _check_call(design, op)


def _check_call(design: Design, op: Op) -> None:
    name = str(op.attributes["callee"])
    function = design.functions.get(name)
    if function is None:
        _refuse(
            design,
            op.line,
            f"'{name}' does not reference a valid function",
            f"declare it: func.func private @{name}(...)",
        )
    declared = f"@{name} is declared in line {function.line}"
    given, expected = op.operand_types, function.arguments
    if len(given) != len(expected):
        message = f"incorrect number of operands for callee: {len(given)}, not {len(expected)}"
        _refuse(design, op.line, message, declared)
    for index, (ours, theirs) in enumerate(zip(given, expected, strict=True)):
        if ours != theirs:
            _refuse(
                design,
                op.line,
                f"operand type mismatch: expected operand type '{theirs}', but provided "
                f"'{ours}' for operand number {index}",
                declared,
            )
    if op.result_types != function.results:
        _refuse(design, op.line, "the call's results are not those of the function", declared)
