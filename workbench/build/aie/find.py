"""What this machine has for the NPU: every tool, whether it can be used, and what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.build.aie import runtime, tools
from workbench.build.aie.device_node import find_device
from workbench.build.aie.probe import Probe, identity
from workbench.build.aie.runtime import Runtime
from workbench.build.aie.tools import Aiecc, Generation
from workbench.settings import Settings

BUILD_PROBES = ("Peano", "aiecc", "xclbinutil")
RUN_PROBES = ("device", "memlock", "pyxrt")
"""Without one of these nothing runs; XRT's folder and xrt-smi only tell more."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a build for the NPU needs, found and told apart.

    `options` are those that aiecc's --help lists, where it ignores others without a word;
    `identity` changes whenever one of the tools does.
    """

    peano: Path
    aiecc: Path
    generation: Generation
    options: frozenset[str]
    xclbinutil: Path | None
    include: Path | None
    """mlir_aie's folder of headers, which holds `aie_api`."""
    versions: Mapping[str, str]
    identity: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """All probes of a machine, and what they amount to."""

    probes: tuple[Probe, ...]
    toolchain: Toolchain | None
    runtime: Runtime | None

    @property
    def no_build(self) -> str | None:
        """Why nothing can be built for the NPU, in one sentence; None when it can."""
        return self._first(BUILD_PROBES)

    @property
    def no_npu(self) -> str | None:
        """Why the NPU can't be used, in one sentence; None when it can."""
        return self._first(RUN_PROBES + BUILD_PROBES)

    def _first(self, names: tuple[str, ...]) -> str | None:
        by_name = {probe.name: probe for probe in self.probes}
        problems = ((name, by_name[name].problem) for name in names)
        return next((_sentence(name, problem) for name, problem in problems if problem), None)


def _sentence(name: str, problem: str) -> str:
    if problem == "not found":
        return f"there is no {name} here"
    return problem if name in RUN_PROBES[:2] or name in problem else f"{name}: {problem}"


async def find_machine(settings: Settings) -> Machine:
    """Look for everything at once; each look has the time limit of the settings."""
    async with asyncio.TaskGroup() as looks:  # which ends with all of them, cancelled or not
        peano_look = looks.create_task(tools.find_peano(settings))
        aiecc_look = looks.create_task(tools.find_aiecc(settings))
        smi_look = looks.create_task(runtime.find_xrt_smi(settings))
        pyxrt_look = looks.create_task(runtime.find_pyxrt(settings))
    peano, (aiecc_probe, aiecc) = peano_look.result(), aiecc_look.result()
    smi, pyxrt = smi_look.result(), pyxrt_look.result()
    packer = await tools.find_xclbinutil(settings, aiecc.generation if aiecc else None)
    xrt = runtime.find_xrt(settings)
    device, memlock = find_device(settings), runtime.find_memlock()
    probes = (device, memlock, xrt, pyxrt[0], smi[0], peano, aiecc_probe, packer)
    python = pyxrt[1]
    ready = device.ok and memlock.ok and python is not None
    return Machine(
        probes,
        _toolchain(peano, aiecc, packer),
        Runtime(python, pyxrt[2], settings.paths.device, tools.xrt_root(settings), smi[1])
        if ready and python is not None
        else None,
    )


def _toolchain(peano: Probe, aiecc: Aiecc | None, packer: Probe) -> Toolchain | None:
    if not peano.ok or peano.path is None or aiecc is None or packer.path is None:
        return None
    root, xclbinutil = Path(peano.path), Path(packer.path)
    names = ("clang", "clang++", "llvm-ar", "opt", "llc", "ld.lld")
    programs = [*(root / "bin" / name for name in names), aiecc.path, xclbinutil]
    return Toolchain(
        root,
        aiecc.path,
        aiecc.generation,
        aiecc.options,
        xclbinutil,
        tools.aiecc_include(aiecc.path),
        {
            "Peano": peano.version or "unknown",
            "aiecc": f"generation {aiecc.generation}, {aiecc.version}",
            "xclbinutil": packer.version or "unknown",
        },
        tuple(identity(program) for program in programs if program.exists()),
    )
