"""What a core lacks, found in kernels before anything is built for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workbench.build import find_clang
from workbench.build.aie.concern import Concern
from workbench.build.lint import lint_kernel
from workbench.errors import BuildError

HEAD = """\
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
"""


async def lint(folder: Path, text: str, suffix: str = ".c") -> tuple[Concern, ...]:
    source = folder / f"kernel{suffix}"
    source.write_text(HEAD + text)
    concerns = await lint_kernel(str(source), find_clang(), folder / "cache", 60)
    assert os.listdir(folder / "cache" / "lint") == []
    return concerns


def names_of(concern: Concern) -> set[object]:
    names = concern.evidence["functions"]
    assert isinstance(names, list)
    return set(names)


@pytest.mark.parametrize(
    ("body", "severity", "functions", "message"),
    [
        ("*y = sqrtf(*y) + expf(*y);", "warning", ["sqrtf", "expf"], "sqrtf is libm's"),
        ("*y = fmaxf(*y, 0) + fmodf(*y, *y);", "warning", ["fmaxf", "fmodf"], "is libm's"),
        ("*y = lrintf(*y);", "warning", ["lrintf"], "is libm's"),
        ("*w = *w / n + *w % n;", "info", ["__divdi3", "__moddi3"], "64-bit arithmetic"),
        ("*w = (uint64_t)*w / 10;", "info", ["__udivdi3"], "64-bit arithmetic"),
        ("*y = n;", "info", ["__floatsisf"], "floating point is a library call"),
        ("*y = *y * *y + 1;", "info", ["__mulsf3", "__addsf3"], "floating point"),
        ("n = (int)*y; *w = n;", "info", ["__fixsfsi"], "floating point"),
        ("*w = (int64_t)*y;", "warning", ["__fixsfdi"], "not in Peano's compiler-rt"),
        ("*y = *y * 0.1;", "warning", ["__extendsfdf2", "__muldf3", "__truncdfsf2"], "double"),
        ("char *p = malloc(n); *p = 1; puts(p);", "warning", ["malloc"], "no heap"),
        ('printf("%d", n);', "warning", ["printf"], "nowhere to print"),
        ("exit(n);", "warning", ["exit"], "defined nowhere in the kernel"),
    ],
)
async def test_what_a_core_lacks(
    tmp_path: Path, body: str, severity: str, functions: list[str], message: str
) -> None:
    text = f"void kernel(int32_t n, float *y, int64_t *w) {{\n  {body}\n}}\n"
    concern = next(c for c in await lint(tmp_path, text) if set(functions) <= names_of(c))
    assert (concern.id, concern.severity) == ("freestanding", severity)
    assert concern.where == f"{tmp_path}/kernel.c:7"
    assert message in concern.message
    assert concern.hint


@pytest.mark.parametrize(
    "body",
    [
        "memcpy(y, w, (uint32_t)n); memset(y, 0, 4);",
        "*w = n / 3 + n % 7;",
        "*w /= 8;",
        "*y = fabsf(*y);",
        "*w = (float *)w - y;",
        "for (int i = 0; i < n; i++) w[i] += (int32_t)w[i] * 3;",
    ],
)
async def test_what_a_core_can(tmp_path: Path, body: str) -> None:
    text = f"void kernel(int32_t n, float *y, int64_t *w) {{\n  {body}\n}}\n"
    assert await lint(tmp_path, text) == ()


async def test_a_kind_is_said_once(tmp_path: Path) -> None:
    text = "void kernel(float *y) {\n  y[0] = expf(y[0]);\n  y[1] = expf(y[1]) + logf(y[2]);\n}\n"
    libm, adding = sorted(await lint(tmp_path, text), key=lambda c: c.severity, reverse=True)
    assert libm.evidence == {"functions": ["expf", "logf"], "places": 3}
    assert libm.where == f"{tmp_path}/kernel.c:7"
    assert adding.evidence["functions"] == ["__addsf3"]


RECURSIONS = {
    "fib": "static int fib(int n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }\n"
    "int kernel(int n) { return fib(n); }\n",
    "even": "int odd(int n, int *p);\n"
    "#define KEPT __attribute__((noinline))\n"
    "KEPT int even(int n, int *p) { *p += n; return n ? odd(n - 1, p) + *p : 1; }\n"
    "KEPT int odd(int n, int *p) { *p ^= n; return n ? even(n - 1, p) * *p : 0; }\n"
    "int kernel(int n) { int s = 0; return even(n, &s); }\n",
}


@pytest.mark.parametrize("first", RECURSIONS)
async def test_recursion(tmp_path: Path, first: str) -> None:
    (concern,) = await lint(tmp_path, RECURSIONS[first])
    assert first in names_of(concern)
    assert "calls itself" in concern.message
    assert concern.where is not None
    assert concern.where.startswith(f"{tmp_path}/kernel.c:")


async def test_recursion_that_the_compiler_makes_a_loop_is_one(tmp_path: Path) -> None:
    text = "static int sum(int n, int s) { return n ? sum(n - 1, s + n) : s; }\n"
    assert await lint(tmp_path, text + "int kernel(int n) { return sum(n, 0); }\n") == ()


async def test_a_header_is_named(tmp_path: Path) -> None:
    header = tmp_path / "ünicode helper.h"
    header.write_text("static float root(float x) {\n  return sqrtf(x);\n}\n")
    text = f'#include "{header.name}"\nvoid kernel(float *y) {{ *y = root(*y); }}\n'
    (concern,) = await lint(tmp_path, text)
    assert concern.where == f"{header}:2"


async def test_cpp(tmp_path: Path) -> None:
    text = 'extern "C" void kernel(float *y) {\n  *y = sinf(*y);\n}\n'
    (concern,) = await lint(tmp_path, text, ".cc")
    assert concern.evidence["functions"] == ["sinf"]


async def test_a_kernel_that_does_not_compile(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="expected expression"):
        await lint(tmp_path, "int kernel(void) { return 1 +; }\n")
