"""Each kind of fault, caught where it stands in the source, in C and in C++."""

from __future__ import annotations

import ctypes

import pytest

from tests.checks.conftest import Build
from workbench.verdict.sanitizer import check_findings

FAULTS = [
    # The place of the fault is marked by the text from which its column counts.
    (
        "int32_t sum = a; sum += 2147483647; return sum;",
        "+= 2147483647",
        5,
        "signed-overflow: 5 + 2147483647 overflows int",
    ),
    (
        "return a * 1000000000;",
        "* 1",
        5,
        "signed-overflow: 5 * 1000000000 overflows int",
    ),
    (
        "return -a;",
        "-a",
        -(1 << 31),
        "signed-overflow: -(-2147483648) overflows int32_t",
    ),
    (
        "return 1 << a;",
        "<< a",
        40,
        "shift-fault: a shift of int by 40: only 0 to 31 are defined",
    ),
    (
        "return 1 >> a;",
        ">> a",
        -1,
        "shift-fault: a shift of int by -1: only 0 to 31 are defined",
    ),
    (
        "float f = (float)a * 1e9f; return (int32_t)f;",
        "(int32_t)",
        5,
        "float-cast-overflow: 5e+09 doesn't fit into int",
    ),
    (
        "float f = 1.0f / (float)a; return f > 0;",
        "/ (float)a",
        0,
        "division-by-zero: 1 / 0 gives infinity",
    ),
    (
        "float f = (float)a / (float)a; return f > 0;",
        "/ (float)a",
        0,
        "division-by-zero: 0 / 0 gives NaN",
    ),
    (
        "int8_t x = a; return x;",
        "a; return",
        -300,
        "implicit-truncation: -300 becomes -44 where int32_t is narrowed to int8_t",
    ),
    (
        "uint8_t x = a; return x;",
        "a; return",
        -5,
        "implicit-truncation: -5 becomes 251 where int32_t is narrowed to uint8_t",
    ),
    (
        "int8_t x = 100; x += a; return x;",
        "+= a",
        100,
        "implicit-truncation: 200 becomes -56 where int is narrowed to int8_t",
    ),
    (
        "return (int8_t)(a - 1);",
        "(int8_t)",
        200,
        "explicit-truncation: 199 becomes -57 in a cast to int8_t",
    ),
    (
        "return (short)(int64_t)a * 2 + (short)a;",
        "(short)",
        40000,
        "explicit-truncation: 40000 becomes -25536 in a cast to short",
    ),
    (
        "int32_t e[4] = {0}; volatile int32_t i = a; return e[i];",
        "e[i]",
        4,
        "out-of-bounds: index 4 is outside int32_t[4]: 0 to 3",
    ),
    (
        "static const int8_t table[3] = {1, 2, 3}; return table[a];",
        "table[a]",
        -1,
        "out-of-bounds: index -1 is outside int8_t[3]: 0 to 2",
    ),
    (
        "static int8_t bytes[9]; int32_t *p = (int32_t *)(bytes + a); return *p;",
        "*p;",
        1,
        "misaligned: a load of int32_t from an address that isn't a multiple of 4",
    ),
]


@pytest.mark.parametrize("suffix", [".c", ".cc"])
@pytest.mark.parametrize(("body", "at", "a", "said"), FAULTS)
def test_a_fault_is_caught_where_it_stands(
    build: Build, suffix: str, body: str, at: str, a: int, said: str
) -> None:
    head = 'extern "C" ' if suffix == ".cc" else ""
    line = f"{head}int kernel(int32_t a) {{ {body} }}"
    kernel = build(line, suffix)
    finding = check_findings(kernel.call(ctypes.c_int32(a)))[0]
    assert f"{finding.id}: {finding.message}" == f"{said}, in its only evaluation"
    assert finding.where is not None
    file, row, column = finding.where.rsplit(":", 2)
    assert (file, row) == (kernel.source, "3")
    if suffix == ".c":
        assert int(column) == line.index(at) + 1


def test_what_is_meant_is_left_alone(build: Build) -> None:
    kernel = build(
        """\
        typedef uint8_t byte;
        int kernel(int32_t a) {
            uint32_t hash = 2166136261u;
            for (int i = 0; i < 100; i++) {
                hash = (hash ^ (uint32_t)a) * 16777619u;
            }
            int32_t scaled = (-5 << 8) + (a >> 3);
            int8_t kept = (int8_t)(a & 127);
            int8_t low = (int8_t)(byte)a;
            return (int)hash + scaled + kept + low + (uint8_t)a + (a << 1);
        }
        """
    )
    # The cast of a byte to int8_t changes the value above 127.
    assert kernel.call(ctypes.c_int32(-1)) == kernel.call(ctypes.c_int32(1)) == ()


@pytest.mark.parametrize(
    "cast",
    [
        "(int8_t)(a * 3)",
        "(int8_t) (a * 3)",
        "(const int8_t)(a * 3)",
        "(signed char)(a * 3)",
        "(q7_t)(a * 3)",
        "(q7_t)b",
        "static_cast<int8_t>(a * 3)",
        "static_cast< q7_t >( a * 3 )",
        "int8_t(a * 3)",
        "q7_t{static_cast<q7_t>(a * 3)}",
    ],
)
def test_casts_in_all_their_forms(build: Build, cast: str) -> None:
    lines = f"""\
        typedef int8_t q7_t;
        extern "C" int kernel(int32_t a) {{
            int32_t b = a * 3;
            return b + {cast};
        }}
        """
    kernel = build(lines, ".cc")
    assert kernel.call(ctypes.c_int32(42)) == ()
    (hit,) = kernel.call(ctypes.c_int32(100))
    assert (hit.check, hit.line, hit.values) == ("explicit_conversion", 6, (300, 44))


def test_the_share_of_evaluations(build: Build) -> None:
    kernel = build(
        """\
        static int8_t difference(int8_t a, int8_t b) {
            int8_t x = a - b;
            return x;
        }
        int kernel(const int8_t *in, int32_t count) {
            int sum = 0;
            for (int i = 0; i < count; i++) {
                sum += difference(in[i], 100);
            }
            return sum;
        }
        """
    )
    values = (ctypes.c_int8 * 256)(*range(-128, 128))
    (hit,) = kernel.call(values, ctypes.c_int32(256))
    wrapped = [v for v in range(-128, 128) if v - 100 < -128]
    assert (hit.hits, hit.evaluations) == (len(wrapped), 256)
    assert hit.values == (-228, 28)
    assert (hit.line, hit.column) == (4, 16)
    (finding,) = check_findings([hit])
    assert finding.message.endswith("in 100 of 256 evaluations (39.1 %)")
    assert finding.severity == "warning"


def test_a_write_through_a_pointer_beyond_its_array(build: Build) -> None:
    kernel = build(
        """\
        int kernel(int32_t n) {
            int32_t e[8], after[8];
            memset(after, 0, sizeof after);
            int32_t *at = e;
            for (int i = 0; i < 9; i++) *at++ = n;
            volatile int32_t *seen = after;
            return seen[0] + e[0];
        }
        """
    )
    (hit,) = kernel.call(ctypes.c_int32(1))
    (finding,) = check_findings([hit])
    assert (finding.id, finding.severity) == ("out-of-bounds", "error")
    assert finding.message == (
        "a store of int32_t lies outside the variable that the pointer points into, "
        "in 1 of 9 evaluations (11.1 %)"
    )


def test_templates_add_up(build: Build) -> None:
    kernel = build(
        """\
        template <int N> static int8_t times(int a) { int8_t x = a * N; return x; }
        extern "C" int kernel(int a) { return times<2>(a) + times<3>(a) + times<1>(a); }
        """,
        ".cc",
    )
    (hit,) = kernel.call(ctypes.c_int32(100))
    assert (hit.hits, hit.evaluations, hit.values) == (2, 3, (200, -56))
