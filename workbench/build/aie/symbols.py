"""Symbols of a kernel's object: what the design calls must be there, and the rest be found.

A core's program is linked with Peano's libc, libm and compiler-rt; the latter lacks some of the
usual functions.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from workbench.build.aie.concern import Concern, Severity
from workbench.build.aie.elf import Function, ObjectFile
from workbench.design.model import Design


def symbol_concerns(file: ObjectFile, design: Design, source: str) -> Iterator[Concern]:
    """Functions that the design calls and the object lacks; names that nobody will define."""
    for call in {call.function: call for call in design.kernel_calls()}.values():
        function = file.functions.get(call.function)
        if function is None or not function.exported:
            message, hint = _why_missing(file.functions, call.function)
            yield Concern(
                "missing-symbol",
                "error",
                f"the design calls {call.function}, {message}",
                hint,
                f"{design.path}:{call.line}",
                {"function": call.function, "defined": sorted(_exported(file.functions))},
            )
    for name in file.undefined:
        if (explained := explain_undefined(name)) is not None:
            severity, message, hint = explained
            yield Concern("undefined-symbol", severity, message, hint, source, {"symbol": name})


def _exported(functions: Mapping[str, Function]) -> list[str]:
    return [name for name, function in functions.items() if function.exported]


def _why_missing(functions: Mapping[str, Function], wanted: str) -> tuple[str, str]:
    mangled = f"{len(wanted)}{wanted}"
    if any(name.startswith("_Z") and mangled in name for name in functions):
        return (
            "which is there only under its C++ name",
            f'wrap {wanted} in extern "C" {{ }}, or name the file .c',
        )
    if wanted in functions:
        return "which is static in the object: the linker can't see it", "drop its `static`"
    near = difflib.get_close_matches(wanted, _exported(functions), n=1)
    hint = f"did you mean {near[0]}?" if near else f"define {wanted} in the kernel's source"
    return "which the object doesn't define", hint


_LIBM = re.compile(
    r"(?:sqrt|cbrt|exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh"
    r"|cosh|tanh|asinh|acosh|atanh|erf|erfc|tgamma|lgamma|hypot|fmod|remainder|floor|ceil|round"
    r"|trunc|l?l?rint|nearbyint|l?l?round|roundeven|fabs|fmin|fmax|fma|ldexp|frexp|modf)f?$"
)
_HEAP = frozenset(("malloc", "calloc", "realloc", "free", "aligned_alloc"))
_OUTPUT = frozenset(("printf", "puts", "putchar", "fprintf", "vprintf", "fwrite", "fputs", "fputc"))
_DIVISIONS = frozenset(
    f"__{operation}{width}i3" for operation in ("div", "mod", "udiv", "umod") for width in "sd"
) | {"__muldi3"}
_FLOATS = re.compile(
    r"__(?:add|sub|mul|div|neg|eq|ne|lt|le|gt|ge|unord|fix|float|extend|trunc)\w*$"
)

# Source: compiler-rt/lib/builtins/CMakeLists.txt of Xilinx/llvm-aie.
_NOT_IN_COMPILER_RT = re.compile(
    r"__(?:bswap[sdt]i2|ctzdi2|ffs[sdt]i2|fixsfdi|fixdfdi|fixuns\w+di|floatdidf|udivmod[dt]i4"
    r"|(?:mul|div)[sdxt]c3|\w*ti[0-9]?)$"
)


def explain_undefined(name: str) -> tuple[Severity, str, str] | None:
    """(severity, meaning, mend) of an undefined symbol; None if it is a usual one."""
    if name.startswith("_Z"):
        return (
            "error",
            f"{name} is a C++ name: what defines it in C is called otherwise",
            'declare it in extern "C" { }',
        )
    if _NOT_IN_COMPILER_RT.match(name):
        return (
            "error",
            f"{name} is not in Peano's compiler-rt: the link will fail",
            "write the operation with 32-bit integers or without the builtin",
        )
    if name in _DIVISIONS:
        wide = "64-bit" if name.endswith("di3") else "32-bit"
        return (
            "info",
            f"{name}: {wide} arithmetic that AIE has no instruction for is a slow library call",
            "divide by a power of two, or multiply by a reciprocal",
        )
    if _FLOATS.match(name) and "df" in name:
        return (
            "warning",
            f"{name}: double is emulated in software on AIE, many instructions for each operation",
            "use float, with constants such as 0.1f, or integers",
        )
    if _FLOATS.match(name):
        return (
            "info",
            f"{name}: scalar floating point is a library call on AIE",
            "use integers, vectors, or float constants such as 0.1f",
        )
    if _LIBM.match(name):
        return (
            "warning",
            f"{name} is libm's: older Peano wheels (before mid-2024) have none, and it is slow",
            "use a table or a polynomial",
        )
    if name in _HEAP:
        return (
            "warning",
            f"{name}: a core has no heap to speak of, its 64 KB hold buffers and the stack",
            "use local or static arrays of a constant size",
        )
    if name in _OUTPUT:
        return (
            "warning",
            f"{name}: a core has nowhere to print to",
            "look at intermediate values with NPU_STAGE of npu_workbench.h",
        )
    if name.startswith("__") or name in ("memcpy", "memset", "memmove", "memcmp"):
        return None
    return (
        "warning",
        f"{name} is defined nowhere in the kernel",
        "include its source, or check its spelling",
    )
