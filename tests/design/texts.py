"""Designs for tests, put together from the parts that differ."""

from __future__ import annotations

from pathlib import Path

from workbench.design import Design, parse_design

PATH = "some.mlir"

FIFOS = """
    aie.objectfifo @in(%shim, {%core}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
    aie.objectfifo @out(%core, {%shim}, 2 : i32) : !aie.objectfifo<memref<16xi32>>
"""

CORE = """
      %a = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<16xi32>>
      %x = aie.objectfifo.subview.access %a[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>
      aie.objectfifo.release @in(Consume, 1)
"""  # noqa: E501

SEQUENCE = """
      aiex.npu.dma_memcpy_nd(%host[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]) {metadata = @in, id = 1 : i64} : memref<64xi32>
      aiex.npu.dma_wait {symbol = @out}
"""  # noqa: E501

TILES = """
    %shim = aie.tile(0, 0)
    %mem = aie.tile(0, 1)
    %core = aie.tile(0, 2)
    %north = aie.tile(0, 3)
    %far = aie.tile(0, 4)
    %top = aie.tile(0, 5)
"""


def design_text(
    *,
    target: str = "npu1_1col",
    declarations: str = "",
    fifos: str = FIFOS,
    core: str = CORE,
    core_attributes: str = "",
    sequence: str = SEQUENCE,
) -> str:
    """A design with one core on tile (0, 2)."""
    return f"""module {{
  aie.device({target}) {{
{TILES}
{declarations}
{fifos}
    aie.core(%core) {{
{core}
      aie.end
    }} {core_attributes}
    aie.runtime_sequence(%host : memref<64xi32>, %result : memref<64xi32>) {{
{sequence}
    }}
  }}
}}
"""


def read(
    *,
    target: str = "npu1_1col",
    declarations: str = "",
    fifos: str = FIFOS,
    core: str = CORE,
    core_attributes: str = "",
    sequence: str = SEQUENCE,
) -> Design:
    """`design_text`, read."""
    return parse_design(
        design_text(
            target=target,
            declarations=declarations,
            fifos=fifos,
            core=core,
            core_attributes=core_attributes,
            sequence=sequence,
        ),
        PATH,
    )


def fifo(
    name: str,
    producer: str,
    consumers: str,
    *,
    depth: str = "2 : i32",
    attributes: str = "",
    memref: str = "memref<16xi32>",
    init: str = "",
) -> str:
    """One FIFO declaration."""
    head = f"aie.objectfifo @{name}({producer}, {{{consumers}}}, {depth})"
    return f"    {head} {attributes} : !aie.objectfifo<{memref}> {init}\n"


def acquire(name: str, port: str, count: int, memref: str = "memref<16xi32>") -> str:
    """One acquire whose result nobody uses."""
    return f"      %{name}_{port}_{count} = aie.objectfifo.acquire @{name}({port}, {count}) : !aie.objectfifosubview<{memref}>\n"  # noqa: E501


def write(folder: Path, text: str) -> Path:
    """A design file."""
    path = folder / "design.mlir"
    path.write_text(text)
    return path
