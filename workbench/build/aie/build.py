"""A build for the NPU: compile, archive, aiecc; each in a folder of this build's own.

    .workbench/cache/aie/builds/ID/   everything that a build made, its logs too
    .workbench/cache/aie/records/     what a step was made from, by content hash, and what it gave

A step is taken as done only if everything that it was made from is the same by content, and all
that it gave is still there unchanged. A cancelled build leaves nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import manifest
from workbench.build.aie import compiling, linking
from workbench.build.aie.compiling import Compiled
from workbench.build.aie.concern import Concern
from workbench.build.aie.elf import ObjectFile, read_object
from workbench.build.aie.find import Toolchain
from workbench.build.aie.linking import Linked, LinkJob
from workbench.build.aie.links import link_names, target_of
from workbench.build.aie.objects import ObjectReport, inspect
from workbench.build.aie.phases import Phase
from workbench.build.aie.steps import Explained, Report, Step, step
from workbench.build.diagnostics import Diagnostic
from workbench.build.kernel import SourceChanged
from workbench.build.steps import Artifact, StepResult
from workbench.design.model import Design, Tile
from workbench.errors import BuildError
from workbench.settings import Settings

STEPS = ("compile", "archive", "aiecc")

BUILDS_KEPT = 8
"""Folders of builds that stay, for a look at logs and intermediate files."""

RECORDS_KEPT = 64


@dataclass(frozen=True, slots=True, eq=False)
class NpuBuilt:
    """What a build gave; with an `error` it failed, and `xclbin` and `instructions` are None.

    `objects` are by the name the design links them by, `images` the cores' ELF files. `headers`
    are all files that the sources included. `provenance` has hashes from the source to the xclbin
    (JSON can hold it). `folder` is where everything lies; of a cached build that of the first.
    """

    folder: Path
    steps: tuple[StepResult, ...]
    source_sha256: str
    error: BuildError | None = None
    xclbin: Path | None = None
    instructions: Path | None = None
    objects: Mapping[str, Path] = field(default_factory=dict)
    images: Mapping[Tile, Path] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    explained: tuple[Explained, ...] = ()
    reports: tuple[ObjectReport, ...] = ()
    """One a source, in their order."""
    concerns: tuple[Concern, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cached(self) -> bool:
        """Whether no tool had to run."""
        return all(step.status in ("cached", "skipped") for step in self.steps)


@dataclass(frozen=True, slots=True)
class NpuJob:
    """What is to be built: sources (the kernel first, as shown to people) for a design.

    `allocation` is the scheme that the spec promises; the settings' wins. Of the two schemes,
    bank-aware is what aiecc does by itself, falling back to the other.
    """

    sources: Sequence[str]
    design: Design
    toolchain: Toolchain
    settings: Settings
    cache: Path
    allocation: str = "bank-aware"

    @property
    def scheme(self) -> str:
        """How buffers are placed."""
        return self.settings.alloc_scheme or self.allocation


async def build_npu(job: NpuJob, report: Report) -> NpuBuilt:
    """Build a design for the NPU, or find it built.

    What a user can mend is in the result's `error`, never raised; SourceChanged is raised when a
    source or the design was saved again meanwhile. Cancelling it ends every process that it
    started, and removes what it had made.
    """
    with _folder(job.cache / "aie" / "builds") as folder:
        build = _Build(job, report, folder, job.cache / "aie" / "records")
        try:
            await build.run()
        except BuildError as error:
            build.error = error
        return build.built()


@contextmanager
def _folder(builds: Path) -> Iterator[Path]:
    """A fresh folder, which stays unless the build is cancelled or nothing came to lie in it."""
    builds.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="", dir=builds))
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    with suppress(OSError):  # when it isn't empty
        folder.rmdir()
    for old in _oldest(builds, BUILDS_KEPT):
        shutil.rmtree(old, ignore_errors=True)
    for old in _oldest(builds.parent / "records", RECORDS_KEPT):
        old.unlink(missing_ok=True)


def _oldest(folder: Path, kept: int) -> list[Path]:
    """What a folder holds but for the entries that were used last."""
    aged = []
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            aged.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(aged, reverse=True)[kept:]]


class _Build:
    """One build as it goes on; `built` is what is known of it at any time."""

    def __init__(self, job: NpuJob, report: Report, folder: Path, records: Path) -> None:
        self.error: BuildError | None = None
        self._job = job
        self._report = report
        self._folder = folder
        self._records = records
        self._ended: list[StepResult] = []
        self._steps: list[Step] = []
        self._compiled: list[Compiled] = []
        self._reports: list[ObjectReport] = []
        self._objects: dict[str, Path] = {}
        self._linked: Linked | None = None
        self._source_sha256 = manifest.sha256_file(job.sources[0]) or ""

    async def run(self) -> None:
        """All steps; BuildError from the one that fails."""
        names = link_names(self._job.design)
        text = _text(self._job.design)
        await self._compile()
        code = tuple(report.object for report in self._reports)
        self._refuse_missing()
        await self._place(names)
        await self._link(text, code)

    @contextmanager
    def _step(self, name: str, limit_s: float) -> Iterator[Step]:
        with step(name, limit_s, self._report, self._ended) as running:
            self._steps.append(running)
            yield running

    async def _compile(self) -> None:
        job = self._job
        target = job.settings.target or target_of(job.design)
        with self._step("compile", job.settings.limits.compile) as running:
            for source in job.sources:
                compiled = await compiling.compile_source(
                    source,
                    target,
                    job.toolchain,
                    job.settings,
                    self._folder,
                    self._records,
                    running,
                )
                self._compiled.append(compiled)
                file = read_object(compiled.object)
                self._reports.append(inspect(file, job.design, source, job.scheme))
            running.artifacts = tuple(Artifact.of(one.object) for one in self._compiled)
            if all(one.cached for one in self._compiled):
                running.status = "cached"

    def _refuse_missing(self) -> None:
        """BuildError for a function that no object defines: the linker would only say later."""
        for concern in _concerns(self._reports):
            if concern.id == "missing-symbol":
                raise BuildError(concern.message, where=concern.where, hint=concern.hint)

    async def _place(self, names: tuple[str, ...]) -> None:
        """The objects under the names that the design links; several of them as an archive."""
        job = self._job
        objects = [one.object for one in self._compiled]
        if not compiling.needs_archive(names, len(objects)):
            self._objects = dict.fromkeys(names, objects[0])
            self._skip("archive", job.settings.limits.archive)
            return
        with self._step("archive", job.settings.limits.archive) as running:
            for name in names:
                target = self._folder / "archive" / name
                await compiling.archive(objects, target, job.toolchain, job.settings, running)
                self._objects[name] = target

    def _skip(self, name: str, limit_s: float) -> None:
        with self._step(name, limit_s) as running:
            running.status = "skipped"

    async def _link(self, text: bytes, code: tuple[ObjectFile, ...]) -> None:
        job = self._job
        scheme = job.scheme if job.settings.alloc_scheme or job.scheme != "bank-aware" else None
        with self._step("aiecc", job.settings.limits.aiecc) as running:
            work = LinkJob(
                job.design, text, self._objects, code, scheme, job.toolchain, job.settings
            )
            self._linked = await linking.link(work, self._folder, self._records, running)
            if self._linked.cached:
                running.status = "cached"

    def built(self) -> NpuBuilt:
        """What is known."""
        linked = self._linked
        failed = self.error is not None or linked is None
        reports = tuple(self._reports)
        return NpuBuilt(
            folder=linked.xclbin.parent if linked else self._folder,
            steps=tuple(self._ended),
            source_sha256=self._source_sha256,
            error=self.error,
            xclbin=linked.xclbin if linked and not failed else None,
            instructions=linked.instructions if linked and not failed else None,
            objects=dict(self._objects),
            images=linked.images if linked else {},
            headers=tuple(dict.fromkeys(h for step in self._steps for h in step.headers)),
            phases=tuple(phase for step in self._steps for phase in step.phases),
            diagnostics=tuple(d for step in self._steps for d in step.diagnostics),
            explained=tuple(e for step in self._steps for e in step.explained),
            reports=reports,
            concerns=(*_concerns(reports), *(linked.concerns if linked else ())),
            provenance=self._provenance(),
        )

    def _provenance(self) -> dict[str, Any]:
        linked = self._linked
        headers = {
            h: d for one in self._compiled for h, d in manifest.file_hashes(one.headers).items()
        }
        return {
            "build": (linked.xclbin.parent if linked else self._folder).name,
            "sources": {one.source: one.source_sha256 for one in self._compiled},
            "headers": headers,
            "flags": {one.source: list(one.flags[1:]) for one in self._compiled},
            "design": {self._job.design.path: self._job.design.sha256},
            "tools": dict(self._job.toolchain.versions),
            "objects": _hashes({str(one.object): one.object for one in self._compiled}),
            "functions": {
                f.name: manifest.sha256_bytes(f.code)
                for report in self._reports
                for f in report.object.functions.values()
            },
            "linked": _hashes(self._objects),
            "images": _hashes({f"{c},{r}": p for (c, r), p in linked.images.items()})
            if linked
            else {},
            "xclbin": manifest.sha256_file(linked.xclbin) if linked else None,
            "instructions": manifest.sha256_file(linked.instructions) if linked else None,
        }


def _text(design: Design) -> bytes:
    """The design's text, as it was when the design was read."""
    try:
        text = Path(design.path).read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise BuildError(f"the design can't be read: {reason}", where=design.path) from None
    if manifest.sha256_bytes(text) != design.sha256:
        raise SourceChanged
    return text


def _hashes(files: Mapping[str, Path]) -> dict[str, str | None]:
    return {name: manifest.sha256_file(os.fspath(path)) for name, path in files.items()}


def _concerns(reports: Sequence[ObjectReport]) -> list[Concern]:
    """What is of concern in all objects together: one may define what another lacks."""
    files = [report.object for report in reports]
    defined = {f.name for file in files for f in file.functions.values() if f.exported}
    return [
        concern
        for report in reports
        for concern in report.concerns
        if not defined & {concern.evidence.get("function"), concern.evidence.get("symbol")}
    ]
