"""The function scope: the helpers that a spec names, swept in the kernel as it is on disk."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.build import find_clang
from workbench.build.helper import Helper, build_helper
from workbench.device.model.sweep import sweep
from workbench.errors import CrashError, ExitCode, HangError, UsageError, WorkbenchError
from workbench.loop.record import error_record
from workbench.loop.target import Options, find_spec, shown
from workbench.settings import LIMITS
from workbench.spec.cases import Case, LoadedSpec, Request
from workbench.spec.domains import Domain, load_domains
from workbench.spec.functions import C_TYPES

if TYPE_CHECKING:
    from workbench.verdict.findings import Finding
    from workbench.verdict.function_scope import FunctionScope

OnLines = Callable[[list[str]], None]

SWEEP_LIMIT_S = 10.0
"""How long the sweep of one helper may take, unless something else is asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """A helper and what came of it: how it differs, or why it can't be told."""

    name: str
    expression: str
    scope: FunctionScope | None
    error: CrashError | HangError | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class FunctionSweep:
    """All helpers of one kernel; `skipped` are those that it doesn't have."""

    kernel: str
    spec: str
    swept: tuple[Swept, ...]
    skipped: tuple[str, ...]

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a `check --functions`: the gravest that any helper deserves."""
        codes = [one.error.exit_code for one in self.swept if one.error is not None]
        wrong = any(f.severity == "error" for one in self.swept for f in one.findings)
        return max((*codes, ExitCode.NOT_MET if wrong else ExitCode.PASS))


async def sweep_functions(options: Options, on_lines: OnLines) -> FunctionSweep:
    """Sweep every helper that the kernel's spec names and the kernel has.

    Raises UsageError when there is none, SpecError for a broken spec, BuildError for a helper that
    can't be compiled.
    """
    spec = find_spec(options)
    limit_s = options.time_limit_s or SWEEP_LIMIT_S
    kernel = str(options.kernel_path)
    result = await _sweep(kernel, options.request(spec), on_lines, limit_s)
    if not result.swept and not result.skipped:
        raise UsageError(
            "the spec names no functions",
            where=result.spec,
            hint="give it functions=[HelperFunction(name, exact, low, high)]",
        )
    if not result.swept:
        raise UsageError(
            f"the kernel has none of the functions of its spec: {', '.join(result.skipped)}",
            where=result.kernel,
        )
    return result


async def helper_findings(
    kernel: str, loaded: LoadedSpec, case: Case, cache: Path, on_lines: OnLines, limit_s: float
) -> tuple[Finding, ...]:
    """What is wrong with the helpers of a kernel; nothing when the spec names none.

    A helper that can't be compiled or executed is no finding here: the kernel itself was.
    """
    if not loaded.promise.functions:
        return ()
    request = Request(loaded.path, cache, case.set_name, case.seed)
    try:
        result = await _sweep(kernel, request, on_lines, limit_s)
    except WorkbenchError:
        return ()
    return tuple(finding for one in result.swept for finding in one.findings)


async def _sweep(kernel: str, request: Request, on_lines: OnLines, limit_s: float) -> FunctionSweep:
    swept, skipped = [], []
    for domain in await load_domains(request, on_lines, LIMITS.load):
        one = await _swept(domain, kernel, request.cache, on_lines, limit_s)
        if one is None:
            skipped.append(domain.name)
        else:
            swept.append(one)
    return FunctionSweep(shown(kernel), shown(request.spec), tuple(swept), tuple(skipped))


async def _swept(
    domain: Domain, kernel: str, cache: Path, on_lines: OnLines, limit_s: float
) -> Swept | None:
    from workbench.verdict.function_scope import function_findings, measure_function

    helper = Helper(
        domain.name, domain.expression, C_TYPES[domain.argument], C_TYPES[domain.result]
    )
    library = await build_helper(helper, kernel, find_clang(), cache, on_lines, LIMITS.compile)
    if library is None:
        return None
    try:
        values = await sweep(
            library,
            domain.expression,
            domain.x,
            domain.result,
            cache,
            on_lines,
            limit_s,
        )
    except (CrashError, HangError) as error:
        error.where = definition(kernel, domain.name)
        return Swept(domain.name, domain.expression, None, error, ())
    scope = measure_function(
        domain.name, domain.x.astype(float), values.astype(float), domain.exact
    )
    where = definition(kernel, domain.name)
    findings = tuple(function_findings(scope, domain.within, where))
    return Swept(domain.name, domain.expression, scope, None, findings)


def definition(kernel: str, name: str) -> str | None:
    """Where a kernel's source first declares a function or table of this name, as file:line."""
    pattern = re.compile(rf"^(?!\s*(?://|\*|/\*)).*\b{re.escape(name)}\s*[\[(]")
    lines = Path(kernel).read_text(errors="replace").splitlines()
    return next(
        (f"{shown(kernel)}:{n}" for n, line in enumerate(lines, 1) if pattern.match(line)), None
    )


def function_record(result: FunctionSweep) -> dict[str, Any]:
    """The sweep as one JSON object: the contract of `check --functions --json`."""
    return {
        "schema": 1,
        "kernel": result.kernel,
        "spec": result.spec,
        "functions": [
            {
                "name": one.name,
                "expression": one.expression,
                "error": error_record(one.error),
                "scope": one.scope and asdict(one.scope),
            }
            for one in result.swept
        ],
        "skipped": list(result.skipped),
        "findings": [asdict(finding) for one in result.swept for finding in one.findings],
    }
