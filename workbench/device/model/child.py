"""The process in which a design runs: `python -m workbench.device.model.child`.

It imports what it needs, then reads one JSON request on stdin, and answers with JSON lines on
stdout: {"loaded"}, {"calling"} before the first call from each place, then {"done"} or {"error"}.
A crash or a hang of the kernel is this process's end, never the workbench's. Whatever the kernel
prints goes to stderr.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np

from workbench.design.model import Design
from workbench.device.model.context import Context
from workbench.device.model.stored import stored_design
from workbench.errors import WorkbenchError
from workbench.process import die_with_parent


def main() -> int:
    """Answer one request; exit code 0 also for an error that is an answer."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    text = sys.stdin.readline()
    if not text:
        return 0

    def answer(**what: Any) -> None:
        print(json.dumps(what), file=answers, flush=True)

    request = json.loads(text)
    try:
        design = stored_design(
            request["design"],
            Path(request["cache"]),
            request["device_name"],
            request["sequence_name"],
        )
        context = Context(
            design,
            Path(request["library"]),
            request["sizes"],
            Path(request["folder"]),
            lambda function, where: answer(calling=[function, where]),
        )
        answer(loaded=_described(design))
        folder = Path(request["folder"])
        whole = np.fromfile(folder / "input.bin", np.uint8)
        ends = np.cumsum(request["sizes"])
        buffers = context.run(np.split(whole, ends[:-1]))
        (folder / "output.bin").write_bytes(b"".join(buffer.tobytes() for buffer in buffers))
        answer(done=True)
    except WorkbenchError as error:
        answer(
            error=[type(error).__name__, error.message, error.where, error.hint],
        )
    ctypes.CDLL(None).fflush(None)
    return 0


def _described(design: Design) -> dict[str, Any]:
    return {
        "target": design.target,
        "notes": list(design.notes),
        "constants": [
            [call.function, position, constant.value, f"{design.path}:{constant.line}"]
            for call in design.kernel_calls()
            for position, constant in enumerate(call.arguments)
            if constant is not None
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
