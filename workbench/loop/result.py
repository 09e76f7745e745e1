"""A finished run: everything a front end may show of it, and its exit code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from workbench.build import Diagnostic, StepResult
from workbench.device.choose import DeviceInfo, Kind
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
    from workbench.build.aie.phases import Phase
    from workbench.build.aie.steps import Explained
    from workbench.device.model.workload import Workload
    from workbench.device.npu.workload import Latency
    from workbench.spec.cases import Case, LoadedSpec
    from workbench.verdict import Finding, Verdict
    from workbench.verdict.stages import StageResult

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


MODEL_STEP = "model"
"""Of a run on the NPU: the model beside it. It is no step that others rely on."""

STEPS: Mapping[Kind, tuple[str, ...]] = {
    "model": ("compile", "load", "run", "judge"),
    "npu": ("load", MODEL_STEP, "compile", "archive", "aiecc", "run", "judge"),
}
"""The steps of a run, by the kind of its device."""


def status_of(error: WorkbenchError) -> Status:
    """The status of a run that ended with this error."""
    return next(status for kind, status in _STATUS_OF_ERROR if isinstance(error, kind))


@dataclass(frozen=True, slots=True, eq=False)
class Materials:
    """What a run was made of, for whoever looks further into it.

    `work` is what the model executes, each time for at most `limit_s`; `defines` are the macros
    that its kernel was compiled with.
    """

    loaded: LoadedSpec
    case: Case
    work: Workload
    limit_s: float
    defines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NpuReport:
    """What is known of a run on the NPU beyond its verdict.

    `folder` is where the build's files and logs lie, `phases` where aiecc was seen to be,
    `explained` the lines of output that the catalogue of messages knows. `provenance` has the
    hashes from the source to the xclbin (JSON can hold it); `cached` says that no tool had to run.
    `latency` and `state` (of the NPU's last command) are None until it has run.
    """

    folder: str
    phases: tuple[Phase, ...] = ()
    explained: tuple[Explained, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    cached: bool = False
    latency: Latency | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """One pass through the pipeline for one saved state.

    `kernel`, `spec` and `design` are paths as shown to people; the latter two and `source_sha256`
    are None when the run ended before they were known. `verdict` is None unless the run was
    judged; `error` says in one sentence why it was not. `files` are the absolute paths that the
    result depends on, with the hash of the content that was read; `set_name` is None until the
    spec is read.

    Of a run on the NPU, `verdict` is the NPU's and `model` the model's, None where that couldn't
    run; `comparison` says in a sentence what follows from the two, and `concerns` are what the
    build itself shows to be wrong. `explained` tells whether all that looks for causes has ended;
    `stages` are known only then.
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
    model: Verdict | None = None
    comparison: str | None = None
    concerns: tuple[Finding, ...] = ()
    stages: tuple[StageResult, ...] = ()
    npu: NpuReport | None = None
    materials: Materials | None = None
    explained: bool = False
    files: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The verdict's findings; without one, what the error is, and what the build showed."""
        if self.verdict is not None:
            return self.verdict.findings
        error = self.error
        if error is None or error.finding is None:
            return self.concerns
        from workbench.verdict import Finding

        first = Finding(error.finding, "error", error.message, error.hint or "", error.where)
        return (first, *(one for one in self.concerns if one.message != error.message))

    def judged_as(self, other: RunResult) -> bool:
        """Whether both are of one judged run, whatever has been found out about it since."""
        verdict, same = self.verdict, other.verdict
        return verdict is not None and same is not None and verdict.device is same.device

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a `check` that ends with this run."""
        return _EXIT_CODES[self.status]
