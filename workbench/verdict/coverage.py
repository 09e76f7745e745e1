"""Parts of the inputs that never reach the device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from workbench.spec.model import DTYPES, HostBuffer
from workbench.verdict.findings import Finding

Mask = npt.NDArray[np.bool_]


def input_not_sent(
    buffers: Sequence[HostBuffer], sent: Mapping[int, tuple[Mask, str]], *, passed: bool
) -> Iterator[Finding]:
    """For each input tensor with elements of which a byte is never sent.

    `sent` are the bytes of host buffers that are, with the file:line of the transfer. A run that
    `passed` doesn't need them: then it is only said.
    """
    for number, buffer in enumerate(buffers):
        start = 0
        for tensor in buffer.tensors:
            first, start = start, start + tensor.nbytes
            if buffer.direction == "out" or number not in sent:
                continue
            mask, where = sent[number]
            elements = mask[first:start].reshape(*tensor.shape, DTYPES[tensor.dtype]).all(axis=-1)
            count = int(np.count_nonzero(~elements))
            if not count:
                continue
            at = [int(i) for i in np.argwhere(~elements)[0]]
            yield Finding(
                "input-not-sent",
                "info" if passed else "error",
                f"{count:,} of {elements.size:,} elements of {tensor.name} are never sent to the "
                f"device, the first at {at}",
                "check the offsets, sizes and strides of the transfer",
                where=where,
                evidence={"tensor": tensor.name, "count": count, "first": at},
            )
