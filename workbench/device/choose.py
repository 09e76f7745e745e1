"""Which device executes, and why this one."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from workbench.errors import DeviceError

Kind = Literal["model", "npu"]
Wanted = Literal["auto", "model", "npu"]

MODEL_NAME = "functional model of the core"


def choose(wanted: Wanted) -> tuple[Kind, str, str]:
    """Kind, name and reason of the device; DeviceError for an NPU that can't be used."""
    if wanted == "model":
        return "model", MODEL_NAME, "asked for"
    missing = _missing()
    if wanted == "npu":
        raise DeviceError(
            f"the npu can't be used: {missing}", hint="--device model runs on any machine"
        )
    return "model", MODEL_NAME, missing


def _missing() -> str:
    """The first thing that keeps the NPU from being used."""
    if not Path("/dev/accel/accel0").exists():
        return "no /dev/accel/accel0 here"
    if find_spec("pyxrt") is None:
        return "pyxrt is not installed"
    return "this version runs kernels on the model only"
