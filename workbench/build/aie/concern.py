"""What a build shows to be wrong before anything has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Concern:
    """A named cause, with the fields of a finding, which verdicts alone may make."""

    id: str
    severity: Severity
    message: str
    hint: str
    where: str | None = None
    """"file:line" or a file."""
    evidence: Mapping[str, object] = field(default_factory=dict)
