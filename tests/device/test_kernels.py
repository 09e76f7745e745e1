"""Kernel functions called from cores: arguments, results, static data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    Array,
    consume,
    design,
    endless,
    fifo,
    free,
    in_out,
    numbers,
    produce,
    send,
    sequence,
    through,
    transfer,
    wait,
    zeros,
)
from workbench.errors import DesignError

V16 = "16xi32"


def kernel_design(declaration: str, call: str, kind: str = V16, count: int = 48) -> str:
    body = (
        consume("from", "in", kind) + produce("to", "out", kind) + call + free("in") + send("out")
    )
    return design(declaration, in_out(kind), endless("a", body), through(kind, count))


def test_a_kernel_is_called(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @add_number(memref<16xi32>, memref<16xi32>, i32, i32)\n",
        "%n = arith.constant 7 : i32\n%k = arith.constant 16 : i32\n"
        "func.call @add_number(%from, %to, %n, %k) : "
        "(memref<16xi32>, memref<16xi32>, i32, i32) -> ()\n",
    )
    x = numbers(48)
    assert np.array_equal(run(text, x, zeros(48), library=library)[1], x + 7)


def test_several_kernels_are_called_and_give_results(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @largest(memref<16xi32>, i32) -> i32\n"
        "func.func private @add_number(memref<16xi32>, memref<16xi32>, i32, i32)\n"
        "func.func private @scale(memref<16xi32>, memref<16xi32>, i32)\n"
        '%middle = aie.buffer(%a) {sym_name = "middle"} : memref<16xi32>\n',
        "%k = arith.constant 16 : i32\n"
        "%m = func.call @largest(%from, %k) : (memref<16xi32>, i32) -> i32\n"
        "func.call @scale(%from, %middle, %k) : (memref<16xi32>, memref<16xi32>, i32) -> ()\n"
        "func.call @add_number(%middle, %to, %m, %k) : "
        "(memref<16xi32>, memref<16xi32>, i32, i32) -> ()\n",
    )
    x = numbers(48)
    rows = x.reshape(3, 16)
    expected = rows * 3 + rows.max(axis=1, keepdims=True)
    assert np.array_equal(run(text, x, zeros(48), library=library)[1], expected.ravel())


def test_static_data_is_each_cores_own_and_stays(load: Load, library: Path) -> None:
    def counter(tile: str, target: str) -> str:
        body = produce("to", target, "1xi32")
        body += "func.call @count_calls(%to) : (memref<1xi32>) -> ()\n" + send(target)
        return endless(tile, body)

    text = design(
        "func.func private @count_calls(memref<1xi32>)\n",
        fifo("p", "%a", "%shim", "1xi32"),
        fifo("q", "%d", "%shim", "1xi32"),
        counter("a", "p"),
        counter("d", "q"),
        sequence(
            {"x": "3xi32", "y": "2xi32"},
            transfer("p", "x", "3xi32", sizes="3", number=0)
            + transfer("q", "y", "2xi32", sizes="2", number=1)
            + wait("p")
            + wait("q"),
        ),
    )
    running = load(text, zeros(3), zeros(2), library=library)
    x, y = running(zeros(3), zeros(2))
    assert (x.tolist(), y.tolist()) == ([1, 2, 3], [1, 2])
    x, y = running(zeros(3), zeros(2))
    assert (x.tolist(), y.tolist()) == ([4, 5, 6], [3, 4])


def test_a_kernel_may_take_narrower_integers_than_declared(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @narrowed(memref<4xi32>, i32, i32)\n",
        "%p = arith.constant 200 : i32\n%q = arith.constant -3 : i32\n"
        "func.call @narrowed(%to, %p, %q) : (memref<4xi32>, i32, i32) -> ()\n",
        "4xi32",
        4,
    )
    found = run(text, zeros(4), zeros(4), library=library)[1]
    assert found.tolist()[:2] == [200, -3]


def test_scalars_of_every_kind_are_passed(run: Run, library: Path) -> None:
    text = kernel_design(
        "func.func private @scalars(memref<4xf32>, f32, i64, i1)\n",
        "%p = arith.constant 1.5 : f32\n%q = arith.constant -9000000000 : i64\n"
        "%r = arith.constant true\n"
        "func.call @scalars(%to, %p, %q, %r) : (memref<4xf32>, f32, i64, i1) -> ()\n",
        "4xf32",
        4,
    )
    found = run(text, np.zeros(4, np.float32), np.zeros(4, np.float32), library=library)[1]
    assert found[:3].tolist() == [1.5, float(np.float32(-9e9)), 1.0]


@pytest.mark.parametrize(
    ("name", "kind", "dtype", "plain"),
    [
        ("copy_bytes", "16xui8", np.uint8, lambda x: x),
        ("negate_halves", "16xbf16", np.uint16, lambda x: x ^ np.uint16(0x8000)),
    ],
)
def test_kernels_of_other_elements(
    run: Run, library: Path, name: str, kind: str, dtype: Any, plain: Any
) -> None:
    text = kernel_design(
        f"func.func private @{name}(memref<{kind}>, memref<{kind}>, i32)\n",
        "%k = arith.constant 16 : i32\n"
        f"func.call @{name}(%from, %to, %k) : (memref<{kind}>, memref<{kind}>, i32) -> ()\n",
        kind,
    )
    x: Array = np.random.default_rng(1).integers(1, 250, 48).astype(dtype)
    assert np.array_equal(run(text, x, np.zeros(48, dtype), library=library)[1], plain(x))


def test_a_kernel_gets_a_view_without_its_offset_as_with_aiecc(load: Load, library: Path) -> None:
    kind = "memref<8xi32, strided<[1], offset: 8>>"
    text = kernel_design(
        f"func.func private @add_number({kind}, memref<16xi32>, i32, i32)\n",
        f"%half = memref.subview %from[8] [8] [1] : memref<16xi32> to {kind}\n"
        "%n = arith.constant 0 : i32\n%k = arith.constant 8 : i32\n"
        f"func.call @add_number(%half, %to, %n, %k) : ({kind}, memref<16xi32>, i32, i32) -> ()\n",
        V16,
        16,
    )
    x = numbers(16)
    running = load(text, x, x, library=library)
    assert np.array_equal(running(x, zeros(16))[1][:8], x[:8])
    assert any("drops the offset of 8 elements of argument 0" in note for note in running.notes)


def test_a_view_with_an_offset_of_run_time_cant_be_passed(run: Run, library: Path) -> None:
    kind = "memref<8xi32, strided<[1], offset: ?>>"
    text = kernel_design(
        f"func.func private @add_number({kind}, memref<16xi32>, i32, i32)\n",
        f"%half = memref.subview %from[%c2] [8] [1] : memref<16xi32> to {kind}\n"
        "%n = arith.constant 0 : i32\n%k = arith.constant 8 : i32\n"
        f"func.call @add_number(%half, %to, %n, %k) : ({kind}, memref<16xi32>, i32, i32) -> ()\n",
    )
    with pytest.raises(DesignError, match="can't be passed to a kernel"):
        run(text, zeros(48), zeros(48), library=library)
