"""A run judged: metrics, output range, criteria, findings; pure functions."""

from workbench.verdict.findings import Finding, PassedConstant
from workbench.verdict.health import Health
from workbench.verdict.judge import (
    CriterionResult,
    Evidence,
    OutputRange,
    Verdict,
    judge,
    with_findings,
)
from workbench.verdict.metrics import Metrics, measure
from workbench.verdict.panes import Panes, cut_panes
from workbench.verdict.triage import headline, triage

__all__ = [
    "CriterionResult",
    "Evidence",
    "Finding",
    "Health",
    "Metrics",
    "OutputRange",
    "Panes",
    "PassedConstant",
    "Verdict",
    "cut_panes",
    "headline",
    "judge",
    "measure",
    "triage",
    "with_findings",
]
