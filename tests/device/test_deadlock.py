"""Designs in which nothing can go on: who waits for what, in words that tell the mistake."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from tests.device.conftest import Load, Run
from tests.device.designs import (
    PATH,
    consume,
    copier,
    core,
    design,
    each,
    endless,
    fifo,
    free,
    in_out,
    produce,
    send,
    sequence,
    through,
    transfer,
    wait,
)
from workbench.errors import DeadlockError, ExitCode

KIND = "16xi32"
COPY = f"memref.copy %from, %to : memref<{KIND}> to memref<{KIND}>\n"

Ints = npt.NDArray[np.int32]


def ones(count: int) -> Ints:
    return np.ones(count, np.int32)


def words(run: Run, text: str, *arrays: Ints) -> str:
    """What is said of a design that can't go on; lines of the design by a sign of theirs."""
    with pytest.raises(DeadlockError) as error:
        run(text, *arrays)
    assert error.value.exit_code == ExitCode.HANG
    lines = text.splitlines()
    waits = [n for n, line in enumerate(lines, 1) if "dma_wait" in line or "await" in line]
    assert error.value.where in [f"{PATH}:{n}" for n in waits]
    found = error.value.message
    for n, line in enumerate(lines, 1):
        if "acquire" in line:
            port = line.split("@")[1].split(",")[0].replace("(", " ")
            found = found.replace(f"(line {n})", f"(acquire {port})")
        elif n in waits:
            found = found.replace(f"(line {n})", "(wait)")
    return found


def test_a_core_that_takes_its_output_before_it_is_fed(run: Run) -> None:
    body = (
        produce("to", "out", KIND) + consume("from", "in", KIND) + COPY + free("in") + send("out")
    )
    text = design(
        in_out(KIND),
        endless("a", body),
        sequence({"x": KIND, "y": KIND}, transfer("out", "y", KIND, sizes="16") + wait("out")),
    )
    found = words(run, text, ones(16), ones(16))
    assert (
        "core (0,2) waits to acquire in for Consume: 0 of 2 filled, while it holds 1 of out (none "
        "released so far) (acquire in Consume)"
    ) in found


def test_a_core_that_never_hands_its_output_on(run: Run) -> None:
    """Told by branches, so that only the run can see it."""
    turn = consume("from", "in", KIND) + produce("to", "out", KIND) + COPY + free("in")
    body = f"cf.br ^turn\n^turn:\n{turn}cf.br ^turn\n"
    text = design(in_out(KIND), f"aie.core(%a) {{\n{body}\n}}\n", through(KIND, 64))
    assert words(run, text, ones(64), ones(64)) == (
        "deadlock: core (0,2) waits to acquire in for Consume: 0 of 2 filled, while it holds 1 of "
        "out (none released so far) (acquire in Consume); in's DMA has no further transfer from "
        "the host; sequence waits for out's token: 0 of 256 bytes of the transfer in line "
        f"{_line(text, '@out, id')} have passed (wait)"
    )


def _line(text: str, sign: str) -> int:
    return 1 + next(n for n, line in enumerate(text.splitlines()) if sign in line)


def test_a_core_that_is_never_fed(run: Run) -> None:
    text = design(
        in_out(KIND),
        copier("a", KIND),
        sequence({"x": KIND, "y": KIND}, transfer("out", "y", KIND, sizes="16") + wait("out")),
    )
    assert words(run, text, ones(16), ones(16)) == (
        "deadlock: core (0,2) waits to acquire in for Consume: 0 of 2 filled (acquire in Consume); "
        "in's DMA has no further transfer from the host; sequence waits for out's token: 0 of 64 "
        f"bytes of the transfer in line {_line(text, '@out, id')} have passed (wait)"
    )


def test_an_output_that_nobody_takes(run: Run) -> None:
    """Two outputs, and the sequence asks for one of them only."""
    body = (
        consume("from", "in", KIND)
        + produce("to", "out", KIND)
        + produce("more", "log", KIND)
        + COPY
        + free("in")
        + send("out", "log")
    )
    text = design(
        in_out(KIND), fifo("log", "%a", "%shim", KIND), endless("a", body), through(KIND, 64)
    )
    found = words(run, text, ones(64), ones(64))
    assert (
        "core (0,2) waits to acquire log for Produce: 0 of 2 free, 2 filled and not yet taken, "
        "while it holds 1 of in and 1 of out (acquire log Produce)"
    ) in found
    assert "log's DMA has data for the host, and no transfer is queued that takes it" in found


def test_too_few_bytes_sent(run: Run) -> None:
    """The output wants four objects, three and a half come in."""
    text = design(
        in_out(KIND),
        copier("a", KIND),
        sequence(
            {"x": "56xi32", "y": "64xi32"},
            transfer("in", "x", "56xi32", sizes="56")
            + transfer("out", "y", "64xi32", sizes="64", number=1)
            + wait("out"),
        ),
    )
    found = words(run, text, ones(56), ones(64))
    assert "core (0,2) waits to acquire in for Consume: 0 of 2 filled" in found
    assert "out's token: 192 of 256 bytes of the transfer in line" in found


def test_a_token_that_nobody_issues(run: Run) -> None:
    text = design(in_out(KIND), copier("a", KIND), sequence({"x": KIND, "y": KIND}, wait("out")))
    found = words(run, text, ones(16), ones(16))
    assert found.endswith("sequence waits for out's token, which no queued transfer issues (wait)")


def test_a_sent_transfer_without_token_is_waited_for(run: Run) -> None:
    """It has ended by the time of the wait, or it hasn't: no token comes in either case."""
    text = design(
        in_out(KIND),
        copier("a", KIND),
        sequence(
            {"x": "160xi32", "y": "160xi32"},
            transfer("in", "x", "160xi32", sizes="160") + wait("in"),
        ),
    )
    found = words(run, text, ones(160), ones(160))
    assert "in's token, which its transfers don't issue: they lack issue_token = true" in found


def test_a_second_wait_for_one_transfer(run: Run) -> None:
    text = design(in_out(KIND), copier("a", KIND), through(KIND, 16)).replace(
        wait("out"), wait("out") * 2
    )
    found = words(run, text, ones(16), ones(16))
    assert found.endswith("waits for out's token, which no queued transfer issues (wait)")


def test_a_core_that_has_ended(load: Load) -> None:
    body = each(
        2,
        consume("from", "in", KIND) + produce("to", "out", KIND) + COPY + free("in") + send("out"),
    )
    text = design(in_out(KIND), core("a", body), through(KIND, 32))
    running = load(text, ones(32), ones(32))
    running(ones(32), ones(32))
    with pytest.raises(DeadlockError, match=r"core \(0,2\) has ended; sequence waits for out"):
        running(ones(32), ones(32))


def test_cores_that_wait_for_each_other(run: Run) -> None:
    def waiting(tile: str, source: str, target: str) -> str:
        body = consume("from", source, KIND) + produce("to", target, KIND)
        return endless(tile, body + free(source) + send(target))

    text = design(
        fifo("ab", "%a", "%b", KIND),
        fifo("ba", "%b", "%a", KIND),
        fifo("out", "%a", "%shim", KIND),
        waiting("a", "ba", "ab"),
        waiting("b", "ab", "ba"),
        sequence({"y": KIND}, transfer("out", "y", KIND, sizes="16") + wait("out")),
    )
    found = words(run, text, ones(16))
    assert found.startswith(
        "deadlock: core (0,2) waits to acquire ba for Consume: 0 of 2 filled (acquire ba Consume); "
        "core (0,3) waits to acquire ab for Consume: 0 of 2 filled (acquire ab Consume); sequence"
    )


def test_a_window_that_is_never_filled(run: Run) -> None:
    """Three lines are wanted, two are sent; the one held is told apart."""
    body = consume("from", "in", KIND, 3) + produce("to", "out", KIND) + COPY
    body = consume("first", "in", KIND) + each(1, body + free("in") + send("out"))
    text = design(
        fifo("in", "%shim", "%a", KIND, depth="4 : i32"),
        fifo("out", "%a", "%shim", KIND),
        core("a", body),
        through(KIND, 32, KIND, 16),
    )
    found = words(run, text, ones(32), ones(16))
    assert "core (0,2) waits to acquire 3 of in for Consume: 1 of 4 filled, 1 held" in found


def test_a_mem_tile_that_is_full(run: Run) -> None:
    """The core behind the mem tile is never there: its part blocks the other core's."""
    text = design(
        fifo("in", "%shim", "%mem", "32xi32"),
        fifo("left", "%mem", "%a", KIND),
        fifo("right", "%mem", "%d", KIND),
        "aie.objectfifo.link [@in] -> [@left, @right] ([] [0, 16])\n",
        fifo("out", "%a", "%shim", KIND),
        copier("a", KIND, "left", "out"),
        core("d", ""),
        sequence(
            {"x": "256xi32", "y": "128xi32"},
            transfer("in", "x", "256xi32", sizes="256")
            + transfer("out", "y", "128xi32", sizes="128", number=1)
            + wait("out"),
        ),
    )
    found = words(run, text, ones(256), ones(128))
    assert "core (0,2) waits to acquire left for Consume: 0 of 2 filled" in found
    assert "core (0,5) has ended" in found
    assert "in's DMA waits for a free object of in_cons" in found


def test_a_core_that_goes_round_for_ever(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It polls a flag that nobody sets."""
    monkeypatch.setattr("workbench.device.model.scheduler.IDLE_TURNS", 1_000)
    body = """
        %none = arith.constant 0 : i32
        scf.while : () -> () {
          %v = memref.load %flag[%c0] : memref<1xi32>
          %idle = arith.cmpi eq, %v, %none : i32
          scf.condition(%idle)
        } do {
          scf.yield
        }
    """
    text = design(
        '%flag = aie.buffer(%a) {sym_name = "flag"} : memref<1xi32> = dense<0>\n',
        in_out(KIND),
        core("a", body),
        through(KIND, 16),
    )
    found = words(run, text, ones(16), ones(16))
    assert "core (0,2) goes round a loop that nothing ends" in found


def test_a_deadlock_is_the_same_every_time(run: Run) -> None:
    text = design(in_out(KIND), copier("a", KIND), through(KIND, 64, KIND, 128))
    assert words(run, text, ones(64), ones(128)) == words(run, text, ones(64), ones(128))
