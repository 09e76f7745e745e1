"""A core's program: FIFO operations and kernel calls, translated to a process."""

from __future__ import annotations

from collections.abc import Callable

from workbench.design.hardware import sees
from workbench.design.model import Body, Core, Design, MemRef, Op, Tile
from workbench.device.model.emit import Code, Emitter, assign, base_of, memref, strides_of, v
from workbench.device.model.fifo import CorePort, Fifos
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import Pattern, pattern
from workbench.device.model.scheduler import Process
from workbench.device.model.translate import Translator
from workbench.errors import DesignError

Kernels = Callable[[Op, str], Callable[..., object]]
"""Gives the callable behind a call of an external function, from the operation and its place."""


def core_process(
    design: Design,
    core: Core,
    fifos: Fifos,
    memory: Memory,
    kernels: Kernels,
    notes: list[str],
) -> Process:
    """The process of one core; appends to `notes` what the design's author should know.

    Raises DesignError for an operation the model has no meaning for.
    """
    column, row = core.tile
    name = f"core ({column},{row})"
    translator = Translator(design.path, _emitters(design, core.tile, fifos, kernels))
    functions: dict[str, object] = {}
    scope = {"views": memory.views, "copy": _copier(memory), "functions": functions}
    for called in _called_functions(design, core):
        body = design.functions[called].body
        assert body is not None
        parameters = body.region.blocks[0].arguments
        functions[called] = translator.program(
            body, f"{name} in {called}", scope, _buffers(design, core, body, memory), parameters
        )
    program = translator.program(core.body, name, scope, _buffers(design, core, core.body, memory))
    notes += translator.notes
    return Process(name, program())


def _buffers(design: Design, core: Core, body: Body, memory: Memory) -> dict[str, int]:
    """The addresses of the buffers that a body names. DesignError for one out of reach."""
    used = {name for _, name in body.buffers}
    for buffer in design.buffers:
        if buffer.name in used and not sees(core.tile, buffer.tile):
            raise DesignError(
                f"the core on {core.tile} can't reach the memory of tile {buffer.tile}, where "
                f"{buffer.name} lies",
                where=f"{design.path}:{buffer.line}",
                hint="a core sees its own memory and that of its neighbours south, north and west",
            )
    return {name: memory.address(name) for name in used}


def _called_functions(design: Design, core: Core) -> list[str]:
    """The functions with a body that the core reaches."""
    found: list[str] = []
    bodies = [core.body]
    while bodies:
        for op in bodies.pop().walk():
            if op.name != "func.call":
                continue
            callee = str(op.attributes["callee"])
            function = design.functions.get(callee)
            if function is not None and function.body is not None and callee not in found:
                found.append(callee)
                bodies.append(function.body)
    return found


def _copier(memory: Memory) -> Callable[[int, MemRef, int, MemRef], None]:
    def at(address: int, kind: MemRef) -> Pattern:
        pairs = list(zip(kind.shape, strides_of(kind), strict=True))
        return pattern(address, pairs, kind.item_bytes)

    def copy(source: int, source_type: MemRef, target: int, target_type: MemRef) -> None:
        moved = at(source, source_type)
        at(target, target_type).write(memory, 0, moved.read(memory, 0, moved.nbytes))

    return copy


def _emitters(design: Design, tile: Tile, fifos: Fifos, kernels: Kernels) -> dict[str, Emitter]:
    def port_of(op: Op) -> CorePort:
        return fifos.core_port(str(op.attributes["fifo"]), tile, str(op.attributes["port"]))

    def acquire(code: Code, op: Op) -> None:
        port = port_of(op)
        name, also = code.constant(port), code.constant(lambda: fifos.holding(tile, port))
        code.add(f"yield from {name}.acquire({op.attributes['count']}, {code.where()}, {also})")
        code.add(f"{v(op.results[0])} = {name}, {name}.released")

    def release(code: Code, op: Op) -> None:
        port = code.constant(port_of(op))
        code.add(f"{port}.release({op.attributes['count']}, {code.where()})")

    def access(code: Code, op: Op) -> None:
        view, index = v(op.operands[0]), op.attributes["index"]
        code.add(f"{v(op.results[0])} = {view}[0].access({view}[1] + {index}, {code.where()})")

    def call(code: Code, op: Op) -> None:
        callee = str(op.attributes["callee"])
        function = design.functions.get(callee)
        if function is not None and function.body is not None:
            arguments = ", ".join(map(v, op.operands))
            code.add(f"found = yield from functions[{callee!r}]({arguments})")
            assign(code, op.results, [f"found[{i}]" for i in range(len(op.results))])
            return
        kernel = code.constant(kernels(op, f"{code.path}:{code.line}"))
        arguments = ", ".join(_passed(code, op, position) for position in range(len(op.operands)))
        result = f"{v(op.results[0])} = " if op.results else ""
        code.add(f"{result}{kernel}({arguments})")

    def end(code: Code, op: Op) -> None:
        code.add("return")

    def give_back(code: Code, op: Op) -> None:
        code.add(f"return ({''.join(v(x) + ', ' for x in op.operands)})")

    return {
        "aie.objectfifo.acquire": acquire,
        "aie.objectfifo.release": release,
        "aie.objectfifo.subview.access": access,
        "func.call": call,
        "func.return": give_back,
        "aie.end": end,
    }


def _passed(code: Code, op: Op, position: int) -> str:
    """An argument of a kernel. Of a memref aiecc passes the pointer without the offset.

    Source: MLIR's convention of bare pointers, which aiecc's lowering uses.
    """
    value, kind = op.operands[position], op.operand_types[position]
    if not isinstance(kind, MemRef) or memref(code, kind).offset == 0:
        return v(value)
    if kind.offset is None:
        raise code.refuse(
            "a memref whose offset is known only at run time can't be passed to a kernel",
            "pass the whole memref and the offset as a number",
        )
    code.note(
        f"aiecc drops the offset of {kind.offset} elements of argument {position}: the kernel gets "
        "the beginning of the whole memref"
    )
    return v(base_of(code, value, kind)[0])
