"""How far many runs are, on stderr: a line that changes in a terminal, elsewhere one at times."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from workbench.trials.trial import Trial

PAUSE_S = {True: 0.1, False: 2.0}
"""Between two lines: in a terminal, and elsewhere."""


class Progress:
    """Tells of each trial that ends."""

    def __init__(self, count: int, talk: Callable[[str], None]) -> None:
        """`talk` writes one line to a person."""
        self._count = count
        self._talk = talk
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._started = self._told = time.monotonic()
        self._done = self._failed = 0

    def done(self, trial: Trial) -> None:
        """A trial has ended."""
        self._done += 1
        self._failed += trial.status != "pass"
        now = time.monotonic()
        if now - self._told >= PAUSE_S[self._terminal] or self._done == self._count:
            self._told = now
            self._tell(self._line(now - self._started))

    def close(self) -> None:
        """Leave the terminal's line."""
        if self._terminal:
            self._write("\r\x1b[K")

    def _line(self, seconds: float) -> str:
        rate = self._done / max(seconds, 1e-3)
        left = (self._count - self._done) / rate
        failed = f"{self._failed:,} don't pass, " if self._failed else ""
        minutes, rest = divmod(round(left), 60)
        return (
            f"{self._done:,} of {self._count:,} cases, {failed}{rate:.1f} runs/s, "
            f"{minutes}:{rest:02} left"
        )

    def _tell(self, line: str) -> None:
        if self._terminal:
            self._write(f"\r\x1b[K{line}")
        else:
            self._talk(line)

    def _write(self, text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:  # nobody is listening
            self._terminal = False
