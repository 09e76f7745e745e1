"""NPU_STAGE in C and in C++: every type of element, and no trace of it in any other build."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from workbench.build import build_kernel, find_clang
from workbench.build.clang import INCLUDE
from workbench.build.recording import build_recording, marks_stages
from workbench.device.model.kernel import Library
from workbench.device.model.recording import Recorder
from workbench.spec.dtypes import to_numbers

TYPES = {
    "int8_t": "int8",
    "uint8_t": "uint8",
    "int16_t": "int16",
    "uint16_t": "uint16",
    "int32_t": "int32",
    "uint32_t": "uint32",
    "int64_t": "int64",
    "uint64_t": "uint64",
    "char": "int8",
    "float": "float32",
    "double": "float64",
    "_Float16": "float16",
    "__bf16": "bfloat16",
    "Bool": "uint8",
}

SOURCE = """\
#include <stdint.h>
#include "npu_workbench.h"
#ifdef __cplusplus
typedef bool Bool;
extern "C" {{
#else
typedef _Bool Bool;
#endif
{functions}
#ifdef __cplusplus
}}
#endif
"""

FUNCTION = """\
void take_{name}(void) {{
    static const {name} some[] = {{1, 0, 1}};
    const {name} *p = some;
    NPU_STAGE("{name}", p, 2);
    NPU_STAGE("{name}", some + 2, 1u);
    NPU_STAGE("{name}", &some[0], sizeof some / sizeof *some);
}}
"""

EVERY_TYPE = SOURCE.format(functions="".join(FUNCTION.format(name=name) for name in TYPES))

SUFFIXES = [".c", ".cpp"]


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_every_type_of_element(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"kernel{suffix}"
    source.write_text(EVERY_TYPE)
    log: list[str] = []
    built = await build_recording(str(source), find_clang(), tmp_path, log.extend, 60)
    assert built.library is not None, log
    library = Library(built.library, tmp_path / "copy.so", 0)
    recorder = Recorder(dict.fromkeys(TYPES, 5))
    library.record(recorder.hook((0, 2)))
    for name in TYPES:
        library.function(f"take_{name}", [], [], 0, "here")()
    records = {record.name: record for record in recorder.records()}
    assert {name: record.dtype for name, record in records.items()} == TYPES
    for record in records.values():
        assert record.count == 6
        kind = "uint16" if record.dtype == "bfloat16" else record.dtype
        values = to_numbers(np.frombuffer(record.data, kind), record.dtype)
        assert values.tolist() == [1, 0, 1, 1, 0]  # as many as there is room for


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_compiler_minds(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"kernel{suffix}"
    source.write_text(EVERY_TYPE)
    strict = ("-Wall", "-Wextra", "-Wconversion", "-Werror")
    for define in ((), ("NPU_WORKBENCH_RECORD",)):
        target = tmp_path / "kernel.ll"
        command = find_clang().compile_command(str(source), target, tmp_path / "k.d", define)
        subprocess.run([*command, *strict], check=True)


MARKED = """\
#include <stdint.h>
#include "npu_workbench.h"
static int32_t count(void);
void kernel(const int32_t *x, int32_t *y, int32_t n) {
    int32_t local[8];
    for (int i = 0; i < 8; i++) {
        int32_t z = x[i] * n;
        NPU_STAGE("z", &z, 1);
        local[i] = z;
    }
    NPU_STAGE("local", local, 8);
    for (int i = 0; i < 8; i++) {
        y[i] = local[7 - i];
    }
    NPU_STAGE("y", y, count());
}
static int32_t count(void) { return 8; }
"""


def assembly(source: Path, text: str, *options: str) -> str:
    source.write_text(text)
    target = source.with_suffix(".s")
    command = find_clang().compile_command(str(source), target, source.with_suffix(".d"))
    kept = [option for option in command if option not in ("-S", "-emit-llvm")]
    kept += ["-S", "-g0", "-Wno-unused-function", "-Wno-unneeded-internal-declaration", *options]
    subprocess.run(kept, check=True)
    return target.read_text()


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(
    "options", [(), ("-O0",), ("-ffreestanding", "--target=riscv32", "-fno-pic")]
)
def test_other_builds_have_no_trace_of_it(
    tmp_path: Path, suffix: str, options: tuple[str, ...]
) -> None:
    source = tmp_path / f"kernel{suffix}"
    plain = re.sub(r"\bNPU_STAGE\(.*\);", "", MARKED)
    assert plain != MARKED
    marked = assembly(source, MARKED, *options)
    assert marked == assembly(source, plain, *options)
    assert "npu_workbench" not in marked


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_the_hook_is_none_of_the_kernels_data(tmp_path: Path, suffix: str) -> None:
    source = tmp_path / f"kernel{suffix}"
    text = (
        'int32_t table[4] = {1};\nextern "C" ' if suffix == ".cpp" else "int32_t table[4] = {1};\n"
    )
    source.write_text(MARKED.replace("void kernel", f"{text}void kernel"))
    log: list[str] = []
    for build in (build_kernel, build_recording):
        built = await build(str(source), find_clang(), tmp_path, log.extend, 60)
        assert built.library is not None, log
        library = Library(built.library, tmp_path / f"{build.__name__}.so", 0)
        names = {name for name in library._names()[1] if not name.startswith(".str")}
        assert names == {"table"}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("argument", ['"z", 5, 1', "z, &z, 1", '"z", &z, nothing', '"z", &z'])
def test_wrong_arguments_are_errors_in_every_build(
    tmp_path: Path, suffix: str, argument: str
) -> None:
    source = tmp_path / f"kernel{suffix}"
    source.write_text(MARKED.replace('"z", &z, 1', argument))
    for define in ((), ("NPU_WORKBENCH_RECORD",)):
        target, dependencies = tmp_path / "kernel.ll", tmp_path / "k.d"
        command = find_clang().compile_command(str(source), target, dependencies, define)
        done = subprocess.run(command, check=False, capture_output=True)
        assert done.returncode != 0


def test_who_speaks_of_stages(tmp_path: Path) -> None:
    plain, marked = tmp_path / "plain.c", tmp_path / "marked.h"
    plain.write_text("int NPU_STAGES;\n")
    marked.write_text("#define MARK NPU_STAGE\n")
    assert not marks_stages([str(plain), str(INCLUDE / "npu_workbench.h"), "missing.h"])
    assert marks_stages([str(plain), str(marked)])
