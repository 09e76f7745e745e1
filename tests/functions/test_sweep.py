"""Helpers of real kernels, swept: what is found, and what becomes of those that crash or hang."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.headless.command import run
from tests.projects import ROOT
from workbench.errors import BuildError, ExitCode, SpecError, UsageError
from workbench.loop.curve import bars, function_lines
from workbench.loop.functions import FunctionSweep, sweep_functions
from workbench.loop.target import Options

KERNEL = """\
#include <stdint.h>

static const int16_t SQUARES[4] = {0, 1, 4, 10};

static int32_t twice(int32_t x) { return 2 * x; }

static inline float half(float x) { return x / 2; }

static int32_t divided(int32_t x) { return 100 / x; }

static int32_t stuck(int32_t x) {
    while (x == 3) {
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

static int32_t remembering(int32_t x) {
    volatile int32_t kept[1000];
    kept[x] = x;
    return kept[x];
}

void kernel(const int8_t *in, int8_t *out) { out[0] = in[0]; }
"""

SPEC = """\
import numpy as np
from workbench.spec import HelperFunction, HostBuffer, Spec, Tensor, uniform

SPEC = Spec(
    design="none.mlir",
    function="kernel",
    buffers=[
        HostBuffer((Tensor("x", "int8", (4,)),)),
        HostBuffer((Tensor("y", "int8", (4,)),), "out"),
    ],
    reference=lambda tensors, scalars: tensors["x"],
    inputs={{"small": uniform(-8, 8)}},
    functions=[{functions}],
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "npu-workbench.toml").touch()
    (tmp_path / "some.c").write_text(KERNEL)
    return tmp_path


async def swept(folder: Path, *functions: str, kernel: str = "some.c") -> FunctionSweep:
    calls = ", ".join(f"HelperFunction({text})" for text in functions)
    (folder / "some.py").write_text(SPEC.format(functions=calls))
    options = Options(str(folder / kernel), time_limit_s=2)
    return await sweep_functions(options, lambda lines: None)


async def test_the_reports_exp_has_one_inversion() -> None:
    options = Options(str(ROOT / "kernels" / "attention_piecewise.c"))
    result = await sweep_functions(options, lambda lines: None)
    (one,) = result.swept
    assert one.scope is not None
    assert [(s.x, s.next_x) for s in one.scope.inversions] == [(-40, -39)]
    assert result.skipped == ("EXP",)
    assert result.exit_code == ExitCode.NOT_MET
    assert one.findings[0].id == "function-not-monotone"
    assert "int32_t exponential(int32_t x)" in line_at(one.findings[0].where or "")
    assert "from 157 at x = -40 to 1 at x = -39" in one.findings[0].message


def line_at(where: str) -> str:
    file, _, line = where.rpartition(":")
    return Path(file).read_text().splitlines()[int(line) - 1]


@pytest.mark.parametrize("kernel", ["attention.c", "attention_int32.c"])
async def test_our_tables_are_right(kernel: str) -> None:
    options = Options(str(ROOT / "kernels" / kernel))
    result = await sweep_functions(options, lambda lines: None)
    assert result.exit_code == ExitCode.PASS
    assert all(one.findings == () for one in result.swept)


async def test_helpers_tables_and_floats(folder: Path) -> None:
    result = await swept(
        folder,
        '"twice", lambda x: 2 * x, -1000, 1000',
        '"SQUARES", lambda x: x * x, 0, 3, call="SQUARES[x]", result="int16", within=0.5',
        '"half", lambda x: x / 2, -4, 4, "float32", "float32", within=0',
        '"absent", lambda x: x, 0, 3',
    )
    twice, squares, half = (one.scope for one in result.swept)
    assert result.skipped == ("absent",)
    assert twice is not None
    assert (twice.points, twice.max_abs) == (2001, 0)
    assert squares is not None
    assert (squares.max_abs, squares.worst_x, squares.worst_value) == (1, 3, 10)
    assert half is not None
    assert (half.points, half.low, half.high, half.max_abs) == (65537, -4, 4, 0)
    assert [f.id for one in result.swept for f in one.findings] == ["function-error"]
    assert any("the kernel has no absent" in line for line in function_lines(result))


async def test_a_crash_and_a_hang_are_sentences_with_their_x(folder: Path) -> None:
    result = await swept(
        folder,
        '"divided", lambda x: x, -3, 3',
        '"stuck", lambda x: x, 0, 9',
        '"twice", lambda x: 2 * x, 0, 9',
    )
    divided, stuck, twice = result.swept
    assert "divides an integer by zero" in str(divided.error)
    assert "at x = 0" in str(divided.error)
    assert "didn't end within 2 s: it is at x = 3" in str(stuck.error)
    assert twice.scope is not None
    assert result.exit_code == ExitCode.HANG


async def test_a_wild_index_is_a_crash(folder: Path) -> None:
    result = await swept(folder, '"remembering", lambda x: x, 0, 1 << 30')
    assert "crashed with SIGSEGV" in str(result.swept[0].error)
    assert result.exit_code == ExitCode.DEVICE


async def test_local_arrays_have_their_place(folder: Path) -> None:
    result = await swept(folder, '"remembering", lambda x: x, 0, 999')
    assert result.exit_code == ExitCode.PASS


async def test_a_result_that_would_be_cut_is_refused(folder: Path) -> None:
    with pytest.raises(BuildError, match=r"can't sweep half\(x\): .*'float' to 'int32_t'"):
        await swept(folder, '"half", lambda x: x / 2, 0, 9')


async def test_an_edit_of_the_kernel_is_seen(folder: Path) -> None:
    function = '"twice", lambda x: 2 * x, 0, 9, within=0'
    assert (await swept(folder, function)).exit_code == ExitCode.PASS
    (folder / "some.c").write_text(KERNEL.replace("2 * x", "3 * x"))
    assert (await swept(folder, function)).exit_code == ExitCode.NOT_MET


async def test_helpers_of_a_cpp_kernel(folder: Path) -> None:
    (folder / "some.cc").write_text(
        "#include <stdint.h>\ntemplate <int n> static int32_t times(int32_t x) { return n * x; }\n"
    )
    functions = ('"times", lambda x: 3 * x, 0, 9, call="times<3>(x)"', '"no", lambda x: x, 0, 9')
    result = await swept(folder, *functions, kernel="some.cc")
    assert result.skipped == ("no",)
    assert result.exit_code == ExitCode.PASS


@pytest.mark.parametrize(
    ("functions", "kind", "message"),
    [
        ([], UsageError, "names no functions"),
        (['"absent", lambda x: x, 0, 3'], UsageError, "none of the functions"),
        (['"twice", lambda x: x[1:], 0, 3'], SpecError, r"gives \(3,\) for \(4,\) values"),
        (['"twice", lambda x: 1 / 0, 0, 3'], SpecError, "ZeroDivisionError"),
        (['"twice", lambda x: x, 3, 0'], SpecError, "is empty"),
        (['"twice", lambda x: x, 0, 3, "int7"'], SpecError, "unknown type 'int7'"),
        (['"twice", lambda x: x, 200, 300, "int8"'], SpecError, "gives"),
    ],
)
async def test_refusals(
    folder: Path, functions: list[str], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        await swept(folder, *functions)


def test_the_command() -> None:
    kernel = ROOT / "kernels" / "attention_piecewise.c"
    done = run("check", kernel, "--functions")
    assert (done.code, done.err) == (1, "")
    assert "function-not-monotone" in done.out
    record = run("check", kernel, "--functions", "--json").record
    (function,) = record["functions"]
    (inversion,) = function["scope"]["inversions"]
    assert (inversion["x"], inversion["next_x"]) == (-40, -39)
    assert record["skipped"] == ["EXP"]


def test_bars() -> None:
    assert bars([0, 1, 2, None, 4, 0.001], rows=2) == ["    █", " ▄█ █▄"]
    assert bars([0, 0], rows=1) == [""]
    assert bars(list(np.arange(3.0)), rows=1) == [" ▄█"]
