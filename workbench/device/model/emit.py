"""How single operations become lines of Python: arithmetic, memrefs, and what they share.

A memref value is the address of its first element in `Memory`; its shape and strides are in its
type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from workbench.design.model import MemRef, Op, Type
from workbench.design.operations import CASTS, FLOAT_BINARY, INTEGER_BINARY
from workbench.device.model import arithmetic
from workbench.device.model.arithmetic import FLOATS
from workbench.device.model.memory import FORMATS
from workbench.errors import DesignError


@dataclass(slots=True)
class Code:
    """Python source in the making; `lines` holds, per line of it, the design's line."""

    path: str
    text: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    constants: list[object] = field(default_factory=list)
    depth: int = 0
    line: int = 0

    def add(self, text: str) -> None:
        """Append a line."""
        self.text.append(" " * self.depth + text)
        self.lines.append(self.line)

    @contextmanager
    def indented(self, header: str) -> Iterator[None]:
        """A block under `header`."""
        self.add(header)
        self.depth += 1
        yield
        self.depth -= 1

    def constant(self, value: object) -> str:
        """An expression for any object."""
        self.constants.append(value)
        return f"constants[{len(self.constants) - 1}]"

    def where(self) -> str:
        """file:line of the operation being translated, as a Python literal."""
        return repr(f"{self.path}:{self.line}")

    def refuse(self, message: str) -> DesignError:
        """An error at the operation being translated."""
        return DesignError(message, where=f"{self.path}:{self.line}")


Emitter = Callable[[Code, Op], None]


def v(number: int) -> str:
    """The Python name of a value."""
    return f"v{number}"


def assign(code: Code, targets: Sequence[int], values: Iterable[int | str]) -> None:
    """Assign several values at once."""
    if targets:
        right = ", ".join(x if isinstance(x, str) else v(x) for x in values)
        code.add(f"{', '.join(map(v, targets))}, = {right},")


def strides_of(kind: MemRef) -> tuple[int, ...]:
    """The strides of a memref in elements; row-major when its type gives none."""
    if kind.strides is not None:
        return kind.strides
    found: list[int] = []
    step = 1
    for size in reversed(kind.shape):
        found.insert(0, step)
        step *= size
    return tuple(found)


def memref(code: Code, kind: Type) -> MemRef:
    """`kind` as a memref."""
    if not isinstance(kind, MemRef):
        raise code.refuse(f"a memref is expected here, not {kind}")
    return kind


def _element(code: Code, address: int, kind: MemRef, indices: Sequence[int]) -> str:
    """An expression for one element in the view of its type."""
    letter = FORMATS[kind.element]
    strides = strides_of(kind)
    terms = [f"{v(i)} * {s}" if s != 1 else v(i) for i, s in zip(indices, strides, strict=True)]
    start = f"{v(address)} // {kind.item_bytes}" if kind.item_bytes > 1 else v(address)
    return f"views[{letter!r}][{' + '.join([start, *terms])}]"


def _load(code: Code, op: Op) -> None:
    source, *indices = op.operands
    kind = memref(code, op.operand_types[0])
    element = _element(code, source, kind, indices)
    convert = {"bf16": f"from_bits({element})", "i1": f"bool({element})"}
    code.add(f"{v(op.results[0])} = {convert.get(kind.element, element)}")


def _store(code: Code, op: Op) -> None:
    value, target, *indices = op.operands
    kind = memref(code, op.operand_types[1])
    right = f"to_bits({v(value)})" if kind.element == "bf16" else v(value)
    if kind.element.startswith("ui"):
        right = arithmetic.unsigned(right, kind.element)
    code.add(f"{_element(code, target, kind, indices)} = {right}")


def _list(op: Op, key: str, operands: list[int]) -> list[int | str]:
    """A list of offsets, sizes or strides; dynamic entries take the next operand."""
    items = cast("Sequence[int | None]", op.attributes[key])
    return [item if item is not None else v(operands.pop(0)) for item in items]


def _subview(code: Code, op: Op) -> None:
    operands = list(op.operands[1:])
    source = memref(code, op.operand_types[0])
    offsets = _list(op, "offsets", operands)
    terms = [
        f"{o} * {s * source.item_bytes}" for o, s in zip(offsets, strides_of(source), strict=True)
    ]
    code.add(f"{v(op.results[0])} = {' + '.join([v(op.operands[0]), *terms])}")
    code.add(f"bases[{v(op.results[0])}] = bases.get({v(op.operands[0])}, {v(op.operands[0])})")


def _reinterpret(code: Code, op: Op) -> None:
    source = memref(code, op.operand_types[0])
    (offset,) = _list(op, "offsets", list(op.operands[1:]))
    code.add(f"{v(op.results[0])} = {v(op.operands[0])} + {offset} * {source.item_bytes}")


def _same_address(code: Code, op: Op) -> None:
    code.add(f"{v(op.results[0])} = {v(op.operands[0])}")


def _memref_cast(code: Code, op: Op) -> None:
    """A cast to the plain layout drops the subview's offset, as aiecc's lowering does."""
    source, target = (memref(code, k) for k in (op.operand_types[0], op.result_types[0]))
    value = v(op.operands[0])
    if source.offset != 0 and target.offset == 0:
        value = f"bases.get({value}, {value})"
    code.add(f"{v(op.results[0])} = {value}")


def _copy(code: Code, op: Op) -> None:
    source, target = (memref(code, kind) for kind in op.operand_types)
    code.add(
        f"copy({v(op.operands[0])}, {code.constant(source)}, "
        f"{v(op.operands[1])}, {code.constant(target)})"
    )


def _constant(code: Code, op: Op) -> None:
    value, kind = op.attributes["value"], op.result_types[0]
    if not isinstance(value, int | float):
        raise code.refuse("only scalar constants are supported by the model device")
    if kind in FLOATS:
        code.add(f"{v(op.results[0])} = {arithmetic.rounded(repr(float(value)), str(kind))}")
    else:
        code.add(f"{v(op.results[0])} = {value!r}")


def _arithmetic(code: Code, op: Op) -> None:
    kind = str(op.result_types[0])
    if kind == "f64" or (kind[:1] in "vt" and kind != "token"):
        raise code.refuse(f"{op.name} on {kind} is not supported by the model device")
    names = [v(operand) for operand in op.operands]
    if op.name == "arith.cmpi":
        found: str | None = arithmetic.compare_ints(
            str(op.attributes["predicate"]), names[0], names[1], str(op.operand_types[0])
        )
    elif op.name == "arith.cmpf":
        found = arithmetic.compare_floats(str(op.attributes["predicate"]), names[0], names[1])
    elif op.name == "arith.select":
        found = f"{names[1]} if {names[0]} else {names[2]}"
    elif op.name == "arith.negf":
        found = f"-{names[0]}"
    elif len(names) == 2:
        found = arithmetic.binary(op.name, names[0], names[1], kind)
    else:
        found = arithmetic.cast(op.name, names[0], str(op.operand_types[0]), kind)
    if found is None:
        raise code.refuse(f"{op.name} is not supported by the model device")
    code.add(f"{v(op.results[0])} = {found}")


COMMON: dict[str, Emitter] = {
    **dict.fromkeys(INTEGER_BINARY | FLOAT_BINARY | CASTS, _arithmetic),
    **dict.fromkeys(("arith.cmpi", "arith.cmpf", "arith.select", "arith.negf"), _arithmetic),
    "arith.constant": _constant,
    "memref.load": _load,
    "memref.store": _store,
    "memref.subview": _subview,
    "memref.reinterpret_cast": _reinterpret,
    "memref.cast": _memref_cast,
    "memref.collapse_shape": _same_address,
    "memref.expand_shape": _same_address,
    "memref.copy": _copy,
}
"""What means the same in cores, functions and sequences."""
