"""Enough of a design's text to play aiecc: cores, stacks, links, calls, buffers."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COMMENT = re.compile(r"//[^\n]*")
_TILE = re.compile(r"(%[\w-]+) = aie\.tile\((\d+), (\d+)\)")
_CORE = re.compile(r"aie\.core\((%[\w-]+)\)\s*\{(.*?)aie\.end\s*\}\s*(?:\{([^}]*)\})?", re.DOTALL)
_FUNCTION = re.compile(r"func\.func private @(\w+)\([^)]*\)(?:\s*attributes\s*\{([^}]*)\})?")
_LINK = re.compile(r'link_with = "([^"]+)"')
_FIFO = re.compile(r"aie\.objectfifo @(\w+)\([^:]*?, (\d+) : i32\).*?memref<(\d+)xi(\d+)>")


@dataclass(frozen=True)
class Core:
    column: int
    row: int
    stack: int
    stack_given: bool
    calls: tuple[str, ...]
    links: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Read:
    device: str
    target: str
    cores: tuple[Core, ...]
    buffers: int
    """Bytes of all FIFOs' objects in a core's memory."""
    sequences: tuple[str, ...]
    old_spelling: bool
    core_links: bool


def read(text: str) -> Read:
    bare = _COMMENT.sub("", text)
    device = re.search(r"aie\.device\((\w+)\)(?:\s*@(\w+))?", bare)
    assert device is not None
    tiles = {m[1]: (int(m[2]), int(m[3])) for m in _TILE.finditer(bare)}
    links = {m[1]: link[1] for m in _FUNCTION.finditer(bare) if (link := _LINK.search(m[2] or ""))}
    cores = []
    for match in _CORE.finditer(bare):
        calls = tuple(dict.fromkeys(re.findall(r"func\.call @(\w+)", match[2])))
        attributes = match[3] or ""
        stack = re.search(r"stack_size = (\d+)", attributes)
        own = _LINK.search(attributes)
        files = [own[1]] if own else [links[name] for name in calls if name in links]
        line = bare.count("\n", 0, match.start()) + 1
        cores.append(
            Core(
                *tiles[match[1]],
                int(stack[1]) if stack else 1024,
                stack is not None,
                calls,
                tuple(dict.fromkeys(files)),
                line,
            )
        )
    buffers = sum(int(m[2]) * int(m[3]) * int(m[4]) // 8 for m in _FIFO.finditer(bare))
    names = re.findall(r"aiex?\.runtime_sequence\s*(?:@(\w+))?\(", bare)
    return Read(
        device[2] or "main",
        device[1],
        tuple(cores),
        buffers,
        tuple(name or "sequence" for name in names),
        "aiex.runtime_sequence" in bare,
        any(_LINK.search(m[3] or "") for m in _CORE.finditer(bare)),
    )
