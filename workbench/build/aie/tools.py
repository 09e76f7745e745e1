"""The tools that build for the NPU: Peano, aiecc and its generation, xclbinutil.

What is named explicitly (settings, PEANO_INSTALL_DIR) is taken or refused, never passed over.
"""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from workbench.build.aie.probe import Answer, Probe, ask, executable
from workbench.settings import Settings

Generation: TypeAlias = Literal["A", "B", "C"]
"""A: Python aiecc.py; B: C++ aiecc, which swallows unknown flags; C: declarative aiecc."""

XRT_ROOTS = (Path("/opt/xilinx/xrt"), Path("/usr"))

_PEANO_MEND = (
    "pip install llvm-aie -f https://github.com/Xilinx/llvm-aie/releases/expanded_assets/nightly"
)
_AIECC_MEND = (
    "pip install mlir_aie -f "
    "https://github.com/Xilinx/mlir-aie/releases/expanded_assets/latest-wheels-3"
)
_XCLBINUTIL_MEND = "source /opt/xilinx/xrt/setup.sh  # once XRT is installed"


@dataclass(frozen=True, slots=True)
class Aiecc:
    """An aiecc that was told apart; `options` are the long ones that its --help lists."""

    path: Path
    generation: Generation
    version: str
    options: frozenset[str] = field(default=frozenset())


def site_packages() -> Iterator[Path]:
    """Where wheels lie: of this Python, and of the virtual environment that is active."""
    yield Path(sysconfig.get_path("platlib"))
    if folder := os.environ.get("VIRTUAL_ENV"):
        yield from sorted(Path(folder).glob("lib/python3.*/site-packages"))


async def find_peano(settings: Settings) -> Probe:
    """Peano's root, the folder that holds bin/clang."""
    cost = "kernels can't be compiled for the NPU"
    for root, named in _peano_roots(settings):
        clang = root / "bin" / "clang"
        if executable(clang):
            return await _peano_at(root, settings.limits.probe, cost)
        if named:
            mend = f"point {named} at the folder that holds bin/clang"
            return Probe("Peano", None, None, f"{named} = {root} holds no bin/clang", cost, mend)
    return Probe("Peano", None, None, "not found", cost, _PEANO_MEND)


async def _peano_at(root: Path, limit_s: float, cost: str) -> Probe:
    answer = await ask([root / "bin" / "clang", "--version"], limit_s)
    version = next((line for line in answer.lines if "clang version" in line), None)
    problem = answer.problem
    if problem is None and (version is None or "llvm-aie" not in version):
        problem = f"{root}/bin/clang is not Peano's: {answer.lines[:1] or 'it says nothing'}"
    if problem is None and not executable(root / "bin" / "clang++"):
        problem = f"{root}/bin has no clang++"
    mend = None if problem is None else _PEANO_MEND
    short = version.replace("https://github.com/", "") if version else None
    return Probe("Peano", str(root), short, problem, cost if problem else None, mend)


def _peano_roots(settings: Settings) -> Iterator[tuple[Path, str | None]]:
    """(root, what names it explicitly) in the order of preference."""
    if settings.paths.peano is not None:
        yield settings.paths.peano, "paths.peano"
    if folder := os.environ.get("PEANO_INSTALL_DIR"):
        yield Path(folder), "PEANO_INSTALL_DIR"
    for packages in site_packages():
        yield packages / "llvm-aie", None  # a hyphen: it can't be imported
    for aiecc in _on_path("aiecc", "aiecc.py"):
        for packages in sorted(aiecc.parent.parent.glob("lib/python3.*/site-packages")):
            yield packages / "llvm-aie", None
    for clang in _on_path("clang"):
        if "llvm-aie" in str(clang.resolve()) or "peano" in str(clang.resolve()):
            yield clang.resolve().parent.parent, None


def _on_path(*names: str) -> Iterator[Path]:
    found = (shutil.which(name) for name in names)
    yield from (Path(path) for path in found if path)


async def find_aiecc(settings: Settings) -> tuple[Probe, Aiecc | None]:
    """aiecc, told apart by what it says of itself; the first one that can be told apart."""
    cost = "designs can't be built for the NPU"
    unclear: Probe | None = None
    for path, named in _aieccs(settings):
        if executable(path):
            probe, aiecc = await _aiecc_at(path, settings.limits.probe, cost)
            if aiecc is not None or named:
                return probe, aiecc
            unclear = unclear or probe
        elif named:
            mend = f"point {named} at aiecc or aiecc.py"
            problem = f"{named} = {path} is no program"
            return Probe("aiecc", None, None, problem, cost, mend), None
    return unclear or Probe("aiecc", None, None, "not found", cost, _AIECC_MEND), None


def _aieccs(settings: Settings) -> Iterator[tuple[Path, str | None]]:
    if settings.paths.aiecc is not None:
        yield settings.paths.aiecc, "paths.aiecc"
    names = ("aiecc", "aiecc.py")
    yield from ((path, None) for path in _on_path(*names))
    folders = [Path(folder) for folder in (os.environ.get("MLIR_AIE_INSTALL_DIR"),) if folder]
    folders += [packages / "mlir_aie" for packages in site_packages()]
    yield from ((folder / "bin" / name, None) for folder in folders for name in names)


async def _aiecc_at(path: Path, limit_s: float, cost: str) -> tuple[Probe, Aiecc | None]:
    answers: list[Answer] = []
    for question in ("--version", "--aie-version", "--help"):
        answer = await ask([path, question], limit_s)
        if (told := told_apart(answer.lines)) is not None:
            generation, version = told
            options = await _options(path, limit_s) if generation == "B" else frozenset()
            aiecc = Aiecc(path, generation, version, options)
            return Probe("aiecc", str(path), f"generation {generation}, {version}"), aiecc
        answers.append(answer)
    said = next((a.last for a in answers if a.last), "nothing")
    reason = next((a.problem for a in answers if a.problem), "its generation can't be told")
    mend = "run it by hand: it needs the Python environment that it was installed in"
    if "No module named" in said:
        mend = "activate the venv of mlir_aie, or source its utils/env_setup.sh"
    return Probe("aiecc", str(path), None, f"{reason}; it says: {said}", cost, mend), None


_VERSIONS: tuple[tuple[re.Pattern[str], Generation], ...] = (
    (re.compile(r"^aiecc\.py\s+(?P<version>\S+)\s*$"), "A"),
    (re.compile(r"^aiecc \(C\+\+ version\)\s*(?P<version>\S*)"), "B"),
    (re.compile(r"^aiecc \(mlir-aie declarative driver\)(?P<version>)"), "C"),
    (re.compile(r"--get-xclbin\b(?P<version>)"), "C"),
    (re.compile(r"^usage: aiecc\.py\b(?P<version>)"), "A"),
)
_SHA = re.compile(r"git SHA:\s*(?P<version>\S+)")


def told_apart(lines: Iterable[str]) -> tuple[Generation, str] | None:
    """Generation and version from what an aiecc says of itself; None when that doesn't tell."""
    text = list(lines)
    for pattern, generation in _VERSIONS:
        for line in text:
            if match := pattern.search(line.strip()):
                shas = (sha["version"] for other in text if (sha := _SHA.search(other)))
                return generation, match["version"] or next(shas, "version unknown")
    return None


async def _options(path: Path, limit_s: float) -> frozenset[str]:
    answer = await ask([path, "--help"], limit_s)
    return frozenset(re.findall(r"(?<![\w-])--?([A-Za-z][\w-]*)", answer.text))


def aiecc_include(aiecc: Path) -> Path | None:
    """The folder of mlir_aie that holds `aie_api`; None when it isn't beside aiecc."""
    prefixes = [aiecc.parent.parent, aiecc.resolve().parent.parent]
    wheels = [p for prefix in prefixes for p in prefix.glob("lib/python3.*/site-packages/mlir_aie")]
    folders = [*prefixes, *wheels, *(packages / "mlir_aie" for packages in site_packages())]
    includes = (folder / "include" for folder in folders)
    return next((include for include in includes if (include / "aie_api").is_dir()), None)


def xrt_root(settings: Settings) -> Path | None:
    """XRT's root: the settings', XILINX_XRT, else the usual place."""
    if settings.paths.xrt is not None:
        return settings.paths.xrt
    if folder := os.environ.get("XILINX_XRT"):
        return Path(folder)
    return next((root for root in XRT_ROOTS if executable(root / "bin" / "xrt-smi")), None)


async def find_xclbinutil(settings: Settings, generation: Generation | None) -> Probe:
    """xclbinutil, which packs what aiecc has made."""
    cost = {
        None: "no xclbin can be made",
        "A": "aiecc of generation A fails at its last phase",
        "B": "aiecc of generation B ends with exit 0 and no xclbin",
        "C": "aiecc of generation C can't make an xclbin",
    }[generation]
    named = settings.paths.xclbinutil
    root = xrt_root(settings)
    paths = [named] if named else [*_on_path("xclbinutil")]
    paths += [root / "bin" / "xclbinutil"] if root and not named else []
    path = next((path for path in paths if executable(path)), None)
    if path is None:
        problem = f"paths.xclbinutil = {named} is no program" if named else "not found"
        return Probe("xclbinutil", None, None, problem, cost, _XCLBINUTIL_MEND)
    answer = await ask([path, "--version"], settings.limits.probe)
    version = _version(answer.lines)
    if answer.problem is not None:
        return Probe("xclbinutil", str(path), version, answer.problem, cost, _XCLBINUTIL_MEND)
    return Probe("xclbinutil", str(path), version)


def _version(lines: Iterable[str]) -> str | None:
    found = (re.search(r"\b\d+\.\d+(?:\.\d+)+\S*|\b\d+\.\d+\b", line) for line in lines)
    return next((match[0] for match in found if match), None)
