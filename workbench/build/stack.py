"""Putting a kernel's local arrays on the core's own stack, by rewriting clang's LLVM IR.

An AIE core's stack grows up, in the same 64 KB as its buffers; the host's grows down, elsewhere.
So every `alloca` that survives optimisation is given a place on an upward stack in memory that the
model device provides: a pointer in the library that functions bump on entry and restore before
they return. The library tells its high-water mark, the size of each array, and of each global.

What this leaves out: registers that the compiler spills, and return addresses. The host's clang is
not Peano, so the order of arrays in a frame and what is inlined can differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from workbench.design import hardware
from workbench.errors import BuildError
from workbench.exports import (
    ARRAY_BYTES,
    GLOBAL_BYTES,
    NAMES,
    STACK_HIGH,
    STACK_POINTER,
    STAGE_HOOK,
)

FRAME_ALIGNMENT = hardware.STACK_ALIGNMENT["aie2"]
"""Where a frame may begin, in bytes."""

_DEFINE = re.compile(r'^define .*?@(?P<name>"[^"]*"|[\w.$-]+)\(')
_ALLOCA = re.compile(r"^  (?P<result>%(?:\"[^\"]*\"|[\w.$-]+)) = alloca (?P<rest>.*)$")
_ALIGN = re.compile(r", align (\d+)")
_COUNT = re.compile(r", i(?:32|64) (?P<count>[^,]+)")
_RETURN = re.compile(r"^  (?:ret|resume) ")
_LIFETIME = re.compile(r"\bcall void @llvm\.lifetime\.")
_GLOBAL = re.compile(
    r"^@(?P<name>\"[^\"]*\"|[\w.$-]+) = (?P<words>(?:[a-z_]+(?:\([^)]*\))? )*)"
    r"(?P<kind>global|constant) (?P<rest>.*)$"
)
_BRACKETS = {"[": "]", "{": "}", "<": ">", "(": ")"}


def on_core_stack(text: str, source: str) -> str:
    """`text` (LLVM IR) with its allocas on the core's stack.

    Raises BuildError for an array whose size is only known at run time.
    """
    writer = _Rewriter(source)
    lines = [new for line in text.splitlines() for new in writer.rewrite(line)]
    return "\n".join([*lines, *writer.tables(), ""])


class _Rewriter:
    def __init__(self, source: str) -> None:
        self._source = source
        self._function = ""
        self._in_frame = False
        self._arrays: list[tuple[str, str, str]] = []
        self._globals: list[tuple[str, str]] = []

    def rewrite(self, line: str) -> Iterator[str]:
        """What stands in `line`'s place."""
        if match := _DEFINE.match(line):
            self._function = match["name"].strip('"')
            self._in_frame = False
        elif line == "}":
            self._in_frame = False
        elif match := _GLOBAL.match(line):
            if "external" not in match["words"] and match["name"] != STAGE_HOOK:
                self._globals.append((match["name"].strip('"'), _type_at(match["rest"])))
        elif match := _ALLOCA.match(line):
            yield from self._place(match["result"], match["rest"])
            return
        elif _LIFETIME.search(line):
            # It may only name an alloca, and there is none left.
            if not line.startswith("declare"):
                return
        elif self._in_frame and _RETURN.match(line):
            yield f"  store i64 %workbench.base, ptr @{STACK_POINTER}"
        yield line

    def _place(self, result: str, rest: str) -> Iterator[str]:
        kind = _type_at(rest)
        tail = rest[len(kind) :]
        size = _size_of(kind)
        if count := _COUNT.search(tail):
            if not count["count"].isdigit():
                raise BuildError(
                    f"{self._function} has a local array whose size is only known at run time",
                    where=self._source,
                    hint="give it a constant size: a core's stack is fixed when it is linked",
                )
            size = f"mul (i64 {size}, i64 {count['count']})"
        align = _ALIGN.search(tail)
        unit = int(align[1]) if align else 1
        n = len(self._arrays)
        self._arrays.append((self._function, result.strip('%"'), size))
        name = f"%workbench.{n}"
        if not self._in_frame:
            self._in_frame = True
            unit = max(unit, FRAME_ALIGNMENT)
            yield f"  %workbench.base = load i64, ptr @{STACK_POINTER}"
        yield f"  {name}.top = load i64, ptr @{STACK_POINTER}"
        yield f"  {name}.up = add i64 {name}.top, {unit - 1}"
        yield f"  {name}.at = and i64 {name}.up, {-unit}"
        yield f"  {name}.size = load i64, ptr {_entry(n)}"
        yield f"  {name}.end = add i64 {name}.at, {name}.size"
        yield f"  store i64 {name}.end, ptr @{STACK_POINTER}"
        yield f"  {name}.high = load i64, ptr @{STACK_HIGH}"
        yield f"  {name}.higher = icmp ugt i64 {name}.end, {name}.high"
        yield f"  {name}.max = select i1 {name}.higher, i64 {name}.end, i64 {name}.high"
        yield f"  store i64 {name}.max, ptr @{STACK_HIGH}"
        yield f"  {result} = inttoptr i64 {name}.at to ptr"

    def tables(self) -> Iterator[str]:
        """The globals that the rewritten functions and the model device use."""
        yield f"@{STACK_POINTER} = global i64 0"
        yield f"@{STACK_HIGH} = global i64 0"
        yield _table(ARRAY_BYTES, [size for _, _, size in self._arrays])
        yield _table(GLOBAL_BYTES, [_size_of(kind) for _, kind in self._globals])
        arrays = [(function, name) for function, name, _ in self._arrays]
        names = json.dumps([arrays, [name for name, _ in self._globals]]).encode() + b"\0"
        text = "".join(f"\\{byte:02X}" for byte in names)
        yield f'@{NAMES} = constant [{len(names)} x i8] c"{text}"'


def _entry(index: int) -> str:
    return f"getelementptr (i64, ptr @{ARRAY_BYTES}, i64 {index})"


def _table(name: str, sizes: list[str]) -> str:
    items = ", ".join(f"i64 {size}" for size in sizes)
    return f"@{name} = constant [{len(sizes)} x i64] [{items}]"


def _size_of(kind: str) -> str:
    """The size of a type as a constant expression: where a second one of an array would begin."""
    return f"ptrtoint (ptr getelementptr ({kind}, ptr null, i64 1) to i64)"


def _type_at(text: str) -> str:
    """The type that `text` begins with: up to the blank or comma outside all brackets."""
    open_brackets: list[str] = []
    for position, character in enumerate(text):
        if character in _BRACKETS:
            open_brackets.append(_BRACKETS[character])
        elif open_brackets and character == open_brackets[-1]:
            open_brackets.pop()
        elif not open_brackets and character in " ,":
            return text[:position]
    return text
