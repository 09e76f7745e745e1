"""A machine with the NPU's tools, as folders of doubles under the names that the tools have."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BIN = Path(__file__).parent / "bin"
AIECC: dict[str, dict[str, str]] = {
    "A": {"aiecc.py": "aiecc-a"},
    "B": {"aiecc": "aiecc-b"},
    "C": {"aiecc": "aiecc-c"},
}


PYXRT = f"""\
import importlib.util
import sys

spec = importlib.util.spec_from_file_location("pyxrt", {str(BIN.parent / "pyxrt" / "pyxrt.py")!r})
sys.modules["pyxrt"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["pyxrt"])
"""


@dataclass(frozen=True)
class Machine:
    """Where everything lies; `env` is what a shell that sourced all set-up scripts would have."""

    root: Path
    peano: Path
    xrt: Path
    device: Path
    env: Mapping[str, str]


def set_up(root: Path, generation: str, *, without: tuple[str, ...] = ()) -> Machine:
    """Tools of one generation of aiecc; `without` are programs that are not installed."""
    peano, wheel, xrt = root / "llvm-aie", root / "mlir_aie", root / "xrt"
    _install(peano / "bin", {n: n for n in ("clang", "clang++", "llvm-ar")}, without)
    _install(wheel / "bin", AIECC[generation], without)
    _install(xrt / "bin", {n: n for n in ("xclbinutil", "xrt-smi")}, without)
    if "pyxrt" not in without:
        (xrt / "python").mkdir()
        (xrt / "python" / "pyxrt.py").write_text(PYXRT)
    (wheel / "include" / "aie_api").mkdir(parents=True)
    device = root / "accel0"
    device.touch()
    folders = [str(wheel / "bin"), str(xrt / "bin"), "/usr/bin", "/bin"]
    env = {
        "PEANO_INSTALL_DIR": str(peano),
        "XILINX_XRT": str(xrt),
        "PATH": os.pathsep.join(folders),
    }
    return Machine(root, peano, xrt, device, env)


def _install(folder: Path, names: Mapping[str, str], without: tuple[str, ...]) -> None:
    """Each double under its tool's name, run by this very Python: it has what doubles import."""
    folder.mkdir(parents=True)
    for name, double in names.items():
        if name not in without:
            script = folder / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{BIN / double}" "$@"\n')
            script.chmod(0o755)
