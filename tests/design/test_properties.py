"""Layout and numbers of any text: what is written is what is read."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from tests.design.test_read import meaning
from tests.design.texts import CORE, PATH, design_text, fifo, read
from workbench.design import parse_design
from workbench.design.plain import bf16_bits, pack
from workbench.errors import DesignError

PLAIN = design_text(
    fifos=fifo(
        "in",
        "%shim",
        "%core dimensionsFromStream [<size = 4, stride = 4>, <size = 4, stride = 1>]",
        attributes="{via_DMA = true}",
    )
    + fifo("out", "%core", "%shim", depth="[2, 3]"),
    core=CORE,
)
_PIECES = [piece for piece in PLAIN.replace("\n", " ").split(" ") if piece]

_SPACE = st.sampled_from([" ", "  ", "\t", "\n", " // a comment { (\n", "\r\n", "\n\n   "])


@given(st.lists(_SPACE, min_size=len(_PIECES), max_size=len(_PIECES)))
def test_white_space_means_nothing(spaces: list[str]) -> None:
    text = "".join(piece + space for piece, space in zip(_PIECES, spaces, strict=True))
    assert meaning(parse_design(text, PATH)) == meaning(parse_design(PLAIN, PATH))


@st.composite
def _lists(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Sizes that make 16 elements, with strides that stay inside."""
    sizes = draw(st.sampled_from([(16,), (4, 4), (2, 8), (2, 2, 4), (1, 16), (2, 4, 2)]))
    room = 15
    found: list[tuple[int, int]] = []
    for size in sizes:
        most = room // (size - 1) if size > 1 else 16
        stride = draw(st.integers(1, max(1, most)))
        room -= (size - 1) * stride
        found.append((size, stride))
    return found if room >= 0 else [(16, 1)]


def _written(dimensions: list[tuple[int, int]], spaces: list[str]) -> str:
    space = iter(spaces * 20)
    return (
        "["
        + ",".join(
            f"{next(space)}<{next(space)}size{next(space)}={next(space)}{size},stride = {stride}>"
            for size, stride in dimensions
        )
        + "]"
    )


@given(_lists(), st.lists(st.sampled_from(["", " ", "\n"]), min_size=1, max_size=5))
def test_dimension_lists_are_read_as_written(
    dimensions: list[tuple[int, int]], spaces: list[str]
) -> None:
    tile = f"%core dimensionsToStream {_written(dimensions, spaces)}"
    design = read(fifos=fifo("f", tile, "%far"), core="", sequence="")
    assert design.fifos["f"].to_stream == tuple(dimensions)
    assert design.routes["f"].source.dimensions == tuple(dimensions)


_ENTRY = st.integers(0, 40).map(lambda n: 4 * n)


@given(
    st.lists(_ENTRY, min_size=4, max_size=4),
    st.lists(st.integers(1, 60), min_size=4, max_size=4),
    st.lists(st.integers(1, 1 << 19), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=12, max_size=12),
)
def test_transfers_are_read_as_written_whatever_comes_from_operands(
    offsets: list[int], sizes: list[int], strides: list[int], dynamic: list[bool]
) -> None:
    values = [*offsets, *sizes, *strides]
    constants = "".join(
        f"%v{i} = arith.constant {value} : i64\n"
        for i, (value, use) in enumerate(zip(values, dynamic, strict=True))
        if use
    )
    entries = [f"%v{i}" if use else str(values[i]) for i, use in enumerate(dynamic)]
    lists = "".join(f"[{', '.join(entries[at : at + 4])}]" for at in (0, 4, 8))
    text = f"aiex.npu.dma_memcpy_nd(%host{lists}) {{metadata = @in, id = 0 : i64}}"
    sequence = read(sequence=constants + text + " : memref<64xi32>\n").sequence
    assert sequence is not None
    ops = list(sequence.body.walk())
    known = {op.results[0]: op.attributes["value"] for op in ops[:-1]}
    rest = iter(ops[-1].operands[1:])
    read_back: list[object] = []
    for key in ("offsets", "sizes", "strides"):
        found = ops[-1].attributes[key]
        assert isinstance(found, tuple)
        read_back += [known[next(rest)] if entry is None else entry for entry in found]
    assert read_back == values


def _refusal(text: str) -> DesignError | None:
    """Why a text is refused; None if it is read. Nothing but a DesignError may come out."""
    try:
        parse_design(text, PATH)
    except DesignError as error:
        return error
    return None


@given(st.text(alphabet='%@{}()[]<>,:=#!"\n az019.-/', max_size=60), st.integers(0, len(PLAIN)))
@example("{", 30)
@example("#loc = ", 0)
@example("!x = ", 0)
@example(":", PLAIN.index("!aie.objectfifosubview") + len("!aie.objectfifo"))
def test_garbage_is_refused_with_one_sentence_or_read(garbage: str, at: int) -> None:
    error = _refusal(PLAIN[:at] + garbage + PLAIN[at:])
    if error is not None:
        assert "\n" not in str(error)
        assert error.where is not None
        assert error.where.startswith(PATH)


@given(st.integers(0, len(PLAIN)), st.integers(0, len(PLAIN)))
def test_a_design_with_a_piece_cut_out_is_refused_with_one_sentence_or_read(
    at: int, length: int
) -> None:
    error = _refusal(PLAIN[:at] + PLAIN[at + length :])
    assert error is None or "\n" not in str(error)


@given(st.lists(st.integers(-(1 << 15), (1 << 16) - 1), min_size=1, max_size=8))
def test_integers_are_packed_little_endian(values: list[int]) -> None:
    expected = np.array([value & 0xFFFF for value in values], dtype="<u2").tobytes()
    assert pack(values, "i16") == expected


@given(st.floats(width=32, allow_nan=False))
def test_bf16_is_the_nearest_with_ties_to_even(value: float) -> None:
    bits = bf16_bits(value)
    back = float((np.array([bits], dtype=np.uint32) << np.uint32(16)).view(np.float32)[0])
    if np.isinf(back):
        assert abs(value) >= 3.3895e38
        return
    for other in (bits - 1, bits + 1):
        near = float(
            (np.array([other & 0xFFFF], dtype=np.uint32) << np.uint32(16)).view(np.float32)[0]
        )
        if np.isfinite(near) and np.signbit(near) == np.signbit(back):
            error, theirs = abs(back - value), abs(near - value)
            assert error < theirs or (error == theirs and bits % 2 == 0)
