"""Reading files, choosing devices and sequences, and the spellings of 2024, 2025 and 2026."""

from __future__ import annotations

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.design.texts import CORE, FIFOS, PATH, SEQUENCE, design_text, fifo, read, write
from workbench.design import Design, parse_design, read_design
from workbench.design.model import Body, Op, Region
from workbench.errors import DesignError


def _ops(region: Region) -> Iterator[object]:
    for block in region.blocks:
        yield block.argument_types
        for op in block.ops:
            yield op.name.replace("aiex.runtime", "aie.runtime"), op.operands, op.results
            yield op.operand_types, op.result_types, op.attributes, op.successors
            for inner in op.regions:
                yield list(_ops(inner))


def _body(body: Body | None) -> object:
    return None if body is None else (list(_ops(body.region)), body.buffers)


def meaning(design: Design) -> object:
    """A design without its lines, to compare spellings."""
    sequence = design.sequence
    return (
        (design.target, design.device, design.tiles),
        [replace(fifo, line=0) for fifo in design.fifos.values()],
        [replace(link, line=0) for link in design.links],
        [replace(buffer, line=0) for buffer in design.buffers],
        [
            (f.name, f.arguments, f.results, f.link_with, _body(f.body))
            for f in design.functions.values()
        ],
        [(c.tile, c.stack_size, c.link_with, _body(c.body)) for c in design.cores],
        None if sequence is None else (sequence.name, sequence.arguments, _body(sequence.body)),
        [replace(pool, line=0) for pool in design.pools.values()],
        design.routes,
    )


def test_a_file_is_read_with_its_hash(tmp_path: Path) -> None:
    path = write(tmp_path, design_text())
    design = read_design(path)
    assert design.path == str(path)
    assert design.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert design.target == "npu1_1col"
    assert design.device == "main"
    assert design.tiles == tuple((0, row) for row in range(6))
    assert [core.tile for core in design.cores] == [(0, 2)]
    assert design.notes == ()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DesignError) as caught:
        read_design(tmp_path / "no.mlir")
    assert str(caught.value) == f"{tmp_path / 'no.mlir'}: there is no such design"


def test_a_folder_is_no_design(tmp_path: Path) -> None:
    with pytest.raises(DesignError, match="can't be read"):
        read_design(tmp_path)


@pytest.mark.parametrize("text", ["", "  \n\n", "// only a comment\n"])
def test_an_empty_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(DesignError, match="the design is empty"):
        read_design(write(tmp_path, text))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.mlir"
    path.write_bytes(b"module {\n\xff\xfe}\n")
    with pytest.raises(DesignError) as caught:
        read_design(path)
    assert caught.value.where == f"{path}:2"


def test_a_module_without_a_device() -> None:
    with pytest.raises(DesignError, match=r"there is no aie\.device"):
        parse_design("module {\n}\n", PATH)


def test_reading_is_what_imports_the_parser() -> None:
    code = (
        "import sys, workbench.design, workbench.design.model, workbench.design.operations;"
        "assert not {'xdsl', 'numpy'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_pickled_design_is_loaded_without_the_parser(tmp_path: Path) -> None:
    pickled = tmp_path / "design.pickle"
    design = read(declarations="    func.func private @k(memref<16xi32>, i32)")
    pickled.write_bytes(pickle.dumps(design))
    code = (
        "import pickle, sys, pathlib;"
        f"design = pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes());"
        "assert 'xdsl' not in sys.modules;"
        "assert [op.name for op in design.cores[0].body.walk()][-1] == 'aie.end'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert meaning(pickle.loads(pickled.read_bytes())) == meaning(design)


# Which device, which sequence


def _named(names: str, sequence: str = "") -> str:
    return "".join(
        f"  aie.device(npu2_1col) @{name} {{\n    %t = aie.tile(0, {row})\n{sequence}  }}\n"
        for row, name in enumerate(names)
    )


def test_the_first_device_is_read_and_the_others_are_named() -> None:
    design = parse_design(f"module {{\n{_named('abc')}}}\n", PATH)
    assert (design.device, design.tiles) == ("a", ((0, 0),))
    assert design.notes == ("device @a is read, not @b, @c",)


def test_a_device_is_chosen_by_name() -> None:
    design = parse_design(_named("abc"), PATH, device="c")
    assert (design.device, design.tiles, design.notes) == ("c", ((0, 2),), ())


def test_what_is_in_a_device_that_is_not_chosen_does_not_matter() -> None:
    text = _named("a") + "aie.device(npu9) @b {\n  aie.lock(%nothing)\n}\n"
    assert parse_design(text, PATH).device == "a"


def test_an_unknown_device_lists_what_is_there() -> None:
    with pytest.raises(DesignError) as caught:
        parse_design(_named("ab"), PATH, device="z")
    assert str(caught.value) == f"{PATH}: there is no device @z (there: @a, @b)"


_TWO = "    aie.runtime_sequence @one() {\n    }\n    aiex.runtime_sequence @two() {\n    }\n"


def test_the_first_sequence_is_read_and_the_others_are_named() -> None:
    design = parse_design(_named("a", _TWO), PATH)
    assert design.sequence is not None
    assert design.sequence.name == "one"
    assert design.notes == ("sequence @one is read, not @two",)


def test_a_sequence_is_chosen_by_name() -> None:
    design = parse_design(_named("a", _TWO), PATH, sequence="two")
    assert design.sequence is not None
    assert (design.sequence.name, design.sequence.line) == ("two", 5)


def test_an_unknown_sequence_lists_what_is_there() -> None:
    with pytest.raises(DesignError) as caught:
        parse_design(_named("a", _TWO), PATH, sequence="z")
    assert str(caught.value) == f"{PATH}:1: there is no sequence @z (there: @one, @two)"


def test_a_device_without_a_sequence() -> None:
    assert parse_design(_named("a"), PATH).sequence is None
    with pytest.raises(DesignError, match=r"there is no sequence @z \(there: none\)"):
        parse_design(_named("a"), PATH, sequence="z")


def test_the_placeholder_of_public_designs() -> None:
    design = read(target="NPUDEVICE")
    assert design.target == "npu1_1col"
    assert design.notes == ("the device is the placeholder NPUDEVICE: read as npu1_1col",)


@pytest.mark.parametrize(
    "target",
    ["npu", "npu1", "npu2"]
    + [f"npu1_{n}col" for n in range(1, 5)]
    + [f"npu2_{n}col" for n in range(1, 8)],
)
def test_every_device(target: str) -> None:
    assert read(target=target).target == target


# Spellings

_KERNEL = "    func.func private @k(memref<16xi32>, i32)"
_BASE = {
    "declarations": _KERNEL,
    "core": CORE + "      %n = arith.constant 7 : i32\n"
    "      func.call @k(%x, %n) : (memref<16xi32>, i32) -> ()\n",
    "core_attributes": '{link_with = "k.o", stack_size = 2048 : i32}',
    "sequence": SEQUENCE,
}
_TEXT = design_text(**_BASE)

SPELLINGS = {
    "sequence of 2025": ("aie.runtime_sequence", "aiex.runtime_sequence"),
    "named sequence": ("aie.runtime_sequence(", "aie.runtime_sequence @sequence("),
    "arguments over lines": ("%host : memref<64xi32>, %", "\n  %host\n : memref<64xi32>,\n   %"),
    "named device": ("aie.device(npu1_1col)", "aie.device(npu1_1col) @main"),
    "named module": ("module {", "module @design {"),
    "attributes of the module": ("module {", "module attributes {a.b = 1 : i32} {"),
    "sizes of the data layout": (
        "module {",
        "module attributes {dlti.dl_spec = #dlti.dl_spec<index = 32 : i64>} {",
    ),
    "named core": ("    aie.core(", "    %core_0_2 = aie.core("),
    "core attributes first": (
        "aie.core(%core) {",
        "aie.core(%core) {stack_size = 2048 : i32} {",
    ),
    "core attributes glued": ('{link_with = "k.o", ', '{link_with="k.o",'),
    "hex stack": ("2048 : i32", "0x800 : i32"),
    "controller of a tile": (
        "%core = aie.tile(0, 2)",
        "%core = aie.tile(0, 2) {controller_id = #aie.packet_info<pkt_type = 0, pkt_id = 27>}",
    ),
    "named arguments of a declaration": (
        "@k(memref<16xi32>, i32)",
        "@k(%x1 : memref<16xi32>, %n1 : i32)",
    ),
    "result of a declaration": ("@k(memref<16xi32>, i32)", "@k(memref<16xi32>, i32) -> ()"),
    "declaration over lines": ("@k(memref<16xi32>, i32)", "@k(\n  memref<16xi32>,\n  i32\n)"),
    "space in a FIFO": ("@in(%shim, {%core}", "@in (%shim , { %core }"),
    "FIFO over lines": ("@in(%shim, {%core}, 2 : i32) :", "@in(%shim,\n {%core},\n 2 : i32)\n :"),
    "depth without a type": ("@in(%shim, {%core}, 2 : i32)", "@in(%shim, {%core}, 2)"),
    "quoted FIFO": ("objectfifo @in(", 'objectfifo @"in"('),
    "space in an acquire": ("acquire @in(Consume, 1)", "acquire @in (Consume, 1)"),
    "line of a transfer": ("memcpy_nd(%host[", "memcpy_nd (%host\n ["),
    "attributes of a transfer on the next line": (" {metadata = @in", "\n    { metadata = @in"),
    "coordinates of 2024": ("memcpy_nd(%host[", "memcpy_nd(0, 0, %host["),
    "comma of 2024": ("memcpy_nd(%host[", "memcpy_nd(0, 0, %host, ["),
    "strides of 2024": ("[0, 0, 0, 1]", "[0, 0, 0]"),
    "token": ("id = 1 : i64}", "id = 1 : i64, issue_token = false}"),
    "burst length": ("id = 1 : i64}", "id = 1 : i64, burst_length = 64 : i64}"),
    "space in a wait": ("{symbol = @out}", "{ symbol = @out }"),
    "location": ("%core = aie.tile(0, 2)", '%core = aie.tile(0, 2) loc("x.py":3:4)'),
    "nested location": (
        "%core = aie.tile(0, 2)",
        '%core = aie.tile(0, 2) loc(callsite("x"("y.py":1:2) at fused<"z">["a", "b"]))',
    ),
    "location of an argument": (
        "%host : memref<64xi32>,",
        "%host : memref<64xi32> loc(unknown),",
    ),
    "named location": ("%core = aie.tile(0, 2)", "%core = aie.tile(0, 2) loc(#loc3)"),
    "comment": ("aie.core(%core) {", "aie.core(%core) { // the { core"),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_a_spelling_means_the_same(name: str) -> None:
    old, new = SPELLINGS[name]
    assert old in _TEXT
    text = _TEXT.replace(old, new)
    assert meaning(parse_design(text, PATH)) == meaning(parse_design(_TEXT, PATH))


def test_a_module_needs_no_wrapper() -> None:
    text = _TEXT.removeprefix("module {").rstrip().removesuffix("}")
    assert meaning(parse_design(text, PATH)) == meaning(parse_design(_TEXT, PATH))


def test_the_name_of_a_device_may_follow_it() -> None:
    text = _TEXT.rstrip().removesuffix("}").rstrip() + ' {sym_name = "late"}\n}\n'
    assert parse_design(text, PATH).device == "late"


def test_definitions_of_locations() -> None:
    text = '#loc = loc("a.mlir":1:1)\n' + _TEXT + "#loc1 = loc(unknown)\n#loc2 = loc(#loc1)\n"
    assert meaning(parse_design(text, PATH)) == meaning(parse_design(_TEXT, PATH))


def test_aliases_of_types() -> None:
    text = "!object = memref<16xi32>\n" + _TEXT.replace(
        "aie.objectfifo<memref<16xi32>>", "aie.objectfifo<!object>"
    )
    assert meaning(parse_design(text, PATH)) == meaning(parse_design(_TEXT, PATH))


def test_a_kernel_linked_at_its_function() -> None:
    design = read(declarations=_KERNEL + ' attributes {link_with = "k.o"}')
    assert design.functions["k"].link_with == "k.o"
    assert design.functions["k"].body is None
    assert design.cores[0].link_with is None


def test_an_empty_link_with_is_none() -> None:
    design = read(
        declarations=_KERNEL + ' attributes {link_with = ""}', core_attributes='{link_with = ""}'
    )
    assert design.cores[0].link_with is None
    assert design.functions["k"].link_with is None


def test_the_stack_is_the_devices_default_unless_given() -> None:
    core = read().cores[0]
    assert (core.stack_size, core.stack_size_given) == (1024, False)
    given = read(core_attributes="{stack_size = 1024 : i32}").cores[0]
    assert (given.stack_size, given.stack_size_given) == (1024, True)


def test_names_of_older_host_buffers_are_passed_over() -> None:
    text = '    memref.global "public" @in : memref<64xi32>\n    memref.global @x : memref<4xi8>\n'
    text += '    memref.global "private" constant @y : memref<4xi8> = dense<[1, 2, 3, 4]>\n'
    assert meaning(read(declarations=text)) == meaning(read())


@pytest.mark.parametrize(
    ("text", "column"),
    [("@s(MM2S, 1, 0)", 0), ("@s(%shim, MM2S, 1)", 0), ("@s (%shim, MM2S, 1) {plio = false}", 0)],
)
def test_both_spellings_of_a_shim_allocation(text: str, column: int) -> None:
    design = read(
        declarations=f"    aie.shim_dma_allocation {text}",
        sequence=SEQUENCE.replace("@in", "@s"),
    )
    found = design.shim_allocations["s"]
    assert (found.direction, found.channel, found.column) == ("MM2S", 1, column)


def test_buffers() -> None:
    text = """
    %b1 = aie.buffer(%core) {sym_name = "one", address = 1024 : i32, mem_bank = 1 : i32} : memref<2x2xi16> = dense<[[1, -1], [2, 3]]>
    %b2 = aie.buffer(%core) : memref<4xbf16> = dense<1.0>
    %b3 = aie.buffer(%core) {sym_name = "three"} : memref<f32>
    %last = aie.tile(0, 0)
    %b4 = aie.buffer(%core) {sym_name = "four"} : memref<4xui8>
"""  # noqa: E501
    one, two, three, four = read(declarations=text).buffers
    assert (one.name, one.tile, one.address, one.bank) == ("one", (0, 2), 1024, 1)
    assert one.init == b"\x01\x00\xff\xff\x02\x00\x03\x00"
    assert one.type.shape == (2, 2)
    assert two.init == b"\x80\x3f" * 4
    assert two.name.startswith("(buffer in line")
    assert (three.type.shape, three.type.bytes, three.init) == ((), 4, None)
    assert [b.before_tiles for b in (one, two, three, four)] == [True, True, True, False]


@pytest.mark.parametrize("element", ["i8", "ui8", "i16", "i32", "bf16", "f32"])
@pytest.mark.parametrize("shape", ["16", "4x4", "2x2x4", "2x2x2x2"])
def test_element_types_and_ranks(element: str, shape: str) -> None:
    memref = f"memref<{shape}x{element}>"
    text = fifo("in", "%shim", "%core", memref=memref) + fifo("out", "%core", "%shim")
    design = read(fifos=text, core=CORE.replace("memref<16xi32>", memref))
    found = design.fifos["in"].object
    assert (str(found), found.elements, found.element) == (memref, 16, element)


def test_a_memory_space_changes_nothing() -> None:
    spaced = parse_design(design_text().replace("memref<16xi32>", "memref<16xi32, 2>"), PATH)
    plain = parse_design(design_text(), PATH)
    assert (spaced.fifos, spaced.pools) == (plain.fifos, plain.pools)
    assert [op.attributes for op in spaced.cores[0].body.walk()] == [
        op.attributes for op in plain.cores[0].body.walk()
    ]


def test_fifos_keep_what_is_written() -> None:
    text = fifo(
        "f",
        "%mem dimensionsToStream [<size = 4, stride = 4>, <size = 4, stride = 1>]",
        "%core dimensionsFromStream [<size = 8, stride = 2>, <size = 2, stride = 1>], %far",
        depth="[2, 3, 4]",
        attributes="{repeat_count = 3 : i32}",
    )
    found = read(fifos=FIFOS + text).fifos["f"]
    assert found.producer == (0, 1)
    assert found.consumers == ((0, 2), (0, 4))
    assert found.depths == (2, 3, 4)
    assert found.to_stream == ((4, 4), (4, 1))
    assert found.from_stream == (((8, 2), (2, 1)), ())
    assert (found.repeat_count, found.via_dma) == (3, True)


def _op(design: Design, name: str) -> Op:
    assert design.sequence is not None
    return next(op for op in design.sequence.body.walk() if op.name == name)


def test_lines_are_those_of_the_text() -> None:
    text = design_text()
    design = parse_design(text, PATH)
    lines = text.split("\n")
    assert design.sequence is not None
    for op in [*design.cores[0].body.walk(), *design.sequence.body.walk()]:
        assert op.name in lines[op.line - 1]
    assert "@out" in lines[design.fifos["out"].line - 1]
    assert "aie.core" in lines[design.cores[0].line - 1]
    assert "runtime_sequence" in lines[design.sequence.line - 1]
