"""Pools and routes against what mlir-aie's stateful transform makes of the same text."""

from __future__ import annotations

import pytest

from tests.design.texts import acquire, fifo, read
from workbench.design import Design
from workbench.design.model import End, Pool


def _design(fifos: str, core: str = "") -> Design:
    return read(fifos=fifos, core=core, sequence="")


def _pools(design: Design) -> dict[str, tuple[tuple[int, int], int]]:
    return {name: (pool.tile, pool.depth) for name, pool in design.pools.items()}


def _owner(design: Design, end: End) -> Pool:
    assert end.pool is not None
    return design.pools[end.pool]


def test_a_fifo_from_the_shim_has_a_pool_at_its_consumer_only() -> None:
    design = _design(fifo("f", "%shim", "%core"))
    assert _pools(design) == {"f_cons": ((0, 2), 2)}
    route = design.routes["f"]
    assert not route.shared
    assert route.source == End((0, 0), None, channel=0)
    assert route.targets == (End((0, 2), "f_cons", length=16, channel=0),)


def test_a_fifo_to_the_shim_has_a_pool_at_its_producer_only() -> None:
    design = _design(fifo("f", "%core", "%shim"))
    assert _pools(design) == {"f": ((0, 2), 2)}
    assert design.routes["f"].targets == (End((0, 0), None, channel=0),)


def test_each_of_several_consumers_has_a_numbered_pool_in_the_toolchains_order() -> None:
    design = _design(fifo("f", "%mem", "%core, %far, %north"))
    assert list(design.pools) == ["f", "f_2_cons", "f_1_cons", "f_0_cons"]
    assert [end.pool for end in design.routes["f"].targets] == ["f_0_cons", "f_1_cons", "f_2_cons"]


@pytest.mark.parametrize(("producer", "consumer"), [("%core", "%north"), ("%north", "%core")])
def test_neighbours_share_the_producers_memory(producer: str, consumer: str) -> None:
    design = _design(fifo("f", producer, consumer, depth="3 : i32"))
    route = design.routes["f"]
    assert route.shared
    assert _pools(design) == {"f": (route.source.tile, 3)}
    assert route.source.pool == route.targets[0].pool == "f"
    assert route.source.channel == route.targets[0].channel == -1


def test_a_fifo_of_a_tile_with_itself_is_shared() -> None:
    design = _design(fifo("f", "%core", "%core"))
    assert design.routes["f"].shared
    assert _pools(design) == {"f": ((0, 2), 2)}


def test_a_consumer_whose_memory_the_producer_sees_holds_the_pool_if_only_that_works() -> None:
    """A core sees its western neighbour's memory, not its eastern one's."""
    text = "    %west = aie.tile(0, 2)\n    %east = aie.tile(1, 2)\n"
    design = read(
        target="npu1_2col",
        declarations=text,
        fifos=fifo("westward", "%east", "%west") + fifo("eastward", "%west", "%east"),
        core="",
        sequence="",
    )
    assert _pools(design) == {"westward": ((0, 2), 2), "eastward": ((0, 2), 2)}
    assert all(route.shared for route in design.routes.values())


@pytest.mark.parametrize(
    "text",
    [
        fifo("f", "%core", "%north", attributes="{via_DMA = true}"),
        fifo("f", "%core", "%north", attributes="{repeat_count = 1 : i32}"),
        fifo("f", "%core dimensionsToStream [<size = 16, stride = 1>]", "%north"),
        fifo("f", "%core", "%north dimensionsFromStream [<size = 16, stride = 1>]"),
    ],
)
def test_what_makes_neighbours_use_the_dma(text: str) -> None:
    design = _design(text)
    assert list(design.pools) == ["f", "f_cons"]
    assert not design.routes["f"].shared


def test_several_consumers_use_the_dma_even_next_to_each_other() -> None:
    assert not _design(fifo("f", "%core", "%north, %core")).routes["f"].shared


@pytest.mark.parametrize(
    ("depth", "most", "expected"),
    [(2, 1, 2), (1, 1, 1), (4, 1, 2), (2, 2, 3), (4, 3, 4), (2, 0, 2), (5, 0, 5)],
)
def test_a_core_ends_pool_holds_one_more_than_it_ever_acquires(
    depth: int, most: int, expected: int
) -> None:
    core = acquire("f", "Consume", most) if most else ""
    design = _design(fifo("f", "%shim", "%core", depth=f"{depth} : i32"), core)
    assert design.pools["f_cons"].depth == expected


def test_the_producers_pool_is_derived_too_unless_it_has_initial_values() -> None:
    core = acquire("f", "Produce", 1)
    plain = _design(fifo("f", "%core", "%shim", depth="4 : i32"), core)
    assert plain.pools["f"].depth == 2
    init = "= [" + ", ".join(["dense<7> : memref<2xi32>"] * 4) + "]"
    given = _design(
        fifo("f", "%core", "%far", depth="4 : i32", memref="memref<2xi32>", init=init),
        acquire("f", "Produce", 1, "memref<2xi32>"),
    )
    assert given.pools["f"].depth == 4
    assert given.pools["f"].init == (b"\x07\0\0\0\x07\0\0\0",) * 4
    assert given.pools["f_cons"].init == ()


def test_a_mem_tiles_pool_keeps_the_depth() -> None:
    design = _design(fifo("f", "%shim", "%mem", depth="5 : i32"))
    assert design.pools["f_cons"].depth == 5


def test_a_depth_list_gives_each_end_its_own() -> None:
    core = acquire("f", "Produce", 1)
    design = _design(fifo("f", "%core", "%far, %top", depth="[3, 4, 5]"), core)
    assert {n: p.depth for n, p in design.pools.items()} == {"f": 3, "f_0_cons": 4, "f_1_cons": 5}


def test_a_transform_makes_a_consumers_listed_depth_derived_as_in_the_toolchain() -> None:
    dims = "%core dimensionsFromStream [<size = 16, stride = 1>]"
    design = _design(
        fifo("f", "%far", dims, depth="[2, 4]"),
        acquire("f", "Consume", 1),
    )
    assert design.pools["f_cons"].depth == 2


def test_a_shared_fifo_keeps_the_depth_whatever_is_acquired() -> None:
    design = _design(fifo("f", "%core", "%north", depth="4 : i32"), acquire("f", "Produce", 1))
    assert design.pools["f"].depth == 4


# links

_IN = fifo("i", "%shim", "%mem", memref="memref<48xi8>")
_OUT = fifo("o", "%mem", "%core", memref="memref<48xi8>")


def test_a_forwarding_link_shares_the_inputs_pool() -> None:
    design = _design(_IN + _OUT + "    aie.objectfifo.link [@i] -> [@o] ([] [])\n")
    assert list(design.pools) == ["i_cons", "o_cons"]
    incoming, outgoing = design.routes["i"].targets[0], design.routes["o"].source
    assert incoming.pool == outgoing.pool == "i_cons"
    assert (incoming.offset, incoming.length) == (outgoing.offset, outgoing.length) == (0, 48)
    assert design.pools["i_cons"].slices == ((0, 48),)


def test_a_forwarding_link_uses_the_larger_object() -> None:
    text = fifo("i", "%shim", "%mem", memref="memref<8xi32>", depth="4 : i32")
    text += fifo("o", "%mem", "%core", memref="memref<32xi32>", depth="3 : i32")
    design = _design(text + "    aie.objectfifo.link [@i] -> [@o] ([] [])\n")
    incoming, outgoing = design.routes["i"].targets[0], design.routes["o"].source
    assert incoming.pool == outgoing.pool == "o"
    assert incoming.length == outgoing.length == 32
    assert design.pools["o"].depth == 3


def test_a_forwarding_link_uses_initial_values_of_the_output() -> None:
    init = "= [dense<1> : memref<48xi8>, dense<2> : memref<48xi8>]"
    text = _IN + fifo("o", "%mem", "%core", memref="memref<48xi8>", init=init)
    design = _design(text + "    aie.objectfifo.link [@i] -> [@o] ([] [])\n")
    assert design.routes["i"].targets[0].pool == "o"
    assert design.pools["o"].init == (b"\1" * 48, b"\2" * 48)


def test_a_link_of_broadcast_outputs() -> None:
    text = _IN + fifo("o", "%mem", "%core, %north", memref="memref<48xi8>")
    design = _design(text + "    aie.objectfifo.link [@i] -> [@o] ()\n")
    assert design.routes["o"].source.pool == "i_cons"
    assert [end.pool for end in design.routes["o"].targets] == ["o_0_cons", "o_1_cons"]


def test_a_link_of_one_consumer_among_several() -> None:
    text = fifo("i", "%shim", "%far, %mem", memref="memref<48xi8>") + _OUT
    design = _design(text + "    aie.objectfifo.link [@i] -> [@o] ([] [])\n")
    assert design.routes["o"].source.pool == "i_1_cons"
    assert set(design.pools) == {"i_0_cons", "i_1_cons", "o_cons"}


def test_a_link_on_a_core_tile_moves_as_much_as_each_fifos_object() -> None:
    text = fifo("i", "%shim", "%north", memref="memref<32xi32>")
    text += fifo("o", "%north", "%shim", memref="memref<16xi32>")
    design = _design(text + "    aie.objectfifo.link [@i] -> [@o] ([] [])\n")
    assert design.routes["o"].source.pool == "i_cons"
    assert design.routes["o"].source.length == 16
    assert design.routes["i"].targets[0].length == 32


def test_a_distributing_link_cuts_the_inputs_objects() -> None:
    text = _IN + "".join(
        fifo(name, "%mem", tile, memref=f"memref<{n}xi8>")
        for name, tile, n in (("a", "%core", 16), ("b", "%north", 16), ("c", "%far", 16))
    )
    link = "    aie.objectfifo.link [@i] -> [@a, @b, @c] ([] [0, 16, 32])\n"
    design = _design(text + link)
    whole = design.routes["i"].targets[0]
    assert (whole.pool, whole.slot, whole.slots, whole.length) == ("i_cons", 0, 3, 48)
    assert design.pools["i_cons"].slices == ((0, 16), (16, 16), (32, 16))
    parts = [design.routes[name].source for name in "abc"]
    assert [(p.pool, p.slot, p.slots, p.offset, p.length) for p in parts] == [
        ("i_cons", 0, 1, 0, 16),
        ("i_cons", 1, 1, 16, 16),
        ("i_cons", 2, 1, 32, 16),
    ]


def test_a_joining_link_fills_the_outputs_objects_by_slices() -> None:
    text = fifo("a", "%core", "%mem", memref="memref<8xi8>")
    text += fifo("b", "%north", "%mem", memref="memref<40xi8>")
    text += fifo("o", "%mem", "%shim", memref="memref<48xi8>")
    design = _design(text + "    aie.objectfifo.link [@a, @b] -> [@o] ([0, 8] [])\n")
    assert set(design.pools) == {"a", "b", "o"}
    ends = [design.routes[name].targets[0] for name in "ab"]
    assert [(e.pool, e.slot, e.offset, e.length) for e in ends] == [
        ("o", 0, 0, 8),
        ("o", 1, 8, 40),
    ]
    assert design.routes["o"].source.slots == 2


def test_transforms_stand_at_the_ends_they_are_written_for() -> None:
    text = fifo(
        "f",
        "%mem dimensionsToStream [<size = 4, stride = 1>, <size = 4, stride = 4>]",
        "%core dimensionsFromStream [<size = 16, stride = 1>]",
    )
    route = _design(text).routes["f"]
    assert route.source.dimensions == ((4, 1), (4, 4))
    assert route.targets[0].dimensions == ((16, 1),)


# channels


def test_channels_are_given_out_in_the_order_of_the_text() -> None:
    text = fifo("a", "%shim", "%core") + fifo("b", "%shim", "%core") + fifo("c", "%core", "%shim")
    routes = _design(text).routes
    assert [(r.source.channel, r.targets[0].channel) for r in routes.values()] == [
        (0, 0),
        (1, 1),
        (0, 0),
    ]


def test_shared_fifos_take_no_channels() -> None:
    text = "".join(fifo(f"f{i}", "%core", "%north") for i in range(4))
    assert all(route.shared for route in _design(text).routes.values())


def test_a_mem_tile_has_six_channels_a_direction() -> None:
    text = "".join(fifo(f"f{i}", "%mem", f"%{t}") for i, t in enumerate(["core", "north"] * 2))
    text += fifo("x", "%mem", "%far") + fifo("y", "%mem", "%far")
    routes = _design(text).routes
    assert [route.source.channel for route in routes.values()] == [0, 1, 2, 3, 4, 5]
    assert [route.targets[0].channel for route in routes.values()] == [0, 0, 1, 1, 0, 1]
