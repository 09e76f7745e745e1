"""Input sets that bring scalars, the regime that a spec tells, and cases computed ahead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.procs import children
from tests.spec.conftest import GOOD, Workshop
from workbench.errors import SpecError
from workbench.spec.cases import cached_case, cached_spec
from workbench.spec.load import load_ahead

SPEC = """\
import numpy as np
from workbench.spec import HostBuffer, Scalar, Spec, Tensor, recorded, uniform

def cases():
    return {"x": np.full((5, 8), 1, np.int8) * np.arange(5, dtype=np.int8)[:, None],
            "factor": 10 * np.arange(5)}

def reference(tensors, scalars):
    return tensors["x"] * np.int8(scalars["factor"])

def regime(tensors, scalars):
    return f"{scalars['factor']} times {tensors['x'][0]}" if tensors["x"].any() else None

SPEC = Spec(
    design="design.mlir",
    function="kernel",
    buffers=[
        HostBuffer((Tensor("x", "int8", (8,)),)),
        HostBuffer((Tensor("y", "int8", (8,)),), "out"),
    ],
    scalars=[Scalar("factor", argument=2, value=3)],
    reference=reference,
    inputs={"ones": uniform(1, 2), "recorded": recorded(cases)},
    regime=regime,
    switches=["FAST"],
)
"""


async def test_a_set_brings_its_own_scalars(workshop: Workshop) -> None:
    workshop.write(SPEC)
    for seed in (3, 3, 8):
        loaded, case = await workshop.load("recorded", seed)
        assert case.scalars == {"factor": 30}
        assert type(case.scalars["factor"]) is int
        assert case.regime == "30 times 3"
        assert case.reference["y"].tolist() == [90] * 8
    assert loaded.promise.switches == ("FAST",)
    assert loaded.promise.with_scalars(case.scalars).scalars[0].value == 30
    _, plain = await workshop.load("ones")
    assert (plain.scalars, plain.regime) == ({}, "3 times 1")
    _, silent = await workshop.load("recorded", 0)
    assert silent.regime is None


BROKEN = {
    "scalar": ("10 * np.arange(5)", "[[1]] * 5", "no number for scalar factor"),
    "regime": ("return f", "return 3 or f", "kernel.py:11: regime gives int, not a sentence"),
    "no regime": ("regime=regime", "regime='x'", "regime must be a function"),
    "switch": ('["FAST"]', "[3]", "switches must hold str objects, not 3"),
    "all": ('"ones"', '"all"', "an input set can't be called 'all' "),
    "comma": ('"ones"', '"a,b"', "an input set can't be called 'a,b' "),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken(workshop: Workshop, name: str) -> None:
    old, new, said = BROKEN[name]
    assert old in SPEC
    workshop.write(SPEC.replace(old, new))
    with pytest.raises(SpecError) as error:
        await workshop.load("recorded", 3)
    assert said in str(error.value)


def is_cached(workshop: Workshop, name: str, seed: int) -> bool:
    request = workshop.request(name, seed)
    loaded = cached_spec(request)
    return loaded is not None and cached_case(request, loaded) is not None


def loads(workshop: Workshop) -> str:
    return Path(f"{workshop.spec}.log").read_text()


async def test_many_cases_from_one_process(workshop: Workshop) -> None:
    workshop.write('open(__file__ + ".log", "a").write("loaded,")\n' + SPEC)
    wanted = [(name, seed) for name in ("ones", "recorded") for seed in range(100)]
    ready: list[tuple[str, int]] = []

    def note(name: str, seed: int) -> None:
        assert is_cached(workshop, name, seed)
        ready.append((name, seed))

    await load_ahead(workshop.request(), wanted, note, workshop.log.extend, 30)
    assert ready == wanted
    assert all(is_cached(workshop, *case) for case in wanted)
    ahead = await workshop.load("recorded", 58)
    assert ahead[1].scalars == {"factor": 30}
    assert loads(workshop) == "loaded,"


async def test_one_that_fails_holds_nobody_up(workshop: Workshop) -> None:
    workshop.write(SPEC.replace("np.int8(", "[1, 1, 0][int(tensors['x'][0])] * np.int8("))
    wanted = [("recorded", seed) for seed in range(5)]
    ready: list[int] = []
    await load_ahead(
        workshop.request(), wanted, lambda _, seed: ready.append(seed), workshop.log.extend, 30
    )
    assert ready == [0, 1, 2, 3, 4]
    assert [is_cached(workshop, *case) for case in wanted] == [True] * 3 + [False] * 2
    with pytest.raises(SpecError, match="list index out of range"):
        await workshop.load("recorded", 4)


async def test_a_broken_spec_is_no_error_ahead(workshop: Workshop) -> None:
    before = children()
    workshop.write(GOOD + "\nraise ValueError\n")
    await load_ahead(workshop.request(), [("small", 1)], lambda *_: None, workshop.log.extend, 30)
    assert children() == before
