"""One of many runs: what was asked for, and what came of it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import ExitCode
from workbench.loop.record import record
from workbench.loop.result import RunResult, Status
from workbench.loop.target import Options

_GRAVEST: tuple[Status, ...] = (
    "error",
    "build-failed",
    "no-device",
    "crash",
    "hang",
    "deadlock",
    "fail",
    "pass",
)

_TOLD = (
    "source_sha256",
    "error",
    "inputs",
    "metrics",
    "arithmetic",
    "criteria",
    "findings",
    "notes",
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A finished run of many. Two of them are equal when all but the time they took is.

    `told` are the parts of its record (`loop.record`) that tell it from the others.
    """

    options: Options
    status: Status
    exit_code: ExitCode
    told: Mapping[str, Any]
    seconds: float = field(compare=False)

    @classmethod
    def of(cls, options: Options, result: RunResult) -> Trial:
        """The trial that gave `result`."""
        whole = record(result)
        told = {key: whole[key] for key in _TOLD}
        return cls(options, result.status, result.exit_code, told, result.seconds)

    def metric(self, name: str) -> float | None:
        """A metric's value; None where it is undefined or nothing was judged."""
        value: float | None = (self.told["metrics"] or {}).get(name)
        return value

    @property
    def rank(self) -> tuple[float, ...]:
        """What sorts the worst first: how it ended, the largest error, the share that is off."""
        undefined = -math.inf
        errors = [self.metric("max_abs"), self.metric("mae")]
        shares = [self.metric("exact"), self.metric("correlation")]
        return (
            _GRAVEST.index(self.status),
            *(undefined if error is None else -error for error in errors),
            *(undefined if share is None else round(share, 9) for share in shares),
        )

    @property
    def command(self) -> str:
        """The command that runs it again, alone."""
        given = self.options
        named = {
            "--spec": given.spec,
            "--design": given.design,
            "--inputs": given.set_name,
            "--seed": given.seed,
            "--time-limit": given.time_limit_s,
        }
        words = ["npu-workbench", "check", given.kernel]
        for option, value in named.items():
            words += [] if value is None else [option, str(value)]
        return shlex.join(words)

    def to_json(self) -> dict[str, Any]:
        """What `--json` tells of it."""
        return {**self.told, "status": self.status, "seconds": self.seconds}
