"""Element types between their storage (what lies in memory) and numbers (what metrics read)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

AnyArray = npt.NDArray[Any]


def storage_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype that holds `dtype` in memory; bfloat16 is held as its 16 raw bits."""
    return np.dtype("uint16" if dtype == "bfloat16" else dtype)


def to_numbers(stored: AnyArray, dtype: str) -> npt.NDArray[np.float64]:
    """Stored elements as float64, exactly."""
    if dtype == "bfloat16":
        stored = (stored.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(invalid="ignore"):  # a signalling NaN turns into a quiet one
        return stored.astype(np.float64)


def to_storage(values: AnyArray, dtype: str) -> AnyArray:
    """float32 values as stored elements of `dtype`; bfloat16 rounds half to even (IEEE 754)."""
    if dtype != "bfloat16":
        return np.ascontiguousarray(values, dtype=storage_dtype(dtype))
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    quiet_nan = (bits >> 16) | 0x40
    return np.where(np.isnan(values), quiet_nan, rounded).astype(np.uint16)
