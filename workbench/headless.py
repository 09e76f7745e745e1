"""The front end without a terminal UI: `check` and `watch`. stdout is data, stderr is talk."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Awaitable, Callable

from workbench.build.diagnostics import strip_ansi
from workbench.errors import ExitCode
from workbench.loop.engine import Engine
from workbench.loop.events import (
    Event,
    LogLines,
    Missing,
    Reverted,
    RunCancelled,
    RunFinished,
    RunStarted,
    Saved,
    StepFinished,
    StepStarted,
    Watching,
)
from workbench.loop.record import record
from workbench.loop.target import Options
from workbench.loop.words import verdict_lines


def check(options: Options, *, as_json: bool) -> int:
    """One run; prints the verdict and returns the exit code."""

    async def go(engine: Engine) -> int:
        result = await engine.check()
        if as_json:
            print(json.dumps(record(result), allow_nan=False))
        else:
            print("\n".join(verdict_lines(result)))
        if result.error is not None:
            talk(f"npu-workbench: {result.error}")
        return result.exit_code

    return _run(options, _tell_log, go)


def watch(options: Options, *, as_json: bool) -> int:
    """The loop; a line per event, until interrupted."""

    async def go(engine: Engine) -> int:
        await engine.watch()
        return ExitCode.PASS

    return _run(options, _print_json if as_json else _print_line, go)


def talk(text: str) -> None:
    """Say something to the person, not to the program that reads stdout."""
    print(text, file=sys.stderr, flush=True)


def _run(
    options: Options, emit: Callable[[Event], None], go: Callable[[Engine], Awaitable[int]]
) -> int:
    """Run `go` until it ends or a signal asks to stop; nothing is left running."""

    async def main() -> int:
        engine = Engine(options, emit)
        task = asyncio.ensure_future(go(engine))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            talk("npu-workbench: interrupted")
            return ExitCode.INTERRUPTED
        finally:
            await engine.close()

    try:
        return asyncio.run(main())
    except BrokenPipeError:
        # Whoever read our output has gone: that is no error of ours.
        with contextlib.suppress(OSError):
            sys.stdout.close()
        return ExitCode.PASS


def _tell_log(event: Event) -> None:
    if isinstance(event, LogLines):
        for line in event.lines:
            talk(strip_ansi(line))


def _print_line(event: Event) -> None:
    for line in _lines(event):
        print(line, flush=True)
    if isinstance(event, RunFinished) and event.result.error is not None:
        talk(f"npu-workbench: {event.result.error}")


def _lines(event: Event) -> list[str]:
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
            return [f"{run} {event.step} | {strip_ansi(line)}" for line in event.lines]
        case StepFinished():
            return [f"{run} {event.result.name} {event.result.status} {event.result.seconds:.3f} s"]
        case RunFinished():
            return [f"{run} {line}" for line in verdict_lines(event.result)]
        case RunCancelled():
            return [f"{run} cancelled: {event.reason}"]


def _print_json(event: Event) -> None:
    print(json.dumps(_object(event), allow_nan=False), flush=True)


def _object(event: Event) -> dict[str, object]:
    name = type(event).__name__
    kind = "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
    about: dict[str, object] = {"event": kind, "run": event.run}
    match event:
        case RunFinished():
            return {**about, "result": record(event.result)}
        case StepFinished():
            return {
                **about,
                "step": event.result.name,
                "status": event.result.status,
                "seconds": event.result.seconds,
            }
        case RunStarted():
            return {
                **about,
                "kernel": event.kernel,
                "reason": event.reason,
                "device": event.device.kind,
                "steps": event.steps,
            }
        case StepStarted():
            return {**about, "step": event.step, "limit_s": event.limit_s}
        case LogLines():
            return {**about, "step": event.step, "lines": [strip_ansi(x) for x in event.lines]}
        case Watching():
            return {**about, "files": event.files, "polling_because": event.polling_because}
        case Saved():
            return {**about, "files": event.files}
        case Missing():
            return {**about, "file": event.file}
        case RunCancelled():
            return {**about, "reason": event.reason}
        case Reverted():
            return about
