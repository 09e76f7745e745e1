"""Data layout transforms of FIFOs, against nested loops over sizes and strides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.device.conftest import Run
from tests.device.designs import copier, design, fifo, in_out, through

Dims = tuple[tuple[int, int], ...]
Ints = npt.NDArray[np.int32]

LINK_IN = "aie.objectfifo.link [@in] -> [@to_core] ([] [])\n"
LINK_OUT = "aie.objectfifo.link [@from_core] -> [@out] ([] [])\n"


def walk(dims: Dims) -> list[int]:
    """The elements in the order that a transform touches them."""
    found = [0]
    for size, stride in dims:
        found = [at + i * stride for at in found for i in range(size)]
    return found


def text(keyword: str, dims: Dims) -> str:
    pairs = ", ".join(f"<size = {size}, stride = {stride}>" for size, stride in dims)
    return f" {keyword} [{pairs}]" if dims else ""


def to_stream(dims: Dims) -> str:
    return text("dimensionsToStream", dims)


def from_stream(dims: Dims) -> str:
    return text("dimensionsFromStream", dims)


@st.composite
def permutations(draw: st.DrawFn, count: int, most: int) -> Dims:
    """Dimensions that touch every one of `count` elements once: a transpose of some tiling."""
    sizes: list[int] = []
    rest = count
    for _ in range(draw(st.integers(1, most)) - 1):
        size = draw(st.sampled_from([n for n in range(1, rest + 1) if rest % n == 0]))
        sizes.append(size)
        rest //= size
    sizes.append(rest)
    strides = [int(np.prod(sizes[i + 1 :])) for i in range(len(sizes))]
    pairs = draw(st.permutations(list(zip(sizes, strides, strict=True))))
    return tuple(pairs)


@st.composite
def walks(draw: st.DrawFn, count: int, most: int) -> Dims:
    """Dimensions of `count` elements with any strides that stay inside; elements may repeat."""
    dims = [list(pair) for pair in draw(permutations(count, most))]
    for pair in dims:
        pair[1] = draw(st.integers(1, max(1, pair[1])))
    return tuple((size, stride) for size, stride in dims if size > 1) or ((count, 1),)


def numbers(count: int) -> Ints:
    return np.random.default_rng(count).integers(-1000, 1000, count).astype(np.int32)


LAX = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@LAX
@given(dims=walks(48, 4))
def test_a_mem_tile_sends_in_another_order(run: Run, dims: Dims) -> None:
    design_text = design(
        fifo("in", "%shim", "%mem", "48xi32"),
        fifo("out", "%mem" + to_stream(dims), "%shim", "48xi32"),
        "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        through("i32", 96),
    )
    x = numbers(96)
    expected = x.reshape(2, 48)[:, walk(dims)].ravel()
    assert np.array_equal(run(design_text, x, x * 0)[1], expected)


@LAX
@given(dims=permutations(48, 4))
def test_a_mem_tile_receives_into_another_order(run: Run, dims: Dims) -> None:
    design_text = design(
        fifo("in", "%shim", "%mem" + from_stream(dims), "48xi32"),
        fifo("out", "%mem", "%shim", "48xi32"),
        "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        through("i32", 96),
    )
    x = numbers(96)
    expected = np.zeros((2, 48), np.int32)
    expected[:, walk(dims)] = x.reshape(2, 48)
    assert np.array_equal(run(design_text, x, x * 0)[1], expected.ravel())


@LAX
@given(there=walks(48, 3), back=permutations(48, 3))
def test_a_core_sends_and_receives_in_other_orders(run: Run, there: Dims, back: Dims) -> None:
    design_text = design(
        fifo("in", "%shim", "%a" + from_stream(back), "48xi32"),
        fifo("out", "%a" + to_stream(there), "%shim", "48xi32"),
        copier("a", "48xi32"),
        through("i32", 96),
    )
    x = numbers(96)
    held = np.zeros((2, 48), np.int32)
    held[:, walk(back)] = x.reshape(2, 48)
    assert np.array_equal(run(design_text, x, x * 0)[1], held[:, walk(there)].ravel())


def test_a_transform_undoes_its_like(run: Run) -> None:
    """Transposed on the way to the core, and back on the way out, through a mem tile."""
    dims: Dims = ((8, 1), (6, 8))
    design_text = design(
        fifo("in", "%shim", "%mem", "48xi32"),
        fifo("to_core", "%mem" + to_stream(dims), "%a" + from_stream(dims), "48xi32"),
        fifo("from_core", "%a", "%mem", "48xi32"),
        fifo("out", "%mem", "%shim", "48xi32"),
        LINK_IN,
        LINK_OUT,
        copier("a", "48xi32", "to_core", "from_core"),
        through("i32", 96),
    )
    x = numbers(96)
    assert np.array_equal(run(design_text, x, x * 0)[1], x)


@pytest.mark.parametrize(
    ("kind", "dtype"), [("i8", np.int8), ("bf16", np.uint16), ("f32", np.float32)]
)
def test_small_elements_are_tiled(run: Run, kind: str, dtype: Any) -> None:
    """A 8x16 matrix into tiles of 4x8, as matrix units want it."""
    dims: Dims = ((2, 64), (2, 8), (4, 16), (8, 1))
    design_text = design(
        fifo("in", "%shim", "%mem", f"128x{kind}"),
        fifo("to_core", "%mem" + to_stream(dims), "%a", f"128x{kind}"),
        LINK_IN,
        fifo("out", "%a", "%shim", f"128x{kind}"),
        copier("a", f"128x{kind}", "to_core", "out"),
        through(kind, 256),
    )
    x = np.random.default_rng(0).integers(0, 100, 256).astype(dtype)
    tiles = x.reshape(2, 2, 4, 2, 8).transpose(0, 1, 3, 2, 4)
    assert np.array_equal(run(design_text, x, x * 0)[1], tiles.ravel())


def test_each_consumer_of_a_broadcast_has_its_own_order(run: Run) -> None:
    turned: Dims = ((4, 1), (4, 4))
    parts = in_out("16xi32").splitlines(keepends=True)
    design_text = design(
        fifo("in", "%shim", "%a, %b" + from_stream(turned), "16xi32"),
        parts[1],
        fifo("out2", "%b", "%shim", "16xi32"),
        copier("a", "16xi32"),
        copier("b", "16xi32", "in", "out2"),
        through("i32", 16)
        .replace("%y : memref<16xi32>)", "%y : memref<16xi32>, %z : memref<16xi32>)")
        .replace(
            "aiex.npu.dma_wait",
            "aiex.npu.dma_memcpy_nd(%z[0, 0, 0, 0][1, 1, 1, 16][0, 0, 0, 1]) "
            "{metadata = @out2, id = 2 : i64} : memref<16xi32>\n"
            "aiex.npu.dma_wait {symbol = @out2}\naiex.npu.dma_wait",
        ),
    )
    x = numbers(16)
    _, y, z = run(design_text, x, x * 0, x * 0)
    assert np.array_equal(y, x)
    assert np.array_equal(z, x.reshape(4, 4).T.ravel())


@pytest.mark.parametrize("way", ["distribute", "join"])
def test_each_part_of_a_link_has_its_own_order(run: Run, way: str) -> None:
    """A transform of a part counts from the part's own beginning."""
    turned: Dims = ((4, 1), (4, 4))
    if way == "distribute":
        ends = [
            fifo("in", "%shim", "%mem", "32xi32"),
            fifo("left", "%mem" + to_stream(turned), "%a", "16xi32"),
            fifo("right", "%mem", "%b", "16xi32"),
            fifo("back_left", "%a", "%mem", "16xi32"),
            fifo("back_right", "%b", "%mem", "16xi32"),
        ]
    else:
        ends = [
            fifo("in", "%shim", "%mem", "32xi32"),
            fifo("left", "%mem", "%a", "16xi32"),
            fifo("right", "%mem", "%b", "16xi32"),
            fifo("back_left", "%a", "%mem", "16xi32"),
            fifo("back_right", "%b", "%mem" + from_stream(turned), "16xi32"),
        ]
    design_text = design(
        *ends,
        fifo("out", "%mem", "%shim", "32xi32"),
        "aie.objectfifo.link [@in] -> [@left, @right] ([] [0, 16])\n",
        "aie.objectfifo.link [@back_left, @back_right] -> [@out] ([0, 16] [])\n",
        copier("a", "16xi32", "left", "back_left"),
        copier("b", "16xi32", "right", "back_right"),
        through("i32", 64),
    )
    x = numbers(64)
    expected = x.reshape(2, 2, 4, 4).copy()
    part = 0 if way == "distribute" else 1
    expected[:, part] = expected[:, part].transpose(0, 2, 1)
    assert np.array_equal(run(design_text, x, x * 0)[1], expected.ravel())


def test_a_joined_object_leaves_in_another_order(run: Run) -> None:
    """The transform of the whole applies to each of its parts, one after another."""
    turned: Dims = ((4, 1), (4, 4))
    design_text = design(
        fifo("in", "%shim", "%mem", "32xi32"),
        fifo("left", "%mem", "%a", "16xi32"),
        fifo("right", "%mem", "%b", "16xi32"),
        fifo("back_left", "%a", "%mem", "16xi32"),
        fifo("back_right", "%b", "%mem", "16xi32"),
        fifo("out", "%mem" + to_stream(turned), "%shim", "32xi32"),
        "aie.objectfifo.link [@in] -> [@left, @right] ([] [0, 16])\n",
        "aie.objectfifo.link [@back_left, @back_right] -> [@out] ([0, 16] [])\n",
        copier("a", "16xi32", "left", "back_left"),
        copier("b", "16xi32", "right", "back_right"),
        through("i32", 64),
    )
    x = numbers(64)
    expected = x.reshape(2, 2, 4, 4).transpose(0, 1, 3, 2)
    assert np.array_equal(run(design_text, x, x * 0)[1], expected.ravel())
