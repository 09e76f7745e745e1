"""How paths are shown."""

from __future__ import annotations

import os
from pathlib import Path


def shown(path: str | Path) -> str:
    """A path as people read it: relative to where they are when it lies below."""
    absolute = os.path.abspath(path)
    relative = os.path.relpath(absolute)
    return absolute if relative.split(os.sep)[0] == ".." else relative
