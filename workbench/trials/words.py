"""Tables of trials, as text."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.trials.trial import Trial

REGIME = "input-regime"
"""The finding that speaks of the input, not of the kernel."""


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as they must be; figures to the right, words to the left, empty ones gone."""
    columns = [column for column in zip(head, *rows, strict=True) if any(column[1:])]
    laid = [
        [cell.rjust(width) if all(map(_is_figure, cells)) else cell.ljust(width) for cell in column]
        for column in columns
        for width, cells in [(max(map(len, column)), column[1:])]
    ]
    return ["  ".join(line).rstrip() for line in zip(*laid, strict=True)]


def finding_of(trial: Trial) -> str:
    """What is said first of a trial: its error, else the first finding about the kernel."""
    if trial.told["error"]:
        return str(trial.told["error"]["message"])
    told = (f for f in trial.told["findings"] if f["id"] != REGIME or f["severity"] == "error")
    return next((str(finding["id"]) for finding in told), "")


def regime_of(trial: Trial) -> str:
    """What is said of a trial's input."""
    found = (f for f in trial.told["findings"] if f["id"] == REGIME)
    return next((str(finding["message"]) for finding in found), "")


def _is_figure(text: str) -> bool:
    return text[:1].lstrip("-").isdigit() or text in ("undefined", "")
