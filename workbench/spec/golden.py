"""Evaluating a spec's golden functions; used in the spec's own process only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.spec.check import definition, numbers
from workbench.spec.dtypes import AnyArray
from workbench.spec.model import Spec, Stage
from workbench.spec.stages import CHAIN, INPUT, LOCAL, RECORDED


def evaluate(spec: Spec, wanted: Mapping[str, Any]) -> list[str]:
    """Write what `load_golden` reads; returns the stages' names.

    Raises whatever the functions raise, SpecError for one that gives something else than numbers in
    the stage's shape.
    """
    folder = Path(wanted["folder"])
    with np.load(folder / "given.npz", allow_pickle=False) as stored:
        given = {key: stored[key] for key in stored.files}
    inputs, recorded = (
        {key.removeprefix(kind): array for key, array in given.items() if key.startswith(kind)}
        for kind in (INPUT, RECORDED)
    )
    chain: dict[str, AnyArray] = {}
    local: dict[str, AnyArray] = {}
    own: dict[str, AnyArray] = {}
    for stage in spec.stages:
        chain[stage.name] = _golden(stage, inputs, wanted["scalars"], chain)
        local[stage.name] = _golden(stage, inputs, wanted["passed"], own)
        # A stage that wasn't recorded is taken to be what it should be after those before it.
        own[stage.name] = recorded.get(stage.name, local[stage.name])
    arrays: dict[str, Any] = {f"{CHAIN}{name}": array for name, array in chain.items()}
    arrays |= {f"{LOCAL}{name}": array for name, array in local.items()}
    np.savez(folder / "golden.npz", **arrays)
    return list(chain)


def _golden(
    stage: Stage,
    inputs: Mapping[str, AnyArray],
    scalars: Mapping[str, float],
    earlier: Mapping[str, AnyArray],
) -> AnyArray:
    assert stage.golden is not None
    tensors, before = (
        {name: array.copy() for name, array in arrays.items()} for arrays in (inputs, earlier)
    )
    result = stage.golden(tensors, dict(scalars), before)
    source = f"golden of stage {stage.name}"
    return numbers(result, stage.shape, source, definition(stage.golden))
