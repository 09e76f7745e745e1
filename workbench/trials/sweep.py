"""Every input set of a spec, with several seeds: what is to be run, and how it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.errors import ExitCode, UsageError
from workbench.loop.record import SCHEMA
from workbench.loop.target import Options, find_spec, shown
from workbench.loop.words import metric_text
from workbench.settings import LIMITS
from workbench.spec.cases import LoadedSpec
from workbench.spec.load import load_case
from workbench.spec.model import EVERY_SET
from workbench.trials.trial import Trial
from workbench.trials.words import finding_of, regime_of, table

LISTED = 40
"""Cases that a table lists, the worst ones."""

LAST_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep; `trials` are the worst first."""

    options: Options
    trials: tuple[Trial, ...]
    seconds: float

    @property
    def exit_code(self) -> ExitCode:
        """That of the worst case."""
        return self.trials[0].exit_code

    def to_json(self) -> dict[str, Any]:
        """The one object of `check --json`."""
        return {
            "schema": SCHEMA,
            "sweep": {
                "kernel": shown(self.options.kernel_path),
                "exit_code": int(self.exit_code),
                "seconds": self.seconds,
                "runs_per_second": len(self.trials) / self.seconds,
                "sets": {name: _summary(some) for name, some in self._by_set().items()},
                "cases": [{**t.to_json(), "command": t.command} for t in self.trials],
            },
        }

    def lines(self) -> list[str]:
        """The sweep in words: the verdict, the worst cases, and each set's worst figures."""
        count, passed = len(self.trials), sum(t.status == "pass" for t in self.trials)
        kernel = shown(self.options.kernel_path)
        listed, more = self.trials[:LISTED], self.trials[LISTED:]
        mixed = len({trial.told["source_sha256"] for trial in self.trials} - {None}) > 1
        return [
            f"{'PASS' if passed == count else 'FAIL'} {kernel} on the model: "
            f"{passed:,} of {count:,} cases pass",
            *table(_CASE, [_case_row(trial) for trial in listed]),
            *([f"and {len(more):,} more, none worse than the last of these"] if more else []),
            *(["the kernel was saved meanwhile: not all cases are of one state"] if mixed else []),
            "",
            *table(_SET, [_set_row(name, some) for name, some in self._by_set().items()]),
        ]

    def _by_set(self) -> Mapping[str, Sequence[Trial]]:
        """The trials of each set, the set with the worst one first."""
        sets: dict[str, list[Trial]] = {}
        for trial in self.trials:
            sets.setdefault(trial.options.set_name or "", []).append(trial)
        return sets


async def cases_of(
    options: Options, sets: str | None, seeds: int, on_lines: Callable[[list[str]], None]
) -> list[Options]:
    """The cases of some sets, from the seed in `options` on.

    `sets` are names with commas between, or all; None is the spec's first.

    UsageError for what can't be run, SpecError when the spec can't be read.
    """
    if options.seed + seeds - 1 > LAST_SEED:
        raise UsageError(f"--seed {options.seed} leaves no room for {seeds} seeds below 2**32")
    names = [] if sets is None else sets.split(",")
    first = names[0] if names and EVERY_SET not in names else None
    loaded, one = await _on_the_model(replace(options, set_name=first), on_lines)
    known = loaded.promise.input_sets
    unknown = [name for name in names if name not in (*known, EVERY_SET)]
    if unknown:
        raise UsageError(
            f"no input set {unknown[0]!r}",
            where=shown(loaded.path),
            hint=f"the spec has {', '.join(known)}",
        )
    wanted = known if EVERY_SET in names else tuple(dict.fromkeys(names)) or (one.set_name,)
    return [
        replace(one, set_name=name, seed=options.seed + number)
        for name in wanted
        for number in range(seeds)
    ]


async def case_of(
    options: Options, on_lines: Callable[[list[str]], None]
) -> tuple[Options, tuple[str, ...]]:
    """The one case of `options`, its input set named, and the switches that its spec names.

    Raises as `cases_of` does.
    """
    loaded, one = await _on_the_model(options, on_lines)
    return one, loaded.promise.switches


async def _on_the_model(
    options: Options, on_lines: Callable[[list[str]], None]
) -> tuple[LoadedSpec, Options]:
    """The spec, and the options with their input set named."""
    if options.device == "npu":
        raise UsageError(
            "many runs at a time are for the model, not for --device npu",
            hint="leave --device out; check --inputs SET runs one case on the NPU",
        )
    request = options.request(find_spec(options))
    loaded, case = await load_case(request, on_lines, LIMITS.load)
    return loaded, replace(options, device="model", set_name=case.set_name)


def all_cores() -> int:
    """How many runs to have at a time: as many as there are cores for us."""
    return len(os.sched_getaffinity(0))


_CASE = ("set", "seed", "status", "correlation", "max error", "equal", "first finding", "again")
_SET = (
    "set",
    "cases",
    "pass",
    "least correlation",
    "max error",
    "least equal",
    "worst seed",
    "there",
)


def _case_row(trial: Trial) -> tuple[str, ...]:
    return (
        trial.options.set_name or "",
        str(trial.options.seed),
        trial.status,
        *(metric_text(name, trial.metric(name)) for name in ("correlation", "max_abs", "exact")),
        finding_of(trial),
        trial.command,
    )


def _set_row(name: str, trials: Sequence[Trial]) -> tuple[str, ...]:
    summary = _summary(trials)
    return (
        name,
        str(summary["cases"]),
        str(summary["pass"]),
        *(metric_text(key, summary[key]) for key in ("correlation", "max_abs", "exact")),
        str(summary["worst_seed"]),
        regime_of(trials[0]),
    )


def _summary(trials: Sequence[Trial]) -> dict[str, Any]:
    """The worst figures of a set; None where one of its cases leaves a figure undefined."""

    def worst(name: str, choose: Callable[[list[float]], float]) -> float | None:
        values = [trial.metric(name) for trial in trials]
        known = [value for value in values if value is not None]
        return choose(known) if len(known) == len(values) else None

    return {
        "cases": len(trials),
        "pass": sum(trial.status == "pass" for trial in trials),
        "correlation": worst("correlation", min),
        "max_abs": worst("max_abs", max),
        "exact": worst("exact", min),
        "worst_seed": trials[0].options.seed,
        "regime": regime_of(trials[0]) or None,
    }
