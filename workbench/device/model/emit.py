"""How single operations become lines of Python: arithmetic, memrefs, and what they share.

A memref value is the address of its first element in `Memory`; its shape and strides are in its
type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, cast

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
    known: dict[int, int] = field(default_factory=dict)
    """Integer values that are constants."""
    bases: dict[int, tuple[int, MemRef]] = field(default_factory=dict)
    """Memrefs that are views, with the memref that they are views of and its type."""
    notes: list[str] = field(default_factory=list)
    """What the design's author should know, each with its line."""

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

    def note(self, message: str) -> None:
        """Tell the author something about the operation being translated."""
        self.notes.append(f"{self.path}:{self.line}: {message}")

    def refuse(self, message: str, hint: str | None = None) -> DesignError:
        """An error at the operation being translated."""
        return DesignError(message, where=f"{self.path}:{self.line}", hint=hint)


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
    """`kind` as a memref. Raises DesignError for one that the model can't address."""
    if not isinstance(kind, MemRef):
        raise code.refuse(f"a memref is expected here, not {kind}")
    if len(strides_of(kind)) != len(kind.shape):
        raise code.refuse("a memref whose layout is known only at run time is not supported")
    return kind


def base_of(code: Code, value: int, kind: MemRef) -> tuple[int, MemRef]:
    """The memref that `value` is a view of, and its type; DesignError when it is unknown."""
    if value in code.bases:
        return code.bases[value]
    if kind.offset != 0:
        raise code.refuse(
            "the model can't tell what this memref is a view of",
            "make the view in the block that uses it",
        )
    return value, kind


def outside(what: str, indices: Sequence[int], shape: Sequence[int]) -> NoReturn:
    """An access that leaves its memref. Raises IndexError."""
    raise IndexError(
        f"{what}[{', '.join(map(str, indices))}] is outside {'x'.join(map(str, shape))}"
    )


def _check_indices(
    code: Code, what: str, indices: Sequence[int | str], sizes: Sequence[int], shape: Sequence[int]
) -> None:
    """Emit a check of 0 <= index < size for what isn't known; refuse what is known and wrong."""
    names = [v(i) if isinstance(i, int) else i for i in indices]
    known = [code.known.get(i) if isinstance(i, int) else _number(i) for i in indices]
    if any(n is not None and not 0 <= n < size for n, size in zip(known, sizes, strict=True)):
        shown = ", ".join("?" if n is None else str(n) for n in known)
        raise code.refuse(f"{what}[{shown}] is outside {'x'.join(map(str, shape))}")
    tests = [
        f"0 <= {name} < {size}"
        for name, n, size in zip(names, known, sizes, strict=True)
        if n is None
    ]
    if tests:
        code.add(
            f"if not ({' and '.join(tests)}): outside({what!r}, [{', '.join(names)}], {shape!r})"
        )


def _number(text: str) -> int | None:
    return int(text) if text.lstrip("-").isdigit() else None


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
    _check_indices(code, op.name, indices, kind.shape, kind.shape)
    element = _element(code, source, kind, indices)
    convert = {"bf16": f"from_bits({element})", "i1": f"bool({element})"}
    code.add(f"{v(op.results[0])} = {convert.get(kind.element, element)}")


def _store(code: Code, op: Op) -> None:
    value, target, *indices = op.operands
    kind = memref(code, op.operand_types[1])
    _check_indices(code, op.name, indices, kind.shape, kind.shape)
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
    source, result = memref(code, op.operand_types[0]), memref(code, op.result_types[0])
    offsets, sizes, strides = (_list(op, key, operands) for key in ("offsets", "sizes", "strides"))
    lengths, steps = _all_known(code, sizes), _all_known(code, strides)
    _check_subview_type(code, source, result, offsets, lengths, steps)
    last = [(n - 1) * s for n, s in zip(lengths, steps, strict=True)]
    room = [n - rest for n, rest in zip(source.shape, last, strict=True)]
    _check_indices(code, op.name, [str(o) for o in offsets], room, source.shape)
    terms = [
        f"{o} * {s * source.item_bytes}" for o, s in zip(offsets, strides_of(source), strict=True)
    ]
    code.add(f"{v(op.results[0])} = {' + '.join([v(op.operands[0]), *terms])}")
    if source.offset == 0 or op.operands[0] in code.bases:
        code.bases[op.results[0]] = base_of(code, op.operands[0], source)


def _all_known(code: Code, entries: Sequence[int | str]) -> list[int]:
    if not all(isinstance(entry, int) for entry in entries):
        raise code.refuse(
            "a view whose size or strides are known only at run time is not supported"
        )
    return [int(entry) for entry in entries]


def _check_subview_type(
    code: Code,
    source: MemRef,
    result: MemRef,
    offsets: Sequence[int | str],
    sizes: Sequence[int],
    steps: Sequence[int],
) -> None:
    """Refuse a result type that says something else than offsets, sizes and strides (MLIR)."""
    expected = [
        (size, step * stride)
        for size, step, stride in zip(sizes, steps, strides_of(source), strict=True)
    ]
    given = list(zip(result.shape, strides_of(result), strict=True))
    for dimension in expected:
        if given and given[0] == dimension:
            given.pop(0)
        elif dimension[0] != 1:
            given.append(dimension)
            break
    offset = None
    if source.offset is not None and all(isinstance(o, int) for o in offsets):
        steps_of = strides_of(source)
        offset = source.offset + sum(int(o) * s for o, s in zip(offsets, steps_of, strict=True))
    if given or offset != result.offset:
        raise code.refuse("the result type of memref.subview isn't that of the view it makes")


def _reinterpret(code: Code, op: Op) -> None:
    """A view from the beginning of the whole memref on, whatever view of it is given."""
    source, result = memref(code, op.operand_types[0]), memref(code, op.result_types[0])
    (offset,) = _list(op, "offsets", list(op.operands[1:]))
    base, whole = base_of(code, op.operands[0], source)
    extent = sum((n - 1) * s for n, s in zip(result.shape, strides_of(result), strict=True))
    _check_indices(code, op.name, [str(offset)], [whole.elements - extent], whole.shape)
    code.add(f"{v(op.results[0])} = {v(base)} + {offset} * {source.item_bytes}")
    code.bases[op.results[0]] = base, whole


def _same_address(code: Code, op: Op) -> None:
    memref(code, op.result_types[0])
    code.add(f"{v(op.results[0])} = {v(op.operands[0])}")
    if op.operands[0] in code.bases:
        code.bases[op.results[0]] = code.bases[op.operands[0]]


def _memref_cast(code: Code, op: Op) -> None:
    """A cast to the plain layout drops the subview's offset, as aiecc's lowering does."""
    source, target = (memref(code, k) for k in (op.operand_types[0], op.result_types[0]))
    if source.offset == 0 or target.offset != 0:
        _same_address(code, op)
        return
    base, _ = base_of(code, op.operands[0], source)
    code.add(f"{v(op.results[0])} = {v(base)}")
    code.note(
        "aiecc drops the view's offset in this memref.cast: the result begins where the whole "
        "memref does"
    )


def _copy(code: Code, op: Op) -> None:
    source, target = (memref(code, kind) for kind in op.operand_types)
    if source.shape != target.shape or source.element != target.element:
        raise code.refuse(f"memref.copy needs two of one shape and type, not {source} and {target}")
    code.add(
        f"copy({v(op.operands[0])}, {code.constant(source)}, "
        f"{v(op.operands[1])}, {code.constant(target)})"
    )


def _constant(code: Code, op: Op) -> None:
    value, kind = op.attributes["value"], scalar(code, op, op.result_types[0])
    if not isinstance(value, int | float):
        raise code.refuse("only scalar constants are supported by the model device")
    if kind in FLOATS:
        code.add(f"{v(op.results[0])} = {arithmetic.rounded(repr(float(value)), kind)}")
    else:
        code.known[op.results[0]] = int(value)
        code.add(f"{v(op.results[0])} = {value!r}")


def scalar(code: Code, op: Op, kind: Type) -> str:
    """`kind` as a scalar type. Raises DesignError for one that the model doesn't compute with."""
    if isinstance(kind, str) and (kind in ("index", *FLOATS) or re.fullmatch(r"i\d+", kind)):
        return kind
    raise code.refuse(f"{op.name} on {kind} is not supported by the model device")


def _arithmetic(code: Code, op: Op) -> None:
    source = scalar(code, op, op.operand_types[0])
    kind = scalar(code, op, op.result_types[0])
    names = [v(operand) for operand in op.operands]
    if op.name == "arith.cmpi":
        found: str | None = arithmetic.compare_ints(
            str(op.attributes["predicate"]), names[0], names[1], source
        )
    elif op.name == "arith.cmpf":
        found = arithmetic.compare_floats(str(op.attributes["predicate"]), names[0], names[1])
    elif op.name == "arith.negf":
        found = f"-{names[0]}"
    elif len(names) == 2:
        found = arithmetic.binary(op.name, names[0], names[1], kind)
    else:
        found = arithmetic.cast(op.name, names[0], source, kind)
    if found is None:
        raise code.refuse(f"{op.name} is not supported by the model device")
    code.add(f"{v(op.results[0])} = {found}")


def _select(code: Code, op: Op) -> None:
    condition, if_true, if_false = map(v, op.operands)
    code.add(f"{v(op.results[0])} = {if_true} if {condition} else {if_false}")


HELPERS: Mapping[str, object] = {**arithmetic.HELPERS, "outside": outside}
"""What the emitted code calls."""

COMMON: dict[str, Emitter] = {
    **dict.fromkeys(INTEGER_BINARY | FLOAT_BINARY | CASTS, _arithmetic),
    **dict.fromkeys(("arith.cmpi", "arith.cmpf", "arith.negf"), _arithmetic),
    "arith.select": _select,
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
