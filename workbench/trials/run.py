"""Running many cases here, several at a time, each in processes of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from workbench.loop.devices import Devices
from workbench.loop.pipeline import execute
from workbench.loop.target import Options, find_spec
from workbench.settings import LIMITS
from workbench.spec.cases import Request
from workbench.spec.load import load_ahead
from workbench.trials.trial import Trial

OnDone = Callable[[Trial], None]

AHEAD = 400
"""Cases whose inputs and references are computed at once, by one process."""


async def run_all(cases: Sequence[Options], jobs: int, on_done: OnDone) -> list[Trial]:
    """Run every case, `jobs` of them at a time; the trials come in the order of the cases.

    All are of one kernel and spec, and name their input set. `on_done` is called for each as it
    ends. Cancelling leaves no process behind.
    """
    request = cases[0].request(find_spec(cases[0]))
    ready: asyncio.Queue[int] = asyncio.Queue()
    trials: dict[int, Trial] = {}
    numbers = count(1)

    async def work() -> None:
        devices = Devices()
        try:
            while True:
                number = await ready.get()
                options = cases[number]
                devices.prepare()
                result = await execute(next(numbers), options, devices, lambda _: None, "sweep")
                trials[number] = Trial.of(options, result)
                on_done(trials[number])
                ready.task_done()
        finally:
            await devices.close()

    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work()) for _ in range(min(jobs, len(cases)))]
        for start in range(0, len(cases), AHEAD):
            some = range(start, min(start + AHEAD, len(cases)))
            await _make_ready(request, cases, some, ready)
            await ready.join()
        for worker in workers:
            worker.cancel()
    return [trials[number] for number in range(len(cases))]


async def _make_ready(
    request: Request, cases: Sequence[Options], some: range, ready: asyncio.Queue[int]
) -> None:
    """Put the numbers of some cases into `ready`, each as soon as its inputs are there."""
    waiting: dict[tuple[str, int], list[int]] = {}
    for number in some:
        options = cases[number]
        waiting.setdefault((options.set_name or "", options.seed), []).append(number)

    def put(name: str, seed: int) -> None:
        for number in waiting.pop((name, seed), ()):
            ready.put_nowait(number)

    # What the spec prints, and what is wrong with it, each run says again.
    await load_ahead(request, list(waiting), put, lambda _: None, LIMITS.load)
    for name, seed in list(waiting):
        put(name, seed)
