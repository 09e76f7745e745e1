"""What running on the NPU takes: XRT, a Python that imports pyxrt, the device and its limits."""

from __future__ import annotations

import os
import re
import resource
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from workbench.build.aie.probe import NO_RUN, Probe, ask, executable
from workbench.build.aie.tools import xrt_root
from workbench.settings import Settings

PINNED_BYTES = 64 * 1024 * 1024
"""The driver pins a heap of this size for each context (xdna-driver#903)."""

DIST_PACKAGES = Path("/usr/lib/python3/dist-packages")
"""Where Ubuntu's XRT packages put pyxrt."""

_CAP_IPC_LOCK = 14
_NO_TOOLS = "pyxrt and its tools are looked for on the usual paths"
_XRT_MEND = "sudo apt install libxrt-npu2 libxrt-utils-npu  # from ppa:amd-team/xrt"
_MEMLOCK_MEND = (
    "echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/99-amdxdna.conf  # log in again"
)


@dataclass(frozen=True, slots=True)
class Runtime:
    """How to import pyxrt: a Python, and the folder that goes on its PYTHONPATH, if any."""

    python: Path
    pythonpath: Path | None
    device: Path
    xrt: Path | None = None
    family: str | None = None
    """"npu1" or "npu2" by xrt-smi; None when it doesn't say."""


def find_memlock() -> Probe:
    """Whether the driver may pin its heap."""
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    return memlock(soft, _may_lock())


def memlock(limit: int, privileged: bool) -> Probe:
    """What a limit on locked memory means, in bytes; it doesn't bind a privileged process."""
    if limit == resource.RLIM_INFINITY:
        return Probe("memlock", version="unlimited")
    words = f"{limit // 1024:,} KiB"
    if privileged:
        return Probe("memlock", version=f"{words}, which doesn't bind this user")
    if limit > PINNED_BYTES:
        return Probe("memlock", version=words)
    problem = f"{words} of memory may be locked, and each context locks 65,536 KiB"
    cost = "opening the device fails with err=-11"
    return Probe("memlock", None, words, problem, cost, _MEMLOCK_MEND)


def _may_lock() -> bool:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return False
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return match is not None and bool(int(match[1], 16) >> _CAP_IPC_LOCK & 1)


NAMES = (
    (re.compile(r"NPU Phoenix|RyzenAI-npu1\b"), "npu1"),
    (re.compile(r"NPU Strix|NPU Krackan|RyzenAI-npu[456]\b"), "npu2"),
)
"""How xrt-smi names devices (mlir-aie, utils/iron_setup.py)."""


async def find_xrt_smi(settings: Settings) -> tuple[Probe, str | None]:
    """xrt-smi's view of the machine, and the device's family, "npu1" or "npu2"."""
    cost = "driver, firmware and device can't be told"
    root = xrt_root(settings)
    beside = root / "bin" / "xrt-smi" if root else None
    found = shutil.which("xrt-smi")
    path = beside if beside and executable(beside) else Path(found) if found else None
    if path is None:
        return Probe("xrt-smi", None, None, "not found", cost, _XRT_MEND), None
    answer = await ask([path, "examine"], settings.limits.probe)
    if answer.problem is not None:
        said = f"{answer.problem}: {answer.last}" if answer.last else answer.problem
        return Probe("xrt-smi", str(path), None, said, cost, "dmesg | grep amdxdna"), None
    version = _described(answer.text)
    for pattern, family in NAMES:
        if match := pattern.search(answer.text):
            return Probe("xrt-smi", str(path), f"{match[0]}, {version}"), family
    problem = "it lists no NPU"
    return Probe("xrt-smi", str(path), version, problem, NO_RUN, "dmesg | grep amdxdna"), None


def _described(text: str) -> str:
    patterns = {
        "XRT": r"^\s*Version\s*:\s*(\S+)",
        "amdxdna": r"^\s*amdxdna(?: Version)?\s*:\s*(\S+)",
        "firmware": r"^\s*NPU Firmware Version\s*:\s*(\S+)",
    }
    found = ((name, re.search(p, text, re.MULTILINE)) for name, p in patterns.items())
    return ", ".join(f"{name} {match[1].rstrip(',')}" for name, match in found if match)


def find_xrt(settings: Settings) -> Probe:
    """XRT's root folder."""
    root = xrt_root(settings)
    if root is None:
        return Probe("XRT", None, None, "not found", _NO_TOOLS, _XRT_MEND)
    if not root.is_dir():
        named = "paths.xrt" if settings.paths.xrt else "XILINX_XRT"
        mend = f"point {named} at XRT's root, or source its setup.sh"
        return Probe("XRT", None, None, f"{named} = {root} is no folder", _NO_TOOLS, mend)
    return Probe("XRT", str(root))


_IMPORT = "import sys, pyxrt; print('pyxrt', pyxrt.__file__, '%d.%d' % sys.version_info[:2])"


async def find_pyxrt(settings: Settings) -> tuple[Probe, Path | None, Path | None]:
    """A Python that imports pyxrt, and the folder it needs on its path."""
    mend = "set paths.python in npu-workbench.toml to the Python that imports pyxrt"
    problem = "not found"
    for python, folder, tag in _pythons(settings):
        if python is None:
            problem = f"{folder}/pyxrt is built for Python {tag}, which is not installed"
            mend = f"install python{tag}; pyxrt can't be had by pip"
            continue
        env = {"PYTHONPATH": _joined(folder)} if folder else None
        answer = await ask([python, "-c", _IMPORT], settings.limits.probe, env)
        if answer.problem is None and answer.last.startswith("pyxrt "):
            _, place, minor = answer.last.split(maxsplit=2)
            return Probe("pyxrt", place, f"Python {minor}"), python, folder
        if folder is not None or settings.paths.python is not None:
            problem = f"{python} can't import it: {answer.last or answer.problem}"
    if problem == "not found":
        mend = _XRT_MEND
    return Probe("pyxrt", None, None, problem, NO_RUN, mend), None, None


def _joined(folder: Path) -> str:
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def _pythons(settings: Settings) -> Iterator[tuple[Path | None, Path | None, str]]:
    """(Python, folder of pyxrt, the minor version it is for): the likeliest first."""
    root = xrt_root(settings)
    folders = [*([root / "python"] if root else []), DIST_PACKAGES]
    tagged = [
        (folder, _minor(file))
        for folder in folders
        for file in sorted(folder.glob("pyxrt*.so")) + sorted(folder.glob("pyxrt.py"))
    ]
    if named := settings.paths.python:
        yield named, tagged[0][0] if tagged else None, ""
        return
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    if find_spec("pyxrt") is not None:
        yield Path(sys.executable), None, here
    for folder, minor in tagged:
        if minor in (here, ""):
            yield Path(sys.executable), folder, here
        else:
            other = shutil.which(f"python{minor}")
            yield Path(other) if other else None, folder, minor
    if (other := shutil.which("python3")) and not tagged:
        yield Path(other), None, ""


def _minor(file: Path) -> str:
    """The Python that a compiled module is for, such as "3.12"; "" when its name doesn't say."""
    match = re.search(r"cpython-(\d)(\d+)", file.name)
    return f"{match[1]}.{match[2]}" if match else ""
