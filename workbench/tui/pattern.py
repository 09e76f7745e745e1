"""Patterns that users type: compiled, and never matched for longer than a moment."""

from __future__ import annotations

import contextlib
import re
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from workbench.errors import UsageError


def compiled(text: str) -> re.Pattern[str]:
    """A regular expression; capitals count only where it has some.

    Raises UsageError, which says where it is broken.
    """
    try:
        return re.compile(text, 0 if text != text.lower() else re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(f"{text} is no regular expression: {error}") from error


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """TimeoutError out of the middle of a match, too; no limit where there are no such signals.

    A pattern such as `(a|aa)+$` takes time exponential in the line's length, and Python's `re`
    gives way to nothing but a signal's handler, in the main thread.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGALRM"):
        yield
        return
    armed = True

    def end(_number: int, _frame: FrameType | None) -> None:
        if armed:
            raise TimeoutError

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
