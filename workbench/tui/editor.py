"""Opening a place in the user's editor.

An editor with a window of its own is started beside the app. One that needs the terminal gets it
for as long as it runs, and the event loop stands still until then. Whatever goes wrong is told as a
sentence, and the terminal is always taken back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from textual.app import SuspendNotSupported
from textual.widget import Widget

from workbench.errors import UsageError
from workbench.loop.problems import Place
from workbench.tui.editors import Editor, find_editor

START_S = 5.0
"""An editor with a window that ends with an error in this time has not opened."""


class Terminal(Protocol):
    """What is asked of the app."""

    def suspend(self) -> contextlib.AbstractContextManager[None]:
        """Give the terminal away."""


def open_place(widget: Widget, place: Place) -> None:
    """Open a place in the user's editor; without one, say why and copy the place."""

    def failed(reason: str) -> None:
        widget.app.copy_to_clipboard(str(place))
        told = f"{reason}\n{place} is copied (OSC 52)"
        widget.notify(told, title="no editor", severity="error", markup=False)

    try:
        editor = find_editor(place, os.environ)
        if editor.has_window:
            start(editor, failed)
            widget.notify(f"{place} in {editor.name}", markup=False)
        else:
            edit(widget.app, editor)
    except UsageError as error:
        failed(str(error))
    else:
        if place.line and not editor.knows_lines:
            told = f"{editor.name} can't be told a line: it is {place}"
            widget.notify(told, markup=False)


def edit(terminal: Terminal, editor: Editor) -> None:
    """Give the editor the terminal until it ends. Raises UsageError when it fails.

    Not for an app that doesn't run in a terminal.
    """
    failure: str | None = None
    try:
        with terminal.suspend():
            # Textual takes the terminal back only when nothing is raised in here.
            failure = _run(editor)
    except SuspendNotSupported:
        hint = "an editor with a window of its own can be opened from here"
        raise UsageError(f"{editor.name} needs a terminal", hint=hint) from None
    if failure is not None:
        raise UsageError(f"{editor.name} ({'$' + editor.variable}) {failure}")


def _run(editor: Editor) -> str | None:
    """Run it in our terminal and process group; what went wrong."""
    try:
        with _signals_wait():
            code = subprocess.run(editor.argv, check=False).returncode
    except (OSError, ValueError) as error:
        return f"could not be started: {getattr(error, 'strerror', None) or error}"
    if code < 0:
        return f"was ended by signal {-code}"
    return f"ended with exit {code}" if code else None


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """What asks us to end does so once the editor has ended; ctrl+c is the editor's alone.

    The handlers are ours, and not SIG_IGN, so that the editor doesn't inherit them.
    """
    waiting: list[int] = []
    wakeup = signal.set_wakeup_fd(-1)
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {n: signal.signal(n, lambda number, _: waiting.append(number)) for n in asked}
    try:
        yield
    finally:
        for asking, handler in before.items():
            signal.signal(asking, handler)
        signal.set_wakeup_fd(wakeup)
        for number in waiting:
            if number != signal.SIGINT:
                os.kill(os.getpid(), number)


def start(editor: Editor, on_failure: Callable[[str], None]) -> None:
    """Start an editor with a window of its own; it outlives us. Raises UsageError.

    `on_failure` is called in the event loop when it ends with an error at once.
    """
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            editor.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"{editor.name} could not be started: {reason}") from None
    loop = asyncio.get_running_loop()

    def wait() -> None:
        code = process.wait()
        if code and time.monotonic() - began < START_S:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is listening
                loop.call_soon_threadsafe(on_failure, f"{editor.name} ended with exit {code}")

    threading.Thread(target=wait, name=f"editor-{process.pid}", daemon=True).start()
