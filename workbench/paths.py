"""How paths are shown."""

from __future__ import annotations

import os
from pathlib import Path


def shown(path: str | Path) -> str:
    """A path as people read it: relative to where they are when it lies below."""
    absolute = os.path.abspath(path)
    relative = os.path.relpath(absolute)
    if relative.split(os.sep)[0] == "..":
        return absolute
    # A command would take a leading dash for an option.
    return f".{os.sep}{relative}" if relative.startswith("-") else relative
