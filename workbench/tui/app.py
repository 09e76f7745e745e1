"""The app: one screen, one worker that runs the engine, a way out that leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

from textual import work
from textual.screen import Screen
from textual.theme import Theme

from workbench import process
from workbench.defect import defect
from workbench.errors import ExitCode, WorkbenchError
from workbench.loop.events import Event
from workbench.loop.kernels import Kernels, find_kernels
from workbench.loop.result import RunResult
from workbench.settings import Settings, load_settings
from workbench.tui.base import BaseApp
from workbench.tui.keymap import keymap_of
from workbench.tui.picker import Picker
from workbench.tui.screen import Clock, MainScreen
from workbench.tui.signals import is_long, title_of
from workbench.tui.themes import ThemeFile, load_theme, theme_for_terminal

if TYPE_CHECKING:  # NumPy comes with it; the app paints before it needs that
    from workbench.loop.target import Options

CLOSE_LIMIT_S = 3.0
"""Longest wait for the engine to end; whatever then still runs is killed."""

WIDTHS = [(0, "-tiny"), (60, "-narrow"), (110, "-wide"), (140, "-broad")]
HEIGHTS = [(0, "-flat"), (22, "-short"), (28, "-medium"), (40, "-tall")]
"""Classes of the screen from this many columns or rows on."""

Emit = Callable[[Event], None]


class Engine(Protocol):
    """What the app asks of the engine; see `loop.engine`."""

    async def watch(self) -> None:
        """One run, then one for every save, until cancelled."""

    def rerun(self) -> None:
        """Run what is on disk."""

    def cancel(self) -> None:
        """Stop the run."""

    async def close(self) -> None:
        """Kill whatever still runs."""


MakeEngine = Callable[["Options", Emit], Engine]


def load_engine() -> MakeEngine:
    """The real engine; importing it takes a while."""
    from workbench.loop.engine import Engine

    return Engine


GONE = 128 + signal.SIGHUP
"""The exit code when the page that shows the app has gone."""


class WorkbenchApp(BaseApp):
    """Starts the engine once the first screen is painted, and closes it on the way out."""

    CSS_PATH = Path(__file__).with_name("app.tcss")
    HORIZONTAL_BREAKPOINTS = WIDTHS
    VERTICAL_BREAKPOINTS = HEIGHTS
    SIGNALS: ClassVar[tuple[signal.Signals, ...]] = (
        signal.SIGTERM,
        signal.SIGHUP,
        signal.SIGINT,
    )

    def __init__(
        self,
        options: Options,
        load: Callable[[], MakeEngine] = load_engine,
        clock: Clock = time.monotonic,
        theme: Theme | ThemeFile | None = None,
        kernels: Kernels | None = None,
        settings: Settings | None = None,
    ) -> None:
        """`theme` is Textual's default unless given; `kernels` are to be picked from first.

        Raises SettingsError for keys in `settings` that there aren't.
        """
        settings = settings or Settings()
        super().__init__(theme, keymap_of(settings.keys))
        self._signals = settings.screen
        self.error: str | None = None
        self._options = options
        self._load_engine = load
        self._engine: Engine | None = None
        self._kernels = kernels
        self._clock = clock
        self._main = self._screen_of(options.kernel)

    @property
    def output(self) -> Path:
        """Where screenshots go."""
        return self._options.project / ".workbench"

    def _screen_of(self, kernel: str) -> MainScreen:
        return MainScreen(
            kernel,
            rerun=self._rerun,
            cancel=self._cancel_run,
            pick=self._pick,
            ended=self._run_ended,
            clock=self._clock,
        )

    def get_default_screen(self) -> Screen[None]:
        """The one screen, or what it is picked from."""
        return self._main if self._kernels is None else Picker(self._kernels, self._open)

    def on_mount(self) -> None:
        """Paint first; the engine's imports come after."""
        for number in self.SIGNALS:
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test
                asyncio.get_running_loop().add_signal_handler(number, self._on_signal, number)
        if self._kernels is None:
            self.call_after_refresh(self._start)

    def _open(self, kernel: str) -> None:
        """Go on with the kernel that was picked."""
        self._options = replace(self._options, kernel=kernel)
        self._main = self._screen_of(kernel)
        self.push_screen(self._main)
        self.call_after_refresh(self._start)

    @work(group="pick", exclusive=True)
    async def _pick(self) -> None:
        """Let the user choose another kernel of the project, over the one that is open."""
        kernels = await asyncio.to_thread(find_kernels, self._options.project)
        if self.screen is self._main:
            self.push_screen(Picker(kernels, self._reopen))

    @work(group="pick", exclusive=True)
    async def _reopen(self, kernel: str) -> None:
        """Go on with another kernel in place of the one that is open."""
        if not isinstance(self.screen, Picker):
            return
        self.pop_screen()
        if kernel != self._options.kernel:
            self.workers.cancel_group(self, "engine")
            await self._close_engine()
            # What was said of the kernel before doesn't hold for this one.
            self._options = replace(
                self._options, kernel=kernel, spec=None, design=None, set_name=None
            )
            self._main = self._screen_of(kernel)
            # Textual 8.2 can't replace the first screen.
            put = self.push_screen if len(self.screen_stack) == 1 else self.switch_screen
            put(self._main)
            self.call_after_refresh(self._start)

    def _start(self) -> None:
        self.run_worker(self._run_engine(), name="engine", group="engine")

    async def _run_engine(self) -> None:
        try:
            make_engine = await asyncio.to_thread(self._load_engine)
            gc.freeze()  # modules and screens stay: no collection has to walk through them
            self._engine = make_engine(self._options, self._main.receive)
            await self._engine.watch()
        except WorkbenchError as error:
            self._leave(str(error), error.exit_code)
        except Exception as error:
            self._leave(defect("the engine", error, self._options.project), ExitCode.USAGE)

    def _fatal_error(self) -> None:
        """A defect of the screen ends with one sentence, where Textual 8.2 prints a traceback.

        Textual calls this while the exception is handled; it has no public way to replace it.
        """
        error = sys.exc_info()[1]
        if isinstance(error, BrokenPipeError):
            self.exit(return_code=GONE)
        elif error is not None and self.error is None:
            self._leave(defect("the screen", error, self._options.project), ExitCode.USAGE)

    def _leave(self, error: str, code: int) -> None:
        self.error = error
        self.exit(return_code=code)

    async def on_unmount(self) -> None:
        """Nothing of ours runs on."""
        await self._close_engine()
        process.kill_all()

    async def _close_engine(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(engine.close(), CLOSE_LIMIT_S)

    def _rerun(self) -> None:
        if self._engine is not None:
            self._engine.rerun()

    def _cancel_run(self) -> None:
        if self._engine is not None:
            self._engine.cancel()

    def _run_ended(self, result: RunResult) -> None:
        """Tell who has turned elsewhere meanwhile, where the settings ask for that."""
        if not is_long(result, self._signals):
            return
        if self._signals.signal == "bell":
            self.bell()
        else:
            self.send_notification(title_of(self._main.view))

    def _on_signal(self, number: int) -> None:
        # With the terminal gone a write may block for good: the thread ends us then.
        last_resort = threading.Timer(CLOSE_LIMIT_S + 1, _die, (128 + number,))
        last_resort.daemon = True
        last_resort.start()
        self.exit(return_code=128 + number)


def run_app(options: Options, theme: str | None = None, kernels: Kernels | None = None) -> int:
    """Run the app in this terminal, on one of `kernels` where they are given; its exit code.

    `theme` is the settings' unless given, else one that suits the terminal. Raises UsageError for
    one that isn't there or is broken, SettingsError for settings that are.
    """
    settings = load_settings(options.project)
    name = theme or settings.screen.theme or theme_for_terminal()
    chosen = ThemeFile(name) if name.endswith(".toml") else load_theme(name)
    app = WorkbenchApp(options, theme=chosen, kernels=kernels, settings=settings)
    try:
        app.run()
    except BrokenPipeError:  # there is nobody to tell
        return GONE
    if app.error is not None:
        print(app.error, file=sys.stderr)
    return app.return_code or 0


def _die(code: int) -> None:
    process.kill_all()
    os._exit(code)
