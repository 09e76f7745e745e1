"""Loading a spec with one case: from the cache, else through the child process, under a limit."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.paths import shown
from workbench.process import Exit, Process
from workbench.spec.cases import (
    BrokenSpec,
    Case,
    LoadedSpec,
    Request,
    cached_case,
    cached_spec,
    child_command,
    child_input,
    loaded_from,
    read_case,
)

GRACE_S = 1.0
"""What the child gets past the limit to say which line it was in."""


async def load_case(
    request: Request, on_lines: Callable[[list[str]], None], limit_s: float
) -> tuple[LoadedSpec, Case]:
    """The spec and the case that `request` asks for; SpecError when it can't be had.

    Without a process when both are cached. Else `on_lines` gets what the spec prints, and a spec
    that takes longer than `limit_s` is killed. An error in the spec is a BrokenSpec, which knows
    the files that may mend it.
    """
    loaded = cached_spec(request)
    cached = cached_case(request, loaded) if loaded else None
    return cached or await _computed(request, on_lines, limit_s)


async def _computed(
    request: Request, on_lines: Callable[[list[str]], None], limit_s: float
) -> tuple[LoadedSpec, Case]:
    answers, end = await ask(child_input(request, limit_s), on_lines, limit_s)
    if "case" in answers:
        loaded = loaded_from(request, answers)
        case = read_case(Path(answers["case"]), request, loaded.promise)
        if case is not None:
            return loaded, case
    raise broken(request, answers, end, limit_s)


async def load_ahead(
    request: Request,
    cases: Sequence[tuple[str, int]],
    on_ready: Callable[[str, int], None],
    on_lines: Callable[[list[str]], None],
    limit_s: float,
) -> None:
    """Put cases, by set and seed, into the cache of `request`, all from one process.

    `on_ready` is called for each as soon as `load_case` has it from the cache, or will say why it
    can't be had. `limit_s` is for one case; returns early when the spec exceeds it.
    """

    def ready(lines: list[str]) -> None:
        for line in lines:
            if case := json.loads(line).get("ready"):
                on_ready(*case)

    child = Process(child_command(), on_lines=ready, on_errors=on_lines, takes_input=True)
    try:
        child.feed(child_input(request, limit_s, also=cases))
        await child.wait()
    finally:
        await child.stop()


async def ask(
    wanted: bytes, on_lines: Callable[[list[str]], None], limit_s: float
) -> tuple[dict[str, Any], Exit]:
    """What a spec's own process answers, and how it ended."""
    answers: dict[str, Any] = {}
    child = Process(
        child_command(),
        on_lines=lambda lines: answers.update(json.loads(lines[0])),
        on_errors=on_lines,
        takes_input=True,
    )
    try:
        child.feed(wanted)
        end = await child.wait(limit_s + GRACE_S)
    finally:
        await child.stop()
    return answers, end


def broken(request: Request, answers: Mapping[str, Any], end: Exit, limit_s: float) -> BrokenSpec:
    """Why a spec's process didn't answer with what was wanted."""
    why = {"message": _why(end, limit_s), "where": shown(request.spec), "hint": None}
    error = BrokenSpec(**answers.get("error", why))
    error.files = answers.get("files", {})
    return error


def _why(end: Exit, limit_s: float) -> str:
    if end.timed_out:
        return f"the spec took longer than {limit_s:g} s"
    how = end.signal_name or f"exit {end.returncode}"
    return f"the spec's process ended before it was done ({how})"
