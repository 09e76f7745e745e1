"""Known messages of the NPU's tools: what a line means, and what to do about it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from workbench.build.diagnostics import strip_ansi


@dataclass(frozen=True, slots=True)
class Message:
    """A known message; `source` is the section of the toolchain notes that it is from."""

    id: str
    tool: str
    kind: Literal["benign", "fatal"]
    pattern: re.Pattern[str]
    meaning: str
    mend: str
    source: str
    example: str
    summary: bool = False
    """It only says that something failed, not what."""


@dataclass(frozen=True, slots=True)
class FirstError:
    """The line that says why a tool failed, the tool that said it, and what is known of it."""

    tool: str
    line: str
    message: Message | None = None


@cache
def catalogue() -> tuple[Message, ...]:
    """All known messages, in the order in which they are tried."""
    text = files(__package__).joinpath("messages.toml").read_text(encoding="utf-8")
    entries = tomllib.loads(text)["message"]
    return tuple(Message(**{**e, "pattern": re.compile(e["pattern"])}) for e in entries)


def explain(line: str) -> Message | None:
    """What is known of a line of output; None for nothing."""
    plain = strip_ansi(line)
    return next((message for message in catalogue() if message.pattern.search(plain)), None)


_ERRORS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^ld\.lld: error: "), "ld.lld"),
    (re.compile(r"^\S+\.mlir:\d+:(?:\d+:)? error: "), "aie-opt"),
    (re.compile(r"^(?:opt|llc)\S*: (?:\S+: )?error: "), "opt"),
    (re.compile(r"^\[AIE ERROR\]"), "CDO"),
    (re.compile(r"^\[ERROR\]"), "bootgen"),
    (re.compile(r"^(?:clang|clang\+\+|clang-\d+): error: "), "clang"),
    (re.compile(r"^llvm-ar: error: "), "llvm-ar"),
    (re.compile(r"^(?:[^:\s]+:\d+:\d+: )?(?:fatal )?error: "), "clang"),
    (re.compile(r"^aiecc(?:\.py)?: (?:error|unknown)"), "aiecc"),
    (re.compile(r"^\w+(?:Error|Exception)\b.*: "), "python"),
    (re.compile(r"^ERROR: "), "xclbinutil"),
    (re.compile(r"^Error\b"), "aiecc"),
)


def first_error(lines: Iterable[str]) -> FirstError | None:
    """The first line that says why a tool failed: one that only says that it did comes last."""
    fallback: FirstError | None = None
    for raw in lines:
        line = strip_ansi(raw).strip()
        message = explain(line)
        tool = next((tool for pattern, tool in _ERRORS if pattern.search(line)), None)
        if message is not None and message.kind == "benign":
            continue
        if message is None and tool is None:
            continue
        found = FirstError(message.tool if message else tool or "", line, message)
        if message is None or not message.summary:
            return found
        fallback = fallback or found
    return fallback
