"""What a kernel promises: tensors, design, reference, criteria and input sets.

A spec is a Python file beside the kernel that assigns `SPEC = Spec(...)`. This package is what such
a file imports; loading it, in a process of its own, is `workbench.spec.cases`.
"""

from workbench.spec.functions import HelperFunction
from workbench.spec.inputs import (
    Generator,
    all_equal,
    by_tensor,
    extremes,
    full_range,
    identity,
    near_ties,
    normal,
    one_hot,
    ramp,
    recorded,
    uniform,
    zeros,
)
from workbench.spec.model import (
    ALLOCATIONS,
    DTYPES,
    METRICS,
    Arrays,
    Criterion,
    Golden,
    HostBuffer,
    Promise,
    Reference,
    Regime,
    Scalar,
    Spec,
    Stage,
    Tensor,
)

__all__ = [
    "ALLOCATIONS",
    "DTYPES",
    "METRICS",
    "Arrays",
    "Criterion",
    "Generator",
    "Golden",
    "HelperFunction",
    "HostBuffer",
    "Promise",
    "Reference",
    "Regime",
    "Scalar",
    "Spec",
    "Stage",
    "Tensor",
    "all_equal",
    "by_tensor",
    "extremes",
    "full_range",
    "identity",
    "near_ties",
    "normal",
    "one_hot",
    "ramp",
    "recorded",
    "uniform",
    "zeros",
]
