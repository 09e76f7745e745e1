"""`npu-workbench new NAME`: a kernel with its spec and design, which pass as they are."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import string
import sys
from collections.abc import Mapping
from pathlib import Path

from workbench.errors import ExitCode, UsageError
from workbench.loop.target import PROJECT_MARKS, project_of
from workbench.paths import shown

TEMPLATES = Path(__file__).with_name("templates")

FILES: Mapping[str, str] = {
    "kernels/{}.c": "kernel.c",
    "kernels/{}.py": "spec.py",
    "mlir/{}.mlir": "design.mlir",
}
"""What is written, from the current folder, and the template that each is made from."""

SETTINGS = "npu-workbench.toml"
"""Written where no project is: it makes the folder one, so that what is generated goes there."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def new(name: str) -> int:
    """Write the files of a new kernel, print their paths, and say how to go on.

    Raises UsageError for a name that won't do, and where one of the files exists or can't be
    written; then nothing is written.
    """
    written = write_kernel(name, Path.cwd())
    print(*map(shown, written), sep="\n", flush=True)
    kernel = shown(written[0])
    print(
        "A kernel, its spec (what it promises) and its design, which pass as they are.",
        f"npu-workbench {kernel}        watches them: edit one, save, and see",
        f"npu-workbench check {kernel}  runs once",
        sep="\n",
        file=sys.stderr,
    )
    return ExitCode.PASS


def write_kernel(name: str, folder: Path) -> list[Path]:
    """Write a new kernel's files into a folder; returns their paths, the kernel's first.

    Raises UsageError as `new` does.
    """
    _check_name(name)
    texts = {folder / path.format(name): _text(template, name) for path, template in FILES.items()}
    project = project_of(folder / "any")
    if not any((project / mark).exists() for mark in PROJECT_MARKS):
        texts[folder / SETTINGS] = _text(SETTINGS, name)
    for path in texts:
        if os.path.lexists(path):
            raise UsageError(
                "this exists, and new overwrites nothing",
                where=shown(path),
                hint="take another name, or move the file away",
            )
    written: list[Path] = []
    for path, text in texts.items():
        try:
            path.parent.mkdir(exist_ok=True)
            with open(path, "x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
        except OSError as error:
            for done in written:
                with contextlib.suppress(OSError):
                    done.unlink()
            raise UsageError(f"can't be written: {error.strerror}", where=shown(path)) from error
    return written


def _text(template: str, name: str) -> str:
    text = (TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
    return string.Template(text).substitute(name=name)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        better = re.sub(r"[^A-Za-z0-9_]+", "_", Path(name).stem).strip("_")
        hint = "use letters, digits and _, and begin with a letter"
        if _NAME.fullmatch(better):
            hint += f": {better}, for example"
        raise UsageError(f"a kernel can't be called {name!r}", hint=hint)
    # Specs import each other by name, from their own folder first.
    if importlib.util.find_spec(name) is not None:
        raise UsageError(
            f"a kernel can't be called {name!r}",
            hint=f"Python has a module {name}, which the spec {name}.py would hide",
        )
