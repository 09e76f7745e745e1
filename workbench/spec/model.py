"""The words of a spec, as frozen dataclasses that check themselves.

`Spec` is what an author writes and holds Python functions; `Promise` is its declarative part, which
travels between processes as JSON. Nothing here imports NumPy: reading a cached promise is cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Literal

from workbench.errors import SpecError
from workbench.spec.functions import HelperFunction

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


DTYPES: Mapping[str, int] = {
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "bfloat16": 2,
}
"""Element types of tensors and their size in bytes; bfloat16 travels as raw uint16."""

ALLOCATIONS = ("bank-aware", "basic-sequential")
"""Buffer placement schemes of aiecc; bank-aware is the tool's default."""

METRICS = (
    "correlation",
    "mae",
    "rmse",
    "max_abs",
    "within_5",
    "exact",
    "cosine",
    "sqnr_db",
    "slope",
    "offset",
    "argmax",
    "max_ulp",
    "times_best",
)
"""Names that a criterion may demand something of, in the order they are shown."""

EVERY_SET = "all"
"""What stands for every input set on the command line."""

_SET_NAME = re.compile(r"[\w.-]+")

Direction = Literal["in", "out", "inout"]
Arrays = Mapping[str, "npt.NDArray[Any]"]
Reference = Callable[[Arrays, Mapping[str, float]], Any]
Golden = Callable[[Arrays, Mapping[str, float], Arrays], Any]
Regime = Callable[[Arrays, Mapping[str, float]], str | None]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the kernel: its name, element type and shape (C order)."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            known = ", ".join(DTYPES)
            raise SpecError(
                f"tensor {self.name}: unknown dtype {self.dtype!r}", hint=f"use {known}"
            )
        object.__setattr__(self, "shape", tuple(self.shape))
        if not self.shape or any(not isinstance(n, int) or n < 1 for n in self.shape):
            raise SpecError(f"tensor {self.name}: shape {self.shape} must hold positive integers")

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return prod(self.shape) * DTYPES[self.dtype]


@dataclass(frozen=True, slots=True)
class HostBuffer:
    """One argument of the design's runtime sequence; its tensors lie in it one after another."""

    tensors: tuple[Tensor, ...]
    direction: Direction = "in"

    def __post_init__(self) -> None:
        if self.direction not in ("in", "out", "inout"):
            raise SpecError(f"host buffer direction {self.direction!r} must be in, out or inout")
        if not self.tensors:
            raise SpecError("a host buffer holds at least one tensor")
        if isinstance(self.tensors, Tensor):
            raise SpecError("a host buffer's tensors must be a tuple", hint="write (Tensor(...),)")

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A constant that the design passes to the kernel.

    `argument` is its position in the call of the kernel function; `value` is what the reference
    is computed with, so a design that passes something else is a `scalar-mismatch`.
    """

    name: str
    argument: int
    value: int | float


@dataclass(frozen=True, slots=True)
class Criterion:
    """A pinned demand on a metric, such as `Criterion("correlation", ">=", 0.95)`."""

    metric: str
    op: Literal[">=", "<=", ">", "<"]
    target: float

    def __post_init__(self) -> None:
        if self.metric not in METRICS:
            raise SpecError(
                f"criterion on unknown metric {self.metric!r}", hint=f"use {', '.join(METRICS)}"
            )
        if self.op not in (">=", "<=", ">", "<"):
            raise SpecError(f"criterion on {self.metric}: op {self.op!r} must be >=, <=, > or <")

    def is_met(self, value: float | None) -> bool:
        """Whether `value` meets the demand; an undefined value (None) never does."""
        if value is None:
            return False
        return {
            ">=": value >= self.target,
            "<=": value <= self.target,
            ">": value > self.target,
            "<": value < self.target,
        }[self.op]


@dataclass(frozen=True, slots=True)
class Stage:
    """An intermediate tensor of the kernel, and what it should be; see `NPU_STAGE`.

    `golden(tensors, scalars, earlier)` gives it in `shape`, as numbers in the stage's own units;
    `tensors` and `scalars` are as for the reference, `earlier` are the stages before it by name, in
    float64. It is asked twice: with golden earlier stages, and with those that the kernel recorded.

    `any_scale`: kernels hold golden times a factor of their own, so that a factor is no error.
    `optional`: a kernel without it isn't told so. Cores record one after another, in the order of
    their tiles.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    golden: Golden | None = None
    """None only in a promise."""
    any_scale: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", Tensor(self.name, self.dtype, self.shape).shape)

    @property
    def count(self) -> int:
        """How many elements it has."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class Promise:
    """The declarative part of a spec. `design` is an absolute path."""

    design: str
    function: str
    buffers: tuple[HostBuffer, ...]
    scalars: tuple[Scalar, ...]
    criteria: tuple[Criterion, ...]
    input_sets: tuple[str, ...]
    allocation: str
    switches: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    functions: tuple[str, ...] = ()
    """Names of the helper functions that can be swept."""

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The tensors that the design writes, in buffer order."""
        return tuple(t for b in self.buffers if b.direction != "in" for t in b.tensors)

    def with_scalars(self, values: Mapping[str, int | float]) -> Promise:
        """The promise for inputs that come with values of their own for some scalars."""
        scalars = (replace(s, value=values.get(s.name, s.value)) for s in self.scalars)
        return replace(self, scalars=tuple(scalars))

    def to_json(self) -> dict[str, Any]:
        """A plain dict for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Promise:
        """The promise that `to_json` wrote."""
        return cls(
            design=data["design"],
            function=data["function"],
            buffers=tuple(
                HostBuffer(
                    tuple(Tensor(t["name"], t["dtype"], tuple(t["shape"])) for t in b["tensors"]),
                    b["direction"],
                )
                for b in data["buffers"]
            ),
            scalars=tuple(Scalar(**s) for s in data["scalars"]),
            criteria=tuple(Criterion(**c) for c in data["criteria"]),
            input_sets=tuple(data["input_sets"]),
            allocation=data["allocation"],
            switches=tuple(data["switches"]),
            stages=tuple(Stage(**stage) for stage in data["stages"]),
            functions=tuple(data["functions"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What an author writes: `SPEC = Spec(...)` in the file beside the kernel.

    `design` is relative to the spec's folder. `reference(tensors, scalars)` gets the input tensors
    by name (NumPy arrays of the declared dtype and shape) and the scalars' values, and returns the
    output tensor (array or PyTorch tensor), or a mapping of them by name. What it gives in floats
    is rounded half to even and clamped to the output's dtype. `inputs` maps the names of input
    sets to generators; the first is the default. `functions` are helpers of the kernel to be swept
    by `check --functions`. `regime(tensors, scalars)` may say in a sentence what inputs such as
    these can tell of the kernel. `switches` are macros that the source tests by `#if` or `#ifdef`,
    for `check --ablate` to try. `stages` are in the order of the computation.
    """

    design: str
    function: str
    buffers: Sequence[HostBuffer]
    reference: Reference
    inputs: Mapping[str, Callable[[Sequence[Tensor], np.random.RandomState], Arrays]]
    scalars: Sequence[Scalar] = ()
    criteria: Sequence[Criterion] = ()
    allocation: str = "bank-aware"
    functions: Sequence[HelperFunction] = ()
    regime: Regime | None = None
    switches: Sequence[str] = ()
    stages: Sequence[Stage] = ()

    def __post_init__(self) -> None:
        self._check_types()
        self._check_stages()
        names = [t.name for b in self.buffers for t in b.tensors]
        double = sorted({n for n in names if names.count(n) > 1})
        if double:
            raise SpecError(f"tensor names must be unique: {', '.join(double)} appears twice")
        if not any(b.direction != "in" for b in self.buffers):
            raise SpecError("no host buffer has direction out or inout: nothing to judge")
        if not self.inputs:
            raise SpecError("inputs is empty: name at least one input set")
        for name in self.inputs:
            if name == EVERY_SET or not _SET_NAME.fullmatch(name):
                raise SpecError(
                    f"an input set can't be called {name!r}",
                    hint=f"use letters, digits, - _ and . ({EVERY_SET} means every set)",
                )
        if not callable(self.reference):
            raise SpecError("reference must be a function (tensors, scalars) -> output")
        if self.regime is not None and not callable(self.regime):
            raise SpecError("regime must be a function (tensors, scalars) -> sentence or None")
        if self.allocation not in ALLOCATIONS:
            known = " or ".join(ALLOCATIONS)
            raise SpecError(f"allocation {self.allocation!r} must be {known}")

    def _check_stages(self) -> None:
        names = [stage.name for stage in self.stages]
        double = sorted({n for n in names if names.count(n) > 1})
        if double:
            raise SpecError(f"stage names must be unique: {', '.join(double)} appears twice")
        for stage in self.stages:
            if not callable(stage.golden):
                raise SpecError(
                    f"golden of stage {stage.name} must be a function (tensors, scalars, earlier)"
                )

    def _check_types(self) -> None:
        for name, text in (("design", self.design), ("function", self.function)):
            if not isinstance(text, str):
                raise SpecError(f"{name} must be a string, not {text!r}")
        fields: tuple[tuple[str, Sequence[object], type], ...] = (
            ("buffers", self.buffers, HostBuffer),
            ("scalars", self.scalars, Scalar),
            ("criteria", self.criteria, Criterion),
            ("functions", self.functions, HelperFunction),
            ("switches", self.switches, str),
            ("stages", self.stages, Stage),
        )
        for name, values, kind in fields:
            for value in values:
                if not isinstance(value, kind):
                    raise SpecError(f"{name} must hold {kind.__name__} objects, not {value!r}")

    def promise(self, folder: str) -> Promise:
        """The declarative part; `folder` is where the spec lies, for the design's path."""
        from os.path import abspath, join

        return Promise(
            design=abspath(join(folder, self.design)),
            function=self.function,
            buffers=tuple(self.buffers),
            scalars=tuple(self.scalars),
            criteria=tuple(self.criteria),
            input_sets=tuple(self.inputs),
            allocation=self.allocation,
            switches=tuple(self.switches),
            stages=tuple(replace(stage, golden=None) for stage in self.stages),
            functions=tuple(function.name for function in self.functions),
        )
