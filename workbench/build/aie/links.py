"""Which object files a design links, and for which of Peano's targets."""

from __future__ import annotations

from pathlib import Path

from workbench.design.model import Design
from workbench.errors import BuildError
from workbench.settings import Target


def link_names(design: Design) -> tuple[str, ...]:
    """The names of the objects that the design's cores link, each once.

    Raises BuildError for a name that a build's own folder can't hold, and for a design that calls
    functions but links nothing.
    """
    called = {call.function for call in design.kernel_calls()}
    names: dict[str, int] = {}
    for core in design.cores:
        if core.link_with is not None:
            names.setdefault(core.link_with, core.line)
    for function in design.functions.values():
        if function.link_with is not None and function.name in called:
            names.setdefault(function.link_with, function.line)
    for name, line in names.items():
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or not path.name:
            raise BuildError(
                f"link_with names {name!r}, which lies outside of the build's folder",
                where=f"{design.path}:{line}",
                hint=f'write link_with = "{path.name or "kernel.o"}"',
            )
    if called and not names:
        first = design.kernel_calls()[0]
        raise BuildError(
            f"the design calls {first.function}, but links no object that could define it",
            where=f"{design.path}:{first.line}",
            hint='give the func.func declaration link_with = "kernel.o"',
        )
    return tuple(names)


def target_of(design: Design) -> Target:
    """Peano's target for the design's device: npu1 is AIE2, npu2 AIE2P (mlir-aie, hostruntime)."""
    return "aie2p" if design.target.startswith("npu2") else "aie2"
