"""What XRT and the driver say, and how a run ended, as errors that a user can act on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Known:
    """A message of XRT or the driver: what it means, and the mend."""

    pattern: re.Pattern[str]
    meaning: str
    mend: str


def _known(pattern: str, meaning: str, mend: str) -> Known:
    return Known(re.compile(pattern, re.IGNORECASE), meaning, mend)


KNOWN = (
    _known(
        r"CREATE_HWCTX IOCTL failed \(err=-2\)",
        "no hardware context is free, or other contexts hold the columns",
        "close other programs that use the NPU",
    ),
    _known(
        r"CREATE_HWCTX IOCTL failed \(err=-22\)",
        "the driver refuses the xclbin: it is for another NPU or number of columns, or the driver "
        "is too old for it",
        "check the design's aie.device(...) against this NPU, then update amdxdna",
    ),
    _known(
        r"CONFIG_HWCTX IOCTL failed \(err=-?62\)|Timer expired",
        "the NPU's firmware does not answer",
        RECOVERY,
    ),
    _known(
        r"EXEC_CMD IOCTL failed \(err=-?5\)|Input/output error",
        "the NPU is in a bad state",
        RECOVERY,
    ),
    _known(
        r"mmap\(.*\) failed \(err=-?11\)|Resource temporarily unavailable",
        "the limit on locked memory is too low: XRT locks 64 MiB",
        "set memlock to unlimited in /etc/security/limits.d/99-amdxdna.conf (a systemd user "
        "service: LimitMEMLOCK=infinity), then log in again",
    ),
    _known(
        r"Permission denied|\(err=-?13\)",
        "this user may not use the NPU",
        "sudo usermod -aG render $USER, then log in again",
    ),
    _known(
        r"No such device|Could not open device|/dev/accel/accel\d+.*No such file",
        "there is no NPU, or its driver amdxdna is not loaded",
        "sudo modprobe amdxdna; npu-workbench doctor says what else is missing",
    ),
    _known(
        r"No module named 'pyxrt'",
        "pyxrt is not installed for this Python",
        "source /opt/xilinx/xrt/setup.sh, and use the Python that XRT was built for",
    ),
    _known(
        r"cannot open shared object file",
        "pyxrt doesn't find XRT's libraries",
        "source /opt/xilinx/xrt/setup.sh",
    ),
    _known(
        r"load_axlf: Operation not supported",
        "this driver loads no xclbin onto the whole device",
        "register the xclbin instead of loading it",
    ),
    _known(
        r"no compute units with connectivity|Reverting to host copy of buffers",
        "a buffer is in a memory that the kernel can't reach",
        "check the group ids of the buffers, and that XRT and driver are of one release",
    ),
    _known(
        r"Bad BO flags|unsupported buffer type",
        "this driver has no such kind of buffer",
        "use host_only for data and cacheable for instructions; update XRT and amdxdna together",
    ),
    _known(
        r"Operation not supported|\(err=-?95\)",
        "driver, firmware and XRT don't fit together",
        "install XRT and amdxdna of one release",
    ),
)
"""The first that matches counts. Fragments as seen in XRT, amd/xdna-driver and their issues."""


def known(lines: Sequence[str]) -> Known | None:
    """What the first line with a known message means."""
    return next((one for line in lines for one in KNOWN if one.pattern.search(line)), None)


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
