"""The npu device on the double: small designs as xclbins, and a record of what pyxrt was asked."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workbench.device.npu.device import GRACE_S, NpuDevice
from workbench.device.npu.workload import NpuOutcome, NpuWorkload

DOUBLE = Path(__file__).parents[1] / "doubles" / "pyxrt"

DESIGN = """
aie.device(npu1_1col) {{
  func.func private @kernel(memref<512xi32>, memref<256xi32>)
  %shim = aie.tile(0, 0)
  %tile = aie.tile(0, 2)
  aie.objectfifo @in(%shim, {{%tile}}, 2 : i32) : !aie.objectfifo<memref<512xi32>>
  aie.objectfifo @out(%tile, {{%shim}}, 2 : i32) : !aie.objectfifo<memref<256xi32>>
  %core = aie.core(%tile) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %end = arith.constant {times} : index
    scf.for %i = %c0 to %end step %c1 {{
      %a = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<512xi32>>
      %x = aie.objectfifo.subview.access %a[0] : !aie.objectfifosubview<memref<512xi32>> -> memref<512xi32>
      %b = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<256xi32>>
      %y = aie.objectfifo.subview.access %b[0] : !aie.objectfifosubview<memref<256xi32>> -> memref<256xi32>
      func.call @kernel(%x, %y) : (memref<512xi32>, memref<256xi32>) -> ()
      aie.objectfifo.release @in(Consume, 1)
      aie.objectfifo.release @out(Produce, 1)
    }}
    aie.end
  }} {{link_with = "kernel.o"}}
  aie.runtime_sequence(%in : memref<512xi32>, %out : memref<256xi32>) {{
    aiex.npu.dma_memcpy_nd(%in[0, 0, 0, 0][1, 1, 1, 512][0, 0, 0, 1]) {{metadata = @in, id = 0 : i64}} : memref<512xi32>
    aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {{metadata = @out, id = 1 : i64}} : memref<256xi32>
    aiex.npu.dma_wait {{symbol = @out}}
  }}
}}
"""  # noqa: E501 (as designs are written)

TRIPLE = "for (int i = 0; i < 256; i++) y[i] = 3 * x[i];"
OVERRUN = """
    int scratch[512];  /* twice the 1,024 bytes of stack, with the input's first buffer above */
    for (int i = 0; i < 512; i++) ((volatile int *)scratch)[i] = -1;
    for (int i = 0; i < 256; i++) y[i] = x[i] + ((volatile int *)scratch)[i];
"""
FOREVER = "0xFFFFFFFF"
INSTRUCTIONS = bytes(range(64))

X = np.arange(512, dtype=np.int32)

Folder = Callable[..., Path]
Int32 = npt.NDArray[np.int32]


class Npu:
    """An NPU for one test: `faults` are those of `doubles.silicon`."""

    def __init__(self, folder: Path, record: Path) -> None:
        self.folder = folder
        self.record = record
        self.lines: list[str] = []

    def environment(self, faults: str = "", gate: Path | None = None) -> dict[str, str]:
        told = {"run-record": self.record, "run": faults, "run-gate": gate}
        return {"NPU_DOUBLE": " ".join(f"{name}={value}" for name, value in told.items() if value)}

    def device(
        self, faults: str = "", *, grace_s: float = GRACE_S, gate: Path | None = None
    ) -> NpuDevice:
        return NpuDevice(
            pythonpath=DOUBLE, environment=self.environment(faults, gate), grace_s=grace_s
        )

    def work(self, **changes: Any) -> NpuWorkload:
        given: dict[str, Any] = {
            "xclbin": self.folder / "final.xclbin",
            "instructions": self.folder / "insts.bin",
            "buffers": (X.view(np.uint8), np.zeros(1024, np.uint8)),
            "outputs": (False, True),
            "cache": self.folder / "cache",
            "where": "scale.mlir",
        }
        return NpuWorkload(**{**given, **changes})

    async def run(self, faults: str = "", **changes: Any) -> NpuOutcome:
        device = self.device(faults)
        return await device.execute(self.work(**changes), self.lines.extend, limit_s=60)

    def calls(self) -> list[dict[str, Any]]:
        """What pyxrt was asked, in order."""
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def has_called(self, count: int) -> bool:
        return len(self.calls()) >= count

    def named(self, name: str) -> list[dict[str, Any]]:
        return [call for call in self.calls() if call.get("call") == name]

    def dropped(self) -> list[str]:
        return [call["drop"] for call in self.calls() if "drop" in call]

    def misuses(self) -> list[str]:
        return [call["misuse"] for call in self.calls() if "misuse" in call]

    def leftovers(self) -> list[str]:
        """What executions have left in their cache."""
        return os.listdir(self.folder / "cache")


def out(buffers: list[npt.NDArray[np.uint8]]) -> Int32:
    return buffers[1].view(np.int32)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Folders with an xclbin and instructions, one for each kernel and loop."""
    made: dict[tuple[str, str], Path] = {}

    def build(body: str = TRIPLE, times: str = FOREVER) -> Path:
        if (body, times) not in made:
            folder = made[body, times] = tmp_path_factory.mktemp("xclbin")
            source = folder / "kernel.c"
            source.write_text(f"void kernel(int *x, int *y) {{\n{body}\n}}\n")
            content = {
                "magic": "xclbin-double",
                "design": DESIGN.format(times=times),
                "sources": {"kernel.o": str(source)},
                "allocation": "basic-sequential",
            }
            (folder / "final.xclbin").write_text(json.dumps(content))
            (folder / "insts.bin").write_bytes(INSTRUCTIONS)
        return made[body, times]

    return build


@pytest.fixture
def runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's lock is."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def npu(built: Folder, runtime_folder: Path) -> Npu:
    """The NPU with 3·x on it."""
    return Npu(built(), runtime_folder / "record")
