"""One run: compile, load, run, judge; from what lies on disk to a result.

`load` reads the spec and has its inputs and reference; it goes on beside `compile`. `run` hands the
device the design, the built kernel and the inputs.
"""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench import manifest
from workbench.build import Artifact, Built, StepResult, StepStatus, build_kernel, find_clang
from workbench.build.kernel import SourceChanged
from workbench.device.choose import choose
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import ANY_OBJECT, FILLS, Outcome, Workload
from workbench.errors import BuildError, UsageError, WorkbenchError
from workbench.loop.buffers import host_buffers, output_tensors
from workbench.loop.events import Event, LogLines, RunStarted, StepFinished, StepStarted
from workbench.loop.result import DeviceInfo, RunResult, status_of
from workbench.loop.target import Options, find_spec, shown, spec_candidates
from workbench.spec.cases import BrokenSpec
from workbench.spec.load import load_case

if TYPE_CHECKING:
    from workbench.spec.cases import Case, LoadedSpec
    from workbench.verdict import Verdict

STEPS = ("compile", "load", "run", "judge")

COMPILE_LIMIT_S = 120.0
LOAD_LIMIT_S = 120.0
"""Importing torch and computing a reference can take long; hanging can't."""

Emit = Callable[[Event], None]
First = TypeVar("First")
Second = TypeVar("Second")


@dataclass(slots=True)
class _StepEnd:
    """What a step reports of itself; it is failed unless it ends without an error."""

    status: StepStatus = "ok"
    command: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()


@dataclass(slots=True)
class _Progress:
    """What is known of a run so far, and whom to tell."""

    result: RunResult
    emit: Emit
    ended: dict[str, StepResult] = field(default_factory=dict)

    def know(self, **what: Any) -> None:
        """Note fields of the result."""
        self.result = replace(self.result, **what)

    def depends_on(self, files: Mapping[str, str | None]) -> None:
        """Note files that the result is made from."""
        absolute = {os.path.abspath(path): digest for path, digest in files.items()}
        self.know(files={**self.result.files, **absolute})

    def log(self, step: str) -> Callable[[list[str]], None]:
        """Where a step's output goes."""
        return lambda lines: self.emit(LogLines(self.result.run, step, tuple(lines)))

    @contextmanager
    def step(self, name: str, limit_s: float | None = None) -> Iterator[_StepEnd]:
        """A step, from its beginning to its end; a cancelled one has no end."""
        self.emit(StepStarted(self.result.run, name, limit_s))
        started = time.monotonic()
        end = _StepEnd()
        failure: WorkbenchError | None = None
        try:
            with _system_errors():
                yield end
        except WorkbenchError as error:
            end.status = "failed"
            failure = error
        seconds = time.monotonic() - started
        self.ended[name] = StepResult(name, end.status, seconds, end.command, end.artifacts)
        self.emit(StepFinished(self.result.run, self.ended[name]))
        if failure is not None:
            raise failure

    def finish(self, started: float) -> RunResult:
        """The result, with a line for every step."""
        none = {name: StepResult(name, "skipped", 0.0) for name in STEPS}
        steps = {**none, **self.ended}
        self.know(steps=tuple(steps.values()), seconds=time.monotonic() - started)
        return self.result


async def execute(
    run: int, options: Options, device: ModelDevice, emit: Emit, reason: str
) -> RunResult:
    """Run all steps. What a user can mend ends up in the result, never as an exception."""
    started = time.monotonic()
    kernel = str(options.kernel_path)
    asked = DeviceInfo("npu" if options.device == "npu" else "model", options.device, "asked for")
    progress = _Progress(RunResult(run, "error", shown(kernel), asked, options.seed, 0.0), emit)
    progress.depends_on(manifest.file_hashes([kernel]))
    try:
        with _system_errors():
            await _steps(progress, options, device, reason)
    except WorkbenchError as error:
        progress.know(status=status_of(error), error=error)
        # The file to mend may be one that nothing else has named yet.
        progress.depends_on(_named_file(error))
        if isinstance(error, BrokenSpec):
            progress.depends_on(error.files)
    return progress.finish(started)


async def _steps(progress: _Progress, options: Options, device: ModelDevice, reason: str) -> None:
    try:
        progress.know(device=DeviceInfo(*choose(options.device)))
    finally:
        result = progress.result
        progress.emit(RunStarted(result.run, result.kernel, reason, result.device, STEPS))
    device.prepare()
    progress.depends_on(manifest.file_hashes(map(str, spec_candidates(options))))
    spec = find_spec(options)
    progress.know(spec=shown(spec))
    progress.depends_on(manifest.file_hashes([str(spec)]))
    request = options.request(spec)
    _make_cache(options.cache)

    async def load() -> tuple[LoadedSpec, Case]:
        with progress.step("load", LOAD_LIMIT_S):
            return await load_case(request, progress.log("load"), LOAD_LIMIT_S)

    (loaded, case), built = await _both(load(), _compile(progress, options))
    design = options.design or loaded.promise.design
    progress.depends_on({**loaded.files, **manifest.file_hashes([design])})
    progress.know(design=shown(design), set_name=case.set_name)
    outcome = await _run(progress, options, device, built, loaded, case)
    verdict = await _judge(progress, loaded, case, outcome)
    progress.know(verdict=verdict, status="pass" if verdict.passed else "fail")


async def _compile(progress: _Progress, options: Options) -> Built:
    kernel = shown(options.kernel_path)
    log = progress.log("compile")
    with progress.step("compile", COMPILE_LIMIT_S) as end:
        while True:
            try:
                built = await build_kernel(
                    kernel, find_clang(), options.cache, log, COMPILE_LIMIT_S
                )
                break
            except SourceChanged:
                log(["the source was saved while it was compiled: compiling what is there now"])
        end.command, end.artifacts = built.step.command, built.step.artifacts
        end.status = built.step.status
        progress.know(source_sha256=built.source_sha256, diagnostics=built.diagnostics)
        progress.depends_on(manifest.file_hashes(built.headers))
        progress.depends_on({kernel: built.source_sha256})
        if built.library is None:
            raise build_error(built, kernel)
    return built


def build_error(built: Built, kernel: str) -> BuildError:
    """Why a kernel was not built: the first error that the compiler gave."""
    errors = [d for d in built.diagnostics if d.severity == "error"]
    if not errors:
        return BuildError("the kernel doesn't compile", where=kernel, hint="the log says more")
    first, *others = errors
    more = f"{len(others)} more error{'s' * (len(others) > 1)}" if others else None
    return BuildError(first.message, where=first.where if first.file else kernel, hint=more)


async def _run(
    progress: _Progress,
    options: Options,
    device: ModelDevice,
    built: Built,
    loaded: LoadedSpec,
    case: Case,
) -> Outcome:
    assert built.library is not None
    promise = loaded.promise
    work = Workload(
        design=shown(options.design or promise.design),
        libraries={ANY_OBJECT: built.library},
        cache=options.cache,
        buffers=tuple(host_buffers(promise, case.inputs)),
        outputs=tuple(buffer.direction == "out" for buffer in promise.buffers),
        allocation=promise.allocation,
    )
    with progress.step("run", options.time_limit_s):
        outcome = await device.execute(work, progress.log("run"), options.time_limit_s)
    progress.know(notes=outcome.notes)
    return outcome


async def _judge(progress: _Progress, loaded: LoadedSpec, case: Case, outcome: Outcome) -> Verdict:
    from workbench.verdict import Evidence, PassedConstant, judge

    promise = loaded.promise
    first, *later = (output_tensors(promise, run) for run in outcome.runs)
    evidence = Evidence(
        arithmetic=output_tensors(promise, outcome.arithmetic),
        refilled=output_tensors(promise, outcome.refilled),
        fills=FILLS,
        repeats=tuple(later),
        cores=outcome.cores,
        passed=tuple(
            PassedConstant(constant.argument, constant.value, constant.where)
            for constant in outcome.constants
            if constant.function == promise.function
        ),
        spec=shown(loaded.path),
    )
    with progress.step("judge"):
        return await asyncio.to_thread(judge, promise, first, case.reference, evidence)


async def _both(
    first: Coroutine[Any, Any, First], second: Coroutine[Any, Any, Second]
) -> tuple[First, Second]:
    """Both results; the error of the one that fails first, once the other has been stopped."""
    one, two = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        await asyncio.wait((one, two), return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in (one, two):
            task.cancel()
        await asyncio.gather(one, two, return_exceptions=True)
    for task in (one, two):
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
    return one.result(), two.result()


def _make_cache(cache: Path) -> None:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise UsageError(
            f"can't write generated files: {error.strerror}",
            where=shown(cache),
            hint="make this folder writable, or work on a copy of the project",
        ) from error


@contextmanager
def _system_errors() -> Iterator[None]:
    """What the system refuses is for the user to mend, as any other error of a run."""
    try:
        yield
    except OSError as error:
        where = shown(error.filename) if isinstance(error.filename, str | Path) else None
        raise UsageError(error.strerror or str(error), where=where) from error


def _named_file(error: WorkbenchError) -> Mapping[str, str | None]:
    place = re.sub(r"(:\d+)+$", "", error.where or "")
    return manifest.file_hashes([place]) if os.path.isfile(place) else {}
