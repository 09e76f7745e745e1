"""The same cases, one at a time, on all cores and on a Dask cluster: the same results."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.headless.command import check, run
from tests.process.procs import children
from tests.projects import Project
from workbench.loop.target import Options
from workbench.trials.run import run_all
from workbench.trials.sweep import cases_of
from workbench.trials.trial import Trial

KERNEL = "kernels/scale.c"
BROKEN = "if (in[0] > 20) { out[0] = 77; } if (in[0] < -20) { *(volatile int *)8 = 1; }"
"""Wrong for some inputs, a crash for others."""

has_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None,
    reason='needs Dask: pip install "npu-workbench[dask]"',
)


@pytest.fixture(autouse=True)
def broken(project: Project) -> None:
    project.edit(project.spec, "uniform(1, 2)", "uniform(1, 3)")
    project.with_body(BROKEN)


async def some_cases(seeds: int) -> list[Options]:
    return await cases_of(Options(KERNEL), "all", seeds, lambda lines: None)


async def test_however_many_at_a_time(project: Project) -> None:
    cases = await some_cases(6)
    ended: list[Trial] = []
    one_at_a_time = await run_all(cases, 1, ended.append)
    assert ended == one_at_a_time
    assert [trial.options for trial in one_at_a_time] == cases
    assert {trial.status for trial in one_at_a_time} == {"crash", "fail", "pass"}
    assert await run_all(cases, 3, lambda _: None) == one_at_a_time
    assert await run_all(cases[::-1], 100, lambda _: None) == one_at_a_time[::-1]
    assert children() == []


async def test_a_trial_tells_what_its_run_does(project: Project) -> None:
    trials = await run_all(await some_cases(1), 1, lambda _: None)
    other = replace(trials[0], seconds=trials[0].seconds + 1)
    assert other == trials[0]
    assert replace(trials[0], status="hang") != trials[0]


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        yield str(cluster.scheduler_address)


@has_dask
def test_on_a_cluster(project: Project, scheduler: str) -> None:
    arguments = (KERNEL, "--inputs", "all", "--seeds", "6")
    here, there = check(*arguments), check(*arguments, "--scheduler", scheduler)
    assert here.code == there.code == 4
    assert len(there.record["sweep"]["cases"]) == 12

    def told(cases: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{key: case[key] for key in case if key != "seconds"} for case in cases]

    assert told(here.record["sweep"]["cases"]) == told(there.record["sweep"]["cases"])
    assert there.record["sweep"]["sets"] == here.record["sweep"]["sets"]
    assert there.err.splitlines()[-1].startswith("12 of 12 cases, ")


@has_dask
def test_an_error_on_a_cluster_is_an_error_here(project: Project, scheduler: str) -> None:
    project.kernel.write_text("void scale(void) { nonsense }\n")
    done = check(KERNEL, "--seeds", "2", "--scheduler", scheduler)
    assert done.code == 3
    assert {case["status"] for case in done.record["sweep"]["cases"]} == {"build-failed"}


@has_dask
@pytest.mark.parametrize("address", ["nonsense://here", "tcp://127.0.0.1:9"])
def test_no_scheduler_there(project: Project, address: str) -> None:
    done = run("check", KERNEL, "--scheduler", address)
    assert (done.code, done.out) == (2, "")
    assert done.sentence.startswith(f"no Dask scheduler answers at {address} (")


def test_without_dask(project: Project) -> None:
    missing = project.folder / "missing"
    missing.mkdir()
    (missing / "distributed.py").write_text("raise ImportError\n")
    done = run("check", KERNEL, "--scheduler", "tcp://127.0.0.1:9", PYTHONPATH=str(missing))
    assert done.code == 2
    assert done.sentence == (
        '--scheduler needs Dask, which is not installed (pip install "npu-workbench[dask]")'
    )
