"""Guesses at what a kernel takes its operands for: k transposed, v for k, a shift of 4.

Each guess changes an input tensor or a scalar; where the reference of the changed operands is what
the device gave, that is what the kernel does. Used in the spec's own process only.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from workbench.spec.dtypes import AnyArray
from workbench.spec.model import Arrays, HostBuffer, Promise, Scalar, Tensor
from workbench.spec.what_if import MOST_BYTES, TIME_S

BLOCKS = (2, 4, 8, 16, 32, 64)
"""Numbers of objects that a tensor may travel in."""

MOST_PARTS = 16
"""Of a tensor's first axis: from there on they aren't guessed at one by one."""


@dataclass(frozen=True, slots=True)
class Operands:
    """Input tensors by name, in storage dtype, and the scalars."""

    tensors: Mapping[str, AnyArray]
    scalars: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A guess: "if `clause`", and what the operands then are; `subject` is the one it is about."""

    kind: str
    subject: str
    clause: str
    operands: Operands


def readings(promise: Promise, given: Operands) -> Iterator[Reading]:
    """All guesses, the likeliest first."""
    inputs = [t for b in promise.buffers if b.direction != "out" for t in b.tensors]
    for scalar in promise.scalars:
        yield from _scalar(scalar, given)
    yield from _exchanged(inputs, given)
    for buffer in promise.buffers:
        for tensor in buffer.tensors if buffer.direction != "out" else ():
            for kind, clause, array in _tensor(tensor, buffer, given.tensors):
                tensors = {**given.tensors, tensor.name: array}
                yield Reading(kind, tensor.name, clause, Operands(tensors, given.scalars))


def try_readings(
    promise: Promise, given: Operands, reference: Callable[[Operands], Arrays], file: Path
) -> list[str]:
    """Write what `load_what_if` reads: what `reference` gives for each guess.

    Returns the outputs' names. A guess that the reference can't be computed for is left out.
    """
    until, room = time.monotonic() + TIME_S, MOST_BYTES
    guesses: list[dict[str, str]] = []
    outputs: dict[str, list[AnyArray]] = {tensor.name: [] for tensor in promise.outputs}
    for reading in readings(promise, given):
        if time.monotonic() > until or room < 0:
            break
        with contextlib.suppress(Exception):
            result = reference(reading.operands)
            guesses.append(
                {"kind": reading.kind, "subject": reading.subject, "clause": reading.clause}
            )
            for name, stack in outputs.items():
                stack.append(result[name])
                room -= result[name].nbytes
    empty = np.zeros((0,))
    arrays: dict[str, Any] = {
        f"out:{name}": np.stack(stack) if stack else empty for name, stack in outputs.items()
    }
    np.savez(file, guesses=np.array(json.dumps(guesses)), **arrays)
    return list(outputs)


def _scalar(scalar: Scalar, given: Operands) -> Iterator[Reading]:
    value = given.scalars[scalar.name]
    others: list[float] = [0, 1, 2 * value, -value]
    if isinstance(value, int):
        others = [value + 1, value - 1, value + 2, value - 2, *others, value // 2]
    else:
        others += [value / 2, value * value, value**0.5 if value > 0 else 0]
    for other in dict.fromkeys(others):
        if other != value:
            clause = f"{scalar.name} were {other:g}, not {value:g}"
            scalars = {**given.scalars, scalar.name: other}
            yield Reading("scalar", scalar.name, clause, Operands(given.tensors, scalars))


def _exchanged(inputs: Sequence[Tensor], given: Operands) -> Iterator[Reading]:
    for one, other in combinations(inputs, 2):
        if (one.dtype, one.shape) != (other.dtype, other.shape):
            continue
        a, b = one.name, other.name
        pair = given.tensors[a], given.tensors[b]
        swapped = {**given.tensors, a: pair[1], b: pair[0]}
        clause = f"{a} and {b} were exchanged"
        yield Reading("exchanged", a, clause, Operands(swapped, given.scalars))
        for name, instead, array in ((a, b, pair[1]), (b, a, pair[0])):
            clause = f"{instead} stood in place of {name}"
            tensors = {**given.tensors, name: array}
            yield Reading("replaced", name, clause, Operands(tensors, given.scalars))


def _tensor(
    tensor: Tensor, buffer: HostBuffer, tensors: Mapping[str, AnyArray]
) -> Iterator[tuple[str, str, AnyArray]]:
    """Kind, clause and content of each guess about one tensor."""
    name, array = tensor.name, tensors[tensor.name]
    if array.ndim >= 2 and array.shape[-1] == array.shape[-2]:
        yield "transposed", f"{name} were transposed", array.swapaxes(-1, -2)
    yield from _parts(name, array)
    yield from _shifted(tensor, buffer, tensors)
    if (negated := _negated(tensor, array)) is not None:
        yield "negated", f"{name} were negated", negated
    yield from _blocks(name, array)
    if array.itemsize > 1:
        yield "byte-order", f"the bytes of {name}'s elements were reversed", array.byteswap()
    yield "missing", f"{name} were zero", np.zeros_like(array)


def _shifted(
    tensor: Tensor, buffer: HostBuffer, tensors: Mapping[str, AnyArray]
) -> Iterator[tuple[str, str, AnyArray]]:
    """The tensor read from another place in its host buffer; outside of that there are zeros."""
    item = tensors[tensor.name].itemsize
    row = tensor.nbytes // tensor.shape[0]
    whole = np.concatenate(
        [np.ascontiguousarray(tensors[t.name]).reshape(-1).view(np.uint8) for t in buffer.tensors]
    )
    start = 0
    for t in buffer.tensors:
        if t.name == tensor.name:
            break
        start += t.nbytes
    for step, what in ((row, "row"), (item, "element")):
        if what == "element" and row == item:
            continue
        for sign, side in ((1, "late"), (-1, "early")):
            padded = np.pad(whole, step)
            begin = start + step + sign * step
            part = padded[begin : begin + tensor.nbytes].copy()
            array = part.view(tensors[tensor.name].dtype).reshape(tensor.shape)
            yield "shifted", f"{tensor.name} began one {what} {side}", array


def _negated(tensor: Tensor, array: AnyArray) -> AnyArray | None:
    if tensor.dtype == "bfloat16":
        flipped: AnyArray = array ^ array.dtype.type(0x8000)
        return flipped
    negated: AnyArray = np.negative(array)
    return None if array.dtype.kind == "u" else negated


def _parts(name: str, array: AnyArray) -> Iterator[tuple[str, str, AnyArray]]:
    if array.ndim < 3 or not 2 <= array.shape[0] <= MOST_PARTS:
        return
    for index in range(array.shape[0]):
        yield "part", f"only {name}[{index}] counted", _only(array, index)
    for index in range(array.shape[0]):
        yield "part", f"{name}[{index}] were left out", array - _only(array, index)


def _only(array: AnyArray, index: int) -> AnyArray:
    only = np.zeros_like(array)
    only[index] = array[index]
    return only


def _blocks(name: str, array: AnyArray) -> Iterator[tuple[str, str, AnyArray]]:
    """The tensor's objects in another order, for each number of objects that it may travel in."""
    for count in BLOCKS:
        if array.size % count or array.size == count:
            continue
        blocks = array.reshape(count, -1)
        size = f"{blocks.shape[1]:,} elements"
        first = np.repeat(blocks[:1], count, axis=0)
        late = np.concatenate([np.zeros_like(blocks[:1]), blocks[:-1]])
        orders = [("stale", f"each object of {size} of {name} were the first", first)]
        orders.append(("stale", f"each object of {size} of {name} were the one before it", late))
        if count >= 4:
            across = blocks.reshape(2, count // 2, -1).swapaxes(0, 1).reshape(count, -1)
            along = blocks.reshape(count // 2, 2, -1).swapaxes(0, 1).reshape(count, -1)
            orders.append(("order", f"the halves of {name} took turns by {size}", across))
            orders.append(("order", f"every other object of {size} of {name} came first", along))
        pairs = blocks.reshape(count // 2, 2, -1)[:, ::-1].reshape(count, -1)
        orders.append(("order", f"neighbouring objects of {size} of {name} were exchanged", pairs))
        orders.append(("order", f"{name} came backwards, by {size}", blocks[::-1]))
        for kind, clause, content in orders:
            yield kind, clause, content.reshape(array.shape)
