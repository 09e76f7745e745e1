"""Which two tensors the panes compare: with an NPU there are three, hence three pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.result import RunResult
    from workbench.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two tensors by name, and the verdict whose `reference` and `device` they are."""

    first: str
    second: str
    verdict: Verdict

    @property
    def names(self) -> tuple[str, str, str]:
        """What the three panes are called."""
        return (self.first, self.second, "difference")


def pairs_of(result: RunResult) -> tuple[Pair, ...]:
    """The pairs of a judged run; the first is the one that was judged."""
    verdict, model = result.verdict, result.model
    assert verdict is not None
    if model is None:
        return (Pair("reference", result.device.kind, verdict),)
    from workbench.verdict import measure

    between = replace(
        verdict,
        reference=model.device,
        metrics=measure(verdict.device, model.device),
    )
    return (
        Pair("reference", "npu", verdict),
        Pair("reference", "model", model),
        Pair("model", "npu", between),
    )
