"""What XRT and the driver refuse, and how a run ends, as errors that a user can act on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.build.aie.messages import Message, explain
from workbench.errors import DeviceError, HangError, WorkbenchError

TDR_S = 2.0
"""The driver's watchdog never gives a run up earlier (amd/xdna-driver, tdr_timeout_ms)."""

RECOVERY = (
    "if the next run fails too: xrt-smi reset, or as root modprobe -r amdxdna && modprobe amdxdna"
)

HANG_HINT = (
    "look for a FIFO that gets other than the bytes its core takes, or a loop without end; "
    "--device model says who waits for what"
)


def known(lines: Iterable[str]) -> Message | None:
    """What the first line with a known message means."""
    return next((one for line in lines if (one := explain(line)) and one.kind == "fatal"), None)


def refused(doing: str, text: str, log: Sequence[str], where: str | None) -> DeviceError:
    """XRT or the driver refused something; `log` is what they printed."""
    one = known([text]) or known(log)
    words = " ".join(text.split()) or "no reason given"
    if one is None:
        return DeviceError(
            f"can't {doing}: {words}", where=where, hint="the log of the run step says more"
        )
    return DeviceError(f"can't {doing}: {one.meaning} ({words})", where=where, hint=one.mend)


def ended(
    state: str, seconds: float, wait_ms: int, run: int, log: Sequence[str], where: str | None
) -> WorkbenchError:
    """A run in another state than COMPLETED: a hang, or a DeviceError."""
    told = how_ended(state, seconds, wait_ms, run)
    if state == "TIMEOUT" or (state == "ABORT" and seconds >= TDR_S):
        return HangError(told, where=where, hint=f"{HANG_HINT}; {RECOVERY}")
    one = known(log)
    if one is not None:
        return DeviceError(f"{told}: {one.meaning}", where=where, hint=one.mend)
    if state == "ABORT":
        hint = "firmware and driver may not fit together: install XRT and amdxdna of one release"
    elif state == "ERROR":
        hint = "check that xclbin and instructions are of one build, then the driver's log: dmesg"
    else:
        hint = RECOVERY
    return DeviceError(told, where=where, hint=hint)


def how_ended(state: str, seconds: float, wait_ms: int, run: int) -> str:
    """A sentence on a run that did not complete."""
    if state == "TIMEOUT" and seconds * 1e3 >= wait_ms:
        return (
            f"run {run} did not end in {wait_ms / 1e3:g} s (TIMEOUT: this limit or the driver's, "
            "XRT doesn't tell them apart)"
        )
    if state in ("TIMEOUT", "ABORT") and seconds >= TDR_S:
        return f"run {run} made no progress: the driver gave it up after {seconds:.1f} s ({state})"
    if state in ("NEW", "QUEUED", "RUNNING", "SUBMITTED"):
        return f"XRT stopped waiting for run {run}, which is still {state}"
    return f"run {run} did not complete: the NPU answered {state} after {seconds:.1f} s"
