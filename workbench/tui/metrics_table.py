"""The metrics with their targets, criteria first, and the output's range beside the reference's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from workbench.loop import words
from workbench.tui import text
from workbench.tui.lines import ScrolledLines
from workbench.tui.spark import spark

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.change import Change, MetricChange
    from workbench.loop.result import RunResult
    from workbench.verdict import CriterionResult, Metrics, Verdict

_NAME, _VALUE, _TARGET = 11, 11, 9
_TREND = 16
"""Most runs that a metric's sparkline tells of, one cell each."""


class MetricsTable(ScrolledLines):
    """A line for each metric: name, value, target and whether it is met.

    Where memory corrupted the device's result, the arithmetic result's value stands beside it; of
    several output tensors each has a line with the metrics of the criteria. Behind them, how the
    metric went over the session's judged runs or, with a baseline, how it changed since that.
    What there is no room for beside the values is left out.
    """

    def __init__(self) -> None:
        super().__init__(classes="panel")
        self._result: RunResult | None = None
        self._trend: tuple[Metrics, ...] = ()
        self._changes: tuple[MetricChange, ...] = ()
        self.border_title = Content("metrics")

    def show(
        self,
        result: RunResult | None,
        *,
        mark: str,
        trend: Sequence[Metrics] = (),
        change: Change | None = None,
    ) -> None:
        """Paint this judged run.

        `mark` says so when it isn't of the bytes on disk; `trend` are the metrics up to this run's,
        `change` is since the baseline.
        """
        kind = result.device.kind.upper() if result is not None else ""
        since = f"change since run {change.before.run}" if change is not None else ""
        told = ["metrics", kind, mark if result is not None else "", since]
        self.border_title = Content("  ".join(part for part in told if part))
        told_of = (tuple(trend[-_TREND:]), change.metrics if change is not None else ())
        is_same = result is self._result or bool(
            result and self._result and result.judged_as(self._result)
        )
        if is_same and told_of == (self._trend, self._changes):
            return
        self._trend, self._changes = told_of
        if not is_same:
            self._result = result
            self.top = 0
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The table."""
        if self._result is None or self._result.verdict is None:
            return []
        kind = self._result.device.kind
        table = _table(self._result.verdict, kind, width, self._trend, self._changes)
        return [*table, *_latency(self._result)]


def _table(
    verdict: Verdict,
    kind: str,
    width: int,
    trend: Sequence[Metrics] = (),
    changes: Sequence[MetricChange] = (),
) -> list[Content]:
    has_room = width >= _NAME + 2 * _VALUE + 2
    corrupted = has_room and verdict.arithmetic != verdict.metrics
    beside_it = has_room and bool(corrupted or changes)
    with_target = width >= _NAME + (2 if beside_it else 1) * _VALUE + _TARGET + 3
    room = width - (_NAME + _VALUE + _TARGET + 4)
    has_trend = len(trend) > 1 and room > 1 and not beside_it
    changed = {change.name: change for change in changes} if beside_it and not corrupted else {}
    demanded = {result.criterion.metric for result in verdict.criteria}
    output = verdict.output
    ranges = {
        "range": (output.minimum, output.maximum),
        "reference": (output.reference_minimum, output.reference_maximum),
    }

    def row(name: str, result: CriterionResult | None = None) -> Content:
        demand = _demand(result, with_target=with_target)
        style = "" if result is None else "$wb-pass" if result.met else "$wb-fail bold"
        beside = (
            words.metric_text(name, words.value_of(verdict.arithmetic, name)) if corrupted else ""
        )
        value = words.metric_text(name, words.value_of(verdict.metrics, name))
        bars = spark([one.value(name) for one in trend], room) if has_trend else ""
        change = changed.get(name)
        last = (f"{beside:>{_VALUE}}", "dim") if corrupted else (f" {bars}", "dim")
        return Content.assemble(
            f"{words.METRIC_NAMES[name]:{_NAME}}",
            (f"{value:>{_VALUE}}", style),
            (f" {demand}", style),
            last if change is None else text.change_part(change),
        ).rstrip()

    blank = _demand(None, with_target=with_target)
    heads = [
        Content.styled(f"{'':{_NAME}}{own:>{_VALUE}} {blank}{other:>{_VALUE}}", "dim")
        for own, other in ((kind, "arithmetic"), ("core memory", "stack apart"))
    ]
    return [
        *_ill(verdict),
        *(heads if corrupted else []),
        *(row(result.criterion.metric, result) for result in verdict.criteria),
        *_parts(verdict, width),
        *(
            Content(f"{name:{_NAME}}{words.range_text(*ends):>{_VALUE}}")
            for name, ends in ranges.items()
        ),
        *_not_finite(verdict.metrics.non_finite),
        *(row(name) for name in words.METRIC_NAMES if name not in {*demanded, *words.ON_DEMAND}),
    ]


def _parts(verdict: Verdict, width: int) -> list[Content]:
    """A line for each of several output tensors, with the metrics of as many criteria as fit."""
    if not verdict.parts:
        return []
    criteria = [result.criterion for result in verdict.criteria]
    criteria = criteria[: max(1, (width - _NAME) // (_VALUE + 1))]
    titles = [f"{words.METRIC_NAMES[criterion.metric]:>{_VALUE}} " for criterion in criteria]
    lines = [Content.styled("".join([f"{'each':{_NAME}}", *titles]), "dim")]
    for tensor, metrics in verdict.parts:
        name = Content(text.clean(tensor)).truncate(_NAME, ellipsis=True, pad=True)
        cells = []
        for criterion in criteria:
            value = metrics.value(criterion.metric)
            is_met = criterion.is_met(value)
            cell = f"{words.metric_text(criterion.metric, value):>{_VALUE}}"
            cells.append((f"{cell}{' ' if is_met else '✗'}", "" if is_met else "$wb-fail bold"))
        lines.append(Content.assemble(name, *cells).rstrip())
    return lines


def _demand(result: CriterionResult | None, *, with_target: bool) -> str:
    """The glyph that says whether a criterion is met, and its target where there is room."""
    glyph = " " if result is None else "✓" if result.met else "✗"
    if not with_target:
        return glyph
    c = result.criterion if result is not None else None
    target = words.target_text(c.metric, c.op, c.target) if c is not None else ""
    return f"{glyph} {target:<{_TARGET}}"


def _latency(result: RunResult) -> list[Content]:
    """The burst's figures; only the NPU has any."""
    latency = result.npu.latency if result.npu else None
    if latency is None:
        return []
    rows = {
        "latency": f"{latency.median_us:,.0f} µs median",
        "": f"{latency.min_us:,.0f} min, {latency.p95_us:,.0f} p95 of {latency.count} warm runs",
        "first run": f"{latency.first_us:,.0f} µs after idle",
    }
    return [Content(f"{name:{_NAME}}  {told}") for name, told in rows.items()]


def _ill(verdict: Verdict) -> list[Content]:
    """Why the metrics below say nothing."""
    ill = words.ill_text(verdict)
    return [Content.styled(ill.upper(), "$wb-fail bold")] if ill else []


def _not_finite(count: int) -> list[Content]:
    line = f"{'not finite':{_NAME}}{count:>{_VALUE},}"
    return [Content.styled(line, "$wb-fail bold")] if count else []
