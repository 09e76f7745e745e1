"""Where buffers lie, against what aiecc's allocator is known to do with the same ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.device.designs import PATH, consume, core, design, fifo
from workbench.design import read_design
from workbench.design.hardware import limits
from workbench.design.memory import STACK, Region, allocation_notes, memory_map
from workbench.design.model import Design
from workbench.design.read import parse_design
from workbench.errors import DesignError, ExitCode

REPORT = Path(__file__).parents[2] / "mlir" / "attention_64x64_report.mlir"
CORE, MEM = (0, 2), (0, 1)

SCHEMES = ("basic-sequential", "bank-aware")


def read(*parts: str) -> Design:
    return parse_design(design(*parts), PATH)


def places(found: Design, allocation: str, tile: tuple[int, int] = CORE) -> dict[str, int]:
    return {region.name: region.address for region in memory_map(found, tile, allocation)}


def buffer(name: str, size: int, attributes: str = "", tile: str = "a") -> str:
    extra = f", {attributes}" if attributes else ""
    return (
        f'%{name}_buffer = aie.buffer(%{tile}) {{sym_name = "{name}"{extra}}} : memref<{size}xi8>\n'
    )


def test_the_reports_design_lies_as_its_linker_script_says() -> None:
    assert places(read_design(REPORT), "basic-sequential") == {
        STACK: 0,
        "of_QKV_cons_buff_0": 0x400,
        "of_QKV_cons_buff_1": 0x3400,
        "of_out_buff_0": 0x6400,
        "of_out_buff_1": 0x7400,
    }


def test_bank_aware_goes_round_the_banks() -> None:
    """As in the lowered text of the pass-through design that mlir-aie ships."""
    found = read(
        fifo("in", "%shim", "%a", "11264xui8"),
        fifo("out", "%a", "%shim", "11264xui8"),
        core("a", ""),
    )
    assert places(found, "bank-aware") == {
        STACK: 0,
        "out_buff_0": 0x400,
        "out_buff_1": 0x4000,
        "in_cons_buff_0": 0x8000,
        "in_cons_buff_1": 0xC000,
    }


def test_equals_stand_as_in_the_lowered_text() -> None:
    """Buffers declared before the last tile, then the last FIFO's first, then late buffers."""
    found = parse_design(
        design(
            buffer("early", 64),
            "%last = aie.tile(1, 2)\n",
            fifo("one", "%shim", "%a", "64xi8"),
            fifo("two", "%a", "%shim", "64xi8"),
            buffer("late", 64),
            target="npu1_2col",
        ),
        PATH,
    )
    assert list(places(found, "basic-sequential")) == [
        "early",
        *("two_buff_0", "two_buff_1"),
        *("one_cons_buff_0", "one_cons_buff_1"),
        "late",
    ]


def test_the_largest_come_first_and_all_are_aligned() -> None:
    found = read(buffer("small", 33), buffer("large", 100), buffer("middle", 50), core("a", ""))
    assert places(found, "basic-sequential") == {
        STACK: 0,
        "large": 0x400,
        "middle": 0x480,
        "small": 0x4C0,
    }
    assert places(found, "bank-aware") == {
        STACK: 0,
        "large": 0x400,
        "middle": 0x4000,
        "small": 0x8000,
    }


def test_a_stack_of_any_size_comes_first() -> None:
    found = read(buffer("b", 64), core("a", "", "{stack_size = 2052 : i32}"))
    for scheme in SCHEMES:
        assert places(found, scheme) == {STACK: 0, "b": 0x820}


def test_a_stack_of_more_than_a_bank_makes_banks_fall_back() -> None:
    found = read(buffer("b", 64), buffer("c", 64), core("a", "", "{stack_size = 20000 : i32}"))
    assert places(found, "bank-aware") == {STACK: 0, "b": 20000, "c": 20064}


def test_a_mem_tile_has_eight_banks_and_no_stack() -> None:
    found = read(fifo("in", "%shim", "%mem", "4096xbf16", depth="9 : i32"))
    expected = {f"in_cons_buff_{n}": n * 0x10000 for n in range(8)} | {"in_cons_buff_8": 0x2000}
    assert places(found, "bank-aware", MEM) == expected
    assert places(found, "basic-sequential", MEM) == {
        f"in_cons_buff_{n}": n * 0x2000 for n in range(9)
    }


def test_addresses_and_banks_are_kept() -> None:
    found = read(
        buffer("free", 64),
        buffer("there", 64, "address = 1056 : i32"),
        buffer("banked", 64, "mem_bank = 0 : i32"),
        core("a", ""),
    )
    assert places(found, "bank-aware") == {
        STACK: 0,
        "there": 1056,
        "banked": 1120,
        "free": 1184,
    }
    assert places(found, "basic-sequential") == {
        STACK: 0,
        "there": 1056,
        "free": 1120,
        "banked": 1184,
    }
    assert allocation_notes(found, CORE, "bank-aware") == ()
    (note,) = allocation_notes(found, CORE, "basic-sequential")
    assert "ignores mem_bank; dropping the pin on: banked" in note


def test_what_fits_before_an_address_is_put_there() -> None:
    there = buffer("there", 64, "address = 1152 : i32")
    found = read(buffer("first", 96), buffer("second", 64), there, core("a", ""))
    assert places(found, "basic-sequential") == {
        STACK: 0,
        "first": 1024,
        "there": 1152,
        "second": 1216,
    }


def test_a_buffer_larger_than_a_bank_falls_back_with_the_tools_words() -> None:
    found = read(buffer("big", 20000), buffer("small", 64), core("a", ""))
    assert places(found, "bank-aware") == {STACK: 0, "big": 1024, "small": 21024}
    assert allocation_notes(found, CORE, "bank-aware") == (
        'tile (0, 2): Failed to allocate buffer: "big" with size: 20000 bytes. Bank-aware '
        "allocation failed, trying basic sequential allocation.",
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_doesnt_fit_is_refused_with_the_map(scheme: str) -> None:
    found = read(
        fifo("in", "%shim", "%a", "24576xi8", depth="3 : i32"),
        core("a", consume("x", "in", "24576xi8", 2)),
    )
    with pytest.raises(DesignError) as error:
        memory_map(found, CORE, scheme)
    lines = error.value.message.splitlines()
    assert lines[0].startswith(
        "'aie.tile' op allocated buffers exceeded available memory: 74,752 of 65,536 bytes"
    )
    assert ("Basic sequential allocation also failed." in lines[0]) == (scheme == "bank-aware")
    assert lines[1:] == [
        "MemoryMap:",
        "  (stack) : 0x0-0x3ff (1024 bytes)",
        "  in_cons_buff_0 : 0x400-0x63ff (24576 bytes)",
        "  in_cons_buff_1 : 0x6400-0xc3ff (24576 bytes)",
        "  in_cons_buff_2 : 0xc400-0x123ff (24576 bytes)",
    ]
    assert error.value.exit_code == ExitCode.USAGE
    assert str(error.value.where).startswith(f"{PATH}:")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("address = 512 : i32", "overlaps with stack"),
        ("address = 65504 : i32", "past the end of the tile's memory"),
        ("address = 1025 : i32", "must be aligned to 256 bits"),
        ("address = 2048 : i32", "overlaps with buffer 'fixed'"),
    ],
)
def test_addresses_that_cant_be_had_are_refused(attributes: str, message: str) -> None:
    found = read(
        buffer("fixed", 64, "address = 2016 : i32"), buffer("b", 64, attributes), core("a", "")
    )
    for scheme in SCHEMES:
        with pytest.raises(DesignError, match=message):
            memory_map(found, CORE, scheme)


@pytest.mark.parametrize(
    ("attributes", "size", "message"),
    [
        ("mem_bank = 4 : i32", 64, "mem_bank attribute value is out of range"),
        ("mem_bank = 1 : i32", 16385, "would override existing mem_bank"),
    ],
)
def test_banks_that_cant_be_had_are_refused(attributes: str, size: int, message: str) -> None:
    found = read(buffer("b", size, attributes), core("a", ""))
    with pytest.raises(DesignError, match=message):
        memory_map(found, CORE, "bank-aware")


def test_falling_back_never_loses_a_bank() -> None:
    found = read(buffer("big", 20000), buffer("b", 64, "mem_bank = 1 : i32"), core("a", ""))
    with pytest.raises(DesignError, match="would silently drop the mem_bank pin on: b"):
        memory_map(found, CORE, "bank-aware")


@given(
    sizes=st.lists(st.integers(1, 9000), min_size=1, max_size=12),
    stack=st.integers(0, 20000),
    address=st.none() | st.integers(640, 1900).map(lambda n: 32 * n),
    scheme=st.sampled_from(SCHEMES),
)
def test_nothing_ever_overlaps(
    sizes: list[int], stack: int, address: int | None, scheme: str
) -> None:
    parts = [buffer(f"b{n}", size) for n, size in enumerate(sizes)]
    if address is not None:
        parts.append(buffer("pinned", 512, f"address = {address} : i32"))
    found = read(*parts, core("a", "", f"{{stack_size = {stack} : i32}}"))
    try:
        regions = memory_map(found, CORE, scheme)
    except DesignError:
        regions = ()
    if not regions:
        assert sum(sizes) + stack > 40000
        return
    _check(regions, stack)
    assert {r.name for r in regions} - {STACK, "pinned"} == {f"b{n}" for n in range(len(sizes))}


def _check(regions: tuple[Region, ...], stack: int) -> None:
    end = 0
    for region in regions:
        assert region.address >= end
        assert region.name == STACK or region.address >= stack
        assert region.name == STACK or region.address % 32 == 0
        end = region.end
    assert end <= limits(CORE).memory_bytes
