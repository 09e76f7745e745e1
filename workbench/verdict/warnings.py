"""Warnings of the compiler that are causes: what it proves wrong without running the kernel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from workbench.verdict.findings import Finding


@dataclass(frozen=True, slots=True)
class Proof:
    """A warning's message (of clang) and the finding that it is."""

    message: re.Pattern[str]
    id: str
    hint: str


PROOFS = (
    Proof(
        re.compile(r"variable '.*' (?:is|may be) (?:used )?uninitialized"),
        "uninitialised-read",
        "set it before it is used: a core's registers and stack hold what was there before",
    ),
    Proof(
        re.compile(r"array index .* is (?:past the end|before the beginning)"),
        "out-of-bounds",
        "look at the loop's bounds and at the array's size",
    ),
    Proof(
        re.compile(r"shift count (?:>=|is negative)"),
        "shift-fault",
        "only shifts by 0 to the width of the type less 1 are defined",
    ),
    Proof(
        re.compile(r"(?:division|remainder) by zero is undefined"),
        "division-by-zero",
        "check the divisor: a core's division gives garbage there, without a trap",
    ),
    Proof(
        re.compile(r"overflow in expression"),
        "signed-overflow",
        "compute it in a wider type",
    ),
    Proof(
        re.compile(r"implicit conversion from .* to .* changes value"),
        "implicit-truncation",
        "write a value that the type holds, or a wider type",
    ),
)


def proven(
    warnings: Iterable[tuple[str, str]], known: Iterable[Finding], *, passed: bool
) -> Iterator[Finding]:
    """The findings of warnings, each a message and its "file:line:column".

    What a run has shown at the same line is `known`, and not said twice. In a run that `passed` it
    only warns.
    """
    told = {(finding.id, _line(finding.where or "")) for finding in known}
    for message, where in warnings:
        proof = next((proof for proof in PROOFS if proof.message.search(message)), None)
        if proof is None or (proof.id, _line(where)) in told:
            continue
        told.add((proof.id, _line(where)))
        yield Finding(
            proof.id,
            "warning" if passed else "error",
            f"the compiler says that {message}",
            proof.hint,
            where=where,
            evidence={"warning": message},
        )


def _line(where: str) -> tuple[str, ...]:
    """File and line of a place."""
    return tuple(where.split(":")[:2])
