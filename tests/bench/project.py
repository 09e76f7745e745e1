"""A copy of the project to save in, and a kernel that is another one at every save."""

from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import time
from pathlib import Path

from workbench.build import find_clang

REPOSITORY = Path(__file__).parents[2]
KERNEL = "kernels/attention.c"
CONSTANT = "LOG2_E = 378194"

_numbers = itertools.count(1)


class Project:
    """The repository's kernels and designs in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        for name in ("kernels", "mlir"):
            shutil.copytree(REPOSITORY / name, folder / name)
        (folder / "pyproject.toml").touch()
        self.folder = folder
        self.kernel = folder / KERNEL
        self._source = self.kernel.read_text()
        assert self._source.count(CONSTANT) == 1

    def next_source(self) -> str:
        """The kernel with a constant that it never had."""
        return self._source.replace(CONSTANT, f"{CONSTANT} + {next(_numbers)}")

    def save(self) -> tuple[float, str]:
        """Save such a kernel in place; when that was, and the hash that the app shows of it."""
        source = self.next_source()
        now = time.monotonic()
        self.kernel.write_text(source)
        return now, self.shown_hash

    @property
    def shown_hash(self) -> str:
        """What the app paints beside a verdict on the kernel as it is on disk."""
        return hashlib.sha256(self.kernel.read_bytes()).hexdigest()[:7]

    def forget(self) -> None:
        """Forget everything that was built and computed."""
        shutil.rmtree(self.folder / ".workbench", ignore_errors=True)

    def noisy_clang(self) -> dict[str, str]:
        """An environment whose clang prints what the file `flood` in the project asks for."""
        bin_ = self.folder / "bin"
        bin_.mkdir(exist_ok=True)
        wrapper = bin_ / "clang"
        clang = find_clang()
        # Options for the C library's headers belong to compiling; a later step would complain.
        compiler, headers = " ".join(clang.compiler), " ".join(clang.headers)
        wrapper.write_text(
            "#!/bin/sh\n"
            f"flood={self.folder}/flood\n"
            f'if [ -f "$flood" ]; then . "$flood"; rm -f "$flood"; fi\n'
            f'case "$*" in *-emit-llvm*) exec {compiler} {headers} "$@" ;; esac\n'
            f'exec {compiler} "$@"\n'
        )
        wrapper.chmod(0o755)
        return {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}"}

    def flood(self, command: str) -> None:
        """Have the next compile run this shell command first."""
        (self.folder / "flood").write_text(command + "\n")
