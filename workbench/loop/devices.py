"""The devices of an engine: the model's process, and what this machine has for the NPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.device.model.device import ModelDevice

if TYPE_CHECKING:
    from workbench.build.aie.find import Machine
    from workbench.settings import Settings


class Devices:
    """Use it inside a running event loop, and `close` it."""

    def __init__(self) -> None:
        self.model = ModelDevice()
        self._looked: tuple[Settings, Machine] | None = None

    async def machine(self, settings: Settings) -> Machine:
        """What this machine has for the NPU; looked for anew when the settings have changed."""
        if self._looked is None or self._looked[0] != settings:
            from workbench.build.aie.find import find_machine  # seldom needed, slow to import

            self._looked = (settings, await find_machine(settings))
        return self._looked[1]

    def look_again(self) -> None:
        """Forget what the machine has: tools may have been installed."""
        self._looked = None

    def prepare(self) -> None:
        """Start the process of the model's next execution, if it isn't there yet."""
        self.model.prepare()

    async def close(self) -> None:
        """Stop what is idle."""
        await self.model.close()
