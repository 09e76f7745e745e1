"""Findings about stages: what wasn't recorded, what saturates, and where the error enters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from workbench.spec.model import Stage
from workbench.verdict.findings import Finding
from workbench.verdict.metrics import Metrics
from workbench.verdict.stages import Collected, StageResult

SATURATED = 0.01
"""Share of saturated elements from which a stage is said to saturate; 5 times as many is grave."""

SOUND = 1e-3
"""Local error up to which a stage is taken to do what it should."""

FLOORED = 0.05
"""Share of a stage's sum that lies too much at its smallest value to be called rounding."""

EXACT = 0.999
"""Correlation from which a stage is golden but for a factor."""

SCALED = 0.99
"""Correlation from which a factor says something, though it isn't all that is wrong."""

GAIN = 0.02
"""How far a factor may be from 1."""

NEAR_POWER = 0.25
"""How far, in octaves, a temperature may be from the power of two that it is said to be."""

TEMPERED = 1.25
"""How far, as a factor, an exponential's temperature may be from 1."""


def stage_findings(
    stages: Sequence[Stage],
    arithmetic: Mapping[str, Collected],
    results: Sequence[StageResult],
    *,
    passed: bool,
) -> tuple[Finding, ...]:
    """All findings; `passed` is a run that met its criteria, so that nobody looks for an error."""
    measured = [result for result in results if result.chain is not None]
    found = [*_recording(stages, arithmetic, results), *_saturation(measured)]
    if not passed:
        entry = error_entry(measured)
        found += [*_entering(measured, entry), *_temperature(measured, entry), *_gain(measured)]
    return (*found, *_damage(measured))


def _recording(
    stages: Sequence[Stage], found: Mapping[str, Collected], results: Sequence[StageResult]
) -> Iterator[Finding]:
    """Stages that weren't recorded as declared."""
    declared = {stage.name: stage for stage in stages}
    for result in results:
        if result.recorded != result.expected:
            yield _miscounted(result)
    for name, one in found.items():
        if name not in declared:
            yield Finding(
                "stage-recording",
                "info",
                f'the kernel records a stage "{name}" that the spec doesn\'t declare',
                f'give the spec a Stage("{name}", …) with its golden function',
                where=one.where,
                evidence={"stage": name, "recorded": one.count},
            )
        elif not set(one.dtypes) <= _accepted(declared[name].dtype):
            kinds = " and ".join(one.dtypes)
            yield Finding(
                "stage-recording",
                "warning",
                f"stage {name} is recorded as {kinds}, the spec declares {declared[name].dtype}",
                "mend the type in the spec, or the pointer in NPU_STAGE",
                where=one.where,
                evidence={"stage": name, "dtypes": list(one.dtypes)},
            )


def _accepted(dtype: str) -> set[str]:
    return {dtype, "uint16"} if dtype == "bfloat16" else {dtype}


def _miscounted(result: StageResult) -> Finding:
    if not result.recorded:
        what = f"stage {result.name} is never recorded"
        hint = f'mark it with NPU_STAGE("{result.name}", …), or take it out of the spec'
    else:
        side = "short" if result.recorded < result.expected else "too long"
        what = (
            f"stage {result.name} is recorded {side}: {result.recorded:,} elements, the spec "
            f"declares {result.expected:,}"
        )
        hint = "NPU_STAGE has to pass each element of the stage once, cores one after another"
    return Finding(
        "stage-recording",
        "warning",
        what,
        hint,
        where=result.where,
        evidence={
            "stage": result.name,
            "recorded": result.recorded,
            "expected": result.expected,
        },
    )


def _saturation(results: Sequence[StageResult]) -> Iterator[Finding]:
    for result in results:
        share = result.saturated or 0.0
        if share < SATURATED:
            continue
        reach = ""
        if not result.any_scale:
            reach = f" from {_number(result.local_low)} to {_number(result.local_high)}"
        yield Finding(
            "stage-saturated",
            "error" if share >= 5 * SATURATED else "warning",
            f"{_share(share)} of {result.name} saturate at {_number(result.low)} or "
            f"{_number(result.high)}, where the spec goes on{reach}",
            f"hold {result.name} in more bits, or scale them before they are narrowed",
            where=result.where,
            evidence={
                "stage": result.name,
                "saturated": share,
                "limits": [result.low, result.high],
                "golden": [result.local_low, result.local_high],
                "correlation": result.correlation,
            },
        )


def error_entry(results: Sequence[StageResult]) -> StageResult | None:
    """The first stage whose local error is at least half of the largest; None when all are sound.

    Later errors are no larger by much, and whatever they add comes on top of the first.
    """
    largest = max((result.local_error or 0.0 for result in results), default=0.0)
    if largest < SOUND:
        return None
    return next(result for result in results if (result.local_error or 0.0) >= largest / 2)


def _entering(results: Sequence[StageResult], first: StageResult | None) -> Iterator[Finding]:
    if first is None:
        return
    earlier = results[: results.index(first)]
    before = earlier[-1].correlation if earlier else 1.0
    yield Finding(
        "error-enters-at",
        "error",
        f"the error enters at {first.name}: {', '.join(_losses(first, before))}",
        _advice(first, earlier[-1].name if earlier else "the inputs"),
        where=first.where,
        evidence={
            "stage": first.name,
            "correlation_before": before,
            "correlation": first.correlation,
            "local_correlation": first.local_correlation,
            "local_error": first.local_error,
            "slope": first.chain.slope if first.chain else None,
            "local_slope": first.local.slope if first.local else None,
            "saturated": first.saturated,
            "temperature": first.temperature if _is_tempered(first) else None,
            "floor": first.floor if _is_floored(first) else None,
        },
    )


def _losses(result: StageResult, before: float | None) -> Iterator[str]:
    """What is wrong with a stage by itself, in words."""
    local = result.local
    assert local is not None
    alike = (local.correlation or 0.0) >= EXACT
    if not alike and (before or 0.0) >= EXACT:
        yield f"correlation {_correlation(before)} -> {_correlation(result.correlation)}"
    elif not alike:  # what the correlation loses here, earlier stages have lost in part
        yield f"correlation {_correlation(local.correlation)} by itself"
    if (result.saturated or 0.0) >= SATURATED:
        yield f"{_share(result.saturated)} saturated"
    if _is_tempered(result):
        yield f"exp(x / {result.temperature:.3g}) instead of exp(x)"
    if _is_floored(result):
        yield (
            f"never below {_number(result.low)} of {_number(result.high)}, where "
            f"{_share(result.floor)} of its sum lies and {_share(result.golden_floor)} should"
        )
    if local.non_finite:
        yield f"{local.non_finite:,} elements are NaN or infinite"
    if result.any_scale:
        return
    if (local.correlation or 0.0) >= SCALED and _is_scaled(local):
        yield f"{_number(local.slope)} times what the spec gives"
    elif alike:
        yield f"off by up to {_number(local.max_abs)}, {_number(local.mae)} on average"


def _advice(result: StageResult, source: str) -> str:
    """Where to look for what is wrong with a stage that is made from `source`."""
    if _is_floored(result):
        return (
            f"compare what makes {result.name} with the spec's function over the whole range: it "
            f"has to go on falling below {_number(result.low)} of {_number(result.high)}"
        )
    if _is_tempered(result):
        return f"look for a shift or a division of the argument in what makes {result.name}"
    return f"look at what makes {result.name} from {source}"


def _temperature(results: Sequence[StageResult], entry: StageResult | None) -> Iterator[Finding]:
    """The first stage that is an exponential of another temperature; grave where errors enter."""
    for result in results:
        if not _is_tempered(result) or result.temperature is None:
            continue
        power = math.log2(result.temperature)
        near = abs(power - round(power)) <= NEAR_POWER
        about = f", about 2^{round(power)}" if near else ""
        yield Finding(
            "stage-temperature",
            "error" if result is entry else "warning",
            f"{result.name} falls as exp(x / {result.temperature:.3g}){about}, where the spec has "
            "exp(x): a softmax of another temperature",
            _advice(result, "what comes before"),
            where=result.where,
            evidence={"stage": result.name, "temperature": result.temperature},
        )
        return


def _gain(results: Sequence[StageResult]) -> Iterator[Finding]:
    """The first stage that is scaled by what the design passes, not by the kernel."""
    for result in results:
        chain, local = result.chain, result.local
        if result.any_scale or chain is None or local is None:
            continue
        if (chain.correlation or 0.0) < EXACT:
            return
        if _is_scaled(chain) and not _is_scaled(local):
            yield Finding(
                "stage-scaled",
                "info",
                f"{result.name} are {_number(chain.slope)} times what the spec's scalars give: "
                "that is what the design passes, the correlation can't see it",
                "pass the scalars that the spec expects",
                where=result.where,
                evidence={"stage": result.name, "slope": chain.slope},
            )
            return


def _damage(results: Sequence[StageResult]) -> Iterator[Finding]:
    """The first stage that changes when the stacks lie in core memory."""
    first = next((result for result in results if result.damaged), None)
    if first is None or first.damaged is None:
        return
    memory = None if first.memory is None else first.memory.correlation
    yield Finding(
        "damage-enters-at",
        "info",
        f"memory damage enters at {first.name}: {_share(first.damaged)} of its elements are others "
        f"when the stack lies in the core's memory, correlation "
        f"{_correlation(first.correlation)} -> {_correlation(memory)}",
        "see what overwrites memory: a stack that overruns, or a long write",
        where=first.where,
        evidence={
            "stage": first.name,
            "damaged": first.damaged,
            "correlation": first.correlation,
            "memory_correlation": memory,
        },
    )


def _is_scaled(metrics: Metrics) -> bool:
    return metrics.slope is not None and abs(metrics.slope - 1) > GAIN


def _is_tempered(result: StageResult) -> bool:
    return result.temperature is not None and abs(math.log(result.temperature)) > math.log(TEMPERED)


def _is_floored(result: StageResult) -> bool:
    return (result.floor or 0.0) - (result.golden_floor or 0.0) >= FLOORED


def _correlation(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _share(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.1f} %"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:,.4g}"
