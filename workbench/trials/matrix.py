"""The fix matrix: the design's constants and stack and the kernel's switches, in all combinations.

Which single change mends a kernel can't be told from each alone where several faults hide each
other; the smallest combinations that pass can.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Literal

from workbench.errors import ExitCode, UsageError
from workbench.loop.record import SCHEMA
from workbench.loop.target import Changes, Options
from workbench.loop.words import metric_text
from workbench.trials.run import OnDone, run_all
from workbench.trials.switches import find_switch
from workbench.trials.trial import Trial
from workbench.trials.words import finding_of, table

MOST_AXES = 8
"""More would be over 256 runs."""

Picked = frozenset[str]
"""The names of the axes that are changed."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Something that can be as it is, or changed; the values as people read them."""

    kind: Literal["scalar", "switch", "stack"]
    name: str
    as_is: str
    changed: str
    changes: Changes


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every combination that was tried, by what it changes."""

    axes: tuple[Axis, ...]
    trials: dict[Picked, Trial]

    @property
    def exit_code(self) -> ExitCode:
        """That of the kernel as it is."""
        return self.trials[frozenset()].exit_code

    @property
    def smallest(self) -> list[Picked]:
        """The combinations that pass while none with fewer of their changes does."""
        passing = [picked for picked, trial in self.trials.items() if trial.status == "pass"]
        return [picked for picked in passing if not any(other < picked for other in passing)]

    @property
    def best(self) -> Picked:
        """What to do: the smallest that passes, else the one that comes nearest to it."""
        return min(
            self.smallest or self.trials,
            key=lambda picked: (
                -(self.trials[picked].metric("correlation") or -1.0),
                len(picked),
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """The one object of `check --ablate --json`."""
        return {
            "schema": SCHEMA,
            "ablation": {
                "axes": [
                    {"kind": a.kind, "name": a.name, "as_is": a.as_is, "changed": a.changed}
                    for a in self.axes
                ],
                "cases": [
                    {"changes": self._names(picked), **trial.to_json()}
                    for picked, trial in self.trials.items()
                ],
                "smallest": [self._names(picked) for picked in self.smallest],
                "best": self._names(self.best),
            },
        }

    def lines(self) -> list[str]:
        """The matrix in words: a row for each combination, and what follows."""
        if not self.axes:
            return [
                "nothing to try: the design passes what the spec expects, the stack is large "
                "enough, and the source has no switch that the spec names"
            ]
        head = [axis.name for axis in self.axes]
        figures = ("correlation", "max_abs", "exact")
        rows = [
            [
                *(axis.changed if axis.name in picked else "·" for axis in self.axes),
                *(metric_text(name, trial.metric(name)) for name in figures),
                _met(trial),
                trial.status,
                finding_of(trial),
            ]
            for picked, trial in self.trials.items()
        ]
        as_is = [*(axis.as_is for axis in self.axes), "", "", "", "", "", "as it is"]
        head += ["correlation", "max error", "equal", "criteria", "status", "first finding"]
        return [*table(head, [as_is, *rows]), *self._conclusions()]

    def _conclusions(self) -> list[str]:
        lines = [f"passes {self._what(picked)}" for picked in self.smallest]
        if not self.smallest:
            lines.append(f"no combination passes; the nearest is {self._said(self.best)}")
        if len(self.best) > 1:
            parts = [f"{name} alone {self._correlation({name})}" for name in self._names(self.best)]
            lines.append(
                f"correlation: as it is {self._correlation(())}, {', '.join(parts)}, "
                f"together {self._correlation(self.best)}"
            )
        return lines

    def _what(self, picked: Picked) -> str:
        """What a combination that passes does so with."""
        if not picked:
            return "as it is"
        alone = " alone" if len(picked) == 1 else ""
        only = "only " if len(picked) > 1 and len(self.smallest) == 1 else ""
        return f"{only}with {self._said(picked)}{alone}"

    def _said(self, picked: Picked) -> str:
        """A combination in words."""
        said = [f"{axis.name} = {axis.changed}" for axis in self.axes if axis.name in picked]
        if len(said) > 1:
            return f"{', '.join(said[:-1])} and {said[-1]} together"
        return said[0] if said else "the kernel as it is"

    def _correlation(self, picked: Iterable[str]) -> str:
        return metric_text("correlation", self.trials[frozenset(picked)].metric("correlation"))

    def _names(self, picked: Picked) -> list[str]:
        return [axis.name for axis in self.axes if axis.name in picked]


def _met(trial: Trial) -> str:
    """How many criteria are met."""
    criteria = trial.told["criteria"]
    return f"{sum(c['met'] for c in criteria)} of {len(criteria)}" if criteria else ""


async def ablate(options: Options, switches: Sequence[str], jobs: int, on_done: OnDone) -> Matrix:
    """Try everything on the case of `options`, which names its input set.

    `switches` are the macros that the spec names. First all but the stacks, since what these have
    to hold hangs on the rest. UsageError for more than there is time for.
    """
    (as_it_is,) = await run_all([options], 1, on_done)
    axes = [*_scalars(as_it_is), *_switches(options, switches)]
    if len(axes) + 1 > MOST_AXES:
        raise UsageError(
            f"{len(axes)} things to change are {2 ** len(axes):,} combinations: too many",
            hint="name fewer switches in the spec",
        )
    picks = [frozenset(p) for n in range(len(axes) + 1) for p in combinations(_names(axes), n)]
    trials = {frozenset[str](): as_it_is}
    trials |= await _tried(options, axes, picks[1:], jobs, on_done)
    if stack := _stack(trials.values()):
        axes.append(stack)
        again = [picked | {stack.name} for picked in picks]
        trials |= await _tried(options, axes, again, jobs, on_done)
    return Matrix(tuple(axes), dict(sorted(trials.items(), key=lambda item: len(item[0]))))


async def _tried(
    options: Options, axes: Sequence[Axis], picks: Sequence[Picked], jobs: int, on_done: OnDone
) -> dict[Picked, Trial]:
    """The trials of some combinations."""
    cases = [replace(options, changes=_together(axes, picked)) for picked in picks]
    done = await run_all(cases, jobs, on_done) if cases else []
    return dict(zip(picks, done, strict=True))


def _together(axes: Sequence[Axis], picked: Picked) -> Changes:
    changes = [axis.changes for axis in axes if axis.name in picked]
    return Changes(
        defines=tuple(define for change in changes for define in change.defines),
        scalars=tuple(scalar for change in changes for scalar in change.scalars),
        stack_bytes=next((c.stack_bytes for c in changes if c.stack_bytes is not None), None),
    )


def _names(axes: Iterable[Axis]) -> list[str]:
    return [axis.name for axis in axes]


def _scalars(as_it_is: Trial) -> list[Axis]:
    """The constants that the design passes otherwise than the spec has it."""
    found = {}
    for finding in as_it_is.told["findings"]:
        if finding["id"] == "scalar-mismatch":
            known = finding["evidence"]
            name, passed, expected = known["scalar"], known["passed"], known["expected"]
            changes = Changes(scalars=((name, expected),))
            found[name] = Axis("scalar", name, f"{passed:g}", f"{expected:g}", changes)
    return list(found.values())


def _switches(options: Options, names: Sequence[str]) -> list[Axis]:
    found = (find_switch(name, options.kernel_path) for name in names)
    return [
        Axis("switch", s.name, s.as_is, s.other, Changes(defines=(f"{s.name}={s.other}",)))
        for s in found
        if s is not None
    ]


def _stack(trials: Iterable[Trial]) -> Axis | None:
    """A stack that holds what any of the trials needs; None when the design's is enough."""
    overruns = [
        finding["evidence"]
        for trial in trials
        for finding in trial.told["findings"]
        if finding["id"] == "stack-overrun"
    ]
    if not overruns:
        return None
    enough = max(known["stack_size"] for known in overruns)
    as_is = min(known["stack_limit"] for known in overruns)
    return Axis("stack", "stack", f"{as_is:,}", f"{enough:,}", Changes(stack_bytes=enough))
