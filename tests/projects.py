"""Projects to work on, and who is left of the processes that work on them.

The small one scales an int8 tensor by three: its spec needs no torch, its design one core.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

KERNEL = """\
#include <stdint.h>
#include "factor.h"

void scale(const int8_t *in, int8_t *out, int32_t factor) {
    for (int i = 0; i < COUNT; i++) {
        out[i] = (int8_t)(in[i] * factor);
    }
}
"""

HEADER = "enum { COUNT = 256 };\n"

SPEC = """\
from workbench.spec import Criterion, HostBuffer, Scalar, Spec, Tensor, uniform

X, Y = (Tensor(name, "int8", (16, 16)) for name in "xy")


def reference(tensors, scalars):
    return {"y": tensors["x"] * tensors["x"].dtype.type(scalars["factor"])}


SPEC = Spec(
    design="../mlir/scale.mlir",
    function="scale",
    buffers=[HostBuffer((X,)), HostBuffer((Y,), "out")],
    scalars=[Scalar("factor", argument=2, value=3)],
    reference=reference,
    inputs={"small": uniform(-40, 40), "ones": uniform(1, 2)},
    criteria=[Criterion("exact", ">=", 1)],
)
"""

DESIGN = """\
aie.device(npu1_1col) {
  func.func private @scale(memref<256xi8>, memref<256xi8>, i32)
  %shim = aie.tile(0, 0)
  %tile = aie.tile(0, 2)
  aie.objectfifo @in(%shim, {%tile}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
  aie.objectfifo @out(%tile, {%shim}, 2 : i32) : !aie.objectfifo<memref<256xi8>>
  %core = aie.core(%tile) {
    %first = arith.constant 0 : index
    %forever = arith.constant 0xFFFFFFFF : index
    %one = arith.constant 1 : index
    %factor = arith.constant 3 : i32
    scf.for %run = %first to %forever step %one {
      %a = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<256xi8>>
      %x = aie.objectfifo.subview.access %a[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
      %b = aie.objectfifo.acquire @out(Produce, 1) : !aie.objectfifosubview<memref<256xi8>>
      %y = aie.objectfifo.subview.access %b[0] : !aie.objectfifosubview<memref<256xi8>> -> memref<256xi8>
      func.call @scale(%x, %y, %factor) : (memref<256xi8>, memref<256xi8>, i32) -> ()
      aie.objectfifo.release @in(Consume, 1)
      aie.objectfifo.release @out(Produce, 1)
    }
    aie.end
  } {link_with = "scale.o"}
  aie.runtime_sequence(%x : memref<256xi8>, %y : memref<256xi8>) {
    aiex.npu.dma_memcpy_nd(%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @in, id = 0 : i64} : memref<256xi8>
    aiex.npu.dma_memcpy_nd(%y[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]) {metadata = @out, id = 1 : i64} : memref<256xi8>
    aiex.npu.dma_wait {symbol = @out}
  }
}
"""  # noqa: E501 (as designs are written)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a kernel, its header, its spec and its design."""

    folder: Path

    @property
    def kernel(self) -> Path:
        """The kernel's source."""
        return self.folder / "kernels" / "scale.c"

    @property
    def header(self) -> Path:
        """What the kernel includes."""
        return self.folder / "kernels" / "factor.h"

    @property
    def spec(self) -> Path:
        """What the kernel promises."""
        return self.folder / "kernels" / "scale.py"

    @property
    def design(self) -> Path:
        """The design that calls the kernel."""
        return self.folder / "mlir" / "scale.mlir"

    def reset(self) -> None:
        """Make everything but what was generated as new, so that the cache serves again."""
        self.folder.mkdir(exist_ok=True)
        for entry in self.folder.iterdir():
            if entry.name != ".workbench":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        (self.folder / "npu-workbench.toml").touch()
        for folder in ("kernels", "mlir"):
            (self.folder / folder).mkdir()
        self.kernel.write_text(KERNEL)
        self.header.write_text(HEADER)
        self.spec.write_text(SPEC)
        self.design.write_text(DESIGN)

    def with_body(self, statements: str) -> None:
        """Have the kernel execute some statements of C after it has done its work."""
        includes = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
        text = self.kernel.read_text()
        self.kernel.write_text(f"{includes}{text[: text.rindex('}')]}    {statements}\n}}\n")

    def edit(self, file: Path, old: str, new: str) -> None:
        """Replace a text that occurs in a file."""
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def copy_of_ours(folder: Path) -> Path:
    """The repository's own kernels, designs and recorded inputs as a project in `folder`."""
    for name in ("kernels", "mlir", "tests/data"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "npu-workbench.toml").touch()
    return folder


MARK = "NPU_WORKBENCH_TEST_MARK"
"""An environment variable that whatever a test starts inherits."""


def marked(mark: str) -> list[str]:
    """The commands of all processes that were started with MARK=mark, but not our own."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
    return found
