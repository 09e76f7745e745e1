"""Crashes and hangs of real kernels have the line that they are at."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.headless.command import check
from tests.projects import Project
from workbench import Simulated, simulate
from workbench.errors import CrashError, HangError, OutOfBoundsError
from workbench.loop.problems import Place, place_of

C = """\
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "helpers.h"
{functions}
void scale(const int8_t *in, int8_t *out, int32_t three) {{
    volatile int one = 1;
    int32_t *volatile nowhere = 0;
    int32_t *volatile wild = (int32_t *)0x123456789000;
    {statements}
}}
"""

CPP = C.replace("void scale", 'extern "C" void scale')

HEADER = """\
static inline void store(int32_t *to) {
    *to = 1;
}
"""

NOINLINE = """\
__attribute__((noinline)) static void helper(int32_t *to) {
    *to = 7; // here
}
"""
INLINE = NOINLINE.replace("noinline", "always_inline")
CLASS = """\
template <typename T> struct Filler {
    T *to;
    void fill(T value) {
        *to = value; // here
    }
};
"""
RECURSION = """\
__attribute__((noinline)) static int deep(volatile int *x) {
    volatile int y[4] = {*x}; // here
    return y[0] ? deep(y) + y[0] : 0;
}
"""

NULL = "scale uses a null pointer (address 0x0)"

CRASHES = {
    # The language, functions, statements, and what is said.
    "null": (C, "", "*nowhere = 1; // here", NULL),
    "null in a helper": (C, NOINLINE, "helper(nowhere);", NULL),
    "null in an inlined helper": (C, INLINE, "helper(nowhere);", NULL),
    "null in a method": (CPP, CLASS, "Filler<int32_t>{nowhere}.fill(three);", NULL),
    "null in the C library": (C, "", "memset(nowhere, 1, 1000u * three); // here", NULL),
    "wild": (C, "", "*wild = 1; // here", "scale crashed with SIGSEGV at address 0x123456789000"),
    "outside": (
        C,
        "",
        "out[70000 * one] = 1; // here",
        "out-of-bounds: scale touches in_cons_buff_1+21,872 bytes,",
    ),
    "division": (
        C,
        "",
        "out[0] = 7 / (one - 1); // here",
        "scale divides an integer by zero, or its smallest value by -1",
    ),
    "trap": (C, "", "if (one) __builtin_trap(); // here", "scale crashed with SIG"),
    "breakpoint": (C, "", "__builtin_debugtrap(); // here\none = 2;", "scale crashed with SIGTRAP"),
    "abort": (C, "", "if (one) abort(); // here", "scale crashed with SIGABRT"),
    "recursion": (C, RECURSION, "out[0] = deep(&one);", "out-of-bounds: scale touches "),
}


def run(project: Project, text: str, suffix: str = ".c", time_limit_s: float = 60.0) -> Simulated:
    """Run a kernel in the project's design."""
    source = project.kernel.with_suffix(suffix)
    source.write_text(text)
    (source.parent / "helpers.h").write_text(HEADER)
    return simulate(
        project.design,
        [np.zeros(256, np.int8), np.zeros(256, np.int8)],
        kernels={"scale.o": source},
        time_limit_s=time_limit_s,
    )


def line_of(text: str, mark: str = "// here") -> int:
    (line,) = (n for n, line in enumerate(text.splitlines(), 1) if mark in line)
    return line


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash(project: Project, name: str) -> None:
    language, functions, statements, said = CRASHES[name]
    text = language.format(functions=functions, statements=statements)
    suffix = ".cpp" if language is CPP else ".c"
    with pytest.raises(CrashError) as caught:
        run(project, text, suffix)
    error = caught.value
    assert error.message.startswith(said)
    assert error.where == f"kernels/scale{suffix}:{line_of(text)}"
    assert (error.hint or "").endswith("; called at mlir/scale.mlir:17")
    assert isinstance(error, OutOfBoundsError) is error.message.startswith("out-of-bounds")
    assert place_of(error.where) == Place(f"kernels/scale{suffix}", line_of(text))


def test_a_crash_in_a_header(project: Project) -> None:
    with pytest.raises(CrashError) as caught:
        run(project, C.format(functions="", statements="store(nowhere);"))
    assert caught.value.where == "kernels/helpers.h:2"


def test_a_crash_seen_from_another_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = C.format(functions="", statements="*nowhere = 1; // here")
    monkeypatch.chdir("kernels")
    with pytest.raises(CrashError) as caught:
        run(project, text)
    assert caught.value.where == f"scale.c:{line_of(text)}"


def test_a_crash_outside_the_kernels_code_is_the_designs_call(project: Project) -> None:
    nowhere = "((void (*)(void))(intptr_t)(one + 63))();"
    with pytest.raises(CrashError) as caught:
        run(project, C.format(functions="", statements=nowhere))
    assert (caught.value.where, caught.value.message) == (
        "mlir/scale.mlir:17",
        "scale uses a null pointer (address 0x40)",
    )
    assert "called at" not in (caught.value.hint or "")


def test_a_crash_with_the_c_librarys_memory_broken_ends(project: Project) -> None:
    # It stops itself holding the lock that whoever tells of it may wait for.
    broken = (
        "char *volatile p = malloc(100000); memset(p, 255, 120000);"
        "for (int i = 0; i < 100; i++) p = malloc(100000);"
    )
    with pytest.raises(CrashError, match=r"scale crashed with SIG(ABRT|SEGV)"):
        run(project, C.format(functions="", statements=broken))


HANGS = {
    "one line": (C, "", "for (;;) one++; // here"),
    "several": (
        C,
        "",
        """
    while (one) { // here
        for (int i = 0; i < 200; i++) one += i;
        for (int i = 0; i < 200; i++) one |= i;
        one |= 1; // end
    }""",
    ),
    "a helper": (
        C,
        NOINLINE.replace("*to = 7;", "for (;;) ++*(volatile int *)to;"),
        "helper(&one);",
    ),
    "an inlined helper": (
        CPP,
        INLINE.replace("*to = 7;", "for (;;) ++*(volatile int *)to;"),
        "helper((int32_t *)&one);",
    ),
}


@pytest.mark.parametrize("name", HANGS)
def test_a_hang(project: Project, name: str) -> None:
    language, functions, statements = HANGS[name]
    text = language.format(functions=functions, statements=statements)
    suffix = ".cpp" if language is CPP else ".c"
    with pytest.raises(HangError) as caught:
        run(project, text, suffix, time_limit_s=1)
    error = caught.value
    first = line_of(text)
    last = line_of(text, "// end") if "// end" in text else first
    said = re.fullmatch(
        r"scale ran for more than 1 s and was killed; it was "
        r"(?:at line (\d+)|between lines (\d+) and (\d+))",
        error.message,
    )
    assert said is not None, error.message
    lines = [int(line) for line in said.groups() if line]
    assert first <= lines[0] <= lines[-1] <= last
    assert len(lines) == 1 if first == last else len(lines) == 2
    assert error.where == f"kernels/scale{suffix}:{lines[0]}"
    assert error.hint == (
        "look for a loop that doesn't end; a longer limit is set with --time-limit; "
        "called at mlir/scale.mlir:17"
    )


def test_a_hang_outside_the_kernels_code_is_the_designs_call(project: Project) -> None:
    text = C.format(functions="extern int pause(void);", statements="for (;;) pause();")
    with pytest.raises(HangError) as caught:
        run(project, text, time_limit_s=0.5)
    assert (caught.value.where, caught.value.message) == (
        "mlir/scale.mlir:17",
        "scale ran for more than 0.5 s and was killed",
    )


def test_what_the_command_says(project: Project) -> None:
    project.with_body("int *volatile nowhere = 0; *nowhere = 1;")
    done = check("kernels/scale.c")
    assert (done.code, done.record["status"]) == (4, "crash")
    assert done.record["error"] == {
        "message": NULL,
        "where": "kernels/scale.c:11",
        "hint": "if it is an argument, check their order and number in the design's call; "
        "called at mlir/scale.mlir:17",
    }
    project.reset()
    project.with_body("for (volatile int forever = 1; forever;) {}")
    done = check("kernels/scale.c", "--time-limit", "0.5")
    assert (done.code, done.record["status"]) == (5, "hang")
    assert done.record["error"]["where"] == "kernels/scale.c:11"
