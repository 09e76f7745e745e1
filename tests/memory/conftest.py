"""One core, one kernel: small designs whose kernel does something to its core's memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from workbench import Simulated, simulate

Int32 = npt.NDArray[np.int32]

DESIGN = """
aie.device(npu1_1col) {{
  func.func private @kernel(memref<512xi32>, memref<256xi32>, i32)
  %shim = aie.tile(0, 0)
  %core = aie.tile(0, 2)
  aie.objectfifo @in(%shim, {{%core}}, {depth} : i32) : !aie.objectfifo<memref<512xi32>>
  aie.objectfifo @out(%core, {{%shim}}, {depth} : i32) : !aie.objectfifo<memref<256xi32>>
  %0 = aie.core(%core) {{
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %end = arith.constant 0xFFFFFFFF : index
    %n = arith.constant {scalar} : i32
    scf.for %i = %c0 to %end step %c1 {{
      %a = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<512xi32>>
      %x = aie.objectfifo.subview.access %a[0] : !aie.objectfifosubview<memref<512xi32>> -> memref<512xi32>
      %b = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<256xi32>>
      %y = aie.objectfifo.subview.access %b[0] : !aie.objectfifosubview<memref<256xi32>> -> memref<256xi32>
      func.call @kernel(%x, %y, %n) : (memref<512xi32>, memref<256xi32>, i32) -> ()
      aie.objectfifo.release @in(Consume, 1)
      aie.objectfifo.release @out(Produce, 1)
    }}
    aie.end
  }} {{link_with = "kernel.o"{stack}}}
  aie.runtime_sequence(%in : memref<512xi32>, %out : memref<256xi32>) {{
    aiex.npu.dma_memcpy_nd(%in[0, 0, 0, 0][1, 1, 1, 512][0, 0, 0, 1]) {{metadata = @in, id = 0 : i64}} : memref<512xi32>
    aiex.npu.dma_memcpy_nd(%out[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {{metadata = @out, id = 1 : i64}} : memref<256xi32>
    aiex.npu.dma_wait {{symbol = @out}}
  }}
}}
"""  # noqa: E501 (as designs are written)

WORDS = 256

RunKernel = Callable[..., Simulated]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose cache all tests of a session share."""
    folder = tmp_path_factory.mktemp("memory")
    (folder / "pyproject.toml").touch()
    return folder


@pytest.fixture
def run_kernel(project: Path, request: pytest.FixtureRequest) -> RunKernel:
    """Runs `body`, the statements of `kernel(int *x, int *y, int n)`, on 0, 1, 2, …

    x has twice as many words as y: its buffers come first after the stack.
    """
    folder = project / re.sub(r"\W+", "-", request.node.name)
    folder.mkdir()

    def run(
        body: str, *, stack: str = "", scalar: int = 0, depth: int = 2, **options: Any
    ) -> Simulated:
        design = folder / "design.mlir"
        design.write_text(DESIGN.format(depth=depth, scalar=scalar, stack=stack), encoding="utf-8")
        source = folder / "kernel.c"
        source.write_text(
            "#include <stdint.h>\n#define WORDS 256\n"
            f"void kernel(int *x, int *y, int n) {{\n{body}\n}}\n"
        )
        options.setdefault("allocation", "basic-sequential")
        x = np.arange(2 * WORDS, dtype=np.int32)
        return simulate(
            design, [x, np.zeros(WORDS, np.int32)], kernels={"kernel.o": source}, **options
        )

    return run
