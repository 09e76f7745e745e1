"""Causes that the spec, the design and the compiler can name, beside what the run has shown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from workbench.loop.coverage import unsent_findings
from workbench.loop.functions import helper_findings
from workbench.loop.readings import reading_findings
from workbench.loop.result import Materials, RunResult
from workbench.loop.together import every
from workbench.settings import LIMITS

if TYPE_CHECKING:
    from workbench.verdict import Finding


async def named_causes(
    result: RunResult, materials: Materials, on_lines: Callable[[list[str]], None]
) -> tuple[Finding, ...]:
    """What the spec and the design say of a judged run; nothing of another.

    Raises OSError when the cache can't be written.
    """
    verdict = result.model or result.verdict
    if verdict is None:
        return ()
    loaded, case, work = materials.loaded, materials.case, materials.work
    looks: list[Coroutine[Any, Any, Iterable[Finding]]] = [
        asyncio.to_thread(unsent_findings, loaded.promise, work, passed=verdict.passed)
    ]
    if not verdict.passed:  # of a kernel that is right, `check --functions` says how right
        looks += [
            reading_findings(loaded, case, verdict, work.cache, LIMITS.load),
            helper_findings(result.kernel, loaded, case, work.cache, on_lines, materials.limit_s),
        ]
    found = await every(looks)
    return tuple(finding for findings in found for finding in findings)


def proven_faults(result: RunResult, known: Iterable[Finding]) -> tuple[Finding, ...]:
    """What the compiler has warned of and nothing else has shown; `known` are later findings."""
    from workbench.verdict.warnings import proven

    warnings = [(d.message, d.where) for d in result.diagnostics if d.severity == "warning"]
    passed = result.verdict is not None and result.verdict.passed
    return tuple(proven(warnings, (*result.findings, *known), passed=passed))
