"""The main screen: events in, one `View`, and one method that paints it."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from workbench.build import StepResult
from workbench.loop import words
from workbench.loop.events import Event, Explained, LogLines, RunFinished, RunStarted, StepFinished
from workbench.loop.problems import Place, collect
from workbench.loop.result import RunResult
from workbench.loop.session import Session, look, look_at, pin, reduce
from workbench.loop.view import Phase, View, counts
from workbench.tui.actions import bindings
from workbench.tui.clipboard import copy
from workbench.tui.editor import open_place
from workbench.tui.jump import Jump
from workbench.tui.key_line import KeyLine
from workbench.tui.lines import is_seen
from workbench.tui.log_store import Heading
from workbench.tui.log_view import LogView
from workbench.tui.memory_map import MemoryMap
from workbench.tui.metrics_table import MetricsTable
from workbench.tui.minimap import MiniMap
from workbench.tui.overlay import open_over
from workbench.tui.panes import PanesView
from workbench.tui.pattern import compiled
from workbench.tui.problems import Problems
from workbench.tui.runs_strip import RunsStrip
from workbench.tui.signals import title_of
from workbench.tui.source_view import Mode, SourceView
from workbench.tui.stage_table import StageTable
from workbench.tui.step_strip import StepStrip
from workbench.tui.verdict_bar import VerdictBar
from workbench.tui.zoom import zoom, zoomed

TICK_S = 0.5
"""Between repaints of a running step's time."""

Clock = Callable[[], float]


class MainScreen(Screen[None]):
    """Holds the view and hands it to the widgets; what users wish goes to `rerun` and `cancel`."""

    BINDINGS = bindings("main")

    def __init__(
        self,
        kernel: str,
        *,
        rerun: Callable[[], None],
        cancel: Callable[[], None],
        pick: Callable[[], object] = lambda: None,
        ended: Callable[[RunResult], None] = lambda _: None,
        clock: Clock = time.monotonic,
    ) -> None:
        """`kernel` is its path as shown; `clock` counts seconds; a run's end goes to `ended`.

        `pick` lets the user choose another kernel.
        """
        super().__init__()
        self.session = Session(View(kernel=kernel))
        self._rerun, self._cancel, self._clock = rerun, cancel, clock
        self._ended, self._pick = ended, pick
        self._verdict = VerdictBar(self.view)
        self._steps = StepStrip()
        self._runs = RunsStrip()
        self._problems = Problems()
        self._metrics = MetricsTable()
        self._panes = PanesView()
        self._memory = MemoryMap()
        self._stages = StageTable()
        self._map = MiniMap()
        self._source = SourceView()
        self._log = LogView(classes="panel")
        self._logged_step = ""
        self._step_began = 0.0
        self._ticker: Timer | None = None
        self._paint_is_due = False
        self._wants_memory: bool | None = None
        self._came_from: Widget | None = None
        """What had the keys before a part was zoomed."""

    @property
    def view(self) -> View:
        """What is true right now, whatever the user looks at."""
        return self.session.view

    @property
    def parts(self) -> tuple[Widget, ...]:
        """The panes that can be zoomed, in the order in which `tab` goes through them."""
        return (
            *(self._problems, self._metrics, self._panes),
            *(self._memory, self._stages, self._map, self._source, self._log),
        )

    @property
    def _judged(self) -> tuple[Widget, ...]:
        """The parts whose numbers the verdict brings. Textual restyles all that is in a changed
        node: a class of the screen would cost it each time."""
        return self._metrics, self._panes, self._memory, self._map

    def compose(self) -> ComposeResult:
        """Verdict, steps, problems and metrics, panes, what explains them beside the log, keys."""
        for part in self.parts:
            part.add_class("part")
        yield self._verdict
        with Horizontal(classes="strips"):
            yield self._steps
            yield self._runs
        with Vertical(classes="body"):
            with Horizontal(classes="upper row"):
                yield self._problems
                yield self._metrics
            yield self._panes
            with Horizontal(classes="lower row"):
                yield self._memory
                yield self._stages
                yield self._map
                yield self._source
                with Vertical(classes="log row"):
                    yield self._log
        yield KeyLine()

    def on_mount(self) -> None:
        """Keys go to the panes until the user turns elsewhere."""
        self.set_class(self._stages.may_have_stages, "-stages")
        self._panes.focus()

    def receive(self, event: Event) -> None:
        """Take in an event of the engine. Events of older runs change nothing."""
        if not counts(self.view, event):
            return
        before = self.view.running_step
        self.session = reduce(self.session, event)
        step = self.view.running_step
        if step is not None and (before is None or before.name != step.name):
            self._step_began = self._clock()
        match event:
            case RunStarted():
                self._log.clear()
                self._logged_step = ""
            case StepFinished():
                self._log.append([Heading(_step_line(event.result))], event.result.name)
            case LogLines():
                self._append(event)
                return
            case RunFinished() if event.result.npu is not None:
                made_from = words.provenance_lines(event.result)
                self._append(LogLines(event.run, "made from", tuple(made_from)))
        if isinstance(event, RunFinished):
            self._ended(event.result)
        if isinstance(event, RunFinished | Explained):
            self._source.keep(event.result)
        self._paint_soon()

    def _paint_soon(self) -> None:
        if not self._paint_is_due:
            self._paint_is_due = True
            self.call_later(self._paint)

    def _append(self, event: LogLines) -> None:
        if event.step != self._logged_step:
            self._logged_step = event.step
            self._log.append([Heading(f"── {event.step}")], event.step)
        self._log.append(event.lines, event.step)

    def _paint(self) -> None:
        """Hand the view to the widgets, or what it is with an older run that is looked at."""
        self._paint_is_due = False
        session, view = self.session, self.session.painted
        pinned = session.baseline is not None
        change = session.change
        verdict = view.shown.verdict if view.shown is not None else None
        for part in self._judged:
            part.set_class(not view.is_current, "-stale")
        self.app.title = title_of(self.view)
        self._verdict.show(view, change, pinned=pinned)
        self._runs.show(session)
        self.set_class(self._runs.has_runs, "-runs")
        self._problems.show(collect(view), judged=view.is_current, mark=view.mark)
        self._source.show(view)
        self._metrics.show(
            view.shown, mark=view.mark, trend=session.trend, change=change if pinned else None
        )
        before = session.against if pinned else None
        self._panes.show(view.shown, mark=view.mark, before=before)
        self._memory.show(verdict, mark=view.mark)
        self._stages.show(view.shown, mark=view.mark)
        self.set_class(self._stages.may_have_stages, "-stages")
        self._show_memory()
        self._log.mark(f"of the newest run, {view.run}" if view.is_old else "")
        self._tick()
        self.refresh_bindings()

    def _tick(self) -> None:
        """Paint the steps; the ticker lives only while one runs."""
        running = self.view.running_step is not None
        elapsed_s = self._clock() - self._step_began if running else 0.0
        self._steps.show(self.session.painted.steps, elapsed_s)
        if running and self._ticker is None:
            self._ticker = self.set_interval(TICK_S, self._tick, name="running time")
        elif not running and self._ticker is not None:
            self._ticker.stop()
            self._ticker = None

    @property
    def ticks(self) -> bool:
        """Whether anything is repainted without an event: only a running step's time is."""
        return self._ticker is not None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Cancel is offered while something runs, a way back when there is one."""
        if action == "cancel":
            return self.view.phase is Phase.RUNNING
        if action == "back":
            return zoomed(self) is not None or self.session.looked_at is not None
        if action == "look_at_newest":
            return self.session.looked_at is not None
        if action == "next_pane":
            return is_seen(self._panes) and self._panes.has_others
        return super().check_action(action, parameters)

    def on_descendant_blur(self) -> None:
        """A part that is hidden loses the keys: give them to one that is seen."""
        if self.focused is None and self.app.app_focus:
            self._focus_first(self._memory, self._panes, self._problems)

    def _focus_first(self, *parts: Widget) -> None:
        self.set_focus(next((part for part in parts if is_seen(part)), None))

    def action_rerun(self) -> None:
        """Run what is on disk again."""
        self._rerun()

    def action_open(self) -> None:
        """Choose another kernel."""
        self._pick()

    def action_cancel(self) -> None:
        """Stop the run."""
        self._cancel()

    def action_problem(self, by: int) -> None:
        """Spell out another problem."""
        self._problems.step(by)

    def on_problems_selected(self, message: Problems.Selected) -> None:
        """The source goes along."""
        self._source.follow(message.problem)

    def action_source(self, mode: Mode) -> None:
        """Show the sources, or what has changed in them; once more puts them away."""
        if is_seen(self._source) and self._source.mode == mode:
            self._zoom(None)
        else:
            self._source.turn(mode)
            self._source.follow(self._problems.problem)
            self.show_part(self._source)

    def action_edit(self) -> None:
        """Open the problem's place in the user's editor, the kernel when it has none."""
        problem = self._problems.problem
        open_place(self, (problem and problem.place) or Place(self.view.kernel))

    def action_worst(self) -> None:
        """Go to the worst element."""
        self._panes.show_worst()

    def action_mismatch(self, by: int) -> None:
        """Go to the next or previous element that is over tolerance."""
        if not self._panes.show_mismatch(by):
            self.notify("no element is over tolerance", markup=False)

    def on_panes_view_moved(self, message: PanesView.Moved) -> None:
        """The map shows where the panes' window is."""
        self._map.show(message.elements, message.window, mark=message.mark)

    def on_mini_map_jumped(self, message: MiniMap.Jumped) -> None:
        """The panes go where the map was clicked."""
        self._panes.show_element(message.row, message.column)

    def show_part(self, part: Widget) -> None:
        """Give a part the keys, and the whole body where it isn't seen or another is zoomed."""
        if zoomed(self) is not None or not is_seen(part):
            self._zoom(part)
        self.call_after_refresh(self.set_focus, part)

    def action_part(self, by: int) -> None:
        """Go to the next or previous part; a zoomed one makes place for it."""
        shown = zoomed(self)
        seen = [part for part in self.parts if is_seen(part)]
        if shown is None and len(seen) == 1:
            shown = seen[0]
        if shown is not None:
            self.show_part(self.parts[(self.parts.index(shown) + by) % len(self.parts)])
        elif by > 0:
            self.focus_next()
        else:
            self.focus_previous()

    def action_zoom(self) -> None:
        """Give the part that has the keys the whole body, and back."""
        own = self.focused.ancestors_with_self if self.focused is not None else ()
        part = next((node for node in own if node in self.parts), self._panes)
        if zoomed(self) is None and isinstance(part, Widget):
            self.show_part(part)
            self._zoom(part)
        else:
            self._zoom(None)

    def action_back(self) -> None:
        """Show all parts again, or the newest run."""
        if zoomed(self) is not None:
            self._zoom(None)
        else:
            self.action_look_at_newest()

    def _zoom(self, part: Widget | None) -> None:
        """Show one part, or all of them: then the keys go to where they were before, if need be."""
        if part is not None and zoomed(self) is None:
            self._came_from = self.focused
        zoom(self, part)
        if part is None and self.focused is not None and not is_seen(self.focused):
            self._focus_back()
        self.refresh_bindings()

    def _focus_back(self) -> None:
        self._focus_first(*filter(None, (self._came_from,)), self._panes, self._problems)

    def action_jump(self) -> None:
        """Go to a part by its letter."""
        open_over(self.app, Jump(self.parts), self._jump_to)

    def _jump_to(self, part: Widget | None) -> None:
        if part is not None:
            self.show_part(part)

    def action_stages(self) -> None:
        """Show the stages."""
        self.show_part(self._stages)

    def action_next_pane(self) -> None:
        """Show other panes."""
        self._panes.show_others()

    def action_next_pair(self) -> None:
        """Compare another pair of reference, model and NPU."""
        if self._panes.show_next_pair() is None:
            self.notify("only a run on the NPU has more than one pair to compare", markup=False)

    def action_memory(self) -> None:
        """Show the memory map, or put it away."""
        self._zoom(None)
        self._wants_memory = not is_seen(self._memory)
        self._show_memory()
        if self._wants_memory:
            self._came_from = self.focused
            self.call_after_refresh(self._focus_first, self._memory)
        elif self.focused is self._memory:
            self._focus_back()

    def _show_memory(self) -> None:
        """Unasked, the map is shown where there is room and it tells a cause."""
        wish = self._wants_memory
        self.set_class(wish is True, "-memory")
        self.set_class(wish is None and self._memory.has_findings, "-memory-if-room")

    def action_look(self, by: int) -> None:
        """Look at the run before or after."""
        self._use(look(self.session, by), "there is no other run")

    def action_look_at_newest(self) -> None:
        """Show what is true right now."""
        self._use(look_at(self.session, self.view.run))

    def on_runs_strip_picked(self, message: RunsStrip.Picked) -> None:
        """Look at the run that was clicked."""
        self._use(look_at(self.session, message.run))

    def action_pin(self) -> None:
        """Make what is shown the baseline, or let it go."""
        before = self.session
        self._use(pin(before), "there is no verdict to pin")
        if self.session is not before:
            run = self.session.baseline
            told = "no baseline any more" if run is None else f"run {run} is the baseline"
            self.notify(told, markup=False)

    def _use(self, session: Session, else_say: str = "") -> None:
        if session is not self.session:
            self.session = session
            self._paint_soon()
        elif else_say:
            self.notify(else_say, markup=False)

    def action_compare(self) -> None:
        """Put two runs beside each other: the shown one, and the baseline or the one before."""
        from workbench.tui.comparison import ComparisonScreen  # seldom needed

        change, shown = self.session.change, self.session.painted.shown
        if change is None and shown is not None and shown.run == self.session.baseline:
            self.notify("this run is the baseline: look at another one to compare it", markup=False)
        elif change is None:
            self.notify("there is no other verdict to compare this one with", markup=False)
        else:
            open_over(self.app, ComparisonScreen(change))

    def action_search(self) -> None:
        """Ask what to look for in the log."""
        self._ask("look for", "", self._search)

    def action_filter(self) -> None:
        """Ask which lines of the log to show."""
        pattern = self._log.shown.pattern
        self._ask("only lines that match", pattern.pattern if pattern else "", self._filter)

    def _ask(self, asks: str, value: str, on_done: Callable[[str], None]) -> None:
        """A line to type in, under the log."""
        from workbench.tui.search_prompt import SearchPrompt  # seldom needed, slow to import

        if not is_seen(self._log):
            self.show_part(self._log)
        prompt = SearchPrompt(on_done, asks=asks, value=value)
        self.query_one(".log").mount(prompt)
        self.call_after_refresh(prompt.focus)

    def _search(self, needle: str) -> None:
        self._log.flush()
        self._log.search(needle)
        self.set_focus(self._log)

    def _filter(self, text: str) -> None:
        self._log.filter(compiled(text) if text else None)
        self.set_focus(self._log)

    def action_copy(self) -> None:
        """Copy the verdict line."""
        view = self.session.painted
        result = view.result
        if result is None:
            self.notify("there is no verdict to copy yet", markup=False)
            return
        stale = "" if not view.mark or result.verdict is None else f"{view.mark}: "
        copy(self, "the verdict line", f"{stale}{words.verdict_lines(result)[0]}")

    def action_follow(self) -> None:
        """Follow the log's end."""
        self._log.action_follow()

    async def action_quit(self) -> None:
        """Leave."""
        await self.app.action_quit()


def _step_line(step: StepResult) -> str:
    line = f"── {step.name} {step.status} in {words.seconds_text(step.seconds)}"
    return f"{line}: {shlex.join(step.command)}" if step.command else line
