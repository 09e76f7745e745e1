"""An element's bits, as it lies in memory."""

from __future__ import annotations

FIELDS = {"float32": (1, 8, 23), "float16": (1, 5, 10), "bfloat16": (1, 8, 7)}
"""Bits of sign, exponent and fraction (IEEE 754-2019, table 3.5); bfloat16 is half a float32."""


def bits_text(value: float, dtype: str, *, binary: bool = True) -> str:
    """`0x3f80 0·01111111·0000000`: in hexadecimal, and in binary by fields or half bytes."""
    import numpy as np

    from workbench.spec.dtypes import storage_dtype, to_storage

    stored = to_storage(np.array([value]), dtype)
    size = storage_dtype(dtype).itemsize
    raw = int.from_bytes(stored.tobytes(), "little")
    told = f"{raw:#0{2 * size + 2}x}"
    return f"{told} {_fields(f'{raw:0{8 * size}b}', dtype)}" if binary else told


def ulp_text(device: float, reference: float, dtype: str) -> str | None:
    """How many representable values two floats are apart; None where that says nothing."""
    import numpy as np

    from workbench.verdict.metrics import FLOAT_BITS, ulps

    if dtype not in FLOAT_BITS or not np.isfinite([device, reference]).all():
        return None
    apart = int(ulps(np.array([device]), np.array([reference]), dtype)[0])
    return f"{apart:,} ULP"


def _fields(digits: str, dtype: str) -> str:
    if dtype not in FIELDS:
        return " ".join(digits[i : i + 4] for i in range(0, len(digits), 4))
    sign, exponent, _ = FIELDS[dtype]
    return "·".join((digits[:sign], digits[sign : sign + exponent], digits[sign + exponent :]))
