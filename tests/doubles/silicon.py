"""What the pyxrt double's NPU does: it computes with the model, keeps time, and fails as told.

`run=WORD[@N][,WORD…]` among the words of `doubles.failing`: from the process's N-th run on (the
first by default). `run-record=FILE` gets a line of JSON for each call; `run-gate=FIFO` is what
`busy` waits for.
"""

from __future__ import annotations

import asyncio
import ctypes
import hashlib
import itertools
import json
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tests.doubles.failing import told

RUN_NS = 120_000
IDLE_NS = 130_000_000
SLOW_NS = 300_000_000

ENDINGS = {
    # state, seconds (None: the whole wait)
    "timeout": (8, None),
    "tdr": (8, 2.5),
    "abort": (6, 0.001),
    "late-abort": (6, 3.1),
    "error": (5, 0.001),
    "crashed": (11, 0.001),
    "running": (3, None),
    "queued": (2, None),
}


class Clock:
    """Time that passes only when the NPU takes some: nobody waits, and figures can be predicted."""

    def __init__(self) -> None:
        self.now_ns = 0

    def install(self) -> None:
        time.perf_counter_ns = lambda: self.now_ns
        time.sleep = lambda seconds: self.advance(int(float(seconds) * 1e9))

    def advance(self, nanoseconds: int) -> None:
        self.now_ns += nanoseconds


clock = Clock()


def _faults() -> dict[str, int]:
    words = told().get("run", "").split(",")
    pairs = (word.partition("@") for word in words if word)
    return {name: int(number or 1) for name, _, number in pairs}


class Faults:
    """Which of the faults asked for apply, by the runs so far."""

    def __init__(self) -> None:
        self._from = _faults()
        self.runs = 0
        self.opens = 0

    def active(self, name: str) -> bool:
        return name in self._from and max(self.runs, 1) >= self._from[name]

    def among_first(self, name: str, number: int) -> bool:
        """For what fails only the first times: `name@N` fails N times."""
        return number <= self._from.get(name, 0)


faults = Faults()


def note(**what: Any) -> None:
    """A line in the record."""
    if path := told().get("run-record"):
        with open(path, "a") as file:
            print(json.dumps(what), file=file)


def misuse(what: str) -> None:
    """Something that the real pyxrt would swallow, and no correct caller does."""
    note(misuse=what)
    print(f"pyxrt double: {what}", file=sys.stderr)


def _note_signals() -> None:
    """A line for each SIGTERM, which goes on to whoever handles it."""
    handler = signal.getsignal(signal.SIGTERM)

    def noted(number: int, frame: Any) -> None:
        note(call="term")
        if callable(handler):
            handler(number, frame)

    signal.signal(signal.SIGTERM, noted)


class Silicon:
    """A design loaded onto the NPU: its state lasts from run to run."""

    def __init__(self, content: dict[str, Any], path: Path) -> None:
        self._content = content
        self._folder = path.absolute().parent / ".pyxrt-double"
        self._context: Any = None
        self._runs = 0
        self.dead = False

    def compute(self, buffers: list[bytes]) -> list[bytes] | None:
        """The buffers after the sequence; None when it never ends."""
        import numpy as np

        from workbench.errors import DeadlockError, DesignError

        try:
            if self._context is None:
                self._context = self._load([len(buffer) for buffer in buffers])
            after = self._context.run([np.frombuffer(buffer, np.uint8) for buffer in buffers])
        except DeadlockError:
            return None
        except DesignError as error:
            misuse(f"the design can't run on these buffers: {error}")
            return None
        self._runs += 1
        return self._spoiled(buffers, [buffer.tobytes() for buffer in after])

    def wait(self) -> None:
        """What keeps a caller waiting in earnest."""
        if faults.active("busy"):
            _note_signals()
            note(call="busy")
            os.close(os.open(told()["run-gate"], os.O_RDONLY))
        if faults.active("hang"):
            note(call="hang")
            holding_the_gil = ctypes.PyDLL(None)
            while True:
                holding_the_gil.pause()
        if faults.active("die"):
            os.abort()

    def take_time(self) -> None:
        """A run's time: 120 us and a little, more when asked for."""
        first = faults.runs == 1
        if faults.active("slow"):
            clock.advance(SLOW_NS)
        elif first and faults.active("idle"):
            clock.advance(IDLE_NS)
        else:
            clock.advance(RUN_NS + 1_000 * (faults.runs % 5))

    def _spoiled(self, before: list[bytes], after: list[bytes]) -> list[bytes]:
        """The results with what went wrong; only buffers that the design wrote."""
        found = []
        for old, new in zip(before, after, strict=True):
            if old == new:
                found.append(new)
            elif faults.active("garbage"):
                found.append(random.Random(faults.runs).randbytes(len(new)))
            elif faults.active("zeros"):
                found.append(bytes(len(new)))
            elif faults.active("unwritten"):
                found.append(new[: len(new) // 2] + old[len(new) // 2 :])
            elif faults.active("alternate") and self._runs % 2 == 1:
                found.append(bytes(byte ^ 0x55 for byte in new[:64]) + new[64:])
            else:
                found.append(new)
        return found

    def _load(self, sizes: list[int]) -> Any:
        """The design on the model device, with its kernels compiled."""
        from workbench.build import build_kernel, find_clang
        from workbench.device.model.context import Context
        from workbench.device.model.stored import stored_design

        text = self._content["design"]
        cache = self._folder
        cache.mkdir(exist_ok=True)
        design = cache / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.mlir"
        design.write_text(text)

        async def built(source: str) -> Path:
            log: list[str] = []
            made = await build_kernel(source, find_clang(), cache, log.extend, 60)
            if made.library is None:
                raise RuntimeError("\n".join(log))
            return made.library

        libraries = {
            name: asyncio.run(built(self._compiled(name, source)))
            for name, source in self._content["sources"].items()
        }
        copies = (cache / f"{os.getpid()}-{id(self)}-{n}.so" for n in itertools.count())
        return Context(
            stored_design(str(design), cache, None, None),
            libraries,
            sizes,
            self._content.get("allocation", "bank-aware"),
            copies,
        )

    def _compiled(self, name: str, source: str) -> str:
        """The text that the object was made from, which the source may no longer hold."""
        text = self._content.get("texts", {}).get(name)
        if text is None or Path(source).read_text() == text:
            return source
        copy = (
            self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}-{Path(source).name}"
        )
        copy.write_text(text)
        return str(copy)
