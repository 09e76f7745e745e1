"""Objects on their way: FIFOs between tiles, links through a mem tile, what host buffers get."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    access,
    acquire,
    consume,
    copier,
    core,
    design,
    each,
    endless,
    fifo,
    forever,
    free,
    in_out,
    map_elements,
    produce,
    release,
    send,
    sequence,
    through,
    transfer,
    wait,
)
from workbench.errors import DesignError

V16, V32, V64 = "16xi32", "32xi32", "64xi32"


def numbers(count: int, dtype: str = "int32") -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    rng = np.random.default_rng(count)
    return rng.integers(-1000, 1000, count).astype(dtype)


def zeros(count: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.zeros(count, np.int32)


def test_a_core_passes_objects_on(run: Run) -> None:
    text = design(in_out(V16), copier("a", V16), through(V16, 64))
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(64))[1], x)


def test_host_buffers_that_the_design_reads_stay_as_they_are(run: Run) -> None:
    text = design(in_out(V16), copier("a", V16), through(V16, 64))
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(64))[0], x)


def test_cores_in_a_chain_each_do_their_part(run: Run) -> None:
    """a and c are no neighbours: in by DMA, a-b in shared memory, b-d by DMA."""

    def step(tile: str, source: str, target: str, number: int) -> str:
        inside = f"""
            %x = memref.load %from[%i] : memref<{V16}>
            %n = arith.constant {number} : i32
            %z = arith.muli %x, %n : i32
            %y = arith.addi %z, %n : i32
            memref.store %y, %to[%i] : memref<{V16}>
        """
        return endless(
            tile,
            consume("from", source, V16)
            + produce("to", target, V16)
            + each(16, inside)
            + free(source)
            + send(target),
        )

    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("ab", "%a", "%b", V16),
        fifo("bd", "%b", "%d", V16),
        fifo("out", "%d", "%shim", V16),
        step("a", "in", "ab", 2),
        step("b", "ab", "bd", 3),
        step("d", "bd", "out", 5),
        through(V16, 48),
    )
    x = numbers(48)
    assert np.array_equal(run(text, x, zeros(48))[1], ((x * 2 + 2) * 3 + 3) * 5 + 5)


@pytest.mark.parametrize("depth", ["1 : i32", "2 : i32", "4 : i32", "[2, 3]"])
def test_neighbours_share_memory_at_any_depth(run: Run, depth: str) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("ab", "%a", "%b", V16, depth=depth),
        fifo("out", "%b", "%shim", V16),
        copier("a", V16, "in", "ab"),
        copier("b", V16, "ab", "out"),
        through(V16, 96),
    )
    x = numbers(96)
    assert np.array_equal(run(text, x, zeros(96))[1], x)


def test_a_broadcast_reaches_every_consumer(run: Run) -> None:
    """With depths of their own; each core adds its number, and b takes twice as long."""

    def adder(tile: str, target: str, number: int) -> str:
        inside = f"""
            %x = memref.load %from[%i] : memref<{V16}>
            %n = arith.constant {number} : i32
            %y = arith.addi %x, %n : i32
            memref.store %y, %to[%i] : memref<{V16}>
        """
        return endless(
            tile,
            consume("from", "in", V16)
            + produce("to", target, V16)
            + each(16, inside)
            + free("in")
            + send(target),
        )

    text = design(
        fifo("in", "%shim", "%a, %b, %d", V16, depth="[2, 1, 3, 4]"),
        fifo("out0", "%a", "%shim", V16),
        fifo("out1", "%b", "%shim", V16),
        fifo("mid", "%d", "%c", V16),
        endless("c", consume("drop", "mid", V16) + free("mid")),
        adder("a", "out0", 1),
        adder("b", "out1", 10),
        adder("d", "mid", 100),
        sequence(
            {"x": "64xi32", "y": "64xi32", "z": "64xi32"},
            transfer("in", "x", "64xi32", sizes="64", number=0)
            + transfer("out1", "z", "64xi32", sizes="64", number=2)
            + transfer("out0", "y", "64xi32", sizes="64", number=1)
            + wait("out0")
            + wait("out1"),
        ),
    )
    x = numbers(64)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x + 1)
    assert np.array_equal(z, x + 10)


def test_a_broadcast_reaches_ends_of_other_sizes(run: Run) -> None:
    """The mem tile gathers two objects into one of its own, the core takes them singly."""
    text = design(
        fifo("in", "%shim", "%mem, %a", V16),
        fifo("double", "%mem", "%d", V32),
        "aie.objectfifo.link [@in] -> [@double] ([] [])\n",
        fifo("out0", "%a", "%shim", V16),
        fifo("out1", "%d", "%shim", V32),
        copier("a", V16, "in", "out0"),
        copier("d", V32, "double", "out1"),
        sequence(
            {"x": V64, "y": V64, "z": V64},
            transfer("in", "x", V64, sizes="64", number=0)
            + transfer("out0", "y", V64, sizes="64", number=1)
            + transfer("out1", "z", V64, sizes="64", number=2)
            + wait("out0")
            + wait("out1"),
        ),
    )
    x = numbers(64)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x)
    assert np.array_equal(z, x)


def _distribute(kind: str, offsets: str, parts: int) -> str:
    names = ", ".join(f"@part{i}" for i in range(parts))
    return f"    aie.objectfifo.link [@in] -> [{names}] ([] [{offsets}])\n"


def _join(offsets: str, parts: int) -> str:
    names = ", ".join(f"@back{i}" for i in range(parts))
    return f"    aie.objectfifo.link [{names}] -> [@out] ([{offsets}] [])\n"


def test_a_mem_tile_distributes_and_joins(run: Run) -> None:
    """Parts of several sizes; core n multiplies by n + 2."""

    def worker(tile: str, number: int, count: int) -> str:
        kind = f"{count}xi32"
        inside = f"""
            %x = memref.load %from[%i] : memref<{kind}>
            %n = arith.constant {number + 2} : i32
            %y = arith.muli %x, %n : i32
            memref.store %y, %to[%i] : memref<{kind}>
        """
        source, target = f"part{number}", f"back{number}"
        return endless(
            tile,
            consume("from", source, kind)
            + produce("to", target, kind)
            + each(count, inside)
            + free(source)
            + send(target),
        )

    sizes, offsets = (16, 8, 32, 8), "0, 16, 24, 56"
    text = design(
        fifo("in", "%shim", "%mem", V64),
        *(
            fifo(f"part{i}", "%mem", f"%{t}", f"{n}xi32")
            for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))
        ),
        *(
            fifo(f"back{i}", f"%{t}", "%mem", f"{n}xi32")
            for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))
        ),
        fifo("out", "%mem", "%shim", V64),
        _distribute(V64, offsets, 4),
        _join(offsets, 4),
        *(worker(t, i, n) for i, (t, n) in enumerate(zip("abcd", sizes, strict=True))),
        through(V64, 192),
    )
    x = numbers(192)
    factors = np.repeat([2, 3, 4, 5], sizes).astype(np.int32)
    assert np.array_equal(run(text, x, zeros(192))[1], (x.reshape(3, 64) * factors).ravel())


def test_a_slow_part_of_a_distribute_doesnt_hold_up_the_others(run: Run) -> None:
    """Each part has locks of its own: a takes all its parts before d takes any."""
    text = design(
        fifo("in", "%shim", "%mem", V32, depth="4 : i32"),
        fifo("part0", "%mem", "%a", V16),
        fifo("part1", "%mem", "%d", V16),
        _distribute(V32, "0, 16", 2),
        fifo("first", "%a", "%shim", V16),
        fifo("start", "%a", "%d", "1xi32", depth="[1, 1]"),
        fifo("second", "%d", "%shim", V16),
        core(
            "a",
            each(
                4,
                consume("from", "part0", V16)
                + produce("to", "first", V16)
                + f"memref.copy %from, %to : memref<{V16}> to memref<{V16}>\n"
                + free("part0")
                + send("first"),
            )
            + produce("go", "start", "1xi32")
            + send("start"),
        ),
        core(
            "d",
            consume("go", "start", "1xi32")
            + free("start")
            + each(
                4,
                consume("from", "part1", V16)
                + produce("to", "second", V16)
                + f"memref.copy %from, %to : memref<{V16}> to memref<{V16}>\n"
                + free("part1")
                + send("second"),
            ),
        ),
        sequence(
            {"x": "128xi32", "y": "64xi32", "z": "64xi32"},
            transfer("in", "x", "128xi32", sizes="128", number=0)
            + transfer("first", "y", "64xi32", sizes="64", number=1)
            + transfer("second", "z", "64xi32", sizes="64", number=2)
            + wait("first")
            + wait("second"),
        ),
    )
    x = numbers(128)
    _, y, z = run(text, x, zeros(64), zeros(64))
    assert np.array_equal(y, x.reshape(4, 32)[:, :16].ravel())
    assert np.array_equal(z, x.reshape(4, 32)[:, 16:].ravel())


@pytest.mark.parametrize(("outer", "inner"), [(64, 16), (16, 64), (16, 8), (8, 16), (32, 32)])
def test_a_forwarding_link_cuts_into_other_objects(run: Run, outer: int, inner: int) -> None:
    kind, inside = f"{outer}xi32", f"{inner}xi32"
    text = design(
        fifo("in", "%shim", "%mem", kind),
        fifo("to_core", "%mem", "%a", inside),
        fifo("from_core", "%a", "%mem", inside),
        fifo("out", "%mem", "%shim", kind),
        "aie.objectfifo.link [@in] -> [@to_core] ([] [])\n",
        "aie.objectfifo.link [@from_core] -> [@out] ([] [0])\n",
        map_plus_one(inside, inner),
        through(kind, 192),
    )
    x = numbers(192)
    assert np.array_equal(run(text, x, zeros(192))[1], x + 1)


def map_plus_one(kind: str, count: int) -> str:
    inside = f"""
        %x = memref.load %from[%i] : memref<{kind}>
        %n = arith.constant 1 : i32
        %y = arith.addi %x, %n : i32
        memref.store %y, %to[%i] : memref<{kind}>
    """
    return endless(
        "a",
        consume("from", "to_core", kind)
        + produce("to", "from_core", kind)
        + each(count, inside)
        + free("to_core")
        + send("from_core"),
    )


def test_a_mem_tile_passes_through_with_no_core_at_all(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%mem", V16),
        fifo("out", "%mem", "%shim", V16),
        "aie.objectfifo.link [@in] -> [@out] ()\n",
        through(V16, 80),
    )
    x = numbers(80)
    assert np.array_equal(run(text, x, zeros(80))[1], x)


def test_a_core_tile_passes_through_too(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("out", "%a", "%shim", V16),
        "aie.objectfifo.link [@in] -> [@out] ([] [])\n",
        through(V16, 80),
    )
    x = numbers(80)
    assert np.array_equal(run(text, x, zeros(80))[1], x)


@pytest.mark.parametrize("repeat", [1, 2, 3])
def test_repeat_count_sends_each_object_again(run: Run, repeat: int) -> None:
    text = design(
        fifo("in", "%shim", "%mem", V16),
        fifo("mid", "%mem", "%a", V16, attributes=f"{{repeat_count = {repeat} : i32}}"),
        "aie.objectfifo.link [@in] -> [@mid] ([] [])\n",
        fifo("out", "%a", "%shim", V16),
        copier("a", V16, "mid", "out"),
        through(V16, 64, V16, 64 * repeat),
    )
    x = numbers(64)
    expected = np.repeat(x.reshape(4, 16), repeat, axis=0).ravel()
    assert np.array_equal(run(text, x, zeros(64 * repeat))[1], expected)


def test_repeat_count_on_a_cores_fifo(run: Run) -> None:
    text = design(
        fifo("in", "%shim", "%a", V16),
        fifo("out", "%a", "%shim", V16, attributes="{repeat_count = 3 : i32}"),
        copier("a", V16),
        through(V16, 32, V16, 96),
    )
    x = numbers(32)
    expected = np.repeat(x.reshape(2, 16), 3, axis=0).ravel()
    assert np.array_equal(run(text, x, zeros(96))[1], expected)


def test_initial_objects_come_first(run: Run) -> None:
    """The producer's objects are full before anybody runs; what it makes comes after them."""
    text = design(
        fifo("in", "%shim", "%a", "4xi32"),
        fifo(
            "out",
            "%a",
            "%shim",
            "4xi32",
            init="= [dense<[1, 2, 3, 4]> : memref<4xi32>, dense<9> : memref<4xi32>]",
        ),
        copier("a", "4xi32"),
        through("4xi32", 8, "4xi32", 16),
    )
    x = numbers(8)
    expected = np.concatenate([[1, 2, 3, 4, 9, 9, 9, 9], x])
    assert np.array_equal(run(text, x, zeros(16))[1], expected)


def test_initial_objects_in_a_mem_tile(run: Run) -> None:
    """Sent again and again, since only the mem tile's DMA hands them back."""
    text = design(
        fifo("weights", "%mem", "%a", "4xi32", init="= [dense<[1, 2, 3, 4]>, dense<7>]"),
        fifo("out", "%a", "%shim", "4xi32"),
        copier("a", "4xi32", "weights", "out"),
        sequence({"y": "8xi32"}, transfer("out", "y", "8xi32", sizes="8") + wait("out")),
    )
    (y,) = run(text, zeros(8))
    assert y.tolist() == [1, 2, 3, 4, 7, 7, 7, 7]


def test_a_sliding_window_counts_what_is_held(run: Run) -> None:
    """acquire 3, release 1: only one more is taken each time, and the window moves by one.

    Two are acquired before the loop, since aiecc counts for every turn as for the first.
    """
    kind = "4xi32"
    inside = f"""
        %x0 = memref.load %line0[%i] : memref<{kind}>
        %x1 = memref.load %line1[%i] : memref<{kind}>
        %x2 = memref.load %line2[%i] : memref<{kind}>
        %s = arith.addi %x0, %x1 : i32
        %y = arith.addi %s, %x2 : i32
        memref.store %y, %to[%i] : memref<{kind}>
    """
    window = acquire("line0", "in", "Consume", kind, 3)
    window += access("line1", "line0_view", kind, 1) + access("line2", "line0_view", kind, 2)
    body = window + produce("to", "out", kind) + each(4, inside) + free("in") + send("out")
    text = design(
        fifo("in", "%shim", "%a", kind, depth="4 : i32"),
        fifo("out", "%a", "%shim", kind),
        core("a", consume("first", "in", kind, 2) + forever(body)),
        through(kind, 32, kind, 24),
    )
    x = numbers(32)
    rows = x.reshape(8, 4)
    expected = rows[:-2] + rows[1:-1] + rows[2:]
    assert np.array_equal(run(text, x, zeros(24))[1], expected.ravel())


@pytest.mark.parametrize(
    ("first", "body", "message"),
    [
        ("", consume("w", "in", V16, 3) + free("in"), "begins with 0 of @in held and ends with 2"),
        ("", consume("w", "in", V16), "begins with 0 of @in held and ends with 1"),
        (
            consume("f", "in", V16, 2),
            consume("w", "in", V16) + free("in"),
            "begins with 2 of @in held and ends with 1",
        ),
        (
            "",
            each(2, consume("w", "in", V16, 2) + free("in")),
            "begins with 0 of @in held and ends with 1",
        ),
    ],
)
def test_a_loop_that_aiecc_miscounts_is_refused(
    run: Run, first: str, body: str, message: str
) -> None:
    text = design(in_out(V16), core("a", first + forever(body)), through(V16, 16))
    with pytest.raises(DesignError, match=message) as error:
        run(text, numbers(16), zeros(16))
    assert error.value.where is not None


def test_several_objects_are_held_and_released_at_once(run: Run) -> None:
    """Two objects in, swapped into two objects out."""
    kind = "4xi32"
    body = (
        consume("first", "in", kind, 2)
        + access("second", "first_view", kind, 1)
        + produce("left", "out", kind, 2)
        + access("right", "left_view", kind, 1)
        + f"memref.copy %first, %right : memref<{kind}> to memref<{kind}>\n"
        + f"memref.copy %second, %left : memref<{kind}> to memref<{kind}>\n"
        + release("in", "Consume", 2)
        + release("out", "Produce", 2)
    )
    text = design(
        fifo("in", "%shim", "%a", kind, depth="2 : i32"),
        fifo("out", "%a", "%shim", kind, depth="3 : i32"),
        endless("a", body),
        through(kind, 32),
    )
    x = numbers(32)
    expected = x.reshape(4, 2, 4)[:, ::-1].ravel()
    assert np.array_equal(run(text, x, zeros(32))[1], expected)


def test_acquiring_what_is_held_gives_the_same_object(run: Run) -> None:
    kind = "4xi32"
    body = (
        consume("from", "in", kind)
        + consume("again", "in", kind)
        + produce("to", "out", kind)
        + f"memref.copy %again, %to : memref<{kind}> to memref<{kind}>\n"
        + free("in")
        + send("out")
    )
    text = design(in_out(kind), endless("a", body), through(kind, 16))
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], x)


def test_an_object_that_was_handed_on_cant_be_accessed(run: Run) -> None:
    """Though the core holds another one by then."""
    kind = "4xi32"
    body = (
        consume("first", "in", kind)
        + free("in")
        + consume("second", "in", kind)
        + access("old", "first_view", kind, 0)
    )
    text = design(in_out(kind), core("a", body), through(kind, 8))
    with pytest.raises(DesignError, match="object of @in that has been released; it holds 1"):
        run(text, numbers(8), zeros(8))


def test_a_fifo_of_a_core_with_itself_remembers(run: Run) -> None:
    """A running sum in an object that the core sends to itself."""
    body = f"""
        {consume("from", "in", "4xi32")}
        {consume("old", "memory", "1xi32")}
        {produce("new", "memory", "1xi32")}
        {produce("to", "out", "4xi32")}
        %start = memref.load %old[%c0] : memref<1xi32>
        %four = arith.constant 4 : index
        %end = scf.for %i = %c0 to %four step %c1 iter_args(%sum = %start) -> (i32) {{
            %x = memref.load %from[%i] : memref<4xi32>
            %y = arith.addi %sum, %x : i32
            memref.store %y, %to[%i] : memref<4xi32>
            scf.yield %y : i32
        }}
        memref.store %end, %new[%c0] : memref<1xi32>
        {free("in", "memory")}{send("memory", "out")}
    """
    first = produce("zero", "memory", "1xi32") + (
        "%none = arith.constant 5 : i32\n"
        "memref.store %none, %zero[%c0] : memref<1xi32>\n" + send("memory")
    )
    text = design(
        in_out("4xi32"),
        fifo("memory", "%a", "%a", "1xi32"),
        core("a", first + f"scf.for %turn = %c0 to %forever step %c1 {{\n{body}\n}}"),
        through("4xi32", 16),
    )
    x = numbers(16)
    assert np.array_equal(run(text, x, zeros(16))[1], 5 + np.cumsum(x))


def test_a_device_of_several_columns(run: Run) -> None:
    """Two columns work on halves of a buffer; the westward neighbour's memory is shared."""
    tiles = """
        %s0 = aie.tile(0, 0)
        %s1 = aie.tile(1, 0)
        %a = aie.tile(0, 2)
        %b = aie.tile(1, 2)
    """
    text = design(
        fifo("in0", "%s0", "%a", V16),
        fifo("ab", "%a", "%b", V16),
        fifo("out1", "%b", "%s1", V16),
        fifo("in1", "%s1", "%b", V16),
        copier("a", V16, "in0", "ab"),
        endless(
            "b",
            consume("l", "ab", V16)
            + consume("r", "in1", V16)
            + produce("to", "out1", V16)
            + each(
                16,
                f"""
                %p = memref.load %l[%i] : memref<{V16}>
                %q = memref.load %r[%i] : memref<{V16}>
                %y = arith.subi %p, %q : i32
                memref.store %y, %to[%i] : memref<{V16}>
                """,
            )
            + free("ab", "in1")
            + send("out1"),
        ),
        sequence(
            {"x": "64xi32", "y": "32xi32"},
            transfer("in0", "x", "64xi32", sizes="32", number=0)
            + transfer("in1", "x", "64xi32", offsets="0, 0, 0, 32", sizes="32", number=0)
            + transfer("out1", "y", "32xi32", sizes="32", number=1)
            + wait("out1"),
        ),
        target="npu2_2col",
        tiles=tiles,
    )
    x = numbers(64)
    assert np.array_equal(run(text, x, zeros(32))[1], x[:32] - x[32:])


def test_state_stays_from_run_to_run(load: Load) -> None:
    """Which buffer is next, what the core counts, what lies in memory."""
    state = '%count = aie.buffer(%a) {sym_name = "count"} : memref<1xi32> = dense<10>\n'
    body = f"""
        {consume("from", "in", "4xi32")}
        {produce("to", "out", "4xi32")}
        %n = memref.load %count[%c0] : memref<1xi32>
        %one = arith.constant 1 : i32
        %m = arith.addi %n, %one : i32
        memref.store %m, %count[%c0] : memref<1xi32>
        {
        each(
            4,
            '''
            %x = memref.load %from[%i] : memref<4xi32>
            %y = arith.addi %x, %n : i32
            memref.store %y, %to[%i] : memref<4xi32>
        ''',
        )
    }
        {free("in")}{send("out")}
    """
    text = design(
        fifo("in", "%shim", "%a", "4xi32", depth="3 : i32"),
        fifo("out", "%a", "%shim", "4xi32", depth="[2, 2]"),
        state,
        endless("a", body),
        through("4xi32", 4),
    )
    x = numbers(4)
    running = load(text, x, x)
    for turn in range(7):
        assert np.array_equal(running(x + turn, zeros(4))[1], x + turn + 10 + turn)


def test_a_finite_core_serves_what_it_was_made_for(load: Load) -> None:
    text = design(
        in_out("4xi32"),
        core(
            "a",
            each(
                3,
                consume("from", "in", "4xi32")
                + produce("to", "out", "4xi32")
                + "memref.copy %from, %to : memref<4xi32> to memref<4xi32>\n"
                + free("in")
                + send("out"),
            ),
        ),
        through("4xi32", 12),
    )
    x = numbers(12)
    running = load(text, x, x)
    assert np.array_equal(running(x, zeros(12))[1], x)


def test_an_inout_buffer_is_read_and_written_in_place(run: Run) -> None:
    body = "%two = arith.constant 2 : i32\n%y = arith.muli %x, %two : i32\n"
    text = design(
        in_out(V16),
        map_elements("a", 16, V16, body),
        sequence(
            {"x": "48xi32"},
            transfer("in", "x", "48xi32", sizes="48", number=0)
            + transfer("out", "x", "48xi32", sizes="48", number=1)
            + wait("out"),
        ),
    )
    x = numbers(48)
    assert np.array_equal(run(text, x)[0], x * 2)


def test_a_later_transfer_reads_what_an_earlier_one_wrote(run: Run) -> None:
    """y = 2x, then z = 2y, all in one sequence."""
    body = "%two = arith.constant 2 : i32\n%y = arith.muli %x, %two : i32\n"
    text = design(
        in_out(V16),
        map_elements("a", 16, V16, body),
        sequence(
            {"x": "16xi32", "y": "16xi32", "z": "16xi32"},
            transfer("in", "x", "16xi32", sizes="16", number=0)
            + transfer("out", "y", "16xi32", sizes="16", number=1)
            + wait("out")
            + transfer("in", "y", "16xi32", sizes="16", number=0)
            + transfer("out", "z", "16xi32", sizes="16", number=1)
            + wait("out"),
        ),
    )
    x = numbers(16)
    _, y, z = run(text, x, zeros(16), zeros(16))
    assert np.array_equal(y, x * 2)
    assert np.array_equal(z, x * 4)
