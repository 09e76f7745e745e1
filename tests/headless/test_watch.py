"""`watch` in a process of its own: a line per event, as text or as JSON."""

from __future__ import annotations

import signal
from typing import Any

from tests.headless.command import SECONDS, started, strict
from tests.headless.contract import breaches
from tests.projects import Project, marked

KERNEL = "kernels/scale.c"


def test_json(project: Project, mark: str) -> None:
    events: list[dict[str, Any]] = []
    with started("watch", "--json", KERNEL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = strict(line)
            assert isinstance(event, dict)
            events.append(event)
            if event["event"] == "run-finished" and event["run"] == 1:
                project.edit(project.kernel, "* factor", "* factor + 1")
            if event["event"] == "run-finished" and event["run"] == 2:
                project.kernel.unlink()
            if event["event"] == "missing":
                break
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (130, "npu-workbench: interrupted\n")
    assert marked(mark) == []
    told = [event["event"] for event in events]
    # Steps overlap: the spec is loaded while the kernel is compiled.
    run = ["run-started", *["step-started", "step-finished"] * 4, "run-finished"]
    assert sorted(told[: told.index("run-finished") + 1]) == sorted(run)
    results = [event["result"] for event in events if event["event"] == "run-finished"]
    assert [(r["run"], r["status"]) for r in results] == [(1, "pass"), (2, "fail")]
    assert [breach for result in results for breach in breaches(result)] == []
    assert events[-1] == {"event": "missing", "run": 2, "file": KERNEL}
    first = next(event for event in events if event["event"] == "run-started")
    assert (first["kernel"], first["reason"], first["device"]["kind"]) == (
        KERNEL,
        "opened",
        "model",
    )
    assert first["steps"] == ["compile", "load", "run", "judge"]


def test_text(project: Project, mark: str) -> None:
    said: list[str] = []
    with started("watch", KERNEL) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.rstrip("\n"))
            if line.startswith("run 1 PASS"):
                project.kernel.write_text("int 7;\n")
            if line.startswith("run 2 BUILD FAILED"):
                break
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert f"run 1 {KERNEL}: opened" in said
    assert "saved" in said
    assert "run 2 compile | kernels/scale.c:1:5: error: expected identifier or '('" in said
    assert said[-1] == (
        "run 2 BUILD FAILED kernels/scale.c on the model: "
        "kernels/scale.c:1:5: expected identifier or '('"
    )
    assert marked(mark) == []


def test_a_reader_that_leaves(project: Project, mark: str) -> None:
    with started("watch", KERNEL) as process:
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("run 1 PASS"))
        process.stdout.close()
        project.kernel.write_text("int 7;\n")
        assert process.stderr is not None
        err = process.stderr.read()
        process.wait(SECONDS)
    assert (process.returncode, err) == (0, "")
    assert marked(mark) == []
