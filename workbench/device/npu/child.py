"""The process that drives the NPU: `python -m workbench.device.npu.child`.

pyxrt's wait holds the interpreter's lock and a driver can abort its process: neither may happen to
the workbench. It reads one JSON request on stdin, and answers with JSON lines on stdout:
{"waiting"} with the holder's process id when another workbench has the device, {"locked"} when it
is ours, then one of {"done"}, {"failed"} (XRT refused something) and {"ended"} (a run did not
complete). What XRT prints goes to stderr, with our own progress.

SIGTERM ends it between two runs, never while the NPU has one: whoever sends it waits.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.device.npu.lock import device_lock
from workbench.device.npu.xrt import Context, EndedError, FailedError, Npu, doing
from workbench.process import die_with_parent

Answer = Callable[..., None]

STOPPED = 128 + signal.SIGTERM
"""Exit code after a SIGTERM."""


class Stop:
    """SIGTERM: the end at once, until `defer`; from there on at the next `check`."""

    def __init__(self) -> None:
        self._asked = False
        self._deferred = False
        signal.signal(signal.SIGTERM, self._on_term)

    def defer(self) -> None:
        """Nothing is interrupted from here on."""
        self._deferred = True

    def check(self) -> None:
        """End the process if that was asked for."""
        if self._asked:
            sys.exit(STOPPED)

    def _on_term(self, *_: object) -> None:
        self._asked = True
        if not self._deferred:
            sys.exit(STOPPED)


def main() -> int:
    """Answer one request; exit code 0 also for an error that is an answer."""
    stop = Stop()
    die_with_parent(by=signal.SIGTERM)
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    text = sys.stdin.readline()
    if not text:
        return 0
    try:
        _answer(json.loads(text), stop, answer)
    except FailedError as error:
        answer(failed=[error.doing, error.text])
    except EndedError as error:
        answer(ended=_ended(1, error))
    return 0


def _answer(request: dict[str, Any], stop: Stop, answer: Answer) -> None:
    def wait(holder: int | None) -> None:
        answer(waiting=holder)

    with ExitStack() as held:
        with doing("lock the NPU"):
            held.enter_context(device_lock(Path(request["lock"]), request["owner"], wait))
        stop.defer()
        answer(locked=True)
        answer(done=_execute(request, stop))


@dataclass(slots=True)
class _Done:
    """What the runs gave, as far as they came."""

    runs: list[list[bytes]] = field(default_factory=list)
    refilled: list[bytes] = field(default_factory=list)
    first_ns: int = 0
    burst_ns: list[int] = field(default_factory=list)
    ended: dict[str, Any] | None = None


def _execute(request: dict[str, Any], stop: Stop) -> dict[str, Any]:
    with doing("import pyxrt"):
        pyxrt = importlib.import_module("pyxrt")
    folder = Path(request["folder"])
    with doing("read the instructions"):
        instructions = Path(request["instructions"]).read_bytes()
    contents = _parts((folder / "input.bin").read_bytes(), request["sizes"])
    npu = Npu(pyxrt, request["xclbin"], instructions, request["wait_ms"])
    try:
        _say(npu.name)
        done = _run(npu, request, contents, stop)
    finally:
        npu.close()
    with open(folder / "output.bin", "wb") as file:
        for buffers in (*done.runs, done.refilled):
            file.writelines(buffers)
    return {
        "name": npu.name,
        "runs": len(done.runs),
        "first_ns": done.first_ns,
        "burst_ns": done.burst_ns,
        "ended": done.ended,
    }


def _run(npu: Npu, request: dict[str, Any], contents: list[bytes], stop: Stop) -> _Done:
    """The runs of both contexts.

    The refilled one comes first: a later run that hangs then costs repeats and times, no result.
    """
    first, second = (_filled(contents, request["outputs"], fill) for fill in request["fills"])
    sizes = request["sizes"]
    done = _Done()
    stop.check()
    with npu.context(sizes) as context:
        done.refilled, done.first_ns = context.run(second)
        _say(f"first run: {done.first_ns / 1e3:,.0f} us")
    stop.check()
    with npu.context(sizes) as context:
        try:
            for number in range(request["runs"]):
                stop.check()
                result, nanoseconds = context.run(first)
                done.runs.append(result)
                _say(f"run {number + 1} of {request['runs']}: {nanoseconds / 1e3:,.0f} us")
            if request["runs"] > 1:
                _burst(context, request["burst"], request["burst_limit_s"], stop, done.burst_ns)
        except EndedError as error:
            if not done.runs:
                raise
            done.ended = _ended(len(done.runs) + len(done.burst_ns) + 1, error)
    return done


def _burst(context: Context, count: int, limit_s: float, stop: Stop, times: list[int]) -> None:
    end = time.perf_counter_ns() + limit_s * 1e9
    while len(times) < count and time.perf_counter_ns() < end:
        stop.check()
        times.append(context.run_again())


def _ended(run: int, error: EndedError) -> dict[str, Any]:
    return {"run": run, "state": error.state, "seconds": error.seconds}


def _filled(contents: list[bytes], outputs: list[bool], fill: int) -> list[bytes]:
    """The buffers with their outputs filled, so that what nobody writes is known afterwards."""
    return [
        bytes([fill]) * len(content) if output else content
        for content, output in zip(contents, outputs, strict=True)
    ]


def _parts(whole: bytes, sizes: list[int]) -> list[bytes]:
    parts, start = [], 0
    for size in sizes:
        parts.append(whole[start : start + size])
        start += size
    return parts


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
