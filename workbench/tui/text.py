"""Glyphs, colours and cells of the screen; each meaning has a word or glyph beside its colour.

Text from outside enters through `clean` and only ever becomes `Content`, never markup.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from textual.content import Content

from workbench.build.diagnostics import strip_ansi
from workbench.loop.change import MetricChange
from workbench.loop.view import Phase

STYLE_VARIABLES: Mapping[str, str] = {
    "wb-pass": "success",
    "wb-fail": "error",
    "wb-warn": "warning",
    "wb-busy": "primary",
    "wb-model": "secondary",
    "wb-npu": "accent",
}
"""Our own theme variables and the theme's colours they are unless a theme says otherwise."""

PHASE_GLYPHS: Mapping[Phase, str] = {
    Phase.STARTING: "…",
    Phase.WAITING: "…",
    Phase.RUNNING: "▶",
    Phase.PASS: "✓",
    Phase.FAIL: "✗",
    Phase.BUILD_FAILED: "✗",
    Phase.CRASH: "✗",
    Phase.HANG: "✗",
    Phase.DEADLOCK: "✗",
    Phase.NO_DEVICE: "∅",
    Phase.ERROR: "✗",
    Phase.CANCELLED: "■",
    Phase.MISSING: "∅",
}

_BUSY = {Phase.STARTING, Phase.WAITING, Phase.RUNNING}

STEP_GLYPHS: Mapping[str, str] = {
    "pending": "·",
    "running": "▶",
    "ok": "✓",
    "failed": "✗",
    "skipped": "–",
    "cached": "✓",
}

STEP_STYLES: Mapping[str, str] = {
    "pending": "dim",
    "running": "$wb-busy bold",
    "ok": "$wb-pass",
    "failed": "$wb-fail bold",
    "skipped": "dim",
    "cached": "$wb-pass",
}

SEVERITY_GLYPHS: Mapping[str, str] = {"error": "✗", "warning": "~", "info": "i"}
SEVERITY_STYLES: Mapping[str, str] = {
    "error": "$wb-fail",
    "warning": "$wb-warn",
    "info": "$wb-busy",
}

BASELINE = "◆"

CHANGE_WORDS: Mapping[str, str] = {
    "better": "better",
    "worse": "worse",
    "same": "=",
    "unknown": "?",
}
CHANGE_STYLES: Mapping[str, str] = {
    "better": "$wb-pass",
    "worse": "$wb-fail",
    "same": "dim",
    "unknown": "$wb-warn",
}


def change_part(change: MetricChange) -> tuple[str, str]:
    """Whether a metric is better or worse and by how much, and the style for it."""
    told = f" {CHANGE_WORDS[change.direction]} {change.size}".rstrip()
    return told, CHANGE_STYLES[change.direction]


def phase_color(phase: Phase) -> str:
    """The colour of a state's badge."""
    if phase is Phase.PASS:
        return "$wb-pass"
    if phase in _BUSY:
        return "$wb-busy"
    return "$wb-warn" if phase is Phase.CANCELLED else "$wb-fail"


def clean(text: str) -> str:
    """Text from outside as one line without control characters."""
    return strip_ansi(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def badge(text: str, color: str) -> Content:
    """A word that stands out; it says what it says without the colour too."""
    return Content.styled(f" {text} ", f"bold auto on {color}")


def cell_text(value: float, width: int, *, whole: bool, signed: bool = False) -> str:
    """An element in at most `width` cells; `whole` when all elements are whole numbers."""
    sign = "+" if signed and value > 0 else ""
    if math.isnan(value):
        return "nan"[:width]
    if math.isinf(value):
        return ("-inf" if value < 0 else f"{sign}inf")[:width]
    if whole:
        text = f"{sign}{value:.0f}"
        return text if len(text) <= width else _shortest(value, sign, width)
    return _shortest(value, sign, width)


def _shortest(value: float, sign: str, width: int) -> str:
    """The most digits of `value` that fit; '#' where none do."""
    for digits in range(6, 0, -1):
        text = f"{sign}{value:.{digits}g}".replace("e+0", "e").replace("e-0", "e-")
        text = text.replace("e+", "e")
        if len(text) <= width:
            return text
    return "#" * width
