"""Tensors to the design's host buffers and back: a buffer's tensors lie in it one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.spec.model import Promise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]


def host_buffers(promise: Promise, inputs: Mapping[str, npt.NDArray[Any]]) -> list[Bytes]:
    """Each host buffer as raw bytes; those of outputs are zero."""
    import numpy as np

    return [
        np.zeros(buffer.nbytes, np.uint8)
        if buffer.direction == "out"
        else np.concatenate([inputs[t.name].reshape(-1).view(np.uint8) for t in buffer.tensors])
        for buffer in promise.buffers
    ]


def written_only(promise: Promise) -> tuple[bool, ...]:
    """Of each host buffer, whether it holds nothing that the design may read."""
    return tuple(buffer.direction == "out" for buffer in promise.buffers)


def output_tensors(promise: Promise, buffers: Sequence[Bytes]) -> dict[str, npt.NDArray[Any]]:
    """The output tensors by name, in storage dtype and declared shape."""
    from workbench.spec.dtypes import storage_dtype

    found: dict[str, npt.NDArray[Any]] = {}
    for buffer, content in zip(promise.buffers, buffers, strict=True):
        start = 0
        for tensor in buffer.tensors:
            part = content[start : start + tensor.nbytes]
            start += tensor.nbytes
            if buffer.direction != "in":
                found[tensor.name] = part.view(storage_dtype(tensor.dtype)).reshape(tensor.shape)
    return found
