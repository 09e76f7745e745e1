"""A core's program: FIFO operations and kernel calls, translated to a process."""

from __future__ import annotations

from collections.abc import Callable

from workbench.design.model import Core, Design, MemRef, Op, Tile
from workbench.device.model.emit import Code, Emitter, assign, strides_of, v
from workbench.device.model.fifo import Fifos
from workbench.device.model.memory import Memory
from workbench.device.model.pattern import Pattern, pattern
from workbench.device.model.scheduler import Process
from workbench.device.model.translate import Translator

Kernels = Callable[[Op, str], Callable[..., object]]
"""Gives the callable behind a call of an external function, from the operation and its place."""


def core_process(
    design: Design, core: Core, fifos: Fifos, memory: Memory, kernels: Kernels
) -> Process:
    """The process of one core; DesignError for an operation the model has no meaning for."""
    column, row = core.tile
    name = f"core ({column},{row})"
    translator = Translator(design.path, _emitters(design, core.tile, fifos, kernels))
    scope: dict[str, object] = {
        "views": memory.views,
        "copy": _copier(memory),
        "bases": {},
        "functions": {},
    }
    buffers = {buffer.name: memory.address(buffer.name) for buffer in design.buffers}
    functions: dict[str, object] = {}
    for called in _called_functions(design, core):
        body = design.functions[called].body
        assert body is not None
        parameters = body.region.blocks[0].arguments
        functions[called] = translator.program(
            body, f"{name} {called}", {**scope, "functions": functions}, buffers, parameters
        )
    program = translator.program(core.body, name, {**scope, "functions": functions}, buffers)
    return Process(name, program())


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
        at(target, target_type).write(memory, 0, at(source, source_type).read(memory))

    return copy


def _emitters(design: Design, tile: Tile, fifos: Fifos, kernels: Kernels) -> dict[str, Emitter]:
    def acquire(code: Code, op: Op) -> None:
        port = code.constant(fifos.core_port(*_fifo_end(op)))
        code.add(f"yield from {port}.acquire({op.attributes['count']})")
        code.add(f"{v(op.results[0])} = {port}")

    def release(code: Code, op: Op) -> None:
        port = code.constant(fifos.core_port(*_fifo_end(op)))
        code.add(f"{port}.release({op.attributes['count']}, {code.where()})")

    def _fifo_end(op: Op) -> tuple[str, Tile, str]:
        return str(op.attributes["fifo"]), tile, str(op.attributes["port"])

    def access(code: Code, op: Op) -> None:
        port, index = v(op.operands[0]), op.attributes["index"]
        code.add(f"{v(op.results[0])} = {port}.access({index}, {code.where()})")

    def call(code: Code, op: Op) -> None:
        callee = str(op.attributes["callee"])
        arguments = ", ".join(map(v, op.operands))
        function = design.functions.get(callee)
        if function is not None and function.body is not None:
            code.add(f"found = yield from functions[{callee!r}]({arguments})")
            assign(code, op.results, [f"found[{i}]" for i in range(len(op.results))])
            return
        kernel = code.constant(kernels(op, f"{code.path}:{code.line}"))
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
