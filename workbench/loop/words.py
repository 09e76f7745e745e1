"""A run in words, shared by the front ends: numbers with units, and the lines of a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.build.diagnostics import strip_ansi
from workbench.loop.result import RunResult

if TYPE_CHECKING:
    from workbench.verdict import CriterionResult, Finding, Metrics, Verdict
    from workbench.verdict.stages import StageResult

UNDEFINED = "undefined"

METRIC_NAMES: Mapping[str, str] = {
    "correlation": "correlation",
    "mae": "mean error",
    "rmse": "RMS error",
    "max_abs": "max error",
    "within_5": "within ±5",
    "exact": "equal",
    "cosine": "cosine",
    "sqnr_db": "SQNR",
    "slope": "slope",
    "offset": "offset",
    "argmax": "argmax",
    "max_ulp": "max ULP",
    "times_best": "times best",
}

ON_DEMAND = ("offset", "argmax", "max_ulp", "times_best")
"""Metrics that are shown where a criterion demands something of them."""

_SHARES = {"within_5", "exact", "argmax"}
_UNIT_BOUND = {"correlation", "cosine", "slope"}

_REASONS = {"input-regime": "poor reference"}
"""Findings about an output's health that don't say by their name what they are."""

_ULPS = 1e-12
"""What the rounding of a metric's own sums can take from a perfect 1."""


def plain(text: str) -> str:
    """Text from anywhere as one line, without what a terminal would obey."""
    return strip_ansi(" ".join(text.splitlines()))


def value_of(metrics: Metrics, name: str) -> float | None:
    """A metric; SQNR is infinite where there is no error, None where it is undefined otherwise."""
    return math.inf if name == "sqnr_db" and metrics.max_abs == 0 else metrics.value(name)


def metric_text(name: str, value: float | None) -> str:
    """A metric's value with its unit; only a perfect one is rounded to a perfect one."""
    if value is None:
        return UNDEFINED
    if name == "sqnr_db" and math.isinf(value):
        return "no error"
    if name in _SHARES:
        return f"{100 * _short_of_one(value, 0.9999):.2f} %"
    if name in _UNIT_BOUND:
        return f"{_short_of_one(value, 0.99999):.5f}"
    if name == "sqnr_db":
        return f"{value:.1f} dB"
    return number(value)


def target_text(name: str, op: str, target: float) -> str:
    """A criterion's demand, in the unit of its metric."""
    sign = {">=": "≥", "<=": "≤"}.get(op, op)
    return f"{sign} {100 * target:g} %" if name in _SHARES else f"{sign} {target:g}"


def number(value: float | None) -> str:
    """A value in output units: whole numbers as such, others with six digits."""
    if value is None:
        return UNDEFINED
    if value.is_integer() and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 else f"{value:.4g}"


def range_text(minimum: float | None, maximum: float | None) -> str:
    """A range of values in output units."""
    if minimum is None or maximum is None:
        return UNDEFINED
    return f"{number(minimum)}..{number(maximum)}"


def seconds_text(seconds: float) -> str:
    """A duration."""
    if seconds < 0.01:
        return f"{1000 * seconds:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"


def _short_of_one(value: float, last: float) -> float:
    """`value`, or `last` where it lies between that and 1."""
    return last if last < value < 1 - _ULPS else value


def finding_text(finding: Finding) -> str:
    """A finding in one line: what, where, what to do."""
    where = f"{finding.where}: " if finding.where else ""
    return f"{finding.severity} {finding.id}: {where}{finding.message} ({finding.hint})"


def verdict_lines(result: RunResult) -> list[str]:
    """A finished run as a few lines of plain text; the first is the verdict."""
    head = f"{result.status.upper().replace('-', ' ')} {result.kernel}"
    device = f"on the {result.device.kind}"
    verdict = result.verdict
    if verdict is None:
        told = f"{head} {device}: {result.error}" if result.error else f"{head} {device}"
        return [told, *map(finding_text, result.concerns)]
    return [
        f"{head} {device}: {_numbers(verdict)}",
        *_metric_lines(verdict),
        *_spread_line(verdict),
        *([f"  {result.comparison}"] if result.comparison else []),
        *([f"  {latency}"] if (latency := latency_text(result)) else []),
        *stage_lines(result.stages),
        *map(finding_text, verdict.findings),
    ]


def explained_lines(result: RunResult, before: RunResult | None) -> list[str]:
    """What is known of a run beyond what `before` told."""
    told = before.findings if before else ()
    return [
        *stage_lines(result.stages),
        *(finding_text(finding) for finding in result.findings if finding not in told),
    ]


def stage_lines(stages: Sequence[StageResult]) -> list[str]:
    """The stages as a table: correlations with golden ones, and with what is right locally."""
    if not stages:
        return []
    width = max(len("stage"), *(len(stage.name) for stage in stages))
    return [
        f"  {'stage':<{width}}  {'correlation':>11}  {'local':>9}  {'saturated':>9}  range",
        *(
            f"  {stage.name:<{width}}  {metric_text('correlation', stage.correlation):>11}  "
            f"{metric_text('correlation', stage.local_correlation):>9}  "
            f"{saturated_text(stage):>9}  {range_text(stage.low, stage.high)}"
            for stage in stages
        ),
    ]


def saturated_text(stage: StageResult) -> str:
    """The share of a stage's elements that its limits cut off."""
    return UNDEFINED if stage.saturated is None else f"{100 * stage.saturated:.1f} %"


def provenance_lines(result: RunResult) -> list[str]:
    """What a run on the NPU was made from, by the first digits of the contents' hashes."""
    if result.npu is None:
        return []
    told = result.npu.provenance
    made = {
        **{f"{kind} {name}": digest for kind in _KINDS for name, digest in told[kind].items()},
        **{kind: told[kind] for kind in ("xclbin", "instructions") if told[kind]},
    }
    tools = ", ".join(f"{name} {version}" for name, version in told["tools"].items())
    cached = " (cached: no tool had to run)" if result.npu.cached else ""
    return [
        *(f"{(digest or 'missing')[:12]}  {name}" for name, digest in made.items()),
        f"by {tools}{cached}",
        f"in {result.npu.folder}",
    ]


_KINDS = ("sources", "headers", "design", "objects", "images")


def latency_text(result: RunResult) -> str | None:
    """How long the NPU took, always as a burst's figures; None when it has none."""
    latency = result.npu.latency if result.npu else None
    if latency is None:
        return None
    return (
        f"latency {latency.median_us:,.0f} µs median, {latency.min_us:,.0f} min, "
        f"{latency.p95_us:,.0f} p95 of {latency.count} warm runs; "
        f"first after idle {latency.first_us:,.0f} µs"
    )


def _numbers(verdict: Verdict) -> str:
    metrics, output = verdict.metrics, verdict.output
    reference = range_text(output.reference_minimum, output.reference_maximum)
    ill = ill_text(verdict)
    return (
        f"{f'{ill.upper()}, ' if ill else ''}"
        f"correlation {metric_text('correlation', metrics.correlation)}, "
        f"max error {metric_text('max_abs', metrics.max_abs)}, "
        f"output {range_text(output.minimum, output.maximum)} (reference {reference})"
    )


def _metric_lines(verdict: Verdict) -> list[str]:
    lines = []
    for name, label in METRIC_NAMES.items():
        value = metric_text(name, value_of(verdict.metrics, name))
        demands = [_demand(c) for c in verdict.criteria if c.criterion.metric == name]
        if not demands and name in ON_DEMAND:
            continue
        line = f"  {label:<12}{value:>12}{'   ' if demands else ''}{', '.join(demands)}"
        arithmetic = metric_text(name, value_of(verdict.arithmetic, name))
        if arithmetic != value:
            line = f"{line:<47}   arithmetic {arithmetic}"
        lines.append(line)
    return lines


def _demand(result: CriterionResult) -> str:
    """What a criterion demands and whether it has it; of several output tensors, the worst."""
    c = result.criterion
    worst = f" ({result.tensor}: {metric_text(c.metric, result.value)})" if result.tensor else ""
    met = "met" if result.met else "NOT MET"
    return f"{target_text(c.metric, c.op, c.target):<10} {met}{plain(worst)}"


def _spread_line(verdict: Verdict) -> list[str]:
    """The tolerances that a share of the elements, and all of them, would need."""
    if not verdict.metrics.max_abs:
        return []
    from workbench.verdict.profile import tolerance

    needed = (
        f"{100 * share:g} % ±{number(tolerance(verdict.device, verdict.reference, share))}"
        for share in (0.5, 0.95, 0.99, 1)
    )
    return [f"  tolerance that would do: {', '.join(needed)}"]


def ill_text(verdict: Verdict) -> str:
    """Why the metrics say nothing, in a word for each reason; empty when they can be trusted."""
    reasons = dict.fromkeys(f.id for f in verdict.ill)
    return ", ".join(_REASONS.get(reason, reason.replace("-", " ")) for reason in reasons)
