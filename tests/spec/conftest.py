"""Specs in a folder of their own, loaded through the real child process."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from workbench.spec.cases import Case, LoadedSpec, Request
from workbench.spec.load import load_case

HEAD = """\
import numpy as np
from workbench.spec import Criterion, HostBuffer, Scalar, Spec, Tensor, uniform

def reference(tensors, scalars):
    return tensors["x"] + tensors["x"]
"""

TAIL = """
SPEC = Spec(
    design="design.mlir",
    function="kernel",
    buffers=[
        HostBuffer((Tensor("x", "int16", (4, 8)),)),
        HostBuffer((Tensor("y", "int16", (4, 8)),), "out"),
    ],
    reference=reference,
    inputs={"small": uniform(-8, 8), "large": uniform(-1000, 1000)},
    criteria=[Criterion("exact", ">=", 1.0)],
)
"""

GOOD = HEAD + TAIL


class Workshop:
    """A folder with a spec; `log` is what the last one printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work" / "kernels"
        self.folder.mkdir(parents=True)
        self.spec = self.folder / "kernel.py"
        self.cache = folder / "cache"
        self.log: list[str] = []

    def write(self, text: str, name: str = "kernel.py") -> Path:
        """Save a file; returns its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def request(self, set_name: str | None = None, seed: int = 42) -> Request:
        """What is asked of the spec."""
        return Request(self.spec, self.cache, set_name, seed)

    async def load(
        self, set_name: str | None = None, seed: int = 42, limit_s: float = 30.0
    ) -> tuple[LoadedSpec, Case]:
        """The spec and a case."""
        self.log.clear()
        return await load_case(self.request(set_name, seed), self.log.extend, limit_s)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    workshop = Workshop(tmp_path)
    monkeypatch.chdir(workshop.folder)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return workshop
