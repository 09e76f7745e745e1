"""One tool of a build, run: its output streamed and kept whole, its targets proven afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from workbench.build.aie.messages import FirstError, Message, explain, first_error
from workbench.build.aie.phases import Phase
from workbench.build.diagnostics import Diagnostic, strip_ansi
from workbench.build.steps import Artifact, StepResult, StepStatus
from workbench.errors import BuildError
from workbench.process import Exit, Process

LOG_SHOWN = 2_000
"""Lines of a cached step's output that are shown again."""

CLOCK_SLACK_S = 2.0
"""How far a file system's clock may lag behind ours (FAT's granularity)."""


@dataclass(frozen=True, slots=True)
class Report:
    """Whom a build tells: each is called on the event loop, with the step's name first."""

    started: Callable[[str, float], None]
    """Step, time limit in seconds."""
    finished: Callable[[StepResult], None]
    phase: Callable[[str, Phase], None]
    lines: Callable[[str, list[str]], None]


@dataclass(frozen=True, slots=True)
class Explained:
    """A line of output that the catalogue knows."""

    step: str
    line: str
    message: Message


@dataclass(frozen=True, slots=True)
class Ran:
    """A tool that has ended: all its lines, raw, and how it ended."""

    lines: tuple[str, ...]
    end: Exit

    @property
    def plain(self) -> tuple[str, ...]:
        """The lines without colours."""
        return tuple(strip_ansi(line) for line in self.lines)


@dataclass(slots=True)
class Step:
    """What a step says of itself while it runs; it is failed unless it ends without an error."""

    name: str
    limit_s: float
    report: Report
    status: StepStatus = "ok"
    command: tuple[str, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    explained: list[Explained] = field(default_factory=list)
    diagnostics: tuple[Diagnostic, ...] = ()
    phases: tuple[Phase, ...] = ()
    headers: tuple[str, ...] = ()
    """Files that were read besides the source, of a failed compilation too."""

    def say(self, *lines: str) -> None:
        """Lines of our own among the tool's."""
        self.report.lines(self.name, list(lines))

    async def run(
        self,
        command: tuple[str, ...],
        log: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        on_lines: Callable[[list[str]], None] | None = None,
    ) -> Ran:
        """Run a tool; its whole output goes to `log` as well. BuildError if it can't be started.

        When cancelled, the tool's whole process group is gone before this returns.
        """
        self.command = self.command or command
        lines: list[str] = []
        with _opened(log) as file:

            def keep(more: list[str]) -> None:
                lines.extend(more)
                file.writelines(f"{line}\n" for line in more)
                self._explain(more)
                self.report.lines(self.name, more)
                if on_lines is not None:
                    on_lines(more)

            try:
                process = Process(command, on_lines=keep, cwd=cwd, env=env)
            except OSError as error:
                raise BuildError(f"can't start {command[0]}: {error.strerror}") from error
            try:
                end = await process.wait(self.limit_s)
            finally:
                await process.stop()
        return Ran(tuple(lines), end)

    def replay(self, lines: list[str]) -> None:
        """Output of a step that was found done."""
        self._explain(lines)
        if lines:
            self.report.lines(self.name, lines)

    def _explain(self, lines: list[str]) -> None:
        for line in lines:
            if (message := explain(line)) is not None:
                self.explained.append(Explained(self.name, strip_ansi(line), message))


@contextmanager
def step(name: str, limit_s: float, report: Report, ended: list[StepResult]) -> Iterator[Step]:
    """A step, from its beginning to its end; a cancelled one has no end."""
    report.started(name, limit_s)
    began = time.monotonic()
    running = Step(name, limit_s, report)
    failure: BuildError | None = None
    try:
        yield running
    except BuildError as error:
        running.status, failure = "failed", error
    seconds = time.monotonic() - began
    result = StepResult(name, running.status, seconds, running.command, running.artifacts)
    ended.append(result)
    report.finished(result)
    if failure is not None:
        raise failure


def _opened(log: Path) -> TextIO:
    return open(log, "a", encoding="utf-8", errors="replace")


def check_exit(ran: Ran, tool: str, limit_s: float, where: str) -> None:
    """BuildError with the first real error of a tool that failed, and the tool that said it."""
    if ran.end.returncode == 0 and not ran.end.timed_out:
        return
    if ran.end.timed_out:
        raise BuildError(
            f"{tool} took longer than {limit_s:g} s and was stopped",
            where=where,
            hint="give it more under [limits] in npu-workbench.toml",
        )
    found = first_error(ran.lines)
    if found is None:
        how = ran.end.signal_name or f"exit {ran.end.returncode}"
        last = next((line for line in reversed(ran.plain) if line.strip()), None)
        raise BuildError(f"{tool} ended with {how}", where=where, hint=last)
    raise BuildError(said(found), where=where, hint=meant(found))


def said(error: FirstError) -> str:
    """An error in its tool's own words, the tool named."""
    return error.line if error.line.startswith(error.tool) else f"{error.tool}: {error.line}"


def meant(error: FirstError) -> str | None:
    """What a known error means, and what to do."""
    return f"{error.message.meaning}: {error.message.mend}" if error.message else None


class StaleArtifactError(BuildError):
    """A tool succeeded, but what it left is older than the build."""

    finding = "stale-artifact"


def check_made(target: Path, tool: str, began: float, where: str, hint: str | None = None) -> None:
    """BuildError unless a tool that ended with exit 0 has just made `target`.

    `began` is `time.time()` before the tool started. Older files are refused; nothing is ever
    taken for good because it is new.
    """
    claim = f"{tool} ended with exit 0, but "
    try:
        stat = target.stat()
    except OSError:
        raise BuildError(f"{claim}made no {target.name}", where=where, hint=hint) from None
    if stat.st_size == 0:
        raise BuildError(f"{claim}made an empty {target.name}", where=where, hint=hint)
    if stat.st_mtime < began - CLOCK_SLACK_S:
        raise StaleArtifactError(
            f"{claim}left a {target.name} that is older than this build",
            where=where,
            hint="it is a cached one: clear the tool's cache",
        )
