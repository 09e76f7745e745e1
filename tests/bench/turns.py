"""The app, noting each turn of its event loop that took long: `python -m tests.bench.turns FILE …`.

A line of FILE is a turn: when it ended (time.monotonic()), its seconds, and what it was.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

from workbench.cli import main

LONG_S = 0.01


def note_turns(file: Path) -> None:
    """From here on note each turn over LONG_S."""
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        started = time.monotonic()
        try:
            run(handle)
        finally:
            ended = time.monotonic()
            if ended - started > LONG_S:
                with file.open("a") as notes:
                    notes.write(f"{ended} {ended - started} {handle!r}\n")

    asyncio.Handle._run = timed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    note_turns(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
