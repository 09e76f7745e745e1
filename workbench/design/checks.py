"""Rules of a whole design that need no run to see; the rest is left to the run."""

from __future__ import annotations

from workbench.design.model import Design


def check_design(design: Design) -> None:
    """Refuse a design that can't work. Raises DesignError with file:line."""
