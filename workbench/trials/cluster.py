"""Running many cases on a Dask cluster whose workers see the same files as we do.

A worker hands some cases at a time to a process of its own there, `python -m
workbench.trials.cluster`, which runs them in our folder just as they are run here.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from workbench.errors import UsageError, WorkbenchError
from workbench.loop.target import Options
from workbench.process import die_with_parent
from workbench.trials.run import OnDone, run_all
from workbench.trials.trial import Trial

PARTS = 8
"""Parts for each worker: so many that all end at about the same time."""

MOST_IN_PART = 50

CONNECT_LIMIT_S = 5


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the cases; `folder` is where their paths are relative to."""

    folder: str
    cases: tuple[Options, ...]


async def run_on_cluster(address: str, cases: Sequence[Options], on_done: OnDone) -> list[Trial]:
    """Run every case on the cluster; the trials come in the order of the cases.

    Raises UsageError when there is no cluster at `address`, or Dask isn't installed here.
    Cancelling takes back what no worker has begun.
    """
    try:
        from distributed import Client, as_completed
        from distributed.comm import parse_address
        from distributed.comm.registry import get_backend
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask, which is not installed",
            hint='pip install "npu-workbench[dask]"',
        ) from None
    try:
        get_backend(parse_address(address)[0])  # a client that fails on it complains for long
        client = await Client(address, asynchronous=True, timeout=CONNECT_LIMIT_S)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"no Dask scheduler answers at {address}", hint=str(error) or type(error).__name__
        ) from error
    try:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        parts = _parts(cases, max(1, workers))
        futures = client.map(run_part, parts, pure=False)
        found: dict[int, list[Trial]] = {}
        numbers = {future.key: number for number, future in enumerate(futures)}
        try:
            ended = as_completed(futures, with_results=True)
            async for future, trials in ended:
                found[numbers[future.key]] = trials
                for trial in trials:
                    on_done(trial)
        except asyncio.CancelledError:
            await client.cancel(futures)
            raise
        return [trial for number in range(len(parts)) for trial in found[number]]
    finally:
        await client.close()


def run_part(part: Part) -> list[Trial]:
    """Run some cases in a process of their own on the machine that this is called on."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workbench.trials.cluster"],
        input=pickle.dumps(part.cases),
        stdout=subprocess.PIPE,
        cwd=part.folder,
        check=True,
    )
    answer: list[Trial] | WorkbenchError = pickle.loads(done.stdout)
    if isinstance(answer, WorkbenchError):
        raise answer
    return answer


def _parts(cases: Sequence[Options], workers: int) -> list[Part]:
    size = min(MOST_IN_PART, ceil(len(cases) / (PARTS * workers)))
    folder = os.getcwd()
    return [
        Part(folder, tuple(cases[start : start + size])) for start in range(0, len(cases), size)
    ]


def main() -> None:
    """Run the cases on standard input, one after another, and write the trials."""
    die_with_parent()
    answers = os.dup(1)
    os.dup2(2, 1)
    cases: tuple[Options, ...] = pickle.load(sys.stdin.buffer)
    answer: list[Trial] | WorkbenchError
    try:
        answer = asyncio.run(run_all(cases, 1, lambda _: None))
    except WorkbenchError as error:
        answer = error
    with os.fdopen(answers, "wb") as file:
        pickle.dump(answer, file)


if __name__ == "__main__":
    main()
