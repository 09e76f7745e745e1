"""Which guess is right, and that none is where many would do."""

from __future__ import annotations

import numpy as np

from workbench.spec.guesses import Guess
from workbench.spec.model import HostBuffer, Promise, Tensor
from workbench.verdict.findings import Finding
from workbench.verdict.readings import HINTS, Numbers, misread_operand

SHAPE = (16, 16)
PROMISE = Promise(
    "design",
    "kernel",
    (HostBuffer((Tensor("out", "int8", SHAPE),), "out"),),
    (),
    (),
    ("some",),
    "bank-aware",
)
RANDOM = np.random.default_rng(1)


def noise() -> Numbers:
    return RANDOM.integers(-100, 100, SHAPE).astype(np.float64)


REFERENCE, TRANSPOSED, SCALED = noise(), noise(), noise()


def guess(kind: str, subject: str, clause: str, output: Numbers) -> Guess:
    return Guess(kind, subject, clause, {"out": output.astype(np.int8)})


GUESSES = [
    guess("scalar", "s", "s were 4, not 3", SCALED),
    guess("transposed", "k", "k were transposed", TRANSPOSED),
    *(guess("replaced", "v", f"guess {n}", noise()) for n in range(5)),
]


def named(device: Numbers, guesses: list[Guess] = GUESSES, known: tuple[str, ...] = ()) -> Finding:
    found = misread_operand(PROMISE, device.ravel(), REFERENCE.ravel(), guesses, known)
    assert found is not None
    return found


def nothing(device: Numbers, guesses: list[Guess] = GUESSES, known: tuple[str, ...] = ()) -> bool:
    return misread_operand(PROMISE, device.ravel(), REFERENCE.ravel(), guesses, known) is None


def test_an_operand() -> None:
    found = named(TRANSPOSED)
    assert found.id == "wrong-operand"
    assert found.message == "the output is exactly what the reference gives if k were transposed"
    assert found.hint == HINTS["transposed"]
    assert found.evidence["operand"] == "k"


def test_other_arithmetic_on_top_is_no_hindrance() -> None:
    found = named(TRANSPOSED + RANDOM.integers(-2, 3, SHAPE))
    assert "explains 100.0 %" in found.message or "explains 99." in found.message


def test_a_scalar_that_isnt_told_already() -> None:
    assert named(SCALED).id == "wrong-scalar"
    assert nothing(SCALED, known=("s",))


def test_no_guess_is_right() -> None:
    assert nothing(noise())
    assert nothing(REFERENCE)
    assert nothing(np.full(SHAPE, 7.0))
    assert nothing(np.full(SHAPE, np.nan))


def test_a_result_that_depends_on_no_operand_names_none() -> None:
    flat = noise()
    same = [guess("missing", name, f"{name} were zero", flat) for name in "abcd"]
    assert nothing(flat, [*GUESSES, *same])
    assert named(flat, [*GUESSES, same[0]]).evidence["if"] == "a were zero"
