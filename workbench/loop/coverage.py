"""Which parts of the inputs a design never sends, read from its sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.device.model.coverage import sent
from workbench.device.model.stored import stored_design
from workbench.device.model.workload import Workload
from workbench.errors import DesignError
from workbench.spec.model import Promise

if TYPE_CHECKING:
    from workbench.verdict import Finding


def unsent_findings(promise: Promise, work: Workload, *, passed: bool) -> tuple[Finding, ...]:
    """The findings for a run of `work`; none when its design, once read, can't be read any more."""
    from workbench.verdict.coverage import input_not_sent

    try:
        design = stored_design(work.design, work.cache, work.device_name, work.sequence_name)
    except DesignError:
        return ()
    found = sent(design, [int(buffer.size) for buffer in work.buffers])
    if found is None:
        return ()
    masks = {number: (one.mask, one.where) for number, one in found.items()}
    return tuple(input_not_sent(promise.buffers, masks, passed=passed))
