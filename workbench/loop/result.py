"""A finished run: everything a front end may show of it, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from workbench.build import Diagnostic, StepResult
from workbench.errors import (
    BuildError,
    CrashError,
    DeadlockError,
    DeviceError,
    ExitCode,
    HangError,
    WorkbenchError,
)

if TYPE_CHECKING:  # NumPy comes with it; a front end paints before it needs that
    from workbench.verdict import Finding, Verdict

Status = Literal["pass", "fail", "build-failed", "crash", "hang", "deadlock", "no-device", "error"]

_EXIT_CODES: dict[str, ExitCode] = {
    "pass": ExitCode.PASS,
    "fail": ExitCode.NOT_MET,
    "build-failed": ExitCode.BUILD_FAILED,
    "crash": ExitCode.DEVICE,
    "no-device": ExitCode.DEVICE,
    "hang": ExitCode.HANG,
    "deadlock": ExitCode.HANG,
    "error": ExitCode.USAGE,
}


_STATUS_OF_ERROR: tuple[tuple[type[WorkbenchError], Status], ...] = (
    (BuildError, "build-failed"),
    (CrashError, "crash"),
    (DeviceError, "no-device"),
    (DeadlockError, "deadlock"),
    (HangError, "hang"),
    (WorkbenchError, "error"),
)


def status_of(error: WorkbenchError) -> Status:
    """The status of a run that ended with this error."""
    return next(status for kind, status in _STATUS_OF_ERROR if isinstance(error, kind))


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What executed, and why this one."""

    kind: Literal["model", "npu"]
    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """One pass through the pipeline for one saved state.

    `kernel`, `spec` and `design` are paths as shown to people; the latter two and `source_sha256`
    are None when the run ended before they were known. `verdict` is None unless the run was
    judged; `error` says in one sentence why it was not. `files` are the absolute paths that the
    result depends on, with the hash of the content that was read; `set_name` is None until the
    spec is read.
    """

    run: int
    status: Status
    kernel: str
    device: DeviceInfo
    seed: int
    seconds: float
    source_sha256: str | None = None
    spec: str | None = None
    design: str | None = None
    set_name: str | None = None
    steps: tuple[StepResult, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    verdict: Verdict | None = None
    error: WorkbenchError | None = None
    notes: tuple[str, ...] = ()
    files: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The verdict's findings; without a verdict, the one that the error is, if it is one."""
        if self.verdict is not None:
            return self.verdict.findings
        error = self.error
        if error is None or error.finding is None:
            return ()
        from workbench.verdict import Finding

        return (Finding(error.finding, "error", error.message, error.hint or "", error.where),)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a `check` that ends with this run."""
        return _EXIT_CODES[self.status]
