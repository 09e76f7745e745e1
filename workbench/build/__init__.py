"""From a kernel's source to something a device can run, step by step."""

from workbench.build.clang import Clang, find_clang
from workbench.build.diagnostics import Diagnostic, parse_diagnostics
from workbench.build.kernel import Built, build_kernel
from workbench.build.steps import Artifact, StepResult, StepStatus

__all__ = [
    "Artifact",
    "Built",
    "Clang",
    "Diagnostic",
    "StepResult",
    "StepStatus",
    "build_kernel",
    "find_clang",
    "parse_diagnostics",
]
