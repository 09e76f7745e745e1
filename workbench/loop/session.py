"""The session's runs: which have ended, which of them is looked at, and which is the baseline.

A pure fold like `view`, and on top of it: what `view` doesn't take in changes nothing here. An
older run that is looked at is never current.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from workbench.loop.change import Change, compare, unlike
from workbench.loop.events import Event, RunStarted
from workbench.loop.result import RunResult
from workbench.loop.view import StepView, View
from workbench.loop.view import reduce as reduce_view

if TYPE_CHECKING:
    from workbench.verdict import Metrics

KEPT = 50
"""Ended runs that are kept; those in use (newest, looked at, baseline) whatever their age."""

KEPT_BYTES = 128 * 2**20
"""What their tensors may take: of large ones fewer runs are kept."""


@dataclass(frozen=True, slots=True)
class Session:
    """The view, and the runs that have ended, oldest first.

    `runs` has what `check` would have said of each; what they were made of is let go but for the
    newest. `looked_at` and `baseline` are ids of kept runs, None when there is none; the newest
    ended run is never `looked_at`, it is what the view shows by itself.
    """

    view: View = field(default_factory=View)
    runs: tuple[RunResult, ...] = ()
    looked_at: int | None = None
    baseline: int | None = None

    def run(self, run: int | None) -> RunResult | None:
        """The kept run of this id."""
        return next((result for result in self.runs if result.run == run), None)

    @property
    def painted(self) -> View:
        """What is to be painted: the view, or with an older run in place of what it shows."""
        old = self.run(self.looked_at)
        if old is None:
            return self.view
        shown = old if old.verdict is not None else None
        steps = tuple(StepView(step.name, step.status, step.seconds) for step in old.steps)
        return replace(
            self.view, result=old, shown=shown, is_current=False, is_old=True, steps=steps
        )

    @property
    def against(self) -> RunResult | None:
        """What the shown run is compared with: the baseline, else the judged run before.

        That one only if it differs in nothing but the kernel.
        """
        shown = self.painted.shown
        if shown is None:
            return None
        if self.baseline is not None:
            return self.run(self.baseline) if self.baseline != shown.run else None
        return next((run for run in reversed(self._alike(shown)) if run.run < shown.run), None)

    @property
    def change(self) -> Change | None:
        """From `against` to the shown run."""
        before, after = self.against, self.painted.shown
        return compare(before, after) if before is not None and after is not None else None

    @property
    def trend(self) -> tuple[Metrics, ...]:
        """The metrics of the shown run and, before it, of judged runs that compare with it."""
        shown = self.painted.shown
        if shown is None:
            return ()
        before = [run for run in self._alike(shown) if run.run < shown.run]
        return tuple(run.verdict.metrics for run in (*before, shown) if run.verdict is not None)

    def _alike(self, shown: RunResult) -> tuple[RunResult, ...]:
        return tuple(r for r in self.runs if r.verdict is not None and not unlike(r, shown))


def reduce(session: Session, event: Event) -> Session:
    """The session after `event`; the same session when the event is of an older run.

    A run that starts ends the look at an older one: what was saved is what people want to see.
    """
    before, view = session.view, reduce_view(session.view, event)
    if view is before:
        return session
    session = replace(session, view=view)
    if isinstance(event, RunStarted):
        session = replace(session, looked_at=None)
    if view.result is not None and view.result is not before.result:
        session = _kept(replace(session, runs=_with(session.runs, view.result)))
    return session


def look(session: Session, by: int) -> Session:
    """Look at the run before (-1) or after (1); the same session where there is none."""
    ids = [result.run for result in session.runs]
    if not ids:
        return session
    at = ids.index(session.looked_at) if session.looked_at is not None else len(ids) - 1
    return look_at(session, ids[min(max(at + by, 0), len(ids) - 1)])


def look_at(session: Session, run: int) -> Session:
    """Look at this run; at the newest, and at what isn't kept, as the view shows it."""
    old = run if any(result.run == run for result in session.runs[:-1]) else None
    return session if old == session.looked_at else replace(session, looked_at=old)


def pin(session: Session) -> Session:
    """Make the shown run the baseline, or none if it is; the same session if it isn't judged."""
    shown = session.painted.shown
    kept = session.run(shown.run) if shown is not None else None
    if kept is None or kept.verdict is None:
        return session
    return replace(session, baseline=None if session.baseline == kept.run else kept.run)


def _with(runs: tuple[RunResult, ...], result: RunResult) -> tuple[RunResult, ...]:
    """The runs and a new one, or what more is known of the newest."""
    if runs and runs[-1].run == result.run:
        return (*runs[:-1], result)
    return (*(replace(run, materials=None) if run.materials else run for run in runs), result)


def _kept(session: Session) -> Session:
    """Let go of the oldest runs over the limits, but for those that are in use."""
    used = (session.looked_at, session.baseline, session.runs[-1].run)
    runs = _dropped(session.runs, used, lambda _: 1, KEPT)
    return replace(session, runs=_dropped(runs, used, _bytes, KEPT_BYTES))


def _dropped(
    runs: tuple[RunResult, ...],
    used: tuple[int | None, ...],
    size: Callable[[RunResult], int],
    limit: int,
) -> tuple[RunResult, ...]:
    over = sum(map(size, runs)) - limit
    kept = []
    for run in runs:
        if over > 0 and run.run not in used:
            over -= size(run)
        else:
            kept.append(run)
    return tuple(kept)


def _bytes(result: RunResult) -> int:
    judged = (result.verdict, result.model)
    return sum(v.device.nbytes + v.reference.nbytes for v in judged if v is not None)
