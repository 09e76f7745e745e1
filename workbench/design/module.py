"""From the text of an MLIR module to the `Design` of one device and one sequence in it."""

from __future__ import annotations

import re

from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import Operation
from xdsl.utils.exceptions import ParseError, VerifyException

from workbench.design.body import BodyReader
from workbench.design.checks import check_design
from workbench.design.declarations import Declarations
from workbench.design.dialect import DesignOp, DesignParser, Places
from workbench.design.hardware import FAMILY_COLUMNS, columns, kind
from workbench.design.model import (
    DEFAULT_STACK_BYTES,
    Body,
    Buffer,
    Core,
    Design,
    Fifo,
    Function,
    Link,
    Sequence,
    ShimAllocation,
)
from workbench.design.operations import (
    CORE_OPERATIONS,
    FUNCTION_OPERATIONS,
    SEQUENCE_OPERATIONS,
)
from workbench.design.pairs import Unpaired, unended_string, unpaired_brace
from workbench.design.routes import lay_out
from workbench.errors import DesignError

PLACEHOLDER = "NPUDEVICE"
"""What public designs write where a script puts the device's name."""
PLACEHOLDER_TARGET = "npu1_1col"

_SEQUENCES = ("aie.runtime_sequence", "aiex.runtime_sequence")
_OTHERS = frozenset(
    {"aie.tile", "aie.core", "aie.end", "func.func", "memref.global", "arith.constant"}
)
"""What a device may hold besides its declarations; globals name host buffers in older texts."""


def read_module(
    text: str, path: str, digest: str, *, device: str | None, sequence: str | None
) -> Design:
    """`workbench.design.read.parse_design`, once the text is there and hashed."""
    if not re.sub(r"//[^\n]*", "", text).strip():
        raise DesignError("the design is empty", where=path, hint="it needs an aie.device")
    parser, module = _parse(text, Places(text, path), device, sequence)
    found = _device(parser, module)
    values = _plain(found)
    target = str(values["target"])
    if target == PLACEHOLDER:
        target = PLACEHOLDER_TARGET
        parser.notes.append(f"the device is the placeholder {PLACEHOLDER}: read as {target}")
    if columns(target) is None:
        families = " or ".join(f"{name}[_Ncol]" for name in FAMILY_COLUMNS)
        raise DesignError(
            f"device {target} is not supported",
            where=_where(parser, found),
            hint=f"use {families}",
        )
    contents = _Contents(parser, target, found)
    if contents.sequence is None and sequence is not None:
        raise _unknown(parser, "sequence", sequence, _where(parser, found))
    _note_skipped(parser)
    name = str(values["name"])
    design = contents.design(path, digest, target, name, tuple(parser.notes))
    check_design(design)
    return design


def _parse(
    text: str, places: Places, device: str | None, sequence: str | None
) -> tuple[DesignParser, ModuleOp]:
    if (quote := unended_string(text)) is not None:
        raise DesignError("the string doesn't end", where=places.place(quote.position))
    parser: DesignParser | None = None
    try:
        parser = DesignParser(text, places, device=device, sequence=sequence)
        return parser, parser.parse_module()
    except ParseError as error:
        if (brace := unpaired_brace(text)) is not None:
            raise _unpaired(brace, places) from None
        message, position = error.msg, error.span.start
        first = re.match(r"values used but not defined: \[(%[\w.$-]+)", message)
        if first is not None:
            message = f"{first[1]} is used but not defined"
            use = re.search(rf"{re.escape(first[1])}(?![\w.$-])", text)
            position = use.start() if use is not None else position
        raise DesignError(_sentence(message), where=places.place(position)) from None
    except VerifyException as error:
        where = parser.operation_line() if parser is not None else places.path
        raise DesignError(_sentence(str(error)), where=where) from None
    except RecursionError:
        raise DesignError("the design is nested too deeply", where=places.path) from None
    except DesignError:
        raise
    except Exception as error:
        # xDSL meets some broken texts, as half-typed ones are, with whatever Python raises.
        where = parser.operation_line() if parser is not None else places.path
        raise DesignError(
            f"the text can't be parsed ({type(error).__name__}: {_sentence(str(error))})",
            where=where,
        ) from error


def _unpaired(brace: Unpaired, places: Places) -> DesignError:
    said = "the block that begins here has no }" if brace.sign == "{" else "this } closes nothing"
    return DesignError(said, where=places.place(brace.position))


def _sentence(message: str) -> str:
    return " ".join(message.split()).rstrip(".")


def _where(parser: DesignParser, op: Operation) -> str:
    """file:line; operations that the text leaves out take the line of what holds them."""
    return f"{parser.path}:{parser.line_of(op)}"


def _device(parser: DesignParser, module: ModuleOp) -> Operation:
    """The one device of the module that was read; nothing else may stand beside devices."""
    found: Operation | None = None
    for op in module.body.block.ops:
        if op.name != "aie.device":
            raise DesignError(
                f"{op.name} is not supported outside an aie.device", where=_where(parser, op)
            )
        if not _plain(op).get("skipped"):
            found = op
    if found is not None:
        return found
    wanted = parser.wanted["device"]
    if wanted is not None:
        raise _unknown(parser, "device", wanted, parser.path)
    raise DesignError("there is no aie.device", where=parser.path)


def _plain(op: Operation) -> dict[str, object]:
    return op.plain if isinstance(op, DesignOp) else {}


def _unknown(parser: DesignParser, kind: str, wanted: str, where: str) -> DesignError:
    there = ", ".join(f"@{name}" for name in parser.skipped[kind]) or "none"
    return DesignError(f"there is no {kind} @{wanted}", where=where, hint=f"there: {there}")


def _note_skipped(parser: DesignParser) -> None:
    """Say which devices and sequences were left out where the caller has named none."""
    for what, skipped in parser.skipped.items():
        if skipped and parser.wanted[what] is None:
            others = ", ".join(f"@{name}" for name in skipped)
            parser.notes.append(f"{what} @{parser.taken[what]} is read, not {others}")


class _Contents:
    """What one device declares and programs, read in two passes: declarations, then bodies."""

    def __init__(self, parser: DesignParser, target: str, device: Operation) -> None:
        self._parser = parser
        ops = tuple(device.regions[0].block.ops)
        self._declarations = Declarations(target, ops, self._where)
        self.fifos: dict[str, Fifo] = {}
        self.links: list[Link] = []
        self.buffers: list[Buffer] = []
        self.functions: dict[str, Function] = {}
        self.cores: list[Core] = []
        self.sequence: Sequence | None = None
        self.shim_allocations: dict[str, ShimAllocation] = {}
        for op in ops:
            self._declare(op)
        for op in ops:
            self._program(op)

    def _where(self, op: Operation) -> str:
        return _where(self._parser, op)

    def _declare(self, op: Operation) -> None:
        declarations = self._declarations
        match op.name:
            case "aie.objectfifo":
                fifo = declarations.fifo(op)
                self.fifos[fifo.name] = fifo
            case "aie.objectfifo.link":
                self.links.append(declarations.link(op))
            case "aie.buffer":
                self.buffers.append(declarations.buffer(op))
            case "aie.shim_dma_allocation":
                allocation = declarations.shim_allocation(op)
                self.shim_allocations[allocation.name] = allocation
            case "aie.runtime_sequence" | "aiex.runtime_sequence":
                declarations.declare(str(declarations.plain(op)["name"]), op)
            case name if name not in _OTHERS:
                raise DesignError(
                    f"{name} is not supported directly in an aie.device", where=self._where(op)
                )

    def _program(self, op: Operation) -> None:
        if isinstance(op, FuncOp):
            function = self._function(op)
            self.functions[function.name] = function
        elif op.name == "aie.core":
            self.cores.append(self._core(op))
        elif op.name in _SEQUENCES and not _plain(op).get("skipped"):
            self.sequence = self._sequence(op)

    def _body(self, op: Operation, supported: frozenset[str], what: str) -> Body:
        reader = BodyReader(
            self._parser.line_of, self._where, supported, self._declarations.buffers, what
        )
        return reader.read(op.regions[0])

    def _function(self, op: FuncOp) -> Function:
        name, arguments, results, link_with = self._declarations.signature(op)
        body = None
        if op.body.blocks:
            body = self._body(op, FUNCTION_OPERATIONS, f"function @{name}")
        return Function(name, arguments, results, link_with, body, self._declarations.line(op))

    def _core(self, op: Operation) -> Core:
        values = self._declarations.plain(op)
        tile = self._declarations.tile_of(op.operands[0], op)
        if kind(tile) != "core":
            raise DesignError(
                f"a core can't be on the {kind(tile)} tile {tile}", where=self._where(op)
            )
        if any(core.tile == tile for core in self.cores):
            raise DesignError(f"tile {tile} has a core already", where=self._where(op))
        link_with = values.get("link_with")
        size = values.get("stack_size", DEFAULT_STACK_BYTES)
        if not isinstance(size, int) or size < 0:
            raise DesignError("stack_size must be a number of bytes", where=self._where(op))
        return Core(
            tile=tile,
            stack_size=size,
            stack_size_given="stack_size" in values,
            link_with=str(link_with) if link_with else None,
            body=self._body(op, CORE_OPERATIONS, "a core"),
            line=self._declarations.line(op),
        )

    def _sequence(self, op: Operation) -> Sequence:
        body = self._body(op, SEQUENCE_OPERATIONS, "a runtime sequence")
        name = str(self._declarations.plain(op)["name"])
        arguments = body.region.blocks[0].argument_types if body.region.blocks else ()
        return Sequence(name, arguments, body, self._declarations.line(op))

    def design(
        self, path: str, digest: str, target: str, device: str, notes: tuple[str, ...]
    ) -> Design:
        """The design, with the pools and routes that its FIFOs and links make."""
        pools, routes = lay_out(path, self.fifos, self.links, self.cores)
        return Design(
            path=path,
            sha256=digest,
            target=target,
            device=device,
            tiles=tuple(dict.fromkeys(self._declarations.tiles.values())),
            fifos=self.fifos,
            links=tuple(self.links),
            buffers=tuple(self.buffers),
            functions=self.functions,
            cores=tuple(self.cores),
            sequence=self.sequence,
            shim_allocations=self.shim_allocations,
            pools=pools,
            routes=routes,
            notes=notes,
        )
