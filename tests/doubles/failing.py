"""How the doubles are told to fail or to be slow, without touching their command lines.

`NPU_DOUBLE` in the environment, or the file that `NPU_DOUBLE_FILE` names, holds words separated by
blanks: a failure's name, or NAME=VALUE. `slow=SECONDS` is a pause before each phase.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path


def told() -> dict[str, str]:
    words = os.environ.get("NPU_DOUBLE", "").split()
    if name := os.environ.get("NPU_DOUBLE_FILE"):
        with contextlib.suppress(FileNotFoundError):
            words += Path(name).read_text().split()
    return {name: value for name, _, value in (word.partition("=") for word in words)}


def fails(name: str) -> bool:
    return name in told()


def pause() -> None:
    if seconds := told().get("slow"):
        time.sleep(float(seconds))
