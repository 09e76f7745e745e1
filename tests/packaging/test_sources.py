"""Nothing that is kept in the repository speaks of the machine or the meeting it was made in."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.packaging.conftest import REPOSITORY

FORBIDDEN = re.compile(
    r"(?<![\w.:/-])/(?:work|root|home)/"  # folders of one machine
    r"|\.library/|\bsub-?agents?\b|\b[Ii]ssue #?\d+\b"
)
HERE = {str(REPOSITORY)} | ({sys.prefix} if sys.prefix != sys.base_prefix else set())


def tracked() -> list[str]:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a clone")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return [name for name in names.stdout.split("\0") if name]


def test_no_file_names_a_place_or_a_task() -> None:
    found = []
    for name in tracked():
        path = REPOSITORY / name
        if not path.is_file() or path.samefile(__file__):
            continue
        text = path.read_bytes().decode(errors="replace")
        found += [f"{name}: {match[0]}" for match in FORBIDDEN.finditer(text)]
        found += [f"{name}: {place}" for place in HERE if place in text]
    assert found == []
