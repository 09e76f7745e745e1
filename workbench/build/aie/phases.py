"""Which phase aiecc is in, by what it prints with --verbose.

A names a phase by the command it is about to start, B by a line of its own, C only tells which edge
of its graph it has done. What can't be placed is "unknown", with the tool's own word for it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from workbench.build.aie.tools import Generation
from workbench.build.diagnostics import strip_ansi

PHASES = (
    "parse",
    "allocate",
    "route",
    "lower cores",
    "optimise",
    "generate code",
    "link cores",
    "instructions",
    "CDO and PDI",
    "xclbin",
)
"""In the order of a build; not every generation tells of each."""

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that was seen: `detail` is the tool's own word for it where that says more.

    `seconds` is from the step's begin to when it was seen. `done`: the tool only told of its end.
    """

    name: str
    seconds: float
    detail: str = ""
    done: bool = False


_Markers: TypeAlias = tuple[tuple[str, re.Pattern[str]], ...]


def _markers(**patterns: str) -> _Markers:
    by_name = {name.replace("_", " "): text for name, text in patterns.items()}
    by_name = {("CDO and PDI" if n == "cdo" else n): text for n, text in by_name.items()}
    return tuple((name, re.compile(text)) for name, text in by_name.items())


# [N] python/compiler/aiecc/main.py: command lines are printed before they start; of the two passes
# that run in its own process, the second makes the instructions.
_A = _markers(
    xclbin=r"\bxclbinutil\b.*--add-kernel|\bxclbinutil\b.*--output",
    cdo=r"\bbootgen\b.*-arch|^Generating: \S+cdo",
    link_cores=r"--aie-generate-ldscript|\bclang\b.*-Wl,-T|-Wl,--gc-sections",
    generate_code=r"/llc\b.*--filetype=obj",
    optimise=r"/opt\b.*--passes=",
    route=r"aie-opt\b.*--aie-create-pathfinder-flows",
    lower_cores=r"aie-translate\b.*--mlir-to-llvmir|aie-opt\b.*--pass-pipeline=",
    parse=r"^Compiling \S+|^created temporary directory",
)

# [H] tools/aiecc/aiecc.cpp.
_B = _markers(
    parse=r"^Successfully parsed input file: |^Starting AIE compilation in directory: ",
    allocate=r"^Running resource allocation pipeline",
    route=r"^Running routing pipeline",
    lower_cores=r"^Running LLVM lowering pipeline|^Compiling core \(",
    optimise=r"\bopt\b.*--passes=",
    generate_code=r"\bllc\b.*--filetype=obj|^\S*/llc\b",
    link_cores=r"^(?:Copied external object|External object already in place): |-Wl,-T",
    instructions=r"^Generating NPU instructions for device: ",
    cdo=r"^Generating CDO artifacts for device: ",
    xclbin=r"^Generating xclbin for device: ",
)

# [U] tools/aiecc/ExecutionEngine.h; names of edges may change, so they are only read for hints.
_EDGE = re.compile(r"^aiecc: \((\d+)/(\d+)\) (?P<edge>.+?) \(\d+ inputs?\) took ")
_C = _markers(
    xclbin=r"xclbin",
    cdo=r"cdo|pdi|bootgen",
    instructions=r"insts|instructions|\bnpu\b",
    link_cores=r"link|elf|ld-?script",
    generate_code=r"llc|codegen|object",
    optimise=r"\bopt\b|peano-opt|optimi[sz]e",
    lower_cores=r"lower|llvm",
    route=r"rout|pathfinder|physical",
    allocate=r"alloc|address|buffer",
    parse=r"parse|input|verify",
)


class PhaseTracker:
    """Follows one aiecc; feed it lines, it tells of each new phase."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._started = time.monotonic()
        self._seen: list[Phase] = [Phase(UNKNOWN, 0.0)]

    @property
    def current(self) -> Phase:
        """The phase that was seen last; unknown until there is a marker."""
        return self._seen[-1]

    @property
    def seen(self) -> tuple[Phase, ...]:
        """All phases in the order they were seen; without the unknown one of the start."""
        return tuple(self._seen[1:])

    def feed(self, lines: Iterable[str]) -> list[Phase]:
        """The phases that these lines begin."""
        found = []
        for line in lines:
            marked = self._marked(strip_ansi(line).strip())
            if marked is None:
                continue
            name, detail, done = marked
            if not done and name == self.current.name:
                continue
            self._seen.append(Phase(name, time.monotonic() - self._started, detail, done))
            found.append(self.current)
        return found

    def _marked(self, line: str) -> tuple[str, str, bool] | None:
        if self._generation == "C":
            match = _EDGE.match(line)
            if match is None:
                return None
            edge = match["edge"]
            return _first(_C, edge.lower()) or UNKNOWN, edge, True
        if line.startswith("Done in "):  # A, after a command: the same words again
            return None
        if line.startswith("Running: ") and self._generation == "A":
            linked = any(phase.name == "link cores" for phase in self._seen)
            return "instructions" if linked else "allocate", "", False
        name = _first({"A": _A, "B": _B}[self._generation], line)
        return (name, "", False) if name is not None else None


def _first(markers: _Markers, text: str) -> str | None:
    return next((name for name, pattern in markers if pattern.search(text)), None)
