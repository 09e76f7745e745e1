from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doubles.elf import AIE2P, Code, write_image, write_object
from workbench.build.aie.elf import ObjectError, ObjectFile, read_object, same_code
from workbench.build.aie.objects import inspect, wrong_object
from workbench.build.aie.stack import StackNeed, stack_need
from workbench.build.aie.symbols import explain_undefined
from workbench.design import Design, parse_design
from workbench.design.hardware import PROGRAM_MEMORY_BYTES

KERNEL = Code("kernel", bytes(range(64)), 96, [(16, "left"), (32, "right")])
LEFT = Code("left", b"l" * 32, 64, [(0, "leaf")], exported=False)
RIGHT = Code("right", b"r" * 32, 32, [], exported=False)
LEAF = Code("leaf", b"x" * 48, 128, [], exported=False)
ALL = (KERNEL, LEFT, RIGHT, LEAF)

DESIGN = """
module {{
  aie.device({device}) {{
    func.func private @kernel(memref<16384xi8>) attributes {{link_with = "kernel.o"}}
    %shim = aie.tile(0, 0)
    %tile = aie.tile(0, 2)
    aie.objectfifo @in(%shim, {{%tile}}, 2 : i32) : !aie.objectfifo<memref<16384xi8>>
    %core = aie.core(%tile) {{
      %view = aie.objectfifo.acquire @in(Consume, 1) : !aie.objectfifosubview<memref<16384xi8>>
      %in = aie.objectfifo.subview.access %view[0] : !aie.objectfifosubview<memref<16384xi8>> -> memref<16384xi8>
      func.call @kernel(%in) : (memref<16384xi8>) -> ()
      aie.objectfifo.release @in(Consume, 1)
      aie.end
    }} {attributes}
  }}
}}
"""  # noqa: E501


def design(attributes: str = "", device: str = "npu1_1col") -> Design:
    return parse_design(DESIGN.format(attributes=attributes, device=device), "kernel.mlir")


@pytest.fixture
def write(tmp_path: Path) -> Path:
    return tmp_path / "kernel.o"


def of(path: Path, *codes: Code, data: bytes = b"", bss: int = 0) -> ObjectFile:
    path.write_bytes(write_object(codes, data=data, bss=bss, by_section=True))
    return read_object(path)


@pytest.mark.parametrize("by_section", [True, False])
def test_an_object_is_read_as_it_was_written(write: Path, by_section: bool) -> None:
    data = write_object(ALL, data=b"1234", constants=b"5678", bss=100, by_section=by_section)
    write.write_bytes(data)
    file = read_object(write)
    assert file.target == "aie2"
    assert set(file.functions) == {code.name for code in ALL}
    for code in ALL:
        function = file.functions[code.name]
        assert function.code == code.code
        assert function.frame == code.frame
        assert function.patched == tuple(at for at, _ in code.calls)
        assert function.references == tuple(name for _, name in code.calls)
        assert function.exported == code.exported
    assert file.text_bytes == 64 + 32 + 32 + 48
    assert file.data_bytes == 4 + 4 + 100
    assert file.undefined == ()
    assert file.has_stack_sizes


def test_what_readelf_says_is_what_the_double_wrote(write: Path) -> None:
    """The doubles' objects are ELF files to others too, not just to our own reader."""
    readelf = shutil.which("readelf")
    if readelf is None:
        pytest.skip("no readelf here")
    write.write_bytes(write_object(ALL))
    done = subprocess.run([readelf, "-hSsrW", write], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    for text in ("0x108", "Flags:                             0x2", ".stack_sizes", ".text.leaf"):
        assert text in done.stdout


def test_a_core_image_is_read_by_addresses(tmp_path: Path) -> None:
    path = tmp_path / "core.elf"
    path.write_bytes(write_image(ALL, flags=AIE2P, data=b"1234"))
    file = read_object(path)
    assert file.target == "aie2p"
    assert {name: f.frame for name, f in file.functions.items()} == {c.name: c.frame for c in ALL}
    assert file.functions["leaf"].code == LEAF.code
    assert file.data_bytes == 4


def test_linking_leaves_the_code_the_same(write: Path) -> None:
    image = write.with_suffix(".elf")
    image.write_bytes(write_image(ALL))
    file, linked = of(write, *ALL), read_object(image)
    assert file.functions["kernel"].code != linked.functions["kernel"].code
    assert all(same_code(file.functions[n], linked.functions[n]) for n in file.functions)


@pytest.mark.parametrize("name", ["kernel", "leaf"])
def test_another_byte_anywhere_is_another_object(write: Path, name: str) -> None:
    """Also in a static function that is only reached through others."""
    image = write.with_suffix(".elf")
    changed = [
        Code(c.name, c.code[:-1] + b"!", c.frame, c.calls, c.exported) if c.name == name else c
        for c in ALL
    ]
    image.write_bytes(write_image(changed))
    concern = wrong_object(of(write, *ALL), read_object(image), ["kernel"], "kernel.mlir:8")
    assert concern is not None
    assert concern.id == "wrong-object"
    assert concern.message.startswith(f"{name} was compiled")


def test_longer_code_is_another_object(write: Path) -> None:
    image = write.with_suffix(".elf")
    image.write_bytes(write_image([Code("kernel", bytes(range(80)), 96, KERNEL.calls), *ALL[1:]]))
    concern = wrong_object(of(write, *ALL), read_object(image), ["kernel"], "x")
    assert concern is not None


def test_an_image_without_the_function(write: Path) -> None:
    image = write.with_suffix(".elf")
    image.write_bytes(write_image([LEAF]))
    concern = wrong_object(of(write, *ALL), read_object(image), ["kernel"], "x")
    assert concern is not None
    assert "has none" in concern.message


def test_the_image_of_this_object_is_right(write: Path) -> None:
    image = write.with_suffix(".elf")
    image.write_bytes(write_image([Code("__start", bytes(16)), *ALL]))
    assert wrong_object(of(write, *ALL), read_object(image), ["kernel"], "x") is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"!<arch>\n", b"#!/bin/sh\n"])
def test_other_files_are_no_objects(write: Path, content: bytes) -> None:
    write.write_bytes(content)
    with pytest.raises(ObjectError) as caught:
        read_object(write)
    assert caught.value.where == str(write)


def test_objects_of_other_machines_are_none(write: Path) -> None:
    data = bytearray(write_object(ALL))
    data[18:20] = (62).to_bytes(2, "little")  # x86-64
    write.write_bytes(data)
    with pytest.raises(ObjectError, match="no AIE object"):
        read_object(write)
    with pytest.raises(ObjectError, match="can't be read"):
        read_object(write.parent)


@given(at=st.integers(0, 2000), byte=st.integers(0, 255), cut=st.none() | st.integers(0, 2000))
def test_a_damaged_object_is_an_error_or_an_object(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int, cut: int | None
) -> None:
    data = bytearray(write_object(ALL, data=b"1234", by_section=True))
    data[at % len(data)] = byte
    path = tmp_path_factory.getbasetemp() / "damaged.o"
    path.write_bytes(data[:cut])
    try:
        file = read_object(path)
    except ObjectError:
        return
    for name in file.functions:
        stack_need(file.functions, name)


def test_the_deepest_path_counts(write: Path) -> None:
    need = stack_need(of(write, *ALL).functions, "kernel")
    assert need == StackNeed(96 + 64 + 128, ("kernel", "left", "leaf"))


def test_what_has_no_frame_is_told(write: Path) -> None:
    unsized = Code("left", LEFT.code, None, LEFT.calls, exported=False)
    need = stack_need(of(write, KERNEL, unsized, RIGHT, LEAF).functions, "kernel")
    assert need == StackNeed(96 + 128, ("kernel", "left", "leaf"), unknown=("left",))


@pytest.mark.parametrize(
    ("codes", "cycle"),
    [
        ([Code("kernel", b"k" * 16, 32, [(0, "kernel")])], ("kernel", "kernel")),
        (
            [
                Code("kernel", b"k" * 16, 32, [(0, "even")]),
                Code("even", b"e" * 16, 64, [(0, "odd")]),
                Code("odd", b"o" * 16, 32, [(0, "even")]),
            ],
            ("even", "odd", "even"),
        ),
    ],
)
def test_recursion_is_reported(write: Path, codes: Sequence[Code], cycle: tuple[str, ...]) -> None:
    file = of(write, *codes)
    assert stack_need(file.functions, "kernel").recursion == cycle
    (concern,) = inspect(file, design(), "kernel.c").concerns
    assert concern.id == "recursion"
    assert " → ".join(cycle) in concern.message


def test_a_diamond_is_no_recursion(write: Path) -> None:
    right = Code("right", RIGHT.code, 32, [(0, "leaf")], exported=False)
    need = stack_need(of(write, KERNEL, LEFT, right, LEAF).functions, "kernel")
    assert need.recursion == ()
    assert need.bytes == 288


@given(
    frames=st.lists(st.integers(0, 300), min_size=1, max_size=8),
    edges=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16),
)
def test_the_need_is_that_of_the_worst_path(
    tmp_path_factory: pytest.TempPathFactory, frames: list[int], edges: set[tuple[int, int]]
) -> None:
    """Against all paths of a graph without cycles, tried one by one."""
    count = len(frames)
    calls = {n: sorted(b for a, b in edges if a == n and n < b < count) for n in range(count)}
    codes = [
        Code(f"f{n}", b"." * 16 * 8, frames[n], [(16 * i, f"f{m}") for i, m in enumerate(calls[n])])
        for n in range(count)
    ]
    path = tmp_path_factory.getbasetemp() / "graph.o"

    def worst(n: int) -> int:
        return frames[n] + max(map(worst, calls[n]), default=0)

    assert stack_need(of(path, *codes).functions, "f0").bytes == worst(0)


def test_a_stack_that_is_too_small_by_one_byte(write: Path) -> None:
    """The path needs 288 bytes, start-up 32."""
    file = of(write, *ALL)
    assert inspect(file, design("{stack_size = 320 : i32}"), "kernel.c").concerns == ()
    report = inspect(file, design("{stack_size = 319 : i32}"), "kernel.c")
    (concern,) = report.concerns
    assert concern.id == "stack-overrun"
    assert "at least 320 B of stack in 319 B, by the object's frames" in concern.message
    assert "overwrites memory above it" in concern.message  # buffers begin at multiples of 32
    assert concern.hint.startswith("set stack_size = 576 : i32")
    assert concern.where == "kernel.mlir:8"
    (core,) = report.cores
    assert (core.stack_bytes, core.stack_limit, core.functions) == (320, 319, ("kernel",))


def test_the_victims_of_an_overrun_are_named(write: Path) -> None:
    report = inspect(
        of(write, *ALL), design("{stack_size = 256 : i32}"), "kernel.c", "basic-sequential"
    )
    (concern,) = report.concerns
    assert concern.evidence["overwrites"] == ["in_cons_buff_0"]
    assert "overwrites in_cons_buff_0" in concern.message


def test_npu2_aligns_to_64(write: Path) -> None:
    write.write_bytes(write_object(ALL, flags=AIE2P))
    report = inspect(read_object(write), design("{stack_size = 64 : i32}", "npu2"), "kernel.c")
    (concern,) = report.concerns
    assert concern.evidence["stack_bytes"] == 288 + 64
    assert concern.evidence["stack_size"] == 640


def test_without_sizes_nothing_is_claimed(write: Path) -> None:
    codes = [Code(c.name, c.code, None, c.calls, c.exported) for c in ALL]
    report = inspect(of(write, *codes), design("{stack_size = 32 : i32}"), "kernel.c")
    assert report.concerns == ()
    assert report.cores[0].stack is None


def test_program_memory(write: Path) -> None:
    small = Code("kernel", bytes(PROGRAM_MEMORY_BYTES), 32)
    assert inspect(of(write, small), design(), "kernel.c").concerns == ()
    large = Code("kernel", bytes(PROGRAM_MEMORY_BYTES + 16), 32)
    (concern,) = inspect(of(write, large), design(), "kernel.c").concerns
    assert concern.id == "program-memory"
    assert "16,400 B of code in a core's 16,384 B" in concern.message


def test_data_memory(write: Path) -> None:
    """Two buffers of 16 KB and a stack of 1 KB leave 31 KB."""
    leaf = Code("kernel", bytes(16), 32)
    room = 64 * 1024 - 2 * 16384 - 1024
    alloc = "basic-sequential"
    assert inspect(of(write, leaf, bss=room), design(), "kernel.c", alloc).concerns == ()
    report = inspect(of(write, leaf, data=b"1234", bss=room), design(), "kernel.c", alloc)
    assert report.cores[0].data_room == room
    (concern,) = report.concerns
    assert concern.id == "data-memory"


@pytest.mark.parametrize(
    ("codes", "message", "hint"),
    [
        ([Code("kernal", bytes(16), 32)], "doesn't define", "did you mean kernal?"),
        ([Code("other", bytes(16), 32)], "doesn't define", "define kernel in"),
        ([Code("_Z6kernelPa", bytes(16), 32)], "under its C++ name", 'extern "C"'),
        ([Code("kernel", bytes(16), 32, (), False)], "static in the object", "drop its `static`"),
    ],
)
def test_a_function_that_is_not_there(
    write: Path, codes: list[Code], message: str, hint: str
) -> None:
    (concern,) = inspect(of(write, *codes), design(), "kernel.c").concerns
    assert concern.id == "missing-symbol"
    assert message in concern.message
    assert hint in concern.hint
    assert concern.where == "kernel.mlir:11"


@pytest.mark.parametrize(
    ("name", "severity", "text"),
    [
        ("sqrtf", "warning", "is libm's"),
        ("exp2", "warning", "is libm's"),
        ("__udivdi3", "info", "64-bit arithmetic"),
        ("__udivsi3", "info", "32-bit arithmetic"),
        ("__muldi3", "info", "64-bit arithmetic"),
        ("__mulsf3", "info", "floating point"),
        ("__adddf3", "warning", "double is emulated"),
        ("malloc", "warning", "no heap"),
        ("printf", "warning", "nowhere to print"),
        ("__udivmoddi4", "error", "not in Peano's compiler-rt"),
        ("__bswapsi2", "error", "not in Peano's compiler-rt"),
        ("__fixsfdi", "error", "not in Peano's compiler-rt"),
        ("__divti3", "error", "not in Peano's compiler-rt"),
        ("_Z7softmaxPKaPaj", "error", "is a C++ name"),
        ("helper", "warning", "defined nowhere"),
    ],
)
def test_undefined_symbols_are_explained(name: str, severity: str, text: str) -> None:
    explained = explain_undefined(name)
    assert explained is not None
    assert explained[0] == severity
    assert text in explained[1]


@pytest.mark.parametrize("name", ["memcpy", "memset", "__dso_handle"])
def test_the_usual_symbols_are_not_talked_about(name: str) -> None:
    assert explain_undefined(name) is None


def test_an_undefined_symbol_is_a_concern(write: Path) -> None:
    code = Code("kernel", bytes(32), 32, [(0, "sqrtf"), (16, "memcpy")])
    (concern,) = inspect(of(write, code), design(), "kernel.c").concerns
    assert (concern.id, concern.severity, concern.where) == (
        "undefined-symbol",
        "warning",
        "kernel.c",
    )
