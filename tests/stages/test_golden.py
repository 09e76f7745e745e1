"""Golden functions in the spec's own process: what they get, and what is said of broken ones."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from tests.spec.conftest import GOOD, Workshop, workshop
from workbench.errors import SpecError
from workbench.spec.cases import Case
from workbench.spec.stages import GoldenStages, load_golden

__all__ = ["workshop"]

STAGES = """
def first(tensors, scalars, earlier):
    assert not earlier
    tensors["x"][:] = 0  # its own copy
    return np.full((4, 8), scalars["n"])

def second(tensors, scalars, earlier):
    assert tensors["x"].dtype == np.int16 and tensors["x"].any()
    assert earlier["first"].dtype == np.float64
    found = earlier["first"] * 10
    earlier["first"][:] = 0
    return found

def third(tensors, scalars, earlier):
    return sum(earlier.values())
"""

DECLARED = """    stages=[Stage(f.__name__, "int32", (4, 8), f) for f in (first, second, third)],
)
"""


def spec(functions: str = STAGES, declared: str = DECLARED) -> str:
    head, _, tail = GOOD.partition("\nSPEC = ")
    head = head.replace("Spec, Tensor", "Spec, Stage, Tensor")
    return head + textwrap.dedent(functions) + "\nSPEC = " + tail.rstrip()[:-1] + declared


async def golden(
    workshop: Workshop, recorded: dict[str, float] | None = None, limit_s: float = 30.0
) -> GoldenStages:
    inputs: Case = (await workshop.load())[1]
    arrays = {name: np.full((4, 8), value) for name, value in (recorded or {}).items()}
    return await load_golden(
        workshop.request(),
        inputs.inputs,
        {"n": 3},
        {"n": 5},
        arrays,
        workshop.log.extend,
        limit_s,
    )


def first_of(stages: GoldenStages) -> tuple[dict[str, float], dict[str, float]]:
    return (
        {name: float(array.flat[0]) for name, array in stages.chain.items()},
        {name: float(array.flat[0]) for name, array in stages.local.items()},
    )


async def test_the_chain_has_the_specs_scalars_and_local_stages_the_kernels(
    workshop: Workshop,
) -> None:
    workshop.write(spec())
    recorded = {"first": 7.0, "second": 100.0, "third": 0.0}
    chain, local = first_of(await golden(workshop, recorded))
    assert chain == {"first": 3, "second": 30, "third": 33}
    assert local == {"first": 5, "second": 70, "third": 107}


async def test_what_wasnt_recorded_is_golden_after_what_was(workshop: Workshop) -> None:
    workshop.write(spec())
    _, local = first_of(await golden(workshop, {"first": 7.0}))
    assert local == {"first": 5, "second": 70, "third": 77}


async def test_no_torch_where_none_is_asked_for(workshop: Workshop) -> None:
    check = "    import sys\n    assert 'torch' not in sys.modules\n    return sum("
    workshop.write(spec(STAGES.replace("    return sum(", check)))
    await golden(workshop)


async def test_tensors_of_pytorch(workshop: Workshop) -> None:
    text = STAGES.replace(
        "return np.full((4, 8), scalars[", "import torch\n    return torch.full((4, 8), scalars["
    )
    workshop.write(spec(text))
    assert first_of(await golden(workshop))[0]["first"] == 3


BROKEN = {
    "raises": ("return sum(", 'raise ValueError("no")\n    return sum(', "ValueError: no", 20),
    "shape": (
        "return sum(earlier.values())",
        "return np.zeros(4)",
        "golden of stage third gives float64 (4,), not numbers in the declared shape (4, 8)",
        19,
    ),
    "nothing": (
        "return sum(earlier.values())",
        "pass",
        "golden of stage third gives object (), not numbers in the declared shape (4, 8)",
        19,
    ),
    "exits": ("return sum(", "raise SystemExit\n    return sum(", "the spec ends its process", 20),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_broken_golden_functions(workshop: Workshop, case: str) -> None:
    old, new, message, line = BROKEN[case]
    workshop.write(spec(STAGES.replace(old, new)))
    with pytest.raises(SpecError) as error:
        await golden(workshop)
    assert error.value.message.startswith(message)
    assert error.value.where == f"kernel.py:{line}"


async def test_a_golden_function_that_never_ends(workshop: Workshop) -> None:
    workshop.write(spec(STAGES.replace("return sum(", "while True: pass\n    return sum(")))
    with pytest.raises(SpecError) as error:
        await golden(workshop, limit_s=1.0)
    assert str(error.value) == "kernel.py:20: the spec took longer than 1 s"


async def test_declarations_are_checked(workshop: Workshop) -> None:
    for declared, message in {
        '    stages=[Stage("a", "int7", (4, 8), first)],\n)\n': "unknown dtype 'int7'",
        '    stages=[Stage("a", "int8", (4, 8))],\n)\n': "golden of stage a must be a function",
        '    stages=[Stage("a", "int8", (4,), first)] * 2,\n)\n': "stage names must be unique: a",
        "    stages=[first],\n)\n": "stages must hold Stage objects",
    }.items():
        workshop.write(spec(declared=declared))
        with pytest.raises(SpecError) as error:
            await workshop.load()
        assert message in error.value.message


async def test_a_promise_holds_the_declarations(workshop: Workshop) -> None:
    workshop.write(spec())
    for _ in range(2):  # computed, and from the cache
        loaded, _ = await workshop.load()
        assert [(s.name, s.dtype, s.shape, s.golden) for s in loaded.promise.stages] == [
            (name, "int32", (4, 8), None) for name in ("first", "second", "third")
        ]
