"""The one error type that reaches a user, and the exit codes of the command line.

Every refusal is one sentence (what is wrong), a place (file:line) and a mend. Front ends print
`str(error)`; nothing else in the house formats an error.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit codes of `npu-workbench check`; part of the command line's contract."""

    PASS = 0
    NOT_MET = 1
    USAGE = 2
    BUILD_FAILED = 3
    DEVICE = 4
    HANG = 5
    INTERRUPTED = 130


class WorkbenchError(Exception):
    """Something the user can mend.

    `where` is "file:line" (or a file), `hint` says what to do; either may be None.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.USAGE
    finding: ClassVar[str | None] = None
    """The id of the finding that this error is, where it is one."""

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text} ({self.hint})" if self.hint else text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.where, self.hint))


def _rebuild(
    kind: type[WorkbenchError], message: str, where: str | None, hint: str | None
) -> WorkbenchError:
    return kind(message, where=where, hint=hint)


class UsageError(WorkbenchError):
    """The command line asks for something that isn't there."""


class SpecError(WorkbenchError):
    """The spec is broken or contradicts itself."""


class DesignError(WorkbenchError):
    """The MLIR design can't be read, or asks for what the device doesn't have."""


class BuildError(WorkbenchError):
    """A build step failed; its diagnostics and log say why."""

    exit_code = ExitCode.BUILD_FAILED


class DeviceError(WorkbenchError):
    """The device is missing or failed."""

    exit_code = ExitCode.DEVICE


class CrashError(DeviceError):
    """The kernel crashed on the device."""


class OutOfBoundsError(CrashError):
    """The kernel died of touching memory outside its core's."""

    finding = "out-of-bounds"


class HangError(WorkbenchError):
    """The kernel ran past its time limit."""

    exit_code = ExitCode.HANG


class DeadlockError(WorkbenchError):
    """Nothing in the design can go on; the message says who waits for what."""

    exit_code = ExitCode.HANG
    finding = "deadlock"
