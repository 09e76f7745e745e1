"""The freestanding lint: what a kernel needs that a core doesn't have, or has only as slow calls.

It looks at LLVM IR for the host and names the functions of the C library and of compiler-rt that
Peano would call for it; what these mean on a core says `aie.symbols`, as for a real object.

What it can't see: 64-bit multiplications, which on the host are those of array indexes too; `long`,
which has 64 bits on the host and 32 on a core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench import manifest
from workbench.build.aie.concern import Concern
from workbench.build.aie.symbols import explain_undefined
from workbench.build.clang import Clang
from workbench.build.debug import DebugInfo
from workbench.build.kernel import run_quietly

_DEFINE = re.compile(r"^define .*?@(?P<name>\"[^\"]*\"|[\w.$-]+)\(")
_CALL = re.compile(r"\b(?:call|invoke) .*?@(?P<name>\"[^\"]*\"|[\w.$-]+)\(")
_OPERATION = re.compile(r"^  (?:%\S+ = )?(?P<name>[a-z]+) (?P<rest>.*)")
_SCALAR = re.compile(r"(?:[a-z]+ )*(?P<type>i\d+|float|double) ")
_CONVERSION = re.compile(
    r"(?:[a-z]+ )*(?P<from>i\d+|float|double) \S+ to (?P<to>i\d+|float|double)\b"
)
_LIBM = re.compile(r"llvm\.(?P<name>\w+)\.(?:i\d+\.)?(?P<type>f32|f64)")
_DIVISOR = re.compile(r"i64 \S+, (?P<value>\d+)")

_DIVISIONS = {"sdiv": "__divdi3", "udiv": "__udivdi3", "srem": "__moddi3", "urem": "__umoddi3"}
_ARITHMETIC = {"fadd": "add", "fsub": "sub", "fmul": "mul", "fdiv": "div"}
_WITHOUT_CALL = frozenset(("fabs", "copysign"))
"""Of LLVM's float intrinsics: those that only touch the sign."""

_RENAMED = {"minnum": "fmin", "maxnum": "fmax"}
"""LLVM's names of functions that C calls otherwise."""


async def lint_kernel(
    source: str,
    clang: Clang,
    cache: Path,
    limit_s: float,
    defines: tuple[str, ...] = (),
) -> tuple[Concern, ...]:
    """What of `source` a core would have trouble with, one concern a kind.

    Raises BuildError, in the compiler's first words, when it can't be compiled.
    """
    with manifest.new_folder(cache / "lint", "kernel") as folder:
        text, dependencies = folder / "kernel.ll", folder / "kernel.d"
        command = clang.compile_command(source, text, dependencies, defines, ("-w",))
        await run_quietly(command, source, limit_s)
        return freestanding_concerns(text.read_text(), source)


def freestanding_concerns(text: str, source: str) -> tuple[Concern, ...]:
    """The concerns of a module, optimised LLVM IR of `source` with places."""
    code = _Code(text, source)
    return (*_calls(code.calls), *_recursions(code))


@dataclass(slots=True)
class _Use:
    """A function that would be called: where first, and at how many places."""

    where: str
    count: int = 0


@dataclass(slots=True)
class _Function:
    calls: dict[str, str] = field(default_factory=dict)
    """Functions called, and where."""


class _Code:
    def __init__(self, text: str, source: str) -> None:
        debug = DebugInfo(text, source)
        self.functions: dict[str, _Function] = {}
        self.calls: dict[str, _Use] = {}
        current = _Function()
        for line in text.splitlines():
            if match := _DEFINE.match(line):
                current = self.functions[match["name"].strip('"')] = _Function()
            if not line.startswith("  "):
                continue
            for name in _needed(line):
                place = debug.place(line)
                where = f"{place.file}:{place.line}" if place else source
                current.calls.setdefault(name, where)
                self.calls.setdefault(name, _Use(where)).count += 1
        for name in self.functions:
            self.calls.pop(name, None)


def _needed(line: str) -> Iterator[str]:
    """The functions that an instruction is, or becomes on a core, a call of."""
    if match := _CALL.search(line):
        name = match["name"].strip('"')
        if not name.startswith("llvm."):
            yield name
        elif libm := _LIBM.match(name):
            yield from _intrinsic(libm["name"], libm["type"])
    elif match := _OPERATION.match(line):
        yield from _operation(match["name"], match["rest"])


def _intrinsic(name: str, kind: str) -> Iterator[str]:
    if name == "fmuladd":
        letters = "sf" if kind == "f32" else "df"
        yield from (f"__mul{letters}3", f"__add{letters}3")
    elif name not in _WITHOUT_CALL:
        yield _RENAMED.get(name, name) + ("f" if kind == "f32" else "")


def _operation(name: str, rest: str) -> Iterator[str]:
    if match := _CONVERSION.match(rest):
        yield from _conversion(name, match["from"], match["to"])
        return
    match = _SCALAR.match(rest)
    if match is None:
        return
    kind = match["type"]
    letters = {"float": "sf", "double": "df"}.get(kind)
    if name in _DIVISIONS and kind == "i64":
        if not _shifts(rest):
            yield _DIVISIONS[name]
    elif letters and name in _ARITHMETIC:
        yield f"__{_ARITHMETIC[name]}{letters}3"
    elif letters and name == "fcmp":
        yield f"__le{letters}2"
    elif letters and name == "frem":
        yield "fmodf" if kind == "float" else "fmod"


def _shifts(division: str) -> bool:
    """Whether a division is one by a power of two, or exact: the way to subtract pointers."""
    divisor = _DIVISOR.search(division)
    return division.startswith("exact ") or (
        divisor is not None and int(divisor["value"]).bit_count() == 1
    )


def _conversion(name: str, source: str, target: str) -> Iterator[str]:
    """compiler-rt's name of a conversion: `fix` to integers, `float` from them."""
    letters = {"float": "sf", "double": "df", "i64": "di"}
    a, b = letters.get(source, "si"), letters.get(target, "si")
    match name:
        case "fptosi":
            yield f"__fix{a}{b}"
        case "fptoui":
            yield f"__fixuns{a}{b}"
        case "sitofp":
            yield f"__float{a}{b}"
        case "uitofp":
            yield f"__floatun{a}{b}"
        case "fpext":
            yield f"__extend{a}{b}2"
        case "fptrunc":
            yield f"__trunc{a}{b}2"


def _calls(uses: dict[str, _Use]) -> Iterator[Concern]:
    """One concern for all functions that mean the same on a core."""
    kinds: dict[str, list[str]] = {}
    for name in uses:
        if (explained := explain_undefined(name)) is not None:
            kinds.setdefault(explained[2], []).append(name)
    for hint, names in kinds.items():
        explained = explain_undefined(names[0])
        assert explained is not None
        severity, message, _ = explained
        others = f" (also {', '.join(names[1:])})" if names[1:] else ""
        yield Concern(
            "freestanding",
            # What the link says is certain, what it would say is not.
            "warning" if severity == "error" else severity,
            message + others,
            hint,
            uses[names[0]].where,
            {"functions": names, "places": sum(uses[name].count for name in names)},
        )


def _recursions(code: _Code) -> Iterator[Concern]:
    """The first way back to itself from any function."""
    for name in code.functions:
        way = _way_back(code, name)
        if way:
            yield Concern(
                "freestanding",
                "warning",
                f"{name} calls itself ({' → '.join(way)}): each call takes stack, of which a core "
                "has 1 KB unless the design says otherwise, and nothing guards it",
                "write it as a loop",
                code.functions[name].calls[way[1]],
                {"functions": way[:-1]},
            )
            return


def _way_back(code: _Code, start: str) -> list[str]:
    """The shortest chain of calls from a function to itself; empty when there is none."""
    ways = [[start]]
    seen = set()
    while ways:
        way = ways.pop(0)
        for callee in code.functions[way[-1]].calls:
            if callee == start:
                return [*way, callee]
            if callee in code.functions and callee not in seen:
                seen.add(callee)
                ways.append([*way, callee])
    return []
