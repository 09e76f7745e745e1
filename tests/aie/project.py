"""A kernel, its design, and a build of them watched."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from workbench.build import StepResult
from workbench.build.aie.build import NpuBuilt, NpuJob, build_npu
from workbench.build.aie.find import Toolchain, find_machine
from workbench.build.aie.phases import Phase
from workbench.build.aie.steps import Report
from workbench.design import Design, read_design
from workbench.settings import Settings

REPOSITORY = Path(__file__).parents[2]


@dataclass
class Recorder:
    """What a build told, in its order."""

    started: list[str] = field(default_factory=list)
    finished: list[StepResult] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    first_phase: asyncio.Event = field(default_factory=asyncio.Event)

    def report(self) -> Report:
        return Report(
            lambda step, limit: self.started.append(step),
            self.finished.append,
            self._phase,
            lambda step, lines: self.lines.extend(lines),
        )

    def _phase(self, step: str, phase: Phase) -> None:
        self.phases.append(phase)
        self.first_phase.set()


@dataclass
class Project:
    root: Path
    kernel: Path
    mlir: Path
    toolchain: Toolchain | None = None
    """What builds use; None: what is found on the machine."""

    @classmethod
    def of(cls, root: Path, kernel: str = "attention.c") -> Project:
        (root / "mlir").mkdir(parents=True)
        source = root / kernel
        shutil.copy(REPOSITORY / "kernels" / kernel, source)
        mlir = root / "mlir" / "attention_64x64.mlir"
        shutil.copy(REPOSITORY / "mlir" / "attention_64x64.mlir", mlir)
        return cls(root, source, mlir)

    @property
    def cache(self) -> Path:
        return self.root / ".workbench" / "cache"

    @property
    def design(self) -> Design:
        return read_design(self.mlir)

    def change(self, old: str, new: str, file: Path | None = None) -> None:
        path = file or self.kernel
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    async def build(
        self,
        settings: Settings | None = None,
        *,
        recorder: Recorder | None = None,
        sources: tuple[Path, ...] = (),
        allocation: str = "bank-aware",
        look_again: bool = False,
    ) -> NpuBuilt:
        settings = settings or Settings()
        toolchain = self.toolchain or await _found(settings, look_again)
        job = NpuJob(
            tuple(str(path) for path in (self.kernel, *sources)),
            self.design,
            toolchain,
            settings,
            self.cache,
            allocation,
        )
        return await build_npu(job, (recorder or Recorder()).report())


_known: dict[str, Toolchain] = {}


async def _found(settings: Settings, look_again: bool) -> Toolchain:
    """The tools of this machine; each machine is only looked at once."""
    machine = os.environ["PATH"]
    if look_again or machine not in _known:
        found = await find_machine(settings)
        assert found.toolchain is not None, found.probes
        _known[machine] = found.toolchain
    return _known[machine]
