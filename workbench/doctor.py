"""`npu-workbench doctor`: what is here, what is missing, what that costs, and what mends it."""

from __future__ import annotations

import asyncio
import json
import platform
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from workbench.build import find_clang
from workbench.build.aie.find import BUILD_PROBES, RUN_PROBES, Machine, find_machine
from workbench.build.aie.probe import Probe
from workbench.errors import BuildError, ExitCode
from workbench.loop.target import project_of
from workbench.paths import shown
from workbench.settings import load_settings

WIDTH = 80
NAME_WIDTH = 11

PACKAGES = {
    "ziglang": "kernels can't be linked for the model",
    "xdsl": "designs can't be read",
    "numpy": "nothing can be computed",
    "torch": "references can't be computed",
    "textual": "there is no terminal UI; check and watch do without",
}
"""What the model device and the UI need, and what a missing one costs."""

_NEEDLESS = ("textual",)


@dataclass(frozen=True, slots=True)
class Report:
    """All that the doctor found; `chosen` is the device that --device comes to."""

    model: tuple[Probe, ...]
    machine: Machine
    chosen: Literal["model", "npu"]
    settings: tuple[str, ...]

    @property
    def no_model(self) -> str | None:
        """Why the model device doesn't work; None when it does."""
        needed = (probe for probe in self.model if probe.name not in _NEEDLESS)
        return next((f"{p.name}: {p.problem}" for p in needed if p.problem), None)

    @property
    def problem(self) -> str | None:
        """Why the chosen device can't be used; None when it can."""
        return self.no_model if self.chosen == "model" else self.machine.no_npu


def doctor(*, device: str, as_json: bool) -> int:
    """Look at this machine, print what there is; exit code 0 when the chosen device is usable.

    `device` is "auto", "model" or "npu"; auto is the NPU when everything for it is here. Raises
    SettingsError for settings that are wrong.
    """
    project = project_of(Path.cwd() / "kernel.c")
    settings = load_settings(project)
    machine = asyncio.run(find_machine(settings))
    auto = "model" if machine.no_npu else "npu"
    chosen: Literal["model", "npu"] = (
        "npu" if "npu" in (device, auto) and device != "model" else ("model")
    )
    report = Report(_model(), machine, chosen, tuple(shown(path) for path in settings.files))
    if as_json:
        print(json.dumps(_as_json(report), ensure_ascii=False))
    else:
        print("\n".join(_lines(report)))
    return ExitCode.PASS if report.problem is None else ExitCode.DEVICE


def _model() -> tuple[Probe, ...]:
    """What the model device needs. Versions are read, never imported: torch takes a second."""
    probes = [Probe("Python", version=platform.python_version())]
    try:
        clang = find_clang()
        probes.append(Probe("clang", clang.compiler[0], clang.name))
    except BuildError as error:
        cost = "kernels can't be compiled for the model"
        probes.append(Probe("clang", None, None, error.message, cost, error.hint))
    for name, cost in PACKAGES.items():
        try:
            probes.append(Probe(name, version=version(name)))
        except PackageNotFoundError:
            probes.append(Probe(name, None, None, "not installed", cost, f"pip install {name}"))
    return tuple(probes)


def _as_json(report: Report) -> dict[str, Any]:
    toolchain = report.machine.toolchain
    return {
        "schema": 1,
        "device": report.chosen,
        "usable": report.problem is None,
        "problem": report.problem,
        "settings": list(report.settings),
        "model": {
            "usable": report.no_model is None,
            "problem": report.no_model,
            "probes": [_probe(probe) for probe in report.model],
        },
        "npu": {
            "usable": report.machine.no_npu is None,
            "problem": report.machine.no_npu,
            "builds": report.machine.no_build is None,
            "generation": toolchain.generation if toolchain else None,
            "probes": [_probe(probe) for probe in report.machine.probes],
        },
    }


def _probe(probe: Probe) -> dict[str, Any]:
    return {**asdict(probe), "ok": probe.ok}


def _lines(report: Report) -> Iterator[str]:
    yield from _wrapped(_headline("model", report.no_model), "", "  ")
    yield from _table(report.model)
    yield ""
    yield from _wrapped(_headline("npu", report.machine.no_npu), "", "  ")
    yield from _table(report.machine.probes)
    yield ""
    yield from _wrapped(_conclusion(report), "", "")


def _headline(device: str, problem: str | None) -> str:
    return (
        f"{device} device: usable" if problem is None else f"{device} device: not usable, {problem}"
    )


def _conclusion(report: Report) -> str:
    settings = f" (settings: {', '.join(report.settings)})" if report.settings else ""
    if report.problem is not None:
        return f"The {report.chosen} device can't be used: {report.problem}.{settings}"
    if report.chosen == "npu":
        return f"Kernels run on the NPU, and on the model beside it.{settings}"
    why = report.machine.no_npu
    instead = "" if why is None else f", since for the NPU something is missing ({why})"
    return f"Kernels run on the functional model{instead}.{settings}"


def _table(probes: tuple[Probe, ...]) -> Iterator[str]:
    for probe in probes:
        mark = "✓" if probe.ok else "✗" if _needed(probe) else "~"
        first = f"  {mark} {probe.name:<{NAME_WIDTH}} "
        told = [text for text in (probe.problem, probe.version, _place(probe)) if text]
        indent = " " * len(first)
        yield from _wrapped(", ".join(told) or "here", first, indent)
        if not probe.ok:
            yield from _wrapped(f"so {probe.cost}; mend it by", indent, indent)
            yield f"      {probe.mend}"  # never wrapped: it is there to be copied


def _needed(probe: Probe) -> bool:
    return probe.name in (*BUILD_PROBES, *RUN_PROBES, *PACKAGES, "clang")


def _place(probe: Probe) -> str | None:
    if probe.path is None or (probe.problem and probe.path in probe.problem):
        return None
    return probe.path


def _wrapped(text: str, first: str, indent: str) -> list[str]:
    """Lines of at most 80 columns; what can't be broken, as a path or an address, isn't."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
