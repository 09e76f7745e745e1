"""The verdict line: is my last save good? State, device, numbers, and what they are of."""

from __future__ import annotations

from textual.content import Content

from workbench.loop import words
from workbench.loop.result import RunResult
from workbench.loop.view import Phase, View
from workbench.tui import text
from workbench.tui.lines import Lines, flow


class VerdictBar(Lines):
    """State and numbers above, identity in the last row; parts that don't fit are left out."""

    DEFAULT_CSS = "VerdictBar { height: 2; }"

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view

    def show(self, view: View) -> None:
        """Paint this view."""
        self._view = view
        self.changed()

    def lines(self, width: int, height: int) -> list[Content]:
        """The verdict's lines."""
        upper = flow(_parts(self._view), width, max(1, height - 1))
        return [*upper, *[Content("")] * (height - 1 - len(upper)), _identity(self._view)]


def _parts(view: View) -> list[tuple[int, Content]]:
    """State, device and numbers, each with its rank; rank 0 is never left out."""
    step = view.running_step
    word = f"{view.phase} {text.clean(step.name)}" if step else str(view.phase)
    glyph = text.PHASE_GLYPHS[view.phase]
    parts = [(0, text.badge(f"{glyph} {word}", text.phase_color(view.phase)))]
    if view.phase is Phase.CANCELLED and view.reason:
        parts.append((4, Content(text.clean(view.reason))))
    if view.device is not None:
        kind = view.device.kind
        parts.append((0, text.badge(kind.upper(), f"$wb-{kind}")))
        parts.append((5, Content.styled(text.clean(view.device.name), "bold")))
    if view.shown is not None:
        if view.device is not None and view.shown.device.kind != view.device.kind:
            kind = view.shown.device.kind
            parts.append((0, text.badge(f"{kind.upper()}'S", f"$wb-{kind}")))
        parts.extend(_numbers(view.shown, is_current=view.is_current))
    elif view.phase not in (Phase.STARTING, Phase.RUNNING):
        parts.append((3, Content.styled("no verdict yet", "dim")))
    return parts


def _numbers(shown: RunResult, *, is_current: bool) -> list[tuple[int, Content]]:
    verdict = shown.verdict
    assert verdict is not None
    metrics, output = verdict.metrics, verdict.output
    style = "bold" if is_current else "dim"
    stale = [
        (0, text.badge("STALE", "$wb-warn")),
        (2, Content.styled(f"of run {shown.run} {(shown.source_sha256 or '')[:7]}", style)),
    ]
    correlation = words.metric_text("correlation", metrics.correlation)
    ill = words.ill_text(verdict)
    reference = words.range_text(output.reference_minimum, output.reference_maximum)
    device = words.range_text(output.minimum, output.maximum)
    return [
        *([] if is_current else stale),
        *([(0, text.badge(ill.upper(), "$wb-fail"))] if ill else []),
        (0, Content.styled(f"corr {correlation}", style)),
        (1, Content.styled(f"max error {words.metric_text('max_abs', metrics.max_abs)}", style)),
        (3, Content.styled(f"range {device}", style)),
        (4, Content.styled(f"reference {reference}", "dim")),
    ]


def _identity(view: View) -> Content:
    """The newest run; the most telling first, since the end is cut in narrow windows."""
    parts = [f"run {view.run}"] if view.run else []
    result = view.result if view.result is not None and view.result.run == view.run else None
    if result is not None and view.phase is not Phase.RUNNING:
        if result.source_sha256:
            parts.append(result.source_sha256[:7])
        parts.append(words.seconds_text(result.seconds))
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
