"""Macros of a kernel that choose between two ways of doing something, as its source has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import UsageError
from workbench.loop.target import shown


@dataclass(frozen=True, slots=True)
class Switch:
    """A macro, its value as the source is compiled without a word about it, and the other one."""

    name: str
    as_is: str
    other: str


def find_switch(name: str, source: Path) -> Switch | None:
    """The switch of this name in `source`; None when the source doesn't know it.

    A source gives the value by `#ifndef NAME`, `#define NAME 1`, `#endif`; else the switch is off.
    UsageError when it defines the macro whatever the command line says.
    """
    lines = source.read_text(errors="replace").splitlines()
    word = re.escape(name)
    define = re.compile(rf"^\s*#\s*define\s+{word}\b[ \t]*(?P<value>\w*)")
    guard = re.compile(rf"^\s*#\s*if(?:ndef\s+|\s*!\s*defined\s*\(?\s*){word}\b")
    tested = re.compile(rf"^\s*#\s*(?:el)?if(?:n?def)?\b.*\b{word}\b")
    for number, line in enumerate(lines):
        if found := define.match(line):
            before = next((above for above in reversed(lines[:number]) if above.strip()), "")
            if not guard.match(before):
                raise UsageError(
                    f"the switch {name} is defined whatever the command line says",
                    where=f"{shown(source)}:{number + 1}",
                    hint=f"put #ifndef {name} and #endif around its #define",
                )
            return Switch(name, found["value"] or "1", "0" if _is_on(found["value"]) else "1")
    return Switch(name, "0", "1") if any(map(tested.match, lines)) else None


def _is_on(value: str) -> bool:
    return value != "0"
