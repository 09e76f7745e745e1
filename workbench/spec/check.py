"""Whether what an author's function returned is the tensors that the spec declares."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import SpecError
from workbench.paths import shown
from workbench.spec.dtypes import AnyArray, storage_dtype, to_storage
from workbench.spec.model import Scalar, Tensor
from workbench.spec.sources import is_own


def checked(
    values: object, tensors: Iterable[Tensor], source: str, where: str | None
) -> dict[str, AnyArray]:
    """`values` as the stored elements of `tensors`; SpecError at `where` when they are not those.

    NumPy arrays and PyTorch tensors of the declared dtype and shape; a bfloat16 tensor may also
    be given as float32.
    """
    if not isinstance(values, Mapping):
        raise SpecError(f"{source} gives no mapping of arrays by tensor name", where=where)
    arrays = {}
    for tensor in tensors:
        if tensor.name not in values:
            raise SpecError(f"{source} gives no tensor {tensor.name!r}", where=where)
        array = _as_array(values[tensor.name])
        rounded = tensor.dtype == "bfloat16" and array.dtype == np.float32
        if rounded:
            array = to_storage(array, "bfloat16")
        if array.shape != tensor.shape or array.dtype != storage_dtype(tensor.dtype):
            raise SpecError(
                f"{source} gives {tensor.name} as {array.dtype} {array.shape}, "
                f"the spec declares {tensor.dtype} {tensor.shape}",
                where=where,
            )
        arrays[tensor.name] = np.ascontiguousarray(array)
    return arrays


def rounded(
    values: object, tensors: Iterable[Tensor], source: str, where: str | None
) -> tuple[object, dict[str, npt.NDArray[np.float64]]]:
    """What `checked` takes of a reference given in floats, and those floats by tensor name.

    Floats are rounded half to even, and for integers clamped. SpecError at `where` for a NaN that
    no integer is.
    """
    if not isinstance(values, Mapping):
        return values, {}
    arrays, ideal = dict(values), {}
    for tensor in tensors:
        array = _as_array(values.get(tensor.name, ()))
        if array.dtype.kind != "f" or array.dtype == storage_dtype(tensor.dtype):
            continue
        ideal[tensor.name] = array.astype(np.float64)
        if "float" in tensor.dtype:
            with np.errstate(over="ignore"):
                arrays[tensor.name] = to_storage(array.astype(np.float32), tensor.dtype)
            continue
        if np.isnan(array).any():
            raise SpecError(f"{source} gives NaN for {tensor.name}, {tensor.dtype}", where=where)
        info = np.iinfo(tensor.dtype)
        whole = np.clip(np.rint(ideal[tensor.name]), info.min, info.max)
        arrays[tensor.name] = whole.astype(tensor.dtype)
    return arrays, ideal


def checked_scalars(
    values: Mapping[str, Any], scalars: Iterable[Scalar], source: str, where: str | None
) -> dict[str, int | float]:
    """The scalars that an input set gives beside its tensors; SpecError for what is no number."""
    given: dict[str, int | float] = {}
    for scalar in scalars:
        if scalar.name in values:
            value = np.asarray(values[scalar.name])
            if value.ndim or value.dtype.kind not in "iuf":
                raise SpecError(f"{source} gives no number for scalar {scalar.name}", where=where)
            given[scalar.name] = value.item()
    return given


def numbers(
    value: object, shape: tuple[int, ...], source: str, where: str | None
) -> npt.NDArray[np.float64]:
    """`value` as float64 in `shape`; SpecError at `where` when it is something else."""
    array = _as_array(value)
    if array.shape != shape or array.dtype.kind not in "biuf":
        raise SpecError(
            f"{source} gives {array.dtype} {array.shape}, not numbers in the declared shape "
            f"{shape}",
            where=where,
        )
    return array.astype(np.float64)


def definition(function: object) -> str | None:
    """Where an author's function is defined, as "file:line"; None for one that isn't theirs."""
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    if code is None or not is_own(code.co_filename):
        return None
    return f"{shown(code.co_filename)}:{code.co_firstlineno}"


def _as_array(value: Any) -> AnyArray:
    if hasattr(value, "detach"):  # a PyTorch tensor: NumPy has no bfloat16 to take it as
        value = value.detach().cpu()
        value = (value.float() if str(value.dtype) == "torch.bfloat16" else value).numpy()
    return np.asarray(value)
