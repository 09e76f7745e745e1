"""The aiecc step: a design and its objects to an xclbin and the NPU's instructions."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from workbench import manifest
from workbench.build.aie.commands import AieccCall, aiecc_call, ignored_flags, unlisted_flags
from workbench.build.aie.compiling import LAYOUT, place_object
from workbench.build.aie.concern import Concern
from workbench.build.aie.elf import ObjectFile, read_object
from workbench.build.aie.find import Toolchain
from workbench.build.aie.objects import wrong_object
from workbench.build.aie.phases import Phase, PhaseTracker
from workbench.build.aie.steps import LOG_SHOWN, Ran, Step, check_exit, check_made
from workbench.build.diagnostics import Diagnostic, parse_diagnostics
from workbench.build.kernel import stored_diagnostic
from workbench.build.steps import Artifact
from workbench.design.model import Design, Tile
from workbench.errors import BuildError
from workbench.settings import Settings

WORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class Linked:
    """What aiecc made, each file proven to be there; `images` are the cores' ELF files."""

    xclbin: Path
    instructions: Path
    images: dict[Tile, Path]
    phases: tuple[Phase, ...]
    diagnostics: tuple[Diagnostic, ...]
    concerns: tuple[Concern, ...]
    cached: bool


class WrongObjectError(BuildError):
    """The image holds other code than what was compiled: a verdict would be of that."""

    finding = "wrong-object"


@dataclass(frozen=True, slots=True)
class LinkJob:
    """What aiecc is to link: a design's text, and its objects by the names it links them by."""

    design: Design
    text: bytes
    objects: dict[str, Path]
    code: tuple[ObjectFile, ...]
    """The objects as they were read, before any archive."""
    scheme: str | None
    toolchain: Toolchain
    settings: Settings

    @property
    def name(self) -> str:
        """The design's file name, which its copy in the build's folder has too."""
        return Path(self.design.path).name

    def call(self) -> AieccCall:
        """aiecc's call."""
        extra = self.settings.flags.aiecc
        return aiecc_call(self.toolchain, self.name, self.scheme, extra)

    def key(self) -> str:
        """Changes with everything that aiecc's results depend on."""
        hashes = {name: manifest.sha256_file(path) for name, path in self.objects.items()}
        return manifest.key_of(
            LAYOUT,
            self.design.path,
            manifest.sha256_bytes(self.text),
            hashes,
            self.call().command,
            self.toolchain.identity,
        )


async def link(job: LinkJob, folder: Path, records: Path, step: Step) -> Linked:
    """Run aiecc in `folder`, which holds the objects, or find the same build done.

    Raises BuildError in the words of the tool that failed first, StaleArtifactError and
    WrongObjectError where it claims to have succeeded.
    """
    call = job.call()
    step.command = call.command
    record = records / f"aiecc-{job.key()}.json"
    if found := _recorded(record, step):
        return found
    _lay_out(job, folder)
    began = time.time()
    tracker = PhaseTracker(job.toolchain.generation)

    def follow(lines: list[str]) -> None:
        for phase in tracker.feed(lines):
            step.report.phase(step.name, phase)

    ran = await step.run(
        call.command, folder / "aiecc.log", cwd=folder, env=call.env, on_lines=follow
    )
    step.diagnostics, step.phases = _diagnostics(ran, job), tracker.seen
    _check(ran, call, job, step, folder, began)
    linked = _linked(call, job, folder, step)
    _remember(record, linked, ran)
    step.artifacts = _artifacts(linked)
    return linked


def _lay_out(job: LinkJob, folder: Path) -> None:
    """The design and its objects in the folder that aiecc runs in, where every generation looks."""
    for name, path in job.objects.items():
        place_object(path, folder / name)
    (folder / job.name).write_bytes(job.text)


def _artifacts(linked: Linked) -> tuple[Artifact, ...]:
    files = (linked.xclbin, linked.instructions, *linked.images.values())
    return tuple(Artifact.of(file) for file in files)


def _check(ran: Ran, call: AieccCall, job: LinkJob, step: Step, folder: Path, began: float) -> None:
    """BuildError unless aiecc succeeded, heeded our flags and made what it was asked for."""
    tool, where = job.toolchain.aiecc.name, job.design.path
    check_exit(ran, tool, step.limit_s, _first_place(step.diagnostics) or where)
    for pattern in (call.xclbin, call.instructions):
        found = sorted(folder.glob(pattern))
        if len(found) > 1:
            message = f"{tool} made {len(found)} files {pattern}: which one is meant?"
            raise BuildError(message, where=where, hint="keep one runtime sequence in the design")
        hint = _why_not_made(step, ignored_flags(call, ran.plain))
        check_made(found[0] if found else folder / pattern, tool, began, where, hint)
    if next(folder.glob(call.instructions)).stat().st_size % WORD_BYTES:
        raise BuildError("the instructions are not whole words", where=where)
    if ignored := ignored_flags(call, ran.plain):
        raise BuildError(
            f"{tool} took no notice of {', '.join(ignored)}: what it made is "
            "not what was asked for",
            where=where,
            hint="it ignores flags it doesn't know; give its own spelling in flags.aiecc",
        )


def _why_not_made(step: Step, ignored: tuple[str, ...]) -> str:
    """The likeliest reason of a missing file: a known message, else a flag without effect."""
    fatal = [e.message for e in step.explained if e.message.kind == "fatal"]
    if fatal:
        return f"{fatal[0].meaning}: {fatal[0].mend}"
    if ignored:
        return f"it took no notice of {', '.join(ignored)} either"
    return "this aiecc may have ignored the flag that asks for it; see the log"


def _linked(call: AieccCall, job: LinkJob, folder: Path, step: Step) -> Linked:
    images = {}
    for core in job.design.cores:
        column, row = core.tile
        found = sorted(folder.rglob(f"*core_{column}_{row}.elf"))
        if found:
            images[core.tile] = found[0]
    concerns = _image_concerns(job, images)
    for flag in unlisted_flags(job.toolchain, job.settings.flags.aiecc):
        concerns.append(
            Concern(
                "swallowed-flag",
                "warning",
                f"{job.toolchain.aiecc.name} doesn't list {flag} in its --help, and ignores flags "
                "that it doesn't know",
                "check its spelling in flags.aiecc",
                None,
                {"flag": flag},
            )
        )
    xclbin, instructions = folder / call.xclbin, next(folder.glob(call.instructions))
    return Linked(
        xclbin, instructions, images, step.phases, step.diagnostics, tuple(concerns), cached=False
    )


def _image_concerns(job: LinkJob, images: dict[Tile, Path]) -> list[Concern]:
    """Cores whose image can't be looked at; WrongObjectError for one with other code."""
    found = []
    for core in job.design.cores:
        called = sorted({c.function for c in job.design.kernel_calls() if c.tile == core.tile})
        where = f"{job.design.path}:{core.line}"
        if core.tile not in images:
            found.append(_unproven(core.tile, where))
            continue
        image = read_object(images[core.tile])
        for file in job.code:
            if (wrong := wrong_object(file, image, called, where)) is not None:
                raise WrongObjectError(wrong.message, where=where, hint=wrong.hint)
    return found


def _unproven(tile: Tile, where: str) -> Concern:
    return Concern(
        "unproven-object",
        "info",
        f"aiecc left no image of core {tile}: whether it holds this object's code can't be told",
        "see its folder of intermediate files",
        where,
    )


def _diagnostics(ran: Ran, job: LinkJob) -> tuple[Diagnostic, ...]:
    """What the tools said of places; those in the design's copy are the design's own."""
    found = parse_diagnostics(ran.lines)
    return tuple(
        replace(
            d,
            file=_own(d.file, job),
            notes=tuple(replace(note, file=_own(note.file, job)) for note in d.notes),
        )
        for d in found
    )


def _own(file: str, job: LinkJob) -> str:
    return job.design.path if Path(file).name == job.name else file


def _first_place(diagnostics: tuple[Diagnostic, ...]) -> str | None:
    errors = (d.where for d in diagnostics if d.severity == "error" and d.file)
    return next(errors, None)


def _remember(record: Path, linked: Linked, ran: Ran) -> None:
    files = (linked.xclbin, linked.instructions, *linked.images.values())
    manifest.write(
        record,
        files=manifest.file_hashes(map(str, files)),
        data={
            "xclbin": str(linked.xclbin),
            "instructions": str(linked.instructions),
            "images": [[*tile, str(path)] for tile, path in linked.images.items()],
            "phases": [asdict(phase) for phase in linked.phases],
            "concerns": [asdict(concern) for concern in linked.concerns],
            "log": ran.lines[:LOG_SHOWN],
            "diagnostics": [asdict(d) for d in linked.diagnostics],
        },
    )


def _recorded(record: Path, step: Step) -> Linked | None:
    data = manifest.read(record)
    if data is None:
        return None
    step.replay(data["log"])
    xclbin = Path(data["xclbin"])
    os.utime(xclbin.parent)  # used: the last to be cleared away
    linked = Linked(
        xclbin,
        Path(data["instructions"]),
        {(column, row): Path(path) for column, row, path in data["images"]},
        tuple(Phase(**phase) for phase in data["phases"]),
        tuple(stored_diagnostic(d) for d in data["diagnostics"]),
        tuple(Concern(**concern) for concern in data["concerns"]),
        cached=True,
    )
    step.artifacts = _artifacts(linked)
    step.diagnostics, step.phases = linked.diagnostics, linked.phases
    return linked
