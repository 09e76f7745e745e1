"""What a build shows to be wrong, as findings: builds know nothing of verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # NumPy comes with it; a front end paints before it needs that
    from workbench.build.aie.concern import Concern
    from workbench.verdict.findings import Finding


def findings_of(concerns: Iterable[Concern]) -> tuple[Finding, ...]:
    """A finding for each concern, with the same fields."""
    from workbench.verdict.findings import Finding

    return tuple(
        Finding(c.id, c.severity, c.message, c.hint, c.where, c.evidence) for c in concerns
    )
