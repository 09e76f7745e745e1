"""The NPU's device node: the first thing without which nothing runs, found in microseconds."""

from __future__ import annotations

import os
from pathlib import Path

from workbench.build.aie.probe import NO_RUN, Probe
from workbench.settings import Settings


def find_device(settings: Settings) -> Probe:
    """The device node, and whether we may use it."""
    node = settings.paths.device
    if not node.exists():
        loaded = Path("/sys/module/amdxdna").exists()
        why = "the amdxdna driver is loaded, but has no device" if loaded else "no amdxdna driver"
        mend = "sudo apt install amdxdna-dkms && sudo modprobe amdxdna  # from ppa:amd-team/xrt"
        return Probe("device", None, None, f"no {node} here: {why}", NO_RUN, mend)
    if not os.access(node, os.R_OK | os.W_OK):
        mend = "sudo usermod -aG render $USER  # and log in again"
        return Probe("device", str(node), None, f"no permission for {node}", NO_RUN, mend)
    return Probe("device", str(node))


def no_device(settings: Settings) -> str | None:
    """Why there is no device to use, without a look at any tool; None when there is one."""
    return find_device(settings).problem
