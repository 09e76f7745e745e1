"""Which device executes, and why this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.build.aie.device_node import no_device
from workbench.errors import DeviceError

if TYPE_CHECKING:
    from workbench.build.aie.find import Machine
    from workbench.settings import Settings

Kind = Literal["model", "npu"]
Wanted = Literal["auto", "model", "npu"]


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """What executes, and why this one."""

    kind: Kind
    name: str
    reason: str


MODEL = DeviceInfo("model", "functional model of the core", "--device model")
NPU_NAMES = {"npu1": "NPU of AIE2 cores (npu1)", "npu2": "NPU of AIE2P cores (npu2)", None: "NPU"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The device of a run; `machine` is what it has for the NPU, None for the model."""

    info: DeviceInfo
    machine: Machine | None = None

    def refuse(self) -> None:
        """DeviceError when this device can't be used."""
        if self.machine is not None and self.machine.no_npu is not None:
            raise DeviceError(
                f"the npu can't be used: {self.machine.no_npu}",
                hint="npu-workbench doctor says what mends it; --device model runs anywhere",
            )


async def choose(
    wanted: Wanted, settings: Settings, machine: Callable[[Settings], Awaitable[Machine]]
) -> Chosen:
    """The NPU when it is asked for, or when it can be used; else the model, and why."""
    if wanted == "model":
        return Chosen(MODEL)
    # Most machines have no NPU, and aiecc alone can take seconds to say what it is.
    if wanted == "auto" and (reason := no_device(settings)) is not None:
        return Chosen(DeviceInfo("model", MODEL.name, reason))
    found = await machine(settings)
    if wanted == "auto" and found.no_npu is not None:
        return Chosen(DeviceInfo("model", MODEL.name, found.no_npu))
    family = found.runtime.family if found.runtime else None
    reason = "--device npu" if wanted == "npu" else "everything for it is here"
    return Chosen(DeviceInfo("npu", NPU_NAMES[family], reason), found)
