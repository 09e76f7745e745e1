"""A run's steps on the model: compile beside load, run, judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench import manifest
from workbench.build import Built, build_kernel, find_clang
from workbench.build.kernel import SourceChanged
from workbench.device.model.device import ModelDevice
from workbench.device.model.workload import ANY_OBJECT, FILLS, Outcome, Override, Workload
from workbench.errors import BuildError
from workbench.loop.buffers import host_buffers, output_tensors, written_only
from workbench.loop.progress import Progress
from workbench.loop.result import Materials
from workbench.loop.steps import judged, read
from workbench.loop.target import Options, shown
from workbench.loop.together import both

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from workbench.settings import Settings
    from workbench.spec.cases import Case, LoadedSpec
    from workbench.spec.model import Promise
    from workbench.verdict import Evidence


async def run_on_model(
    progress: Progress, options: Options, settings: Settings, spec: Path, device: ModelDevice
) -> None:
    """All steps; what comes of them is in `progress`. Raises WorkbenchError."""
    device.prepare()
    limits = settings.limits
    (loaded, case), built = await both(
        read(progress, options, spec, limits.load), _compile(progress, options, limits.compile)
    )
    work = workload(options, built, loaded, case)
    limit_s = options.run_limit_s(limits.run)
    # Known before it runs: a crash is worth a closer look as well.
    progress.know(materials=Materials(loaded, case, work, limit_s, options.changes.defines))
    with progress.step("run", limit_s):
        outcome = await device.execute(work, progress.log("run"), limit_s)
    progress.note(*outcome.notes)
    first, *later = (output_tensors(loaded.promise, run) for run in outcome.runs)
    await judged(progress, loaded, case, first, evidence(loaded, outcome, later))


async def _compile(progress: Progress, options: Options, limit_s: float) -> Built:
    kernel = shown(options.kernel_path)
    with progress.step("compile", limit_s) as end:
        built = await compile_kernel(options, progress.log("compile"), limit_s)
        end.command, end.artifacts = built.step.command, built.step.artifacts
        end.status = built.step.status
        progress.know(source_sha256=built.source_sha256, diagnostics=built.diagnostics)
        progress.depends_on(manifest.file_hashes(built.headers))
        progress.depends_on({kernel: built.source_sha256})
        if built.library is None:
            raise build_error(built, kernel)
    return built


async def compile_kernel(
    options: Options, log: Callable[[list[str]], None], limit_s: float
) -> Built:
    """The kernel compiled for the model, as it lies on disk when this returns."""
    while True:
        try:
            return await build_kernel(
                shown(options.kernel_path),
                find_clang(),
                options.cache,
                log,
                limit_s,
                options.changes.defines,
            )
        except SourceChanged:
            log(["the source was saved while it was compiled: compiling what is there now"])


def build_error(built: Built, kernel: str) -> BuildError:
    """Why a kernel was not built: the first error that the compiler gave."""
    errors = [d for d in built.diagnostics if d.severity == "error"]
    if not errors:
        return BuildError("the kernel doesn't compile", where=kernel, hint="the log says more")
    first, *others = errors
    more = f"{len(others)} more error{'s' * (len(others) > 1)}" if others else None
    return BuildError(first.message, where=first.where if first.file else kernel, hint=more)


def workload(options: Options, built: Built, loaded: LoadedSpec, case: Case) -> Workload:
    """What the model is asked to execute."""
    assert built.library is not None
    promise = loaded.promise
    return Workload(
        design=shown(options.design or promise.design),
        libraries={ANY_OBJECT: built.library},
        cache=options.cache,
        buffers=tuple(host_buffers(promise, case.inputs)),
        outputs=written_only(promise),
        allocation=promise.allocation,
        overrides=tuple(_overrides(options, promise, case)),
        stack_bytes=options.changes.stack_bytes,
    )


def _overrides(options: Options, promise: Promise, case: Case) -> Iterator[Override]:
    """What is passed in place of the design's constants; the input set has the last word."""
    wanted = {name: (value, "on trial") for name, value in options.changes.scalars}
    wanted |= {name: (value, "for this input set") for name, value in case.scalars.items()}
    for scalar in promise.scalars:
        if scalar.name in wanted:
            value, reason = wanted[scalar.name]
            yield Override(scalar.name, promise.function, scalar.argument, value, reason)


def evidence(loaded: LoadedSpec, outcome: Outcome, repeats: list[dict[str, Any]]) -> Evidence:
    """What the model knows beyond the outputs; `repeats` are the tensors of its later runs."""
    from workbench.verdict import Evidence, PassedConstant

    promise = loaded.promise
    return Evidence(
        arithmetic=output_tensors(promise, outcome.arithmetic),
        refilled=output_tensors(promise, outcome.refilled),
        fills=FILLS,
        repeats=tuple(repeats),
        cores=outcome.cores,
        passed=tuple(
            PassedConstant(constant.argument, constant.value, constant.where)
            for constant in outcome.constants
            if constant.function == promise.function
        ),
        spec=shown(loaded.path),
    )
