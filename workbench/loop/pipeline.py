"""One run: from what lies on disk to a result, on the device that is chosen for it."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from workbench import manifest
from workbench.device.choose import MODEL, choose
from workbench.errors import UsageError, WorkbenchError
from workbench.loop.devices import Devices
from workbench.loop.events import RunStarted
from workbench.loop.on_model import run_on_model
from workbench.loop.progress import Emit, Progress, system_errors
from workbench.loop.result import STEPS, RunResult, status_of
from workbench.loop.target import Options, find_spec, shown, spec_candidates
from workbench.settings import load_settings, settings_files
from workbench.spec.cases import BrokenSpec


async def execute(
    run: int, options: Options, devices: Devices, emit: Emit, reason: str
) -> RunResult:
    """Run all steps. What a user can mend ends up in the result, never as an exception."""
    started = time.monotonic()
    kernel = str(options.kernel_path)
    progress = Progress(RunResult(run, "error", shown(kernel), MODEL, options.seed, 0.0), emit)
    progress.depends_on(manifest.file_hashes([kernel]))
    try:
        with system_errors():
            await _steps(progress, options, devices, reason)
    except WorkbenchError as error:
        progress.know(status=status_of(error), error=error)
        # The file to mend may be one that nothing else has named yet.
        progress.depends_on(_named_file(error))
        if isinstance(error, BrokenSpec):
            progress.depends_on(error.files)
    return progress.finish(started)


async def _steps(progress: Progress, options: Options, devices: Devices, reason: str) -> None:
    try:
        progress.depends_on(manifest.file_hashes(map(str, settings_files(options.project))))
        settings = load_settings(options.project)
        chosen = await choose(options.device, settings, devices.machine)
        progress.know(device=chosen.info)
        progress.steps = STEPS[chosen.info.kind]
        chosen.refuse()
    finally:
        result = progress.result
        progress.emit(RunStarted(result.run, result.kernel, reason, result.device, progress.steps))
    progress.depends_on(manifest.file_hashes(map(str, spec_candidates(options))))
    spec = find_spec(options)
    progress.know(spec=shown(spec))
    progress.depends_on(manifest.file_hashes([str(spec)]))
    _make_cache(options.cache)
    if chosen.machine is None:
        await run_on_model(progress, options, settings, spec, devices.model)
    else:
        from workbench.loop.on_npu import run_on_npu  # most machines never need it

        await run_on_npu(progress, options, settings, spec, devices.model, chosen.machine)


def _make_cache(cache: Path) -> None:
    """The folder for what is generated, which no repository is to take in."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        ignore = cache.parent / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
        tempfile.TemporaryFile(dir=cache).close()
    except OSError as error:
        raise UsageError(
            f"can't write generated files: {error.strerror}",
            where=shown(cache),
            hint="make this folder writable, or work on a copy of the project",
        ) from error


def _named_file(error: WorkbenchError) -> Mapping[str, str | None]:
    place = re.sub(r"(:\d+)+$", "", error.where or "")
    return manifest.file_hashes([place]) if os.path.isfile(place) else {}
