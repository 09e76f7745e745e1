"""Defects of ours: a sentence for the user, the traceback kept for whoever mends it."""

from __future__ import annotations

import traceback
from pathlib import Path


def defect(what: str, error: BaseException, project: Path) -> str:
    """Keep the traceback in the project's `.workbench/`; a sentence on it."""
    path = project / ".workbench" / "crash.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)))
    except OSError as failure:
        return f"{what} failed: {error!r} ({path} could not be written: {failure.strerror})"
    return f"{what} failed, which is a defect of npu-workbench; {path} says how"
