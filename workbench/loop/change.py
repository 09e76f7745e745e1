"""What became of a run's numbers and findings, compared with another run of the session."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.loop import words
from workbench.loop.result import RunResult

if TYPE_CHECKING:  # NumPy comes with it; a front end paints before it needs that
    from workbench.verdict import Finding

Direction = Literal["better", "worse", "same", "unknown"]

_BEST: Mapping[str, float] = {
    **dict.fromkeys(("mae", "rmse", "max_abs", "max_ulp", "offset", "times_best"), 0),
    "slope": 1,
}
"""What a metric is best close to; of all others more is better."""


@dataclass(frozen=True, slots=True)
class MetricChange:
    """A metric of two runs, in its own unit; None where it is undefined."""

    name: str
    before: float | None
    after: float | None

    @property
    def direction(self) -> Direction:
        """Which of the two is better; the same when nobody could read a difference."""
        if self._texts[0] == self._texts[1]:
            return "same"
        if self.before is None or self.after is None:
            return "unknown"
        before, after = (_distance(self.name, value) for value in (self.before, self.after))
        return "same" if before == after else "better" if after < before else "worse"

    @property
    def size(self) -> str:
        """By how much, with its sign and unit; nothing where that can't be said shortly."""
        before, after = self.before, self.after
        if self._texts[0] == self._texts[1] or before is None or after is None:
            return ""
        size = words.metric_text(self.name, abs(after - before))
        if not math.isfinite(after - before) or not any(digit in size for digit in "123456789"):
            return ""
        return f"{'+' if after > before else '-'}{size}"

    @property
    def _texts(self) -> tuple[str, str]:
        return words.metric_text(self.name, self.before), words.metric_text(self.name, self.after)


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """From one judged run to another.

    `metrics` are in the order of `words.METRIC_NAMES`. `unlike` says in what else than the kernel
    the runs differ, so that their numbers can't be compared as they stand. A finding is `gone` or
    `new` by its id, whatever numbers and lines it names; None while one of the runs hasn't been
    looked into as far as it takes to say so.
    """

    before: RunResult
    after: RunResult
    metrics: tuple[MetricChange, ...]
    gone: tuple[Finding, ...] | None
    new: tuple[Finding, ...] | None
    unlike: tuple[str, ...] = ()

    def metric(self, name: str) -> MetricChange | None:
        """The change of this metric."""
        return next((change for change in self.metrics if change.name == name), None)


def compare(before: RunResult, after: RunResult) -> Change:
    """The change from one judged run to another; both have a verdict."""
    old, new = before.verdict, after.verdict
    assert old is not None
    assert new is not None
    return Change(
        before,
        after,
        tuple(
            MetricChange(name, words.value_of(old.metrics, name), words.value_of(new.metrics, name))
            for name in words.METRIC_NAMES
        ),
        gone=_unmatched(before.findings, after.findings) if after.explained else None,
        new=_unmatched(after.findings, before.findings) if before.explained else None,
        unlike=unlike(before, after),
    )


def unlike(before: RunResult, after: RunResult) -> tuple[str, ...]:
    """In what else than the kernel two judged runs differ: device, inputs, seed, output."""
    pairs = {
        "device": (before.device.kind, after.device.kind),
        "inputs": (before.set_name, after.set_name),
        "seed": (before.seed, after.seed),
        "output": (_shape(before), _shape(after)),
    }
    return tuple(f"{what} {a} → {b}" for what, (a, b) in pairs.items() if a != b)


def _distance(name: str, value: float) -> float:
    """How far from the best a metric is, for comparing."""
    return abs(value - _BEST[name]) if name in _BEST else -value


def _shape(result: RunResult) -> str:
    verdict = result.verdict
    if verdict is None:
        return "none"
    return f"{verdict.tensor} {'×'.join(str(size) for size in verdict.device.shape)}"


def _unmatched(findings: Iterable[Finding], others: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that have no counterpart among the others: first by message, then by id."""
    left, rest = list(findings), list(others)
    for key in (_whole, _id):
        unmatched = []
        for finding in left:
            twin = next((other for other in rest if key(other) == key(finding)), None)
            if twin is None:
                unmatched.append(finding)
            else:
                rest.remove(twin)
        left = unmatched
    return tuple(left)


def _whole(finding: Finding) -> tuple[str, ...]:
    return finding.id, finding.message


def _id(finding: Finding) -> tuple[str, ...]:
    return (finding.id,)
