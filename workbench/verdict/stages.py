"""Stages: what the kernel recorded of them against what the spec says that they should be.

Two comparisons of each. Against the chain, where every stage is golden and computed from golden
earlier ones: how far the kernel is from what is wanted. Local, against the golden function fed with
the kernel's own earlier stages: what this one stage does wrong by itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.design.observed import StageRecord
from workbench.spec.dtypes import storage_dtype, to_numbers
from workbench.spec.model import Stage
from workbench.verdict.metrics import Metrics, measure

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FOLLOWS = 0.14
"""Noise over the signal up to which elements follow golden: a correlation of 0.99."""

BOUNDS = frozenset(
    {0.0, *(bound for k in range(3, 64) for bound in (2.0**k - 1, -(2.0**k), 1 - 2.0**k))}
)
"""Where integers of some number of bits end: at 0, 2^k - 1, -2^k, or symmetric at 1 - 2^k."""

SMALLEST = 1e-300
"""Golden exponentials below it are not looked at: float64 has no more digits for them."""

CURVED = 0.8
"""Share of the variance of log(recorded) that a line explains, for it to be an exponential."""

_STEP = {"float32": 2.0**-20, "bfloat16": 2.0**-7}
"""Relative distance of two elements that is no more than rounding."""

LEAST_POINTS = 16
"""Elements that say anything about a line."""


@dataclass(frozen=True, slots=True, eq=False)
class Collected:
    """What all cores together recorded of one stage: one core after the other, as flat numbers."""

    dtypes: tuple[str, ...]
    where: str
    count: int
    """How many elements were recorded, of which `numbers` are the first that had room."""
    numbers: Numbers


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage, recorded with the stacks apart; None for what is undefined or wasn't recorded.

    chain, local: the metrics against golden, which are in units of the kernel's own where the stage
    is of `any_scale`; memory: against the chain, with the stacks in core memory.
    low, high and golden_low, golden_high, local_low, local_high: ranges.
    saturated: share of elements at the stage's limits where local golden goes on.
    local_error: rms error over the standard deviation of local golden, at most 1; of a stage of any
    scale what the best factor leaves.
    temperature: T, of a stage that falls as exp(x / T) where local golden falls as exp(x).
    floor, golden_floor: share of the sum that lies in the elements at the smallest value, and what
    local golden has in the same ones; of a stage that is nowhere negative.
    damaged: share of elements that are others with the stacks in core memory.
    """

    name: str
    where: str | None
    """file:line of its NPU_STAGE."""
    recorded: int
    expected: int
    any_scale: bool
    chain: Metrics | None = None
    local: Metrics | None = None
    memory: Metrics | None = None
    low: float | None = None
    high: float | None = None
    golden_low: float | None = None
    golden_high: float | None = None
    local_low: float | None = None
    local_high: float | None = None
    saturated: float | None = None
    local_error: float | None = None
    temperature: float | None = None
    floor: float | None = None
    golden_floor: float | None = None
    damaged: float | None = None

    @property
    def correlation(self) -> float | None:
        """With the golden chain."""
        return None if self.chain is None else self.chain.correlation

    @property
    def local_correlation(self) -> float | None:
        """With what is right after the kernel's own earlier stages."""
        return None if self.local is None else self.local.correlation


def collect(stages: Iterable[Stage], records: Sequence[StageRecord]) -> dict[str, Collected]:
    """The records by stage, also of stages that nobody has declared."""
    declared = {stage.name: stage.dtype for stage in stages}
    found = {}
    for name in dict.fromkeys(record.name for record in records):
        parts = [record for record in records if record.name == name]
        found[name] = Collected(
            tuple(dict.fromkeys(part.dtype for part in parts)),
            parts[0].where,
            sum(part.count for part in parts),
            np.concatenate([_numbers(part, declared.get(name)) for part in parts]),
        )
    return found


def complete(stages: Iterable[Stage], found: Mapping[str, Collected]) -> dict[str, Numbers]:
    """The stages that were recorded as often as declared, each in its shape."""
    return {
        stage.name: found[stage.name].numbers.reshape(stage.shape)
        for stage in stages
        if stage.name in found and found[stage.name].count == stage.count
    }


def measure_stages(
    stages: Sequence[Stage],
    arithmetic: Mapping[str, Collected],
    in_memory: Mapping[str, Collected],
    chain: Mapping[str, Numbers],
    local: Mapping[str, Numbers],
) -> tuple[StageResult, ...]:
    """The results in the spec's order, without optional stages that weren't recorded."""
    apart, together = complete(stages, arithmetic), complete(stages, in_memory)
    results = []
    for stage in stages:
        name, found = stage.name, arithmetic.get(stage.name)
        if name in apart and found is not None:
            memory = together.get(name)
            results.append(
                _result(stage, found.where, apart[name], memory, chain[name], local[name])
            )
        elif found is not None:
            lost = StageResult(name, found.where, found.count, stage.count, stage.any_scale)
            results.append(lost)
        elif not stage.optional:
            results.append(StageResult(name, None, 0, stage.count, stage.any_scale))
    return tuple(results)


def _result(
    stage: Stage,
    where: str,
    recorded: Numbers,
    memory: Numbers | None,
    chain: Numbers,
    local: Numbers,
) -> StageResult:
    low, high = _range(recorded)
    golden_low, golden_high = _range(chain)
    local_low, local_high = _range(local)
    floor, golden_floor = _floor(recorded, local)
    return StageResult(
        stage.name,
        where,
        stage.count,
        stage.count,
        stage.any_scale,
        chain=measure(recorded, chain),
        local=measure(recorded, local),
        memory=None if memory is None else measure(memory, chain),
        low=low,
        high=high,
        golden_low=golden_low,
        golden_high=golden_high,
        local_low=local_low,
        local_high=local_high,
        saturated=_saturated(recorded, local, stage),
        local_error=_error(recorded, local, any_scale=stage.any_scale),
        temperature=_temperature(recorded, local),
        floor=floor,
        golden_floor=golden_floor,
        damaged=None if memory is None else float(np.mean(_differ(recorded, memory))),
    )


def _numbers(record: StageRecord, declared: str | None) -> Numbers:
    # A kernel may hold bfloat16 as its bits, as the spec's tensors do.
    bits = record.dtype == "uint16" and declared == "bfloat16"
    dtype = "bfloat16" if bits else record.dtype
    # bfloat16 is no name of NumPy's, the other types' names are.
    return to_numbers(np.frombuffer(record.data, storage_dtype(dtype)), dtype)


def _differ(a: Numbers, b: Numbers) -> npt.NDArray[np.bool_]:
    differing: npt.NDArray[np.bool_] = (a != b) & ~(np.isnan(a) & np.isnan(b))
    return differing


def _range(values: Numbers) -> tuple[float | None, float | None]:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _error(d: Numbers, g: Numbers, *, any_scale: bool) -> float:
    """`StageResult.local_error`; 1 where either isn't finite."""
    if not (np.isfinite(d).all() and np.isfinite(g).all()):
        return 1.0
    if not np.any(g != g.flat[0]):
        same = d == d.flat[0] if any_scale else d == g
        return 0.0 if np.all(same) else 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        factor = _best_factor(d, g) if any_scale else 1.0
        return min(1.0, float(np.sqrt(np.mean((factor * d - g) ** 2)) / np.std(g)))


def _best_factor(d: Numbers, g: Numbers) -> float:
    """Of the factors from 0 on the one for d that leaves least of g, in the sum of squares.

    No offset comes with it: an exponential that stops above 0 isn't one that goes there.
    """
    return max(0.0, float(np.vdot(d, g)) / (float(np.vdot(d, d)) or 1.0))


def _saturated(d: Numbers, g: Numbers, stage: Stage) -> float:
    """`StageResult.saturated`.

    An element at a limit counts when golden, in units of the stage, lies more than rounding can
    explain beyond it: three quarters of a step, or what the dtype's precision is at the limit.
    Those units of a stage of any scale are the line that its other elements lie on, if they do.
    The smallest and largest elements are limits where elements pile up, and if either those between
    follow golden or integers of some type end there: else they are just the smallest and largest.
    """
    low, high = float(d.min()), float(d.max())
    if not (np.isfinite(d).all() and np.isfinite(g).all()) or low == high:
        return 0.0
    between = (d > low) & (d < high)
    slope, offset = _units(d[between], g[between]) if stage.any_scale else (1.0, 0.0)
    expected = slope * g + offset
    follows = _follows(d[between], expected[between])
    if stage.any_scale and not follows:
        return 0.0
    step = _STEP.get(stage.dtype, 0.0) * max(-low, high) or 0.75
    cut = np.zeros_like(between)
    for limit, beyond in ((high, expected > high + step), (low, expected < low - step)):
        if (follows or limit in BOUNDS) and _piles_up(d, limit, d[between]):
            cut |= _goes_on((d == limit) & beyond, expected, step)
    return float(np.mean(cut))


def _units(d: Numbers, g: Numbers) -> tuple[float, float]:
    """Slope and offset of the line that the elements lie on; zeros when there is none."""
    line = measure(d, g) if d.size else None
    return (0.0, 0.0) if line is None else (line.slope or 0.0, line.offset or 0.0)


def _follows(d: Numbers, expected: Numbers) -> bool:
    """Whether the elements are what they should be, but for noise."""
    if d.size < LEAST_POINTS:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        noise, signal = float(np.sqrt(np.mean((d - expected) ** 2))), float(np.std(expected))
    return noise <= FOLLOWS * signal


def _piles_up(d: Numbers, limit: float, between: Numbers) -> bool:
    """Whether more elements are at the limit than at the next value: those beyond went there."""
    if not between.size:
        return True
    following = between[np.argmin(np.abs(between - limit))]
    return int(np.count_nonzero(d == limit)) > int(np.count_nonzero(between == following))


def _goes_on(beyond: Mask, expected: Numbers, step: float) -> Mask:
    """`beyond` where golden has several values there: one value that is off is cut off by none."""
    varies = beyond.any() and np.ptp(expected[beyond]) > step
    return beyond if varies else np.zeros_like(beyond)


def _floor(d: Numbers, g: Numbers) -> tuple[float, float] | tuple[None, None]:
    """`StageResult.floor` and `golden_floor`."""
    if not (np.isfinite(d).all() and np.isfinite(g).all()) or min(d.min(), g.min()) < 0:
        return None, None
    with np.errstate(over="ignore"):
        totals = float(d.sum()), float(g.sum())
    if not all(0 < total < math.inf for total in totals):
        return None, None
    lowest = d == d.min()
    return float(d[lowest].sum()) / totals[0], float(g[lowest].sum()) / totals[1]


def _temperature(d: Numbers, g: Numbers) -> float | None:
    """`StageResult.temperature`: the slope of log(recorded) over log(golden), as 1 / T.

    Elements at the smallest value are left out: an exponential in integers ends there.
    """
    if not (np.isfinite(d).all() and np.isfinite(g).all()) or min(d.min(), g.min()) < 0:
        return None
    used = (d > d.min()) & (g > SMALLEST)
    if np.count_nonzero(used) < LEAST_POINTS:
        return None
    line = measure(np.log(d[used]), np.log(g[used]))
    if line.slope is None or line.slope <= 0 or (line.correlation or 0) ** 2 < CURVED:
        return None
    return 1 / line.slope
