"""Broken designs: each is refused with the line that holds the marker, in words that say why.

A line that ends in `//!` is where the error must point.
"""

# ruff: noqa: E501  (a row of the corpus reads best on one line)

from __future__ import annotations

import pytest

from tests.design.texts import CORE, FIFOS, PATH, SEQUENCE, acquire, design_text, fifo
from workbench.design import parse_design
from workbench.design.unsupported import UNSUPPORTED
from workbench.errors import DesignError


def _refused(text: str) -> DesignError:
    with pytest.raises(DesignError) as caught:
        parse_design(text, PATH)
    return caught.value


def _check(text: str, words: str) -> None:
    error = _refused(text)
    marked = [number for number, line in enumerate(text.split("\n"), 1) if line.endswith("//!")]
    assert words in str(error)
    assert len(marked) == 1, "the text needs one marker"
    assert error.where is not None
    path, line, *_ = error.where.split(":")
    assert (path, int(line)) == (PATH, marked[0]), str(error)
    assert "\n" not in str(error)


def _i8(text: str) -> str:
    return text.replace("64xi32", "64xi8")


def _copy(
    lists: str, *, metadata: str = "@in", memref: str = "memref<64xi32>", number: int = 1
) -> str:
    values = f"metadata = {metadata}, id = {number} : i64"
    return f"aiex.npu.dma_memcpy_nd(%host{lists}) {{{values}}} : {memref} //!\n"


_PLAIN = "[0, 0, 0, 0][1, 1, 1, 64][0, 0, 0, 1]"

# Syntax and names.
MODULES = {
    "a missing parenthesis": (
        design_text(declarations="    %more = aie.tile(0, 3\n    %n = aie.tile(0, 2) //!"),
        "expected",
    ),
    "a string without an end": (
        design_text(core_attributes='{link_with = "an_object_of_a_long_name_being_typed.o} //!'),
        "the string doesn't end",
    ),
    "an unknown operation": (
        design_text(core="      aie.frobnicate(%core) {x = 1} //!\n"),
        "aie.frobnicate is not an operation",
    ),
    "an unknown generic operation": (
        design_text(core='      "vector.print"() : () -> () //!\n'),
        "vector.print is not an operation",
    ),
    "an undefined value": (
        design_text(core="      memref.store %no, %a[] : memref<i32> //!\n"),
        "%no is used but not defined",
    ),
    "a value defined twice": (
        design_text(declarations="    %core = aie.tile(0, 3) //!"),
        "%core is already defined",
    ),
    "a constant too large": (
        design_text(core="      %c = arith.constant 300 : i8 //!\n"),
        "out of range",
    ),
    "an unknown device": (design_text().replace("npu1_1col) {", "xcvc1902) { //!"), "xcvc1902"),
    "too many columns in the device": (
        design_text().replace("npu1_1col) {", "npu1_5col) { //!"),
        "npu1_5col",
    ),
    "an operation beside the device": (
        "module {\n  func.func private @f() //!\n  aie.device(npu1) {\n  }\n}\n",
        "func.func is not supported outside an aie.device",
    ),
    "an operation that a device can't hold": (
        design_text(
            declarations="    %k = arith.constant 1 : i32\n    %z = arith.addi %k, %k : i32 //!"
        ),
        "arith.addi is not supported directly in an aie.device",
    ),
    "a core operation in a sequence": (
        design_text(sequence="      aie.objectfifo.release @in(Consume, 1) //!\n"),
        "aie.objectfifo.release is not supported in a runtime sequence",
    ),
    "a sequence operation in a core": (
        design_text(core="      aiex.npu.dma_wait {symbol = @in} //!\n"),
        "aiex.npu.dma_wait is not supported in a core",
    ),
    "an operation of ours in generic form": (
        design_text(core='      "aie.objectfifo.release"() {size = 1 : i32} : () -> () //!\n'),
        "generic form",
    ),
    "a symbol declared twice": (
        design_text(fifos=FIFOS + fifo("in", "%shim", "%core").rstrip() + " //!\n"),
        "redefinition of symbol named 'in'",
    ),
    "a fifo and a shim allocation of one name": (
        design_text(declarations="    aie.shim_dma_allocation @in(MM2S, 0, 0)").replace(
            "@in(%shim, {%core}, 2 : i32) : !aie.objectfifo<memref<16xi32>>",
            "@in(%shim, {%core}, 2 : i32) : !aie.objectfifo<memref<16xi32>> //!",
        ),
        "redefinition of symbol named 'in'",
    ),
    "pools of one name": (
        design_text(
            fifos=FIFOS + fifo("in_cons", "%core", "%shim").rstrip() + " //!\n",
        ),
        "redefinition of symbol named 'in_cons_buff_0'",
    ),
}

# Tiles, cores, buffers.
PLACES = {
    "a column too far": (
        design_text(declarations="    %t = aie.tile(1, 2) //!"),
        "column index (1) must be less than the number of columns in the device (1)",
    ),
    "a row too far": (
        design_text(declarations="    %t = aie.tile(0, 6) //!"),
        "row index (6) must be less than the number of rows in the device (6)",
    ),
    "a core on a mem tile": (
        design_text(declarations="    aie.core(%mem) { //!\n      aie.end\n    }"),
        "a core can't be on the mem tile (0, 1)",
    ),
    "a second core on a tile": (
        design_text(declarations="    aie.core(%core) {\n      aie.end\n    }").replace(
            f"aie.core(%core) {{\n{CORE}", f"aie.core(%core) {{ //!\n{CORE}"
        ),
        "has a core already",
    ),
    "a core without a program": (
        design_text(
            core="",
            core_attributes='{elf_file = "x.elf"}',
        ).replace("aie.core(%core) {", "aie.core(%core) { //!"),
        "elf_file",
    ),
    "a tile that is none": (
        design_text(declarations="    %i = arith.constant 1 : index\n    aie.core(%i) { //!\n }"),
        "aie.core needs an aie.tile",
    ),
    "a buffer of an unknown type": (
        design_text(declarations='    %b = aie.buffer(%core) {sym_name = "b"} : memref<4xf64> //!'),
        "f64",
    ),
    "a buffer without a size": (
        design_text(declarations='    %b = aie.buffer(%core) {sym_name = "b"} : memref<?xi8> //!'),
        "run time",
    ),
    "link_with twice": (
        design_text(
            declarations='    func.func private @k() attributes {link_with = "k.o"}',
            core="      func.call @k() : () -> ()\n",
            core_attributes='{link_with = "k.o"}',
        ).replace("aie.core(%core) {", "aie.core(%core) { //!"),
        "link_with",
    ),
}


def _one(text: str) -> str:
    return design_text(fifos=text, core="", sequence="")


def _linked(link: str, *more: str) -> str:
    text = fifo("i", "%shim", "%mem") + fifo("o", "%mem", "%core") + fifo("p", "%mem", "%far")
    return _one(text + "".join(more) + f"    aie.objectfifo.link {link} //!\n")


# FIFOs and links.
FLOWS = {
    "too few depths": (
        _one(fifo("f", "%core", "%far, %top", depth="[2, 2]").rstrip() + " //!\n"),
        "does not have enough depths specified for producer and for each consumer",
    ),
    "a depth of nothing": (
        _one(fifo("f", "%core", "%far", depth="0 : i32").rstrip() + " //!\n"),
        "depth must be at least 1",
    ),
    "a depth that is no number": (
        _one(fifo("f", "%core", "%far", depth='"two"').rstrip() + " //!\n"),
        "the depth must be an integer",
    ),
    "two consumers on a tile": (
        _one(fifo("f", "%core", "%far, %far").rstrip() + " //!\n"),
        "two consumers on one tile",
    ),
    "shim to shim": (
        _one(fifo("f", "%shim", "%shim").rstrip() + " //!\n"),
        "shim to shim",
    ),
    "a transform at a shim producer": (
        _one(fifo("f", "%shim dimensionsToStream [<size = 16, stride = 1>]", "%far").rstrip() + " //!\n"),
        "`dimensionsToStream` data layout transformations are not supported on shim tile producers",
    ),
    "a transform at a shim consumer": (
        _one(fifo("f", "%far", "%shim dimensionsFromStream [<size = 16, stride = 1>]").rstrip() + " //!\n"),
        "`dimensionsFromStreamPerConsumer` data layout transformations are not supported",
    ),
    "a repeat count at a shim": (
        _one(fifo("f", "%shim", "%far", attributes="{repeat_count = 2 : i32}").rstrip() + " //!\n"),
        "`repeat_count` unavailable for shim tiles",
    ),
    "initial values at a shim": (
        _one(fifo("f", "%shim", "%far", init="= [dense<1> : memref<16xi32>, dense<2> : memref<16xi32>]").rstrip() + " //!\n"),
        "`init_values` unavailable for shim tiles",
    ),
    "too few initial values": (
        _one(fifo("f", "%core", "%far", init="= [dense<1> : memref<16xi32>]").rstrip() + " //!\n"),
        "`init_values` does not initialize all objects",
    ),
    "four dimensions on a core": (
        _one(fifo("f", "%core dimensionsToStream [" + ", ".join(["<size = 2, stride = 1>"] * 4) + "]", "%far").rstrip() + " //!\n"),
        "Cannot give more than 3 dimensions for step sizes and wraps in this tile (got 4 dimensions)",
    ),
    "a stride of nothing": (
        _one(fifo("f", "%core dimensionsToStream [<size = 16, stride = 0>]", "%far").rstrip() + " //!\n"),
        "Invalid step size; must be a positive integer",
    ),
    "a stride past the object": (
        _one(fifo("f", "%core dimensionsToStream [<size = 1, stride = 17>]", "%far").rstrip() + " //!\n"),
        "Step size 17 exceeds memref size 16",
    ),
    "a transform past the object": (
        _one(fifo("f", "%core dimensionsToStream [<size = 4, stride = 8>, <size = 4, stride = 1>]", "%far").rstrip() + " //!\n"),
        "out of bounds access in buffer, for index 27 in memref of length 16",
    ),
    "a size past the register": (
        _one(fifo("f", "%mem dimensionsToStream [<size = 1024, stride = 1>]", "%far", memref="memref<1024xi32>").rstrip() + " //!\n"),
        "Size may not exceed 1023",
    ),
    "bytes taken one by one": (
        _one(fifo("f", "%core dimensionsToStream [<size = 4, stride = 1>, <size = 4, stride = 4>]", "%far", memref="memref<16xi8>").rstrip() + " //!\n"),
        "For <32b width datatypes, inner-most dim stride must be 1",
    ),
    "a transform of half the object": (
        _one(fifo("f", "%core dimensionsToStream [<size = 8, stride = 1>]", "%far").rstrip() + " //!\n"),
        "a transform of 8 elements of 16",
    ),
    "a third output of a core": (
        _one(fifo("a", "%core", "%shim") + fifo("b", "%core", "%mem") + fifo("c", "%core", "%mem").rstrip() + " //!\n"),
        "number of output DMA channel exceeded!",
    ),
    "a third input of a core": (
        _one(fifo("a", "%shim", "%core") + fifo("b", "%mem", "%core") + fifo("c", "%mem", "%core").rstrip() + " //!\n"),
        "number of input DMA channel exceeded!",
    ),
    "a third input of the shim": (
        _one(fifo("a", "%core", "%shim") + fifo("b", "%north", "%shim") + fifo("c", "%far", "%shim").rstrip() + " //!\n"),
        "number of input DMA channel exceeded!",
    ),
    "a seventh output of a mem tile": (
        _one("".join(fifo(f"f{i}", "%mem", t) for i, t in enumerate(["%core", "%north", "%far"] * 2)) + fifo("g", "%mem", "%top").rstrip() + " //!\n"),
        "number of output DMA channel exceeded!",
    ),
    "a link of an unknown fifo": (_linked("[@i] -> [@q] ([] [])"), "@q is no aie.objectfifo"),
    "a link of nothing": (_linked("[] -> [@o] ([] [])"), "needs an input and an output"),
    "a fifo in two links": (
        _linked("[@i] -> [@p] ([] [])", "    aie.objectfifo.link [@i] -> [@o] ([] [])\n"),
        "objectfifo cannot be in more than one ObjectFifoLinkOp",
    ),
    "a fifo twice in a link": (
        _linked("[@i] -> [@o, @o] ([] [0, 8])"),
        "objectfifo cannot be in more than one ObjectFifoLinkOp",
    ),
    "join and distribute at once": (
        _linked("[@i, @j] -> [@o, @p] ([0, 8] [0, 8])", fifo("j", "%far", "%mem")),
        "does not support 'join' and 'distribute' at the same time",
    ),
    "a link without a shared tile": (
        _linked("[@i] -> [@x] ([] [])", fifo("x", "%far", "%shim")),
        "must have a link point, i.e., a shared tile between objectFifos",
    ),
    "a distribute on a core's tile": (
        _one(
            fifo("i", "%shim", "%core") + fifo("o", "%core", "%far") + fifo("p", "%core", "%top")
            + "    aie.objectfifo.link [@i] -> [@o, @p] ([] [0, 8]) //!\n"
        ),
        "join and distribute are unavailable on compute or shim tiles",
    ),
    "a link on a shim tile": (
        _one(
            fifo("i", "%core", "%shim") + fifo("o", "%shim", "%far")
            + "    aie.objectfifo.link [@i] -> [@o] ([] []) //!\n"
        ),
        "a link on a shim tile",
    ),
    "too few offsets": (
        _linked("[@i] -> [@o, @p] ([] [0])"),
        "number of provided dst offsets must be equal to the number of output objectFifos",
    ),
    "too few offsets of a join": (
        _one(
            fifo("i", "%core", "%mem") + fifo("j", "%far", "%mem") + fifo("o", "%mem", "%shim")
            + "    aie.objectfifo.link [@i, @j] -> [@o] ([0] []) //!\n"
        ),
        "number of provided src offsets must be equal to the number of input objectFifos",
    ),
    "offsets on the wrong side": (
        _linked("[@i] -> [@o, @p] ([0] [0, 8])"),
        "src offsets should be empty for distribute",
    ),
    "offsets past the object": (_linked("[@i] -> [@o, @p] ([] [0, 16])"), "don't rise within"),
    "offsets that fall": (_linked("[@i] -> [@o, @p] ([] [8, 0])"), "don't rise within"),
    "offsets before the object": (_linked("[@i] -> [@o, @p] ([] [-4, 8])"), "don't rise within"),
    "a transform past the object by its slice's offset": (
        _one(
            fifo("i", "%shim", "%mem") + fifo("o", "%mem", "%far")
            + fifo("p", "%mem dimensionsToStream [<size = 8, stride = 2>]", "%top").rstrip() + " //!\n"
            + "    aie.objectfifo.link [@i] -> [@o, @p] ([] [0, 8])\n"
        ),
        "for index 22 in memref of length 16",
    ),
    "unequal repeat counts": (
        _linked(
            "[@i] -> [@o, @q] ([] [0, 8])",
            fifo("q", "%mem", "%top", attributes="{repeat_count = 2 : i32}"),
        ),
        "repeat counts of output object FIFOs must be equal",
    ),
    "a transform of what is distributed": (
        _one(
            fifo("i", "%shim", "%mem dimensionsFromStream [<size = 16, stride = 1>]")
            + fifo("o", "%mem", "%far") + fifo("p", "%mem", "%top")
            + "    aie.objectfifo.link [@i] -> [@o, @p] ([] [0, 8]) //!\n"
        ),
        "currently does not support objectFifos with dimensionsFromStreamPerConsumer",
    ),
    "initial values too small for the input": (
        _one(
            fifo("i", "%shim", "%mem", memref="memref<32xi32>")
            + fifo("o", "%mem", "%far", init="= [dense<1> : memref<16xi32>, dense<2> : memref<16xi32>]")
            + "    aie.objectfifo.link [@i] -> [@o] ([] []) //!\n"
        ),
        "don't fit the initialised ones",
    ),
}  # fmt: skip


def _core(text: str, *, fifos: str = FIFOS, declarations: str = "") -> str:
    return design_text(fifos=fifos, core=text, declarations=declarations)


_KERNEL = "    func.func private @k(memref<16xi32>, i32) -> ()"
_LOOP = """
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c9 = arith.constant 9 : index
"""

# Cores.
CORES = {
    "an acquire of an unknown fifo": (
        _core(acquire("no", "Consume", 1).rstrip() + " //!\n"),
        "cannot retrieve associated object FIFO",
    ),
    "a release of an unknown fifo": (
        _core("      aie.objectfifo.release @no(Consume, 1) //!\n"),
        "cannot retrieve associated object FIFO",
    ),
    "producing where the core consumes": (
        _core(acquire("in", "Produce", 1).rstrip() + " //!\n"),
        "producer port of objectFifo accessed by core running on non-producer tile",
    ),
    "consuming where the core produces": (
        _core("      aie.objectfifo.release @out(Consume, 1) //!\n"),
        "consumer port of objectFifo accessed by core running on non-consumer tile",
    ),
    "an acquire of more than a shared fifo has": (
        _core(
            acquire("s", "Produce", 3).rstrip() + " //!\n",
            fifos=FIFOS + fifo("s", "%core", "%north"),
        ),
        "acquire of 3 objects of @s, which has 2",
    ),
    "an acquire of more than the list gives": (
        _core(
            acquire("l", "Produce", 3).rstrip() + " //!\n",
            fifos=fifo("l", "%core", "%shim", depth="[2, 4]") + fifo("in", "%shim", "%core"),
        ).replace("@out", "@l"),
        "acquire of 3 objects of @l, which has 2",
    ),
    "an acquire of nothing": (
        _core(acquire("in", "Consume", 0).rstrip() + " //!\n"),
        "must be positive",
    ),
    "an acquire of two that names one": (
        _core("      %x = aie.objectfifo.acquire @in(Consume, 2) : memref<16xi32> //!\n"),
        "acquires 2 objects but names 1 of them",
    ),
    "an acquire of no memref": (
        _core("      %x = aie.objectfifo.acquire @in(Consume, 1) : i32 //!\n"),
        "!aie.objectfifosubview<memref<...>> or memrefs of one type expected",
    ),
    "an acquire of another type": (
        _core(acquire("in", "Consume", 1, "memref<8xi32>").rstrip() + " //!\n"),
        "ObjectFifo element and ObjectFifoSubview element must match",
    ),
    "an access past what is acquired": (
        _core(CORE.replace("%a[0] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32>", "%a[1] : !aie.objectfifosubview<memref<16xi32>> -> memref<16xi32> //!")),
        "accessed farther than number of acquired elements (index out of bounds)",
    ),
    "an access of another type": (
        _core(CORE.replace("-> memref<16xi32>", "-> memref<8xi32> //!")),
        "the access must have the subview's memref type",
    ),
    "a release of what isn't held": (
        _core("      aie.objectfifo.release @in(Consume, 1) //!\n"),
        "cannot release more elements than are already acquired",
    ),
    "a release of more than is held": (
        _core(acquire("in", "Consume", 2) + "      aie.objectfifo.release @in(Consume, 1)\n      aie.objectfifo.release @in(Consume, 2) //!\n"),
        "cannot release more elements than are already acquired",
    ),
    "a release of all that was acquired twice over": (
        _core(acquire("in", "Consume", 1) + acquire("in", "Consume", 2) + "      aie.objectfifo.release @in(Consume, 3) //!\n"),
        "3 of @in are released, 2 are held",
    ),
    "a type without its element": (
        _core("      %x = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview() //!\n"),
        "expected",
    ),
    "a second release in a loop": (
        _core(_LOOP + "      scf.for %i = %c0 to %c9 step %c1 {\n" + acquire("in", "Consume", 1) + "      aie.objectfifo.release @in(Consume, 1)\n      aie.objectfifo.release @in(Consume, 1) //!\n      }\n"),
        "cannot release more elements than are already acquired",
    ),
    "a release after both branches released": (
        _core(
            acquire("in", "Consume", 1) + "      %t = arith.constant true\n      scf.if %t {\n        aie.objectfifo.release @in(Consume, 1)\n      } else {\n        aie.objectfifo.release @in(Consume, 1)\n      }\n      aie.objectfifo.release @in(Consume, 1) //!\n"
        ),
        "cannot release more elements than are already acquired",
    ),
    "a linked fifo used on the link's tile": (
        _core(
            acquire("in", "Consume", 1).rstrip() + " //!\n",
            fifos=FIFOS + "    aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        ),
        "currently cannot access objectFifo used in ObjectFifoLinkOp",
    ),
    "a call of nothing": (
        _core("      func.call @k() : () -> () //!\n"),
        "'k' does not reference a valid function",
    ),
    "a call with too few arguments": (
        _core("      func.call @k() : () -> () //!\n", declarations=_KERNEL),
        "incorrect number of operands for callee",
    ),
    "a call with another type": (
        _core(
            CORE + "      %n = arith.constant 1 : i16\n      func.call @k(%x, %n) : (memref<16xi32>, i16) -> () //!\n",
            declarations=_KERNEL,
        ),
        "expected operand type 'i32', but provided 'i16' for operand number 1",
    ),
    "a call with another memref": (
        _core(
            CORE + "      %n = arith.constant 1 : i32\n      func.call @k(%x, %n) : (memref<16xi32>, i32) -> () //!\n",
            declarations=_KERNEL.replace("16xi32", "16xi8"),
        ),
        "expected operand type 'memref<16xi8>', but provided 'memref<16xi32>' for operand number 0",
    ),
    "a call with another result": (
        _core(
            "      %n = arith.constant 1 : i32\n      %r = func.call @g(%n) : (i32) -> i32 //!\n",
            declarations="    func.func private @g(i32)",
        ),
        "the call's results are not those of the function",
    ),
    "a wrong call inside a function": (
        _core("", declarations="    func.func @g() {\n      func.call @h() : () -> () //!\n      return\n    }"),
        "'h' does not reference a valid function",
    ),
    "a fifo used in a function": (
        _core("", declarations="    func.func @g() {\n      aie.objectfifo.release @in(Consume, 1) //!\n      return\n    }"),
        "aie.objectfifo.release is not supported in function @g",
    ),
}  # fmt: skip


def _sequence(text: str, *, memref: str = "memref<64xi32>", declarations: str = "") -> str:
    text = design_text(sequence="      " + text, declarations=declarations)
    return text.replace("(%host : memref<64xi32>", f"(%host : {memref}")


def _task(descriptor: str, attributes: str = "") -> str:
    return (
        "%t = aiex.dma_configure_task_for @in {\n"
        f"        aie.dma_bd({descriptor}) //!\n        aie.end\n      }} {attributes}\n"
    )


# Runtime sequences.
TRANSFERS = {
    "an unknown target": (
        _sequence(_copy(_PLAIN, metadata="@no")),
        "@no is neither an aie.objectfifo nor an aie.shim_dma_allocation",
    ),
    "a fifo that never meets the shim": (
        design_text(fifos=FIFOS + fifo("inner", "%core", "%north"), sequence=_copy(_PLAIN, metadata="@inner")),
        "@inner has no end on a shim tile",
    ),
    "no id": (
        _sequence(_copy(_PLAIN).replace(", id = 1 : i64", "")),
        "requires attribute 'id'",
    ),
    "no metadata": (
        _sequence(_copy(_PLAIN).replace("metadata = @in, ", "")),
        "requires attribute 'metadata'",
    ),
    "an id too high": (_sequence(_copy(_PLAIN, number=16)), "BD ID exceeds the maximum ID"),
    "too few sizes": (
        _sequence(_copy("[0, 0, 0, 0][1, 1, 64][0, 0, 0, 1]")),
        "needs 4 offsets, 4 sizes and 4 strides",
    ),
    "half words": (
        _sequence(_copy("[0, 0, 0, 0][1, 1, 1, 6][0, 0, 0, 1]", memref="memref<64xi8>"), memref="memref<64xi8>"),
        "Transfer sizes must be multiples of 4 bytes. 6 elements at 1 bytes each equal 6 bytes, which is not divisible by 4",
    ),
    "an odd offset": (
        _sequence(_copy("[0, 0, 0, 2][1, 1, 1, 8][0, 0, 0, 1]", memref="memref<64xi8>"), memref="memref<64xi8>"),
        "Offset must be 4-byte-aligned",
    ),
    "an odd stride": (
        _sequence(_copy("[0, 0, 0, 0][1, 1, 2, 4][0, 0, 6, 1]", memref="memref<64xi8>"), memref="memref<64xi8>"),
        "Stride 1 is 6 elements * 1 bytes = 6 bytes, which is not divisible by 4",
    ),
    "a size of nothing": (_sequence(_copy("[0, 0, 0, 0][1, 1, 0, 4][0, 0, 4, 1]")), "Size 1 must be a positive integer"),
    "a stride of nothing": (_sequence(_copy("[0, 0, 0, 0][1, 1, 2, 4][0, 0, 0, 1]")), "Stride 1 must be a positive integer"),
    "a negative iteration stride": (_sequence(_copy("[0, 0, 0, 0][2, 1, 1, 4][-4, 0, 0, 1]")), "Stride 3 must be a non-negative integer"),
    "too many repeats": (_sequence(_copy("[0, 0, 0, 0][65, 1, 1, 4][0, 0, 0, 1]")), "Size 3 exceeds the [1:64] range"),
    "an inner size past the register": (_sequence(_copy("[0, 0, 0, 0][1, 1, 2, 1024][0, 0, 2048, 1]")), "Size 0 exceeds the [0:1023] range"),
    "a size past the register": (_sequence(_copy("[0, 0, 0, 0][1, 1, 1024, 2][0, 0, 4, 1]")), "Size 1 exceeds the [0:1023] range"),
    "a stride past the register": (_sequence(_copy("[0, 0, 0, 0][1, 1, 2, 2][0, 0, 2000000, 1]")), "Stride 1 exceeds the [1:1048576] range"),
    "long elements": (
        _sequence(_copy(_PLAIN, memref="memref<64xi64>"), memref="memref<64xi64>"),
        "Maximum element bit width allowed is 32bits",
    ),
    "less than a word": (
        _sequence(_copy("[0, 0, 0, 0][1, 1, 1, 2][0, 0, 0, 1]", memref="memref<2xi8>"), memref="memref<2xi8>"),
        "Minimum data transfer size required is 32bits",
    ),
    "sizes from constants": (
        _sequence("%n = arith.constant 6 : i64\n" + _copy("[0, 0, 0, 0][1, 1, 1, %n][0, 0, 0, 1]", memref="memref<64xi8>"), memref="memref<64xi8>"),
        "Transfer sizes must be multiples of 4 bytes",
    ),
    "a packet header": (_sequence(_copy(_PLAIN).replace("{metadata", "{packet = #aie.packet_info<pkt_type = 0, pkt_id = 1>, metadata")), "packet headers"),
    "a packet header inside": (_sequence(_copy(_PLAIN + ", packet = <pkt_id = 4, pkt_type = 0>")), "packet headers"),
    "padding": (_sequence(_copy(_PLAIN).replace("{metadata", "{d0_zero_before = 4 : i64, metadata")), "d0_zero_before"),
    "a wait for nothing": (_sequence("aiex.npu.dma_wait {symbol = @no} //!\n"), "couldn't find symbol in parent device"),
    "a wait without a name": (_sequence("aiex.npu.dma_wait //!\n"), "requires attribute 'symbol'"),
    "a sync without a column": (_sequence("aiex.npu.sync {row = 0 : i32} //!\n"), "requires attribute 'column'"),
    "a task of an unknown fifo": (_sequence(_task("%host : memref<64xi32>", "").replace(" //!", "").replace("@in {", "@no { //!")), "@no is neither"),
    "a task of nothing": (_sequence("%t = aiex.dma_configure_task_for @in { //!\n        aie.end\n      }\n"), "a task needs an aie.dma_bd"),
    "too many runs": (_sequence(_task("%host : memref<64xi32>", "{repeat_count = 256 : i32}").replace(" //!", "").replace("@in {", "@in { //!")), "repeat_count must be from 0 to 255"),
    "a descriptor of odd length": (_sequence(_task("%host : memref<64xi8>, 0, 6"), memref="memref<64xi8>"), "Transfer sizes must be multiples of 4 bytes"),
    "a descriptor of no length": (_sequence(_task("%host : memref<64xi32>, 0, 0")), "length must be positive"),
    "a descriptor at an odd offset": (_sequence(_task("%host : memref<64xi8>, 2, 8"), memref="memref<64xi8>"), "bd address must be 4 byte (32b) aligned"),
    "a descriptor of five dimensions": (
        _sequence(_task("%host : memref<64xi32>, 0, 4, [" + ", ".join(["<size = 1, stride = 4>"] * 4) + ", <size = 4, stride = 1>]")),
        "At most four data layout transformation dimensions may be provided",
    ),
    "a descriptor of two lengths": (
        _sequence(_task("%host : memref<64xi32>, 0, 4, [<size = 2, stride = 8>, <size = 4, stride = 1>]")),
        "does not match length of transfer",
    ),
    "a computed descriptor": (
        _sequence("%n = arith.constant 4 : i32\n      " + _task("%host : memref<64xi32> offset = 0 len = %n")),
        "a computed transfer",
    ),
    "a descriptor with more sizes than strides": (
        _sequence(_task("%host : memref<64xi32> len = 4 sizes = [1, 4] strides = [1]")),
        "as many sizes as strides expected",
    ),
    "a padded descriptor": (
        _sequence(_task("%host : memref<64xi32>, 0, 4, [<size = 4, stride = 1>], [<const_pad_before = 1, const_pad_after = 1>]")),
        "padding",
    ),
    "a packet descriptor": (_sequence(_task("%host : memref<64xi32>) {packet = #aie.packet_info<pkt_type = 0, pkt_id = 1>}  //!").replace("//!) //!", "//!")), "packet headers"),
    "a parameter of no buffer": (_sequence("aiex.npu.rtp_write(@rtp, 0, 7) //!\n"), 'there is no aie.buffer with sym_name "rtp"'),
    "a parameter past the buffer": (
        _sequence("aiex.npu.rtp_write(@rtp, 4, 7) //!\n", declarations='    %r = aie.buffer(%core) {sym_name = "rtp"} : memref<4xi32>'),
        "index 4 is outside @rtp",
    ),
}  # fmt: skip

CORPUS = {**MODULES, **PLACES, **FLOWS, **CORES, **TRANSFERS}


@pytest.mark.parametrize("name", CORPUS)
def test_a_broken_design_is_refused_where_it_is_broken(name: str) -> None:
    _check(*CORPUS[name])


def test_the_designs_that_are_broken_on_purpose_are_whole_otherwise() -> None:
    parse_design(design_text(), PATH)
    parse_design(design_text(sequence=SEQUENCE), PATH)


@pytest.mark.parametrize(
    "lists",
    [
        "[0, 0, 0, 0][1, 1, 2, 2048][0, 0, 4096, 1]",
        "[0, 0, 0, 0][64, 1, 1, 1000000][0, 0, 0, 1]",
        "[0, 0, 0, 0][1, 4, 4096, 4][0, 16384, 4, 1]",
        "[0, 0, 0, 0][1, 1, 1, 4][0, 4000000, 4000000, 1]",
    ],
)
def test_limits_count_words_and_spare_contiguous_runs(lists: str) -> None:
    memref = "memref<64xi8>"
    copy = _copy(lists, memref=memref).replace(" //!", "")
    parse_design(_sequence(copy, memref=memref), PATH)


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_an_unsupported_operation_is_refused_by_name(name: str) -> None:
    text = design_text(declarations=f"    %v = {name}(%core, 3) {{x = 1 : i32}} //!")
    _check(text, f"{name} is not supported by the model device")


@pytest.mark.parametrize(
    ("attribute", "word"),
    [
        ("aie_stream = 0 : i32", "core streams"),
        ("disable_synchronization = true", "locks"),
        ("iter_count = 4 : i32", "iter_count"),
        ("padDimensions = 1 : i32", "padding"),
        ("plio = true", "PLIO"),
        ("something_new = 1 : i32", "something_new"),
    ],
)
def test_fifo_attributes_that_change_its_meaning_are_refused(attribute: str, word: str) -> None:
    text = fifo("f", "%core", "%far", attributes=f"{{{attribute}}}").rstrip() + " //!\n"
    _check(_one(text), word)


def test_harmless_fifo_attributes_are_read() -> None:
    parse_design(_one(fifo("f", "%core", "%far", attributes="{plio = false}")), PATH)


def test_messages_of_the_parser_have_a_column() -> None:
    error = _refused("module {\n  aie.device(npu1) {\n    %t = aie.tile(0, x)\n  }\n}\n")
    assert error.where == f"{PATH}:3:22"


def test_the_hint_lists_what_a_transfer_may_name() -> None:
    error = _refused(_sequence(_copy(_PLAIN, metadata="@no")))
    assert error.hint == "there: @in, @out"
