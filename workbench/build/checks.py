"""Checks of a kernel's arithmetic, by rewriting the LLVM IR of clang's UBSan.

clang puts a check before each operation that may go wrong, and a call of a handler where one fails;
what the program said (places, types, implicit conversions) stands in the data of that call. The
handlers are ours: they and every check that is passed count in a table, print nothing, and go on.
So each failure has its share of evaluations, and no runtime library is needed.

UBSan takes an explicit cast for intended, which is how a wrapped difference hides best. So the
truncations of casts to signed types get a check of our own; a cast to an unsigned type is how C
says that wrapping is meant.

What this leaves out: casts inside macros and to types of template parameters; in C++, where C++20
defines it, the bits that a left shift loses.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from workbench.build.debug import DebugInfo, Place, unescaped
from workbench.design.checked import Check, CheckHit, CType
from workbench.exports import TABLE, TABLE_BYTES

UBSAN = (
    "-fsanitize=signed-integer-overflow,integer-divide-by-zero,float-divide-by-zero,shift,"
    "array-bounds,float-cast-overflow,implicit-integer-truncation,null,alignment,object-size",
    "-fsanitize-recover=all",
)
"""What is checked. Unsigned arithmetic wraps by intention, and so do changes of sign alone."""

_ENTRY = struct.Struct("<5Q")
"""Of a check: evaluations, failures, operands of the first failure, and its turn among all first
failures; 64 bits each."""

_DATA = re.compile(
    r"^@(?P<name>\d+) = \S+ unnamed_addr global \{.*?\} \{ \{ ptr, i32, i32 \} "
    r"\{ ptr (?P<file>@[\w.]+), i32 (?P<line>\d+), i32 (?P<column>\d+) \}(?P<rest>.*) \}"
)
_TYPE = re.compile(
    r"^@(?P<name>\d+) = .* \{ i16 (?P<kind>-?\d+), i16 (?P<info>\d+), "
    r"\[\d+ x i8\] c\"(?P<text>.*)\""
)
_STRING = re.compile(r"^(?P<name>@\.[\w.]+) = .* c\"(?P<text>.*)\\00\"")
_DROPPED = ("    #dbg_", "  call void @llvm.dbg.", "declare void @__ubsan_")
_LABEL = re.compile(r"^(?P<label>[\w.$-]+):")
_HANDLER = re.compile(
    r"^  call void @__ubsan_handle_(?P<check>\w+)\(ptr @(?P<data>\d+), (?P<rest>.*)$"
)
_BRANCH = re.compile(
    r"^  br i1 .*, label %(?P<yes>[\w.$-]+), label %(?P<no>[\w.$-]+),.*!nosanitize"
)
_TRUNC = re.compile(
    r"^  (?P<after>%\S+) = trunc (?:n[us]w )*i(?P<wide>\d+) (?P<before>\S+) to i(?P<narrow>\d+),"
)
_CAST = r"\(\s*([A-Za-z_][\w:\s]*?)\s*\)"
_CAST_HERE = re.compile(_CAST)
_CAST_BEFORE = re.compile(
    rf"(?:{_CAST}|static_cast\s*<\s*([A-Za-z_][\w:\s]*?)\s*>\s*\(|\b([A-Za-z_][\w:]*)\s*[({{])\s*$"
)
_DEBUG = re.compile(r", !dbg !\d+| !dbg !\d+(?= )")
# "Dynamic": the size is worked out by the program, so that an index needn't be a constant.
_STATIC_SIZE = re.compile(r"(@llvm\.objectsize\.[\w.]+\(ptr [^,]+, i1 \w+, i1 \w+, )i1 false\)")
_OPERANDS = re.compile(r"i64 ((?:[^,()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)")

# Volatile: an optimiser drops what leads to certain undefined behaviour, but not that.
_RUNTIME = f"""
@workbench.turns = internal global i64 0
define internal void @workbench.evaluated(i64 %check) alwaysinline {{
  %table = load ptr, ptr @{TABLE}
  %entry = getelementptr [5 x i64], ptr %table, i64 %check
  %count = load i64, ptr %entry
  %more = add i64 %count, 1
  store volatile i64 %more, ptr %entry
  ret void
}}
define internal void @workbench.failed(i64 %check, i64 %a, i64 %b) noinline cold {{
  %table = load ptr, ptr @{TABLE}
  %hits = getelementptr [5 x i64], ptr %table, i64 %check, i64 1
  %count = load i64, ptr %hits
  %more = add i64 %count, 1
  store volatile i64 %more, ptr %hits
  %first = icmp eq i64 %count, 0
  br i1 %first, label %keep, label %done
keep:
  %at.a = getelementptr [5 x i64], ptr %table, i64 %check, i64 2
  store volatile i64 %a, ptr %at.a
  %at.b = getelementptr [5 x i64], ptr %table, i64 %check, i64 3
  store volatile i64 %b, ptr %at.b
  %at.turn = getelementptr [5 x i64], ptr %table, i64 %check, i64 4
  %turns = load i64, ptr @workbench.turns
  %turn = add i64 %turns, 1
  store volatile i64 %turn, ptr @workbench.turns
  store volatile i64 %turn, ptr %at.turn
  br label %done
done:
  ret void
}}
define internal void @workbench.cast(i64 %check, i64 %before, i64 %after) alwaysinline {{
  call void @workbench.evaluated(i64 %check)
  %same = icmp eq i64 %before, %after
  br i1 %same, label %done, label %lost
lost:
  call void @workbench.failed(i64 %check, i64 %before, i64 %after)
  br label %done
done:
  ret void
}}
; A left shift of a negative number that loses nothing is undefined in C11, and does what is meant.
define internal void @workbench.shifted(i64 %check, i64 %a, i64 %b, i64 %bits) noinline cold {{
  %spare = sub i64 64, %bits
  %high = shl i64 %a, %spare
  %value = ashr i64 %high, %spare
  %inside = icmp ult i64 %b, %bits
  %by = select i1 %inside, i64 %b, i64 0
  %up = shl i64 %value, %by
  %up.high = shl i64 %up, %spare
  %result = ashr i64 %up.high, %spare
  %back = ashr i64 %result, %by
  %same = icmp eq i64 %back, %value
  %fine = and i1 %inside, %same
  br i1 %fine, label %done, label %lost
lost:
  call void @workbench.failed(i64 %check, i64 %a, i64 %b)
  br label %done
done:
  ret void
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A check in the code; its number is its place in the table."""

    check: Check
    place: Place
    types: tuple[CType, ...]
    alignment: int = 0
    store: bool = False


def with_checks(text: str, source: str) -> tuple[str, tuple[Site, ...]]:
    """`text`, LLVM IR that clang made of `source` with `UBSAN` and -g, counting in the table.

    Its debug information is left out. The file that an explicit cast stands in is read again.
    """
    return _Rewriter(text, source).rewritten()


def read_table(sites: tuple[Site, ...], tables: Iterable[bytes]) -> tuple[CheckHit, ...]:
    """The checks that failed, from the tables of all libraries of one build, as they came to.

    Instances of one check (a template's, those of several cores) are added up. A table that isn't
    as long as it should be is that of a process killed before it had begun.
    """
    merged: dict[Site, list[int]] = {}
    for table in tables:
        if len(table) != _ENTRY.size * len(sites):
            continue
        for site, entry in zip(sites, _ENTRY.iter_unpack(table), strict=True):
            evaluations, hits, *first = entry
            total = merged.setdefault(site, [0, 0, *first])
            if hits and (not total[1] or first[-1] < total[-1]):
                total[2:] = first
            total[0] += evaluations
            total[1] += hits
    failed = [(site, total) for site, total in merged.items() if total[1]]
    return tuple(
        CheckHit(
            site.check,
            site.place.file,
            site.place.line,
            site.place.column,
            site.types,
            _values(site, a, b),
            hits,
            evaluations,
        )
        for site, (evaluations, hits, a, b, _) in sorted(failed, key=lambda item: item[1][-1])
    )


def _values(site: Site, a: int, b: int) -> tuple[int | float, ...]:
    first = site.types[0]
    match site.check:
        case "type_mismatch_v1":
            return a, site.alignment, int(site.store)
        case "out_of_bounds":
            return (_value(site.types[1], a),)
        case "float_cast_overflow" | "negate_overflow":
            return (_value(first, a),)
        case "implicit_conversion" | "explicit_conversion" | "shift_out_of_bounds":
            return _value(first, a), _value(site.types[1], b)
        case _:
            return _value(first, a), _value(first, b)


def _value(kind: CType, bits: int) -> int | float:
    """An operand from its low bits, as UBSan passes it."""
    if kind.kind == "float":
        if kind.bits == 16:
            wide = struct.pack("<I", (bits & 0xFFFF) << 16)
            half = struct.pack("<H", bits & 0xFFFF)
            number = struct.unpack("<f", wide) if "bf" in kind.name else struct.unpack("<e", half)
        elif kind.bits == 32:
            number = struct.unpack("<f", struct.pack("<I", bits & 0xFFFFFFFF))
        else:
            number = struct.unpack("<d", struct.pack("<Q", bits))
        return float(number[0])
    value = bits & ((1 << kind.bits) - 1)
    return value - (1 << kind.bits) if kind.kind == "int" and value > kind.high else value


class _Rewriter:
    def __init__(self, text: str, source: str) -> None:
        self._lines = text.splitlines()
        self._debug = DebugInfo(text, source)
        self._sites: list[Site] = []
        self._by_data: dict[str, int] = {}
        self._data: dict[str, re.Match[str]] = {}
        self._types: dict[str, CType] = {}
        self._strings: dict[str, str] = {}
        self._sources: dict[str, list[bytes]] = {}

    def rewritten(self) -> tuple[str, tuple[Site, ...]]:
        for line in self._lines:
            if line.startswith("@"):
                self._constant(line)
        handlers: dict[str, int] = {}
        lines: list[str] = []
        for start, line in enumerate(self._lines):
            if line.startswith("define "):
                handlers = self._handlers(start)
            if not line.startswith(_DROPPED):
                lines += (_DEBUG.sub("", new) for new in self._line(line, handlers))
        size = _ENTRY.size * len(self._sites)
        lines += (
            f"@{TABLE}.own = internal global [{size} x i8] zeroinitializer, align 8",
            f"@{TABLE} = global ptr @{TABLE}.own",
            f"@{TABLE_BYTES} = constant i64 {size}",
            _RUNTIME,
        )
        return "\n".join(lines), tuple(self._sites)

    def _constant(self, line: str) -> None:
        if match := _TYPE.match(line):
            self._types[match["name"]] = _type(match)
        elif match := _STRING.match(line):
            self._strings[match["name"]] = unescaped(match["text"])
        elif match := _DATA.match(line):
            self._data[match["name"]] = match

    def _handlers(self, start: int) -> dict[str, int]:
        """The blocks of the function at line `start` that a failed check leads to, by label."""
        found: dict[str, int] = {}
        label = ""
        for line in self._lines[start:]:
            if line == "}":
                break
            if match := _LABEL.match(line):
                label = match["label"]
            elif (match := _HANDLER.match(line)) and (site := self._site(match)) is not None:
                found[label] = site
        return found

    def _line(self, line: str, handlers: dict[str, int]) -> Iterator[str]:
        """What stands in `line`'s place."""
        if match := _HANDLER.match(line):
            site = self._site(match)
            if site is not None:
                yield _failed(site, self._sites[site], match["rest"])
            return
        if match := _BRANCH.match(line):
            for label in {match["yes"], match["no"]} & handlers.keys():
                yield f"  call void @workbench.evaluated(i64 {handlers[label]})"
        yield _STATIC_SIZE.sub(r"\1i1 true)", line)
        if (match := _TRUNC.match(line)) and "!nosanitize" not in line:
            yield from self._cast(match)

    def _site(self, match: re.Match[str]) -> int | None:
        """The number of the check whose handler is called; None for what isn't looked at."""
        name, data = match["data"], self._data.get(match["data"])
        if name in self._by_data:
            return self._by_data[name]
        if data is None or match["check"] not in get_args(Check):
            return None
        names = re.findall(r", ptr @(\d+)", data["rest"])
        types = tuple(self._types.get(t, CType("?", "other")) for t in names)
        if any(t.bits > 64 for t in types):  # passed by address
            return None
        place = Place(self._strings.get(data["file"], "?"), int(data["line"]), int(data["column"]))
        check: Check = match["check"]  # type: ignore[assignment]
        if check == "type_mismatch_v1":
            alignment, kind = re.findall(r", i8 (\d+)", data["rest"])
            site = Site(check, place, types, 1 << int(alignment), kind == "1")
        else:
            site = Site(check, place, types)
        self._by_data[name] = self._add(site)
        return self._by_data[name]

    def _add(self, site: Site) -> int:
        self._sites.append(site)
        return len(self._sites) - 1

    def _cast(self, match: re.Match[str]) -> Iterator[str]:
        """A check of what an explicit cast to a signed type cuts off."""
        place = self._debug.place(match.string)
        bits = int(match["narrow"])
        if place is None or int(match["wide"]) > 64:
            return
        names = (n for n in self._casts_at(place) if self._debug.integer(n) == (bits, True))
        if (name := next(names, None)) is None:
            return
        wide = int(match["wide"])
        types = (CType(f"{wide}-bit value", "int", wide), CType(name, "int", bits))
        number = self._add(Site("explicit_conversion", place, types))
        before, after = (f"%workbench.{number}.{end}" for end in ("before", "after"))
        yield f"  {before} = {_extended(match['before'], wide)}"
        yield f"  {after} = {_extended(match['after'], bits)}"
        yield f"  call void @workbench.cast(i64 {number}, i64 {before}, i64 {after})"

    def _casts_at(self, place: Place) -> Iterator[str]:
        """Names in the source that may be the type of the cast at this place."""
        if place.file not in self._sources:
            try:
                self._sources[place.file] = Path(place.file).read_bytes().splitlines()
            except OSError:
                self._sources[place.file] = []
        lines = self._sources[place.file]
        if not 0 < place.line <= len(lines):
            return
        line = lines[place.line - 1]
        before, here = line[: place.column - 1], line[place.column - 1 :]
        # In C the place is the cast's, in C++ that of what is cast.
        for match in (
            _CAST_HERE.match(here.decode(errors="replace")),
            _CAST_BEFORE.search(before.decode(errors="replace")),
        ):
            for name in match.groups() if match else ():
                words = (name or "").replace("std::", "").split()
                yield " ".join(word for word in words if word != "const")


def _failed(number: int, site: Site, rest: str) -> str:
    a, b = (*(match[1] for match in _OPERANDS.finditer(rest)), "0")[:2]
    if site.check == "shift_out_of_bounds" and site.types[0].kind == "int":
        bits = site.types[0].bits
        return f"  call void @workbench.shifted(i64 {number}, i64 {a}, i64 {b}, i64 {bits})"
    return f"  call void @workbench.failed(i64 {number}, i64 {a}, i64 {b})"


def _extended(value: str, bits: int) -> str:
    return f"add i64 0, {value}" if bits == 64 else f"sext i{bits} {value} to i64"


def _type(match: re.Match[str]) -> CType:
    """A type as UBSan describes it: an integer's info is twice log2 of its bits, plus its sign."""
    quoted = unescaped(match["text"]).split("'")[1]
    name = " ".join(word for word in quoted.split() if word not in ("const", "volatile"))
    info = int(match["info"])
    match int(match["kind"]):
        case 0:
            return CType(name, "int" if info & 1 else "uint", 1 << (info >> 1))
        case 1:
            return CType(name, "float", info)
        case _:
            return CType(name, "other")
