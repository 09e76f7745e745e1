"""The process in which a design runs: `python -m workbench.device.model.child`.

It imports what it needs, then reads one JSON request on stdin, and answers with JSON lines on
stdout: {"loaded"}, {"calling"} before the first call from each place, then {"done"} or {"error"};
when a kernel dies, {"fault"} and {"spot"}, as far as they are known. A crash or a hang of the
kernel is this process's end, never the workbench's. Whatever the kernel prints goes to stderr.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench.design.model import Design
from workbench.device.model.executions import Executed, execute, execute_once
from workbench.device.model.fault import report_faults
from workbench.device.model.memory import place_of_address
from workbench.device.model.overrides import overridden
from workbench.device.model.recording import Recorder
from workbench.device.model.spot import copies, spot_of
from workbench.device.model.stored import stored_design
from workbench.device.model.workload import Override
from workbench.errors import CrashError, WorkbenchError
from workbench.process import die_with_parent

Answer = Callable[..., None]

NULL_PAGE = 4096
"""Addresses below are null pointers and small offsets from them."""

_IOLBF = 1
"""Line buffering, in Linux's C libraries."""


def main() -> int:
    """Answer one request; exit code 0 also for an error that is an answer."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    libc = ctypes.CDLL(None)
    # Line by line, so that what a kernel prints is there when it crashes or hangs.
    libc.setvbuf(ctypes.c_void_p.in_dll(libc, "stdout"), None, _IOLBF, 0)

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    def died(signal: str, address: int | None, code: Iterator[int]) -> None:
        if address is not None:
            answer(fault=_fault(signal, address))
        spot = spot_of(os.getpid(), code)
        if spot is not None:
            answer(spot=asdict(spot))

    report_faults(died)
    text = sys.stdin.readline()
    if not text:
        return 0
    try:
        _execute(json.loads(text), answer)
    except WorkbenchError as error:
        answer(error=[type(error).__name__, error.message, error.where, error.hint])
    except Exception as error:
        traceback.print_exc()
        what = f"the model device failed: {type(error).__name__}: {error}"
        hint = "this is a fault of npu-workbench: the log of the run step has its traceback"
        answer(error=[CrashError.__name__, what, None, hint])
    libc.fflush(None)
    return 0


def _execute(request: dict[str, Any], answer: Answer) -> None:
    folder = Path(request["folder"])
    design = stored_design(
        request["design"], Path(request["cache"]), request["device_name"], request["sequence_name"]
    )
    overrides = [Override(**override) for override in request["overrides"]]
    design, notes = overridden(design, overrides, request["stack_bytes"])
    answer(loaded=_described(design, notes))
    whole = np.fromfile(folder / "input.bin", np.uint8)
    work = (
        design,
        {name: Path(path) for name, path in request["libraries"].items()},
        np.split(whole, np.cumsum(request["sizes"])[:-1]),
        request["outputs"],
        request["allocation"],
        copies(folder),
        lambda function, where: answer(calling=[function, where]),
    )
    if request["stages"] is not None:
        recorders = [Recorder(request["stages"]) for _ in range(2)]
        for recorder, stack_apart in zip(recorders, (True, False), strict=True):
            execute_once(*work, stack_apart=stack_apart, recorder=recorder)
        content = [[record.to_json() for record in one.records()] for one in recorders]
        (folder / "stages.json").write_text(json.dumps(content))
        answer(done={})
        return
    if request["once"]:
        execute_once(*work)
        answer(done={})
        return
    executed = execute(*work)
    _write(executed, folder)
    answer(
        done={
            "runs": len(executed.runs),
            "cores": [core.to_json() for core in executed.cores],
            "notes": executed.notes,
        }
    )


def _write(executed: Executed, folder: Path) -> None:
    """All results in one file: each run, the refilled one, the arithmetic one."""
    results = (*executed.runs, executed.refilled, executed.arithmetic)
    with open(folder / "output.bin", "wb") as file:
        file.writelines(buffer.tobytes() for buffers in results for buffer in buffers)


def _fault(signal: str, address: int) -> dict[str, Any]:
    """What is known of a fault: "null", "core" (with its place in the core's memory) or "wild"."""
    if address < NULL_PAGE:
        return {"signal": signal, "kind": "null", "address": address}
    place = place_of_address(address)
    if place is None:
        return {"signal": signal, "kind": "wild", "address": address}
    return {"signal": signal, "kind": "core", "address": address, **asdict(place)}


def _described(design: Design, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "target": design.target,
        "notes": [*design.notes, *notes],
        "constants": [
            [call.function, position, constant.value, f"{design.path}:{constant.line}"]
            for call in design.kernel_calls()
            for position, constant in enumerate(call.arguments)
            if constant is not None
        ],
    }


if __name__ == "__main__":
    code = main()
    # Everything is said and written: taking NumPy down in an orderly way takes 20 ms of each run.
    sys.stderr.flush()
    os._exit(code)
