"""Source text with the colours of its language. Slow to import and to run: not for the loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pygments.lexer import RegexLexer
from pygments.lexers import get_lexer_for_filename
from pygments.token import Comment, Keyword, Literal, Name, Number, Punctuation, String, Text
from pygments.util import ClassNotFound
from textual.content import Content, Span

STYLES: Mapping[Any, str] = {
    Comment: "italic dim",
    Comment.Preproc: "$secondary",
    Keyword: "$primary bold",
    Keyword.Type: "$primary",
    Name.Function: "bold",
    Name.Class: "bold",
    Name.Decorator: "$secondary",
    Literal: "$accent",
    String: "$secondary",
    Number: "$accent",
}
"""None of them has a meaning of ours: an error is never just a colour of the text."""


class MlirLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """MLIR, as far as colours go (mlir.llvm.org/docs/LangRef)."""

    name = "MLIR"
    tokens: ClassVar[Any] = {
        "root": [
            (r"//.*", Comment.Single),
            (r'"(?:[^"\\\n]|\\.)*"', String),
            (r"@[\w.$-]+", Name.Function),
            (r"[%^][\w.$#-]+", Name.Variable),
            (r"#[\w.$-]+", Name.Decorator),
            (r"![\w.$-]+", Keyword.Type),
            (r"\b(?:memref|tensor|vector|index|none|[su]?i\d+|b?f\d+)\b", Keyword.Type),
            (r"\b(?:true|false|dense|unit|loc|to|step|iter_args|attributes)\b", Keyword),
            (r"\b[a-z_]\w*(?:\.\w+)+", Keyword),
            (r"-?\b0x[0-9a-fA-F]+\b", Number),
            (r"(?:\b|(?<=x))(?:\d+|\?)x", Number),
            (r"(?<=[\d?]x)(?:[su]?i\d+|b?f\d+)\b", Keyword.Type),
            (r"-?\b\d+(?:\.\d*)?(?:[eE][-+]?\d+)?\b", Number),
            (r"[A-Za-z_]\w*", Name),
            (r"[^\S\n]+|\n", Text),
            (r".", Punctuation),
        ]
    }


def highlighted(lines: Sequence[str], name: str) -> tuple[Content, ...]:
    """The lines of a file of this name; plain ones where nobody knows its language."""
    spans: list[list[Span]] = [[] for _ in lines]
    number = column = 0
    for kind, token in _lexer(name).get_tokens("\n".join(lines)):
        style = _style(kind)
        for index, part in enumerate(token.split("\n")):
            if index:
                number, column = number + 1, 0
            if part and style and number < len(lines):
                spans[number].append(Span(column, column + len(part), style))
            column += len(part)
    return tuple(Content(text, own) for text, own in zip(lines, spans, strict=True))


def _lexer(name: str) -> Any:
    options = {"stripnl": False, "ensurenl": False}
    if name.endswith(".mlir"):
        return MlirLexer(**options)
    try:
        return get_lexer_for_filename(name, **options)
    except ClassNotFound:
        return get_lexer_for_filename("plain.txt", **options)


def _style(kind: Any) -> str:
    while kind is not None:
        if kind in STYLES:
            return STYLES[kind]
        kind = kind.parent
    return ""
