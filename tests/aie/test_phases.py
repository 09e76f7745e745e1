from __future__ import annotations

import pytest

from workbench.build.aie.phases import UNKNOWN, PhaseTracker
from workbench.build.aie.tools import Generation


@pytest.mark.parametrize("generation", ["A", "B", "C"])
def test_without_a_marker_the_phase_is_unknown(generation: Generation) -> None:
    tracker = PhaseTracker(generation)
    assert tracker.feed(["loading", "", "something else"]) == []
    assert tracker.current.name == UNKNOWN
    assert tracker.seen == ()


def test_a_command_that_is_done_begins_nothing() -> None:
    """Cores are compiled side by side: one is done with `opt` while another is in `llc`."""
    tracker = PhaseTracker("A")
    opt = "/p/bin/opt --passes=default<O2> -inline-threshold=10 -S x.ll -o y.ll"
    tracker.feed([opt, "/p/bin/llc y.ll -O2 --march=aie2 --filetype=obj -o x.o"])
    assert tracker.feed([f"Done in 0.120 sec: {opt}"]) == []
    assert tracker.current.name == "generate code"


def test_the_second_pipeline_of_a_makes_the_instructions() -> None:
    tracker = PhaseTracker("A")
    pipeline = "Running: builtin.module(aie.device(x))"
    first = tracker.feed(["Compiling a.mlir", pipeline])
    assert [phase.name for phase in first] == ["parse", "allocate"]
    tracker.feed(["/p/bin/clang -O2 -Wl,--gc-sections -Wl,-T,x.ld.script -o x.elf"])
    assert [phase.name for phase in tracker.feed([pipeline])] == ["instructions"]


def test_each_core_goes_through_the_same_phases() -> None:
    tracker = PhaseTracker("B")
    core = ["Compiling core (0, 2)", "/p/bin/opt --passes=default<O2>,strip x.ll"]
    names = [phase.name for phase in tracker.feed([*core, *core])]
    assert names == ["lower cores", "optimise", "lower cores", "optimise"]


def test_c_tells_of_edges_that_are_done_and_may_call_them_as_it_likes() -> None:
    tracker = PhaseTracker("C")
    (known, unknown) = tracker.feed(
        [
            "aiecc: (1/9) route-flows (2 inputs) took 12 ms",
            "(1/9) [3/5] cdo, xclbin",
            "aiecc: (2/9) frobnicate (1 input) took 1 ms",
        ]
    )
    assert (known.name, known.detail, known.done) == ("route", "route-flows", True)
    assert (unknown.name, unknown.detail) == (UNKNOWN, "frobnicate")


def test_colours_do_not_hide_a_marker() -> None:
    tracker = PhaseTracker("B")
    (phase,) = tracker.feed(["\x1b[32mRunning routing pipeline in-memory\x1b[0m"])
    assert phase.name == "route"
