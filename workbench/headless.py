"""The front end without a terminal UI: `check` and `watch`. stdout is data, stderr is talk."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import asdict
from typing import Any, TextIO

from workbench.errors import ExitCode
from workbench.loop.engine import Engine
from workbench.loop.events import (
    Event,
    Explained,
    LogLines,
    Missing,
    ModelJudged,
    PhaseSeen,
    Reverted,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.record import record, to_json
from workbench.loop.result import RunResult
from workbench.loop.target import Options
from workbench.loop.words import explained_lines, plain, verdict_lines


def check(options: Options, *, as_json: bool) -> int:
    """One run; prints the verdict, if there is one, and returns the exit code."""
    out = _Stdout()

    def tell(event: Event) -> None:
        if isinstance(event, LogLines):
            talk(*event.lines)

    async def go(engine: Engine) -> int:
        result = await engine.check()
        if as_json:
            out.write([to_json(record(result))])
        elif result.verdict is not None:
            out.write(map(plain, verdict_lines(result)))
        if result.error is not None:
            talk(f"npu-workbench: {result.error}")
        return result.exit_code

    return _run(options, tell, go, out)


def functions(options: Options, *, as_json: bool) -> int:
    """Sweep the kernel's helpers; prints how they differ, and returns the exit code."""
    from workbench.loop.curve import function_lines
    from workbench.loop.functions import function_record, sweep_functions

    _accept_any_text()
    result = asyncio.run(sweep_functions(options, lambda lines: talk(*lines)))
    lines = [to_json(function_record(result))] if as_json else function_lines(result)
    _Stdout().write(map(plain, lines))
    return result.exit_code


def sweep(
    options: Options,
    sets: str | None,
    seeds: int,
    *,
    jobs: int | None,
    scheduler: str | None,
    as_json: bool,
) -> int:
    """Many input sets and seeds; prints the worst first, and returns the worst's exit code."""
    from workbench.trials.progress import Progress
    from workbench.trials.run import run_all
    from workbench.trials.sweep import Sweep, all_cores, cases_of

    out = _Stdout()

    async def work() -> int:
        cases = await cases_of(options, sets, seeds, lambda lines: talk(*lines))
        progress = Progress(len(cases), talk)
        started = time.monotonic()
        try:
            if scheduler is None:
                trials = await run_all(cases, jobs or all_cores(), progress.done)
            else:
                from workbench.trials.cluster import run_on_cluster

                trials = await run_on_cluster(scheduler, cases, progress.done)
        finally:
            progress.close()
        worst_first = sorted(trials, key=lambda trial: trial.rank)
        swept = Sweep(options, tuple(worst_first), time.monotonic() - started)
        out.write([to_json(swept.to_json())] if as_json else map(plain, swept.lines()))
        return swept.exit_code

    return _until_done(work, out)


def ablate(options: Options, *, jobs: int | None, as_json: bool) -> int:
    """The fix matrix of one case; prints it, and returns the exit code of the kernel as it is."""
    from workbench.trials import matrix
    from workbench.trials.sweep import all_cores, case_of

    out = _Stdout()

    async def work() -> int:
        case, switches = await case_of(options, lambda lines: talk(*lines))
        made = await matrix.ablate(case, switches, jobs or all_cores(), lambda _: None)
        out.write([to_json(made.to_json())] if as_json else map(plain, made.lines()))
        return made.exit_code

    return _until_done(work, out)


def watch(options: Options, *, as_json: bool) -> int:
    """The loop; a line per event, until interrupted."""
    out = _Stdout()

    finished: RunResult | None = None

    def tell(event: Event) -> None:
        nonlocal finished
        out.write([to_json(_object(event))] if as_json else map(plain, _lines(event, finished)))
        if isinstance(event, RunFinished):
            finished = event.result

    async def go(engine: Engine) -> int:
        await engine.watch()
        return ExitCode.PASS

    return _run(options, tell, go, out)


def talk(*lines: str) -> None:
    """Say something to the person, not to the program that reads stdout."""
    if sys.stderr is None:
        return
    try:
        print(*map(plain, lines), sep="\n", file=sys.stderr, flush=True)
    except OSError:  # nobody is listening
        _discard(sys.stderr)


class _Stdout:
    """stdout, until it fails: then nothing more is written, and `on_failure` is called once."""

    def __init__(self) -> None:
        self.failure: OSError | None = None
        self.on_failure: Callable[[], object] = lambda: None

    def write(self, lines: Iterable[str]) -> None:
        """Write lines, at once."""
        if self.failure is not None or sys.stdout is None:
            return
        try:
            for line in lines:
                print(line)
            sys.stdout.flush()
        except OSError as error:
            self.failure = error
            _discard(sys.stdout)
            self.on_failure()


def _discard(stream: TextIO) -> None:
    """Send what is still buffered nowhere: it would fail once more when Python exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _run(
    options: Options,
    emit: Callable[[Event], None],
    go: Callable[[Engine], Awaitable[int]],
    out: _Stdout,
) -> int:
    """Run `go` until it ends or a signal asks to stop; nothing is left running."""

    async def work() -> int:
        engine = Engine(options, emit)
        try:
            return await go(engine)
        finally:
            await engine.close()

    return _until_done(work, out)


def _until_done(work: Callable[[], Coroutine[Any, Any, int]], out: _Stdout) -> int:
    """Await `work` until it ends or a signal asks to stop; it leaves nothing running."""
    _accept_any_text()

    async def main() -> int:
        task = asyncio.create_task(work())
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if not task.cancelling():  # a second signal is not to end what the first began
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, stop)
        # Later: what has a result when it is written is to end with that.
        out.on_failure = lambda: loop.call_soon(stop)
        try:
            return await task
        except asyncio.CancelledError:
            if out.failure is not None:
                return ExitCode.PASS
            talk("npu-workbench: interrupted")
            return ExitCode.INTERRUPTED

    code = asyncio.run(main())
    if out.failure is None or isinstance(out.failure, BrokenPipeError):
        return code  # that a reader has gone is no error of ours
    talk(f"npu-workbench: can't write to stdout: {out.failure.strerror}")
    return ExitCode.USAGE


def _accept_any_text() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _lines(event: Event, finished: RunResult | None) -> list[str]:
    """An event in words; `finished` is the last run that has ended."""
    run = f"run {event.run}"
    match event:
        case Watching():
            how = f" by polling: {event.polling_because}" if event.polling_because else ""
            return [f"watching {', '.join(event.files)}{how}"]
        case Saved():
            return ["saved"]
        case Missing():
            return [f"{event.file} is gone; waiting for it"]
        case Reverted():
            return [f"saved, and back to what {run} was made from"]
        case RunStarted():
            return [f"{run} {event.kernel}: {event.reason}"]
        case StepStarted():
            return []
        case LogLines():
            return [f"{run} {event.step} | {line}" for line in event.lines]
        case ModelJudged():
            return [f"{run} {line}" for line in verdict_lines(event.result)[:1]]
        case PhaseSeen():
            done = " done" if event.phase.done else ""
            return [f"{run} {event.step} | {event.phase.name}{done}"]
        case StepFinished():
            return [f"{run} {event.result.name} {event.result.status} {event.result.seconds:.3f} s"]
        case RunFinished():
            return [f"{run} {line}" for line in verdict_lines(event.result)]
        case Explained():
            return [f"{run} {line}" for line in explained_lines(event.result, finished)]
        case RunCancelled():
            return [f"{run} cancelled: {event.reason}"]


def _object(event: Event) -> dict[str, object]:
    name = type(event).__name__
    kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
    about: dict[str, object] = {"event": kind, "run": event.run}
    match event:
        case RunFinished() | Explained() | ModelJudged():
            return {**about, "result": record(event.result)}
        case StepFinished():
            step = event.result
            return {**about, "step": step.name, "status": step.status, "seconds": step.seconds}
        case LogLines():
            return {**about, "step": event.step, "lines": [plain(line) for line in event.lines]}
        case _:
            return {**about, **asdict(event)}
