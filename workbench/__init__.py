"""npu-workbench: a live workbench for kernels of AMD's NPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.simulation import Simulated, simulate

__version__ = "0.1.0"

__all__ = ["Simulated", "simulate"]


def __getattr__(name: str) -> Any:
    """Load the library's function when it is asked for: a front end never needs it."""
    if name in __all__:
        from workbench import simulation

        return getattr(simulation, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
