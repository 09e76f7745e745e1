"""What the app must never do, looked for in its source and in a fresh interpreter."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import workbench.tui

SOURCES = sorted(Path(workbench.tui.__path__[0]).glob("*.py"))
TAKES_MARKUP = {"Static", "Label", "Button", "notify", "from_markup", "render_str", "Tooltip"}
TITLES = {"border_title", "border_subtitle", "tooltip", "title", "sub_title"}


def markup_in(source: str) -> Iterator[str]:
    """Calls and assignments through which a string would be parsed as markup."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            off = any(
                k.arg == "markup" and isinstance(k.value, ast.Constant) and k.value.value is False
                for k in node.keywords
            )
            if name in TAKES_MARKUP and not off:
                yield f"line {node.lineno}: {name}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                is_title = isinstance(target, ast.Attribute) and target.attr in TITLES
                if is_title and isinstance(node.value, ast.Constant | ast.JoinedStr | ast.BinOp):
                    yield f"line {node.lineno}: {ast.unparse(target)}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_no_text_is_parsed_as_markup(path: Path) -> None:
    assert list(markup_in(path.read_text())) == []


@pytest.mark.parametrize(
    "source", ["Static(x)", "app.notify(f'{x}')", "w.border_title = f'{x}'", "Label(x, markup=y)"]
)
def test_markup_would_be_found(source: str) -> None:
    assert len(list(markup_in(source))) == 1


def test_nothing_heavy_is_imported_before_the_first_paint() -> None:
    heavy = ("numpy", "xdsl", "torch", "pygments", "watchdog", "workbench.loop.engine")
    code = (
        "import sys, workbench.cli, workbench.tui.app\n"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_engine_brings_no_torch_and_no_xdsl_into_the_process() -> None:
    code = (
        "import sys, workbench.tui.app as app; app.load_engine()\n"
        "print([m for m in ('torch', 'xdsl') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
