"""Which two tensors the panes compare: with an NPU there are three, hence three pairs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # NumPy comes with it; it isn't needed before the first verdict
    from workbench.loop.result import RunResult
    from workbench.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two tensors by name: a verdict's device, and its reference or another verdict's device."""

    first: str
    second: str
    verdict: Verdict
    other: Verdict | None = None

    @property
    def names(self) -> tuple[str, str, str]:
        """What the three panes are called."""
        return (self.first, self.second, "difference")

    def compared(self) -> Verdict:
        """The verdict with the first tensor as `reference`; measures, so ask once."""
        if self.other is None:
            return self.verdict
        from workbench.verdict import measure

        reference = self.other.device
        metrics = measure(self.verdict.device, reference)
        return replace(self.verdict, reference=reference, metrics=metrics)


def pairs_of(result: RunResult, before: RunResult | None = None) -> tuple[Pair, ...]:
    """The pairs of a judged run; the first is the one that was judged.

    The last is that of an earlier run's output and this one's, if there is one of the same shape.
    """
    verdict, model = result.verdict, result.model
    assert verdict is not None
    pairs = [Pair("reference", result.device.kind, verdict)]
    if model is not None:
        pairs += [Pair("reference", "model", model), Pair("model", "npu", verdict, model)]
    earlier = before.verdict if before is not None else None
    if before is not None and earlier and earlier.device.shape == verdict.device.shape:
        pairs.append(Pair(f"run {before.run}", f"run {result.run}", verdict, earlier))
    return tuple(pairs)
