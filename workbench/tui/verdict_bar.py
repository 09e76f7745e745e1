"""The verdict line: is my last save good? State, device, numbers, and what they are of."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from workbench.loop import words
from workbench.loop.change import Change
from workbench.loop.result import RunResult
from workbench.loop.view import Phase, StepView, View, phase_of
from workbench.tui import text
from workbench.tui.lines import Lines, flow


class VerdictBar(Lines):
    """State and numbers above, identity in the last row; parts that don't fit are left out."""

    DEFAULT_CSS = "VerdictBar { height: 2; }"

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._change: Change | None = None
        self._pinned = False

    def show(self, view: View, change: Change | None = None, *, pinned: bool = False) -> None:
        """Paint this view with the change that led to what it shows, since a `pinned` baseline."""
        self._view, self._change, self._pinned = view, change, pinned
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The verdict's lines."""
        causes = _causes_of(self._view)
        upper = self._upper(causes, width, max(1, height - 1))
        if causes and not any(causes[-1] in line.plain for line in upper):
            first, others = causes[0], len(causes) - 1
            upper = self._upper((f"{first} +{others}",), width, max(1, height - 1))
        return [*upper, *[Content("")] * (height - 1 - len(upper)), _identity(self._view)]

    def _upper(self, causes: tuple[str, ...], width: int, rows: int) -> list[Content]:
        parts = _parts(self._view, causes)
        if self._change is not None and (self._view.is_current or self._view.is_old):
            parts += _changes(self._change, pinned=self._pinned)
        return flow(parts, width, rows)


def _parts(view: View, causes: tuple[str, ...]) -> list[tuple[int, Content]]:
    """State, device and numbers, each with its rank; rank 0 is never left out."""
    device, shown = view.device, view.shown
    newest = _state(view.phase, view.running_step)
    parts: list[tuple[int, Content]] = []
    if view.is_old and view.result is not None:
        device, phase = view.result.device, phase_of(view.result)
        parts.append((0, text.badge(view.mark, "$wb-warn")))
        parts.append((0, text.badge(_state(phase), text.phase_color(phase))))
    else:
        parts.append((0, text.badge(newest, text.phase_color(view.phase))))
        if view.phase is Phase.CANCELLED and view.reason:
            parts.append((4, Content(text.clean(view.reason))))
    if device is not None:
        parts.append((0, text.badge(device.kind.upper(), f"$wb-{device.kind}")))
        parts.append((7, Content.styled(text.clean(device.name), "bold")))
    if shown is not None:
        if device is not None and shown.device.kind != device.kind:
            kind = shown.device.kind
            parts.append((0, text.badge(f"{kind.upper()}'S", f"$wb-{kind}")))
        parts.extend(_numbers(shown, view))
        if view.is_current or view.is_old:
            parts.extend((5 if causes else 1, missed) for missed in _missed(shown))
        parts.extend((3 if n else 2, Content.styled(c, "$wb-fail")) for n, c in enumerate(causes))
        if view.is_current and not (shown.explained or view.phase is Phase.PASS):
            parts.append((2, Content.styled("looking for causes…", "dim")))
    elif not view.is_old and view.phase not in (Phase.STARTING, Phase.RUNNING):
        parts.append((3, Content.styled("no verdict yet", "dim")))
    if view.is_old:
        now = Content.styled(f"{newest}, run {view.run}", text.phase_color(view.phase))
        parts.append((0, Content.assemble("newest: ", now)))
    return parts


def _state(phase: Phase, step: StepView | None = None) -> str:
    word = f"{phase} {text.clean(step.name)}" if step is not None else f"{phase}"
    return f"{text.PHASE_GLYPHS[phase]} {word}"


def _numbers(shown: RunResult, view: View) -> list[tuple[int, Content]]:
    verdict = shown.verdict
    assert verdict is not None
    metrics, output = verdict.metrics, verdict.output
    style = "bold" if view.is_current else "dim"
    source = (shown.source_sha256 or "")[:7]
    stale = [
        (0, text.badge("STALE", "$wb-warn")),
        (2, Content.styled(f"of run {shown.run} {source}", style)),
    ]
    of = [(2, Content.styled(source, style))] if view.is_old else stale
    correlation = words.metric_text("correlation", metrics.correlation)
    ill = words.ill_text(verdict)
    reference = words.range_text(output.reference_minimum, output.reference_maximum)
    device = words.range_text(output.minimum, output.maximum)
    return [
        *([] if view.is_current else of),
        *([(0, text.badge(ill.upper(), "$wb-fail"))] if ill else []),
        (0, Content.styled(f"corr {correlation}", style)),
        (1, Content.styled(f"max error {words.metric_text('max_abs', metrics.max_abs)}", style)),
        (5, Content.styled(f"range {device}", style)),
        (6, Content.styled(f"reference {reference}", "dim")),
    ]


def _missed(shown: RunResult) -> Iterator[Content]:
    """The criteria that aren't met, but for those whose metrics are told anyway."""
    assert shown.verdict is not None
    for result in shown.verdict.criteria:
        metric = result.criterion.metric
        if not result.met and metric not in ("correlation", "max_abs"):
            value = words.metric_text(metric, result.value)
            yield Content.styled(f"✗ {words.METRIC_NAMES[metric]} {value}", "$wb-fail")


def _causes_of(view: View) -> tuple[str, ...]:
    """The names of what to mend first, at most three; the problems say more of each."""
    verdict = view.shown.verdict if view.shown is not None else None
    if verdict is None or not (view.is_current or view.is_old):
        return ()
    from workbench.verdict.triage import headline

    return tuple(dict.fromkeys(text.clean(f.id) for f in headline(verdict.findings)))


def _changes(change: Change, *, pinned: bool) -> list[tuple[int, Content]]:
    """What became of the numbers and findings; a pinned baseline is worth more room."""
    rank = 2 if pinned else 4
    since = f"since {f'{text.BASELINE} ' if pinned else ''}run {change.before.run} "
    parts = []
    for name, label in (("correlation", f"{since}corr"), ("max_abs", "max error")):
        metric = change.metric(name)
        if metric is not None:
            parts.append(Content.assemble((label, "dim"), text.change_part(metric)))
    counts = ((change.gone, "gone", "$wb-pass"), (change.new, "new", "$wb-fail"))
    for findings, what, style in counts:
        if findings:
            plural = "s" if len(findings) > 1 else ""
            parts.append(Content.styled(f"{len(findings)} finding{plural} {what}", style))
    parts += [Content.styled(text.clean(other), "$wb-warn bold") for other in change.unlike]
    return [(rank + min(index, 1), part) for index, part in enumerate(parts)]


def _identity(view: View) -> Content:
    """The run; the most telling first, since the end is cut in narrow windows."""
    is_known = view.result is not None and (view.is_old or view.result.run == view.run)
    result = view.result if is_known else None
    run = view.run if result is None else result.run
    parts = [f"run {run}"] if run else []
    if result is not None and (view.is_old or view.phase is not Phase.RUNNING):
        if result.source_sha256:
            parts.append(result.source_sha256[:7])
        parts.append(words.seconds_text(result.seconds))
        if result.npu is not None and result.npu.cached:
            parts.append("build cached")
    saved = f"saved {view.kernel}"
    if not view.is_old and view.reason.startswith("saved ") and view.reason != saved:
        parts.append(text.clean(view.reason))
    parts.append(text.clean(view.kernel))
    if view.watching is not None and view.watching.polling_because is not None:
        parts.append(f"polling: {text.clean(view.watching.polling_because)}")
    if result is not None and result.set_name is not None:
        parts.append(f"inputs {text.clean(result.set_name)}, seed {result.seed}")
    if result is not None and result.comparison is not None:
        parts.insert(1, text.clean(result.comparison))
    if view.device is not None:
        parts.append(text.clean(view.device.reason))
    return Content.styled(" " + " · ".join(part for part in parts if part), "dim")
