"""From a read body (of a core, a function or a sequence) to a Python generator that runs it.

Control flow is here, single operations in `emit`. Every line of generated code remembers the line
of the design that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from workbench.design.model import Block, Body, Op, Region
from workbench.device.model.emit import COMMON, HELPERS, Code, Emitter, assign, v
from workbench.errors import DesignError

if TYPE_CHECKING:
    from workbench.device.model.scheduler import Steps


ENDLESS = 1 << 20
"""A loop with more turns may have no end: others get theirs in between."""


class Translator:
    """Translates bodies with the operations in `emitters`, and runs the Python that results."""

    def __init__(self, path: str, emitters: Mapping[str, Emitter]) -> None:
        self._path = path
        self._emitters = {**COMMON, **emitters}
        self.notes: list[str] = []
        """What the design's author should know of the bodies translated so far."""

    def program(
        self,
        body: Body,
        name: str,
        scope: Mapping[str, object],
        buffers: Mapping[str, int],
        arguments: Sequence[int] = (),
    ) -> Callable[..., Steps]:
        """A generator function of the body's arguments.

        `scope` is what emitted code calls; `buffers` gives the addresses of named buffers.
        """
        code = Code(self._path)
        with code.indented(f"def program({', '.join(map(v, arguments))}):"):
            for number, buffer in body.buffers:
                code.add(f"{v(number)} = {buffers[buffer]}")
            self._region(code, body.region, ())
            code.add("return")
            code.add("yield")
        self.notes += code.notes
        made: dict[str, Any] = {**HELPERS, "steps": _steps, **scope, "constants": code.constants}
        exec(compile("\n".join(code.text), f"<{name}>", "exec"), made)
        plain = cast("Callable[..., Steps]", made["program"])
        return _with_places(plain, name, self._path, code.lines)

    def _region(self, code: Code, region: Region, targets: Sequence[int]) -> None:
        """The blocks of a region; `targets` take what its scf.yield gives."""
        if len(region.blocks) == 1:
            self._block(code, region.blocks[0], targets, 0)
            return
        code.add("at = 0")
        with code.indented("while True:"):
            for index, block in enumerate(region.blocks):
                with code.indented(f"{'el' if index else ''}if at == {index}:"):
                    self._block(code, block, targets, index, region.blocks)

    def _block(
        self,
        code: Code,
        block: Block,
        targets: Sequence[int],
        index: int,
        blocks: Sequence[Block] = (),
    ) -> None:
        code.add("pass")
        for op in block.ops:
            code.line = op.line
            if op.name == "scf.yield":
                assign(code, targets, op.operands)
            elif op.name == "cf.br":
                self._jump(code, op.operands, op.successors[0], index, blocks)
            elif op.name == "cf.cond_br":
                counts = cast("tuple[int, int]", op.attributes["counts"])
                first, second = op.operands[1 : 1 + counts[0]], op.operands[1 + counts[0] :]
                with code.indented(f"if {v(op.operands[0])}:"):
                    self._jump(code, first, op.successors[0], index, blocks)
                self._jump(code, second, op.successors[1], index, blocks)
            elif op.name in ("scf.for", "scf.if", "scf.while"):
                getattr(self, f"_{op.name[4:]}")(code, op)
            else:
                emit = self._emitters.get(op.name)
                if emit is None:
                    raise code.refuse(f"{op.name} is not supported by the model device")
                emit(code, op)

    def _jump(
        self, code: Code, values: Sequence[int], to: int, index: int, blocks: Sequence[Block]
    ) -> None:
        assign(code, blocks[to].arguments, values)
        code.add(f"at = {to}")
        if to <= index:
            code.add("yield None")
        code.add("continue")

    def _for(self, code: Code, op: Op) -> None:
        lower, upper, step, *initial = op.operands
        body = op.regions[0].blocks[0]
        variable, *carried = body.arguments
        assign(code, carried, initial)
        loop = f"for {v(variable)} in steps({v(lower)}, {v(upper)}, {v(step)}):"
        with code.indented(loop):
            self._block(code, body, carried, 0)
            if upper not in code.known:
                code.add(f"if {v(upper)} > {ENDLESS}: yield None")
            elif code.known[upper] > ENDLESS:
                code.add("yield None")
        assign(code, op.results, carried)

    def _if(self, code: Code, op: Op) -> None:
        then, otherwise = op.regions
        with code.indented(f"if {v(op.operands[0])}:"):
            self._block(code, then.blocks[0], op.results, 0)
        if otherwise.blocks:
            with code.indented("else:"):
                self._block(code, otherwise.blocks[0], op.results, 0)

    def _while(self, code: Code, op: Op) -> None:
        before, after = (region.blocks[0] for region in op.regions)
        assign(code, before.arguments, op.operands)
        *head, condition = before.ops
        with code.indented("while True:"):
            self._block(code, Block((), (), tuple(head)), (), 0)
            holds, *values = condition.operands
            assign(code, after.arguments, values)
            assign(code, op.results, values)
            with code.indented(f"if not {v(holds)}:"):
                code.add("break")
            self._block(code, after, before.arguments, 0)
            code.add("yield None")


def _steps(lower: int, upper: int, step: int) -> range:
    if step < 1:
        raise ValueError(f"the step of scf.for must be positive, it is {step}")
    return range(lower, upper, step)


def _with_places(
    program: Callable[..., Steps], name: str, path: str, lines: Sequence[int]
) -> Callable[..., Steps]:
    """`program` with its own faults turned into errors at the design's line."""

    def run(*arguments: object) -> Steps:
        try:
            # Kept, since a function's generator returns the function's results.
            return (yield from program(*arguments))
        except (ArithmeticError, ValueError, IndexError, RecursionError) as error:
            trace = error.__traceback__
            at = 0
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == f"<{name}>":
                    at = lines[trace.tb_lineno - 1]
                trace = trace.tb_next
            raise DesignError(f"{name} fails: {error}", where=f"{path}:{at}") from error

    return run
