"""The operations that the model device has a meaning for, and what a read `Op` of each holds.

`operands` come in the order given here; an operation without a `keys` entry has no attributes.
Locations, fast-math and overflow flags are dropped; a key that isn't listed is not there. Integer
constants are signed values of their type, `i1` ones are `bool`. "Lists" (offsets, sizes, strides)
hold numbers, with None for an entry that an operand gives: those operands follow the operation's
memref in the order offsets, sizes, strides, each outermost first. An acquire of later versions,
which gives the objects themselves, is read as an acquire followed by an access of each object.

In cores and functions:

| operation | operands | keys |
|---|---|---|
| aie.objectfifo.acquire | - ; result: the subview | fifo: str, port: "Produce" or "Consume", count: int, held in total after it; object: MemRef |
| aie.objectfifo.release | - | fifo, port, count: int, the oldest ones given back |
| aie.objectfifo.subview.access | subview; result: memref | index: int |
| aie.end | - | |
| func.call | arguments | callee: str |
| func.return | results | |
| scf.for | lower, upper, step, initial values | ; one region, block arguments (index, carried values), ends in scf.yield |
| scf.if | condition | ; regions then and else, each ends in scf.yield; else has no blocks when left out |
| scf.while | initial values | ; regions before (ends in scf.condition) and after (ends in scf.yield) |
| scf.condition | condition, values for after and the results | |
| scf.yield | values | |
| cf.br | block arguments | ; successors: the block |
| cf.cond_br | condition, arguments of the first block, of the second | counts: (int, int), how many arguments each gets; successors: both |
| arith.constant | - | value: int, float or bool |
| arith.cmpi | left, right | predicate: eq ne slt sle sgt sge ult ule ugt uge |
| arith.cmpf | left, right | predicate: false oeq ogt oge olt ole one ord ueq ugt uge ult ule une uno true |
| arith.select | condition, if true, if false | |
| arith.* (other) | as in MLIR | |
| memref.load | memref, indices | |
| memref.store | value, memref, indices | |
| memref.subview | memref, list entries | offsets, sizes, strides: lists, relative to the memref |
| memref.reinterpret_cast | memref, list entries | offsets (one), sizes, strides: lists, absolute |
| memref.cast, memref.collapse_shape, memref.expand_shape | memref | ; the result type says the shape |
| memref.copy | source, target | |

In runtime sequences:

| operation | operands | keys |
|---|---|---|
| aiex.npu.dma_memcpy_nd | memref, list entries | metadata: str, id: int, issue_token: bool, offsets, sizes, strides: lists of 4 in elements; 2024's three strides are completed with an innermost 1 |
| aiex.npu.dma_wait | - | symbol: str |
| aiex.npu.sync | - | column, row, direction (0: S2MM, 1: MM2S), channel, column_num, row_num: int |
| aiex.npu.load_pdi | - | whatever the text says |
| aiex.npu.rtp_write | the value, if not a literal | buffer: str, index: int, value: int or None |
| aiex.dma_configure_task_for | - ; result: the task | fifo: str, issue_token: bool, repeat_count: int, n for n+1 runs; one region of blocks that aie.next_bd links and aie.end ends |
| aiex.dma_start_task, aiex.dma_await_task, aiex.dma_free_task | the task | |
| aie.dma_bd | memref | offset, length: int, in elements, dimensions: (size, stride) pairs, outermost first, empty when contiguous |
| aie.next_bd | - | ; successors: the next block |
| aie.end | - | |

Arithmetic, scf.for and scf.if as above. A result of an `aie.buffer`, or of a constant outside the
body, may be an operand: `Body.buffers` names the former, the latter are moved into the body.
"""  # noqa: E501 (a table's rows)

from __future__ import annotations


def _arith(names: str) -> frozenset[str]:
    return frozenset(f"arith.{name}" for name in names.split())


INTEGER_BINARY = _arith(
    "addi subi muli divsi divui remsi remui ceildivsi ceildivui floordivsi andi ori xori shli "
    "shrsi shrui maxsi minsi maxui minui"
)
"""Integer operations of two operands of the result's type."""

FLOAT_BINARY = _arith("addf subf mulf divf maximumf minimumf maxnumf minnumf")
"""Float operations of two operands of the result's type."""

CASTS = _arith(
    "extsi extui trunci index_cast index_castui extf truncf sitofp uitofp fptosi fptoui bitcast"
)
"""Operations that turn one scalar into another type."""

_ARITHMETIC = (
    INTEGER_BINARY
    | FLOAT_BINARY
    | CASTS
    | {"arith.constant", "arith.cmpi", "arith.cmpf", "arith.select", "arith.negf"}
)
_LOOPS = frozenset({"scf.for", "scf.if", "scf.yield"})

FUNCTION_OPERATIONS = (
    _ARITHMETIC
    | _LOOPS
    | {
        "scf.while",
        "scf.condition",
        "cf.br",
        "cf.cond_br",
        "func.call",
        "func.return",
        "memref.load",
        "memref.store",
        "memref.subview",
        "memref.reinterpret_cast",
        "memref.cast",
        "memref.collapse_shape",
        "memref.expand_shape",
        "memref.copy",
    }
)
"""What a function's body may contain."""

CORE_OPERATIONS = (FUNCTION_OPERATIONS - {"func.return"}) | {
    "aie.objectfifo.acquire",
    "aie.objectfifo.release",
    "aie.objectfifo.subview.access",
    "aie.end",
}
"""What a core's program may contain."""

TASK_OPERATIONS = frozenset({"aie.dma_bd", "aie.next_bd", "aie.end"})
"""What the region of an `aiex.dma_configure_task_for` may contain."""

SEQUENCE_OPERATIONS = (
    _ARITHMETIC
    | _LOOPS
    | TASK_OPERATIONS
    | {
        "aiex.npu.dma_memcpy_nd",
        "aiex.npu.dma_wait",
        "aiex.npu.sync",
        "aiex.npu.load_pdi",
        "aiex.npu.rtp_write",
        "aiex.dma_configure_task_for",
        "aiex.dma_start_task",
        "aiex.dma_await_task",
        "aiex.dma_free_task",
    }
)
"""What a runtime sequence may contain, its tasks included."""
