"""Faults that kernel authors make, each planted alone into a base that is right without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BASES = ("attention", "matmul", "scale_add", "normalise", "gelu", "accumulate", "pipeline")

Edit = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A base with texts of its kernel or its design replaced, each of which occurs exactly once.

    `finding` is what the verdict is to say first, and `says` stands in that finding's place,
    message or hint. Without a finding it is the run's error that says it: then nothing ran.
    """

    name: str
    base: str
    finding: str | None
    says: str
    kernel: tuple[Edit, ...] = ()
    design: tuple[Edit, ...] = ()


def kernel(name: str, old: str, new: str, finding: str, says: str) -> Fault:
    """A fault of the kernel; its base is filled in below."""
    return Fault(name, "", finding, says, kernel=((old, new),))


def design(name: str, old: str, new: str, finding: str | None, says: str) -> Fault:
    """A fault of the design; its base is filled in below."""
    return Fault(name, "", finding, says, design=((old, new),))


ATTENTION = (
    kernel(
        "transposed K",
        "k[j * N + d]",
        "k[d * N + j]",
        "wrong-operand",
        "k were transposed",
    ),
    kernel(
        "missing scale",
        "dot >> shift",
        "dot",
        "wrong-scalar",
        "shift were 0, not 3",
    ),
    kernel(
        "double scale",
        "dot >> shift",
        "dot >> 2 * shift",
        "wrong-scalar",
        "shift were 6, not 3",
    ),
    design(
        "wrong scalar passed",
        "%shift = arith.constant 3",
        "%shift = arith.constant 4",
        "scalar-mismatch",
        "shift = 4, the spec expects 3",
    ),
    kernel(
        "int8 accumulator",
        "int32_t dot = 0",
        "int8_t dot = 0",
        "implicit-truncation",
        "narrowed to int8_t",
    ),
    kernel(
        "scores clamped to int8",
        "row[j] = dot >> shift;",
        "int32_t s = dot >> shift;\n            row[j] = s < -128 ? -128 : s > 127 ? 127 : s;",
        "error-enters-at",
        "scores: correlation 1.0000 -> 0.8858, 60.5 % saturated",
    ),
    kernel(
        "V read as K",
        "v = qkv + 2 * N * N",
        "v = qkv + N * N",
        "wrong-operand",
        "k stood in place of v",
    ),
    kernel(
        "row off by one",
        "k[j * N + d]",
        "k[(j + 1) * N + d]",
        "wrong-operand",
        "k began one row late",
    ),
    kernel(
        "output transposed",
        "out[i * N + d]",
        "out[d * N + i]",
        "error-pattern",
        "the output is the reference transposed",
    ),
    kernel(
        "table index off by one",
        "POWERS[distance & 63]",
        "POWERS[(distance & 63) + 1]",
        "out-of-bounds",
        "64",
    ),
    kernel(
        "wrong entry in a table",
        "    16384, ",
        "    1638, ",
        "error-enters-at",
        "the error enters at weights",
    ),
    kernel(
        "wrapped int8 subtraction",
        "int32_t distance = largest - row[j]",
        "int8_t distance = largest - row[j]",
        "implicit-truncation",
        "narrowed to int8_t",
    ),
    kernel(
        "missing max subtraction",
        "largest - row[j]",
        "-row[j]",
        "shift-fault",
        "only 0 to 31 are defined",
    ),
    kernel(
        "uninitialised sum",
        "int32_t sum = 0",
        "int32_t sum",
        "uninitialised-read",
        "'sum' is uninitialized",
    ),
    kernel(
        "stack overrun",
        "int32_t row[N];",
        "int32_t row[32 * N];",
        "stack-overrun",
        "make row (2,048 B) static",
    ),
    kernel(
        "buffer overrun",
        "d < N; d++) {\n            int32_t total",
        "d <= N; d++) {\n            int32_t total",
        "out-of-bounds",
        "1 bytes outside its buffers: 0 bytes after the end of out_buff_0",
    ),
    kernel(
        "input overwritten",
        "row[j] = power(distance);",
        "row[j] = power(distance);\n            ((int8_t *)k)[i * N + j] = 0;",
        "input-overwritten",
        "k rows 0-15",
    ),
    kernel(
        "missing rounding",
        "(2 * value + (value < 0 ? -by : by)) / (2 * by)",
        "value / by",
        "error-pattern",
        "towards zero: the result is cut off, not rounded",
    ),
)

MATMUL = (
    kernel(
        "rounded down",
        "(scaled + half)",
        "(scaled)",
        "error-pattern",
        "downwards: the result is cut off, not rounded",
    ),
    kernel(
        "wrong clamp",
        "value > 127 ? 127",
        "value > 100 ? 100",
        "error-enters-at",
        "output: correlation 1.0000 -> 0.9959, 17.2 % saturated",
    ),
    kernel(
        "accumulator too small",
        "int32_t sum = 0",
        "int16_t sum = 0",
        "implicit-truncation",
        "narrowed to int16_t",
    ),
    kernel(
        "shift too large",
        "+ half) >> SHIFT",
        "+ half) >> (SHIFT + 24)",
        "shift-fault",
        "by 34: only 0 to 31 are defined",
    ),
    kernel(
        "signed overflow",
        "sums[j] * factor;",
        "sums[j] * factor * 65536 / 65536;",
        "signed-overflow",
        "overflows int",
    ),
    kernel(
        "wrong stride",
        "b[d * N + j]",
        "b[d * (N - 1) + j]",
        "error-enters-at",
        "the error enters at sums",
    ),
    design(
        "swapped operands",
        "@matmul(%a, %b, %c, %factor)",
        "@matmul(%b, %a, %c, %factor)",
        "wrong-operand",
        "a and b were exchanged",
    ),
    kernel(
        "half tile",
        "i < N; i++) {\n        int32_t sums",
        "i < N / 2; i++) {\n        int32_t sums",
        "output-not-written",
        "128 of 256 elements of c are never written",
    ),
    kernel(
        "half scale",
        "SHIFT = 10",
        "SHIFT = 11",
        "error-enters-at",
        "the error enters at output",
    ),
    kernel(
        "wrapped output",
        "clamped((scaled + half) >> SHIFT)",
        "((scaled + half) >> SHIFT)",
        "explicit-truncation",
        "in a cast to int8_t",
    ),
)

SCALE_ADD = (
    kernel(
        "byte order",
        "(int16_t)clamped(sum)",
        "(int16_t)__builtin_bswap16((uint16_t)clamped(sum))",
        "error-pattern",
        "the bytes of every element are in reverse",
    ),
    design(
        "swapped buffers",
        "@scale_add(%x, %z,",
        "@scale_add(%z, %x,",
        "wrong-operand",
        "x and z were exchanged",
    ),
    design(
        "output DMA too short",
        "%y[0, 0, 0, 0][1, 1, 1, 256]",
        "%y[0, 0, 0, 0][1, 1, 1, 128]",
        "output-not-written",
        "128 of 256 elements of y are never written",
    ),
    design(
        "input DMA too short",
        "%x[0, 0, 0, 0][1, 1, 1, 256]",
        "%x[0, 0, 0, 0][1, 1, 1, 128]",
        "deadlock",
        "waits to acquire x for Consume: 0 of 2 filled (line 15); x's DMA has no further transfer",
    ),
    design(
        "missing release of an output",
        "        aie.objectfifo.release @y(Produce, 1)\n",
        "",
        None,
        "begins with 0 of @y held and ends with 1",
    ),
    design(
        "missing release of an input",
        "        aie.objectfifo.release @x(Consume, 1)\n",
        "",
        None,
        "begins with 0 of @x held and ends with 1",
    ),
    kernel(
        "output never written",
        "y[i] = (int16_t)clamped(sum)",
        "int16_t last = (int16_t)clamped(sum);\n        (void)last",
        "output-not-written",
        "256 of 256 elements of y are never written",
    ),
    kernel(
        "count off by one",
        "i < COUNT;",
        "i < COUNT - 1;",
        "output-not-written",
        "4 of 256 elements of y are never written",
    ),
    kernel(
        "wrong sign",
        "scaled + z[i]",
        "scaled - z[i]",
        "wrong-operand",
        "z were negated",
    ),
    kernel(
        "stale buffer",
        "        y[i] = (int16_t)clamped(sum);\n",
        "        static int16_t last[COUNT];\n"
        "        y[i] = last[i];\n"
        "        last[i] = (int16_t)clamped(sum);\n",
        "nondeterministic",
        "look for memory that survives from run to run: an overrun buffer, or static data",
    ),
    kernel(
        "sum in int16",
        "int32_t sum",
        "int16_t sum",
        "implicit-truncation",
        "narrowed to int16_t",
    ),
    design(
        "wrong order of objects",
        "%x[0, 0, 0, 0][1, 1, 1, 256][0, 0, 0, 1]",
        "%x[0, 0, 0, 0][1, 2, 2, 64][0, 64, 128, 1]",
        "wrong-operand",
        "the halves of x took turns by 64 elements",
    ),
    kernel(
        "static state",
        "int32_t sum = scaled + z[i]",
        "static int32_t calls;\n        int32_t sum = scaled + z[i] + calls++ / 256",
        "nondeterministic",
        "look for memory that survives from run to run",
    ),
)

NORMALISE = (
    kernel(
        "NaN from a row of zeros",
        "inverse_root(mean + 1e-5f)",
        "1 / (mean * inverse_root(mean))",
        "division-by-zero",
        "1 / 0 gives infinity",
    ),
    kernel(
        "float truncation",
        "float squares = 0",
        "int32_t squares = 0",
        "error-enters-at",
        "the error enters at mean",
    ),
    kernel(
        "missing division",
        "squares / COLUMNS",
        "squares",
        "error-enters-at",
        "the error enters at mean: 16 times what the spec gives",
    ),
    kernel(
        "too few steps",
        "i < 3",
        "i < 1",
        "error-enters-at",
        "the error enters at scale",
    ),
    kernel(
        "reciprocal without its root",
        "inverse_root(mean + 1e-5f)",
        "1 / (mean + 1e-5f)",
        "error-enters-at",
        "the error enters at scale",
    ),
)

GELU = (
    kernel(
        "negative index",
        "GELU[x + 128]",
        "GELU[x]",
        "out-of-bounds",
        "gelu.c:",
    ),
    kernel(
        "unsigned index",
        "GELU[x + 128]",
        "GELU[(uint8_t)x]",
        "function-not-monotone",
        "gelu goes against the exact function",
    ),
    kernel(
        "table off by one",
        "GELU[x + 128]",
        "GELU[x + 127]",
        "out-of-bounds",
        "gelu.c:",
    ),
    kernel(
        "wrong function",
        "return GELU[x + 128]",
        "return x < 0 ? 0 : x",
        "function-error",
        "gelu is off by 5",
    ),
)

ACCUMULATE = (
    design(
        "sum never cleared",
        "        func.call @clear(%y) : (memref<256xi32>) -> ()\n",
        "",
        "uninitialised-read",
        "256 of 256 elements of y depend on memory that nobody has written",
    ),
    kernel(
        "sums cast to int16",
        "y[i] += x[i];",
        "y[i] = (int16_t)(y[i] + x[i]);",
        "explicit-truncation",
        "in a cast to int16_t",
    ),
    design(
        "missing release in a loop",
        "          aie.objectfifo.release @x(Consume, 1)\n",
        "",
        None,
        "begins with 0 of @x held and ends with 1",
    ),
    design(
        "a part too few",
        "%parts = arith.constant 4",
        "%parts = arith.constant 3",
        "wrong-operand",
        "x[3] were left out",
    ),
    design(
        "wrong DMA stride",
        "[1, 1, 4, 256][0, 0, 256, 1]",
        "[1, 1, 4, 256][0, 0, 128, 1]",
        "input-not-sent",
        "384 of 1,024 elements of x are never sent to the device, the first at [2, 8, 0]",
    ),
    kernel(
        "overwrites instead of adding",
        "y[i] += x[i]",
        "y[i] = x[i]",
        "wrong-operand",
        "only x[3] counted",
    ),
)

PIPELINE = (
    design(
        "wrong function called",
        "@rectify(%doubled, %y)",
        "@twice(%doubled, %y)",
        "stage-recording",
        "stage doubled is recorded too long: 512 elements",
    ),
    design(
        "missing release between cores",
        "        aie.objectfifo.release @doubled(Produce, 1)\n",
        "",
        None,
        "begins with 0 of @doubled held and ends with 1",
    ),
    kernel(
        "first stage half done",
        "i < COUNT; i++) {\n        doubled",
        "i < COUNT / 2; i++) {\n        doubled",
        "uninitialised-read",
        "128 of 256 elements of y depend on memory that nobody has written",
    ),
    kernel(
        "wrong sign of a constant",
        "doubled[i] - LESS",
        "doubled[i] + LESS",
        "error-enters-at",
        "the error enters at output",
    ),
    kernel(
        "division by zero",
        "2 * x[i]",
        "2 * x[i] + x[i] / (x[i] >> 9)",
        "division-by-zero",
        "pipeline.c:10",
    ),
)


def _of(base: str, faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(Fault(f.name, base, f.finding, f.says, f.kernel, f.design) for f in faults)


FAULTS = (
    *_of("attention", ATTENTION),
    *_of("matmul", MATMUL),
    *_of("scale_add", SCALE_ADD),
    *_of("normalise", NORMALISE),
    *_of("gelu", GELU),
    *_of("accumulate", ACCUMULATE),
    *_of("pipeline", PIPELINE),
)
