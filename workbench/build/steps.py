"""What a step leaves behind: its status, time, command and artifacts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workbench import manifest

StepStatus = Literal["ok", "failed", "skipped", "cached"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that a step made, with its size in bytes and its content hash."""

    path: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Artifact:
        """The artifact as it lies on disk; OSError when it isn't there."""
        data = path.read_bytes()
        return cls(str(path), len(data), manifest.sha256_bytes(data))


@dataclass(frozen=True, slots=True)
class StepResult:
    """One finished step of a run."""

    name: str
    status: StepStatus
    seconds: float
    command: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
