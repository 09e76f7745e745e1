"""The JSON object of `check --json` as its readers may rely on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NUMBER = (int, float)


class Maybe:
    """A value that is null where it is undefined."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


METRICS = {
    name: Maybe(NUMBER)
    for name in (
        "correlation",
        "mae",
        "rmse",
        "max_abs",
        "within_5",
        "exact",
        "cosine",
        "sqnr_db",
        "slope",
    )
}

PANE = [[Maybe(NUMBER)]]

CONTRACT = {
    "schema": 1,
    "kernel": str,
    "source_sha256": Maybe(str),
    "design": Maybe(str),
    "status": {"pass", "fail", "build-failed", "crash"}
    | {"hang", "deadlock", "no-device", "error"},
    "device": {"kind": {"model", "npu"}, "name": str, "reason": str},
    "steps": [
        {
            "name": {"compile", "archive", "aiecc", "load", "run", "judge"},
            "status": {"ok", "failed", "skipped", "cached"},
            "seconds": NUMBER,
            "command": [str],
            "artifacts": [{"path": str, "bytes": int, "sha256": str}],
        }
    ],
    "inputs": {"set": Maybe(str), "seed": int},
    "metrics": Maybe(METRICS),
    "arithmetic": Maybe(METRICS),
    "output": Maybe(
        {name: Maybe(NUMBER) for name in ("min", "max", "reference_min", "reference_max")}
    ),
    "criteria": [
        {
            "metric": set(METRICS) | {"offset", "argmax", "max_ulp", "times_best"},
            "op": {">=", "<=", ">", "<"},
            "target": Maybe(NUMBER),
            "value": Maybe(NUMBER),
            "met": bool,
        }
    ],
    "stages": [
        {
            "name": str,
            "correlation": Maybe(NUMBER),
            "local_correlation": Maybe(NUMBER),
            "saturated": Maybe(NUMBER),
        }
    ],
    "core": Maybe(
        {
            "tile": [int],
            "stack_bytes": int,
            "stack_limit": int,
            "memory": [{"name": str, "address": int, "bytes": int}],
        }
    ),
    "findings": [
        {
            "id": str,
            "severity": {"error", "warning", "info"},
            "message": str,
            "hint": str,
            "where": Maybe(str),
            "evidence": dict,
        }
    ],
    "diagnostics": [
        {
            "file": str,
            "line": int,
            "column": int,
            "severity": {"error", "warning"},
            "message": str,
        }
    ],
    "panes": Maybe(
        {"row": int, "column": int, "reference": PANE, "device": PANE, "difference": PANE}
    ),
}


def breaches(value: Any, shape: Any = CONTRACT, at: str = "") -> list[str]:
    """Where `value` isn't of `shape`; more keys than the contract's are allowed."""
    if isinstance(shape, Maybe):
        return [] if value is None else breaches(value, shape.shape, at)
    if isinstance(shape, Mapping):
        if not isinstance(value, dict):
            return [f"{at}: {value!r} is no object"]
        missing = [f"{at}.{key} is missing" for key in shape if key not in value]
        found = ((key, inner) for key, inner in shape.items() if key in value)
        return missing + [
            b for key, inner in found for b in breaches(value[key], inner, f"{at}.{key}")
        ]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no array"]
        return [b for i, item in enumerate(value) for b in breaches(item, shape[0], f"{at}[{i}]")]
    if isinstance(shape, set):
        return [] if value in shape else [f"{at}: {value!r} is none of {sorted(shape)}"]
    if isinstance(shape, type | tuple):
        kind_of_bool = shape is bool
        wrong = not isinstance(value, shape) or isinstance(value, bool) != kind_of_bool
        return [f"{at}: {value!r} is no {shape}"] if wrong else []
    return [] if value == shape else [f"{at}: {value!r} is not {shape!r}"]
