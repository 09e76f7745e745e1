"""Every arith operation in a core, on random values and the edges, against NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.device.conftest import Run
from tests.device.designs import (
    PATH,
    Array,
    Running,
    consume,
    design,
    each,
    endless,
    fifo,
    free,
    produce,
    send,
    sequence,
    transfer,
    wait,
)
from workbench.design.operations import CASTS, FLOAT_BINARY, INTEGER_BINARY
from workbench.errors import DesignError

INTS: dict[str, Any] = {"i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}
COUNT = 16

Bits = npt.NDArray[np.uint16]


def to_bf16(values: Array) -> Bits:
    """Rounded to nearest even, as raw bits."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + (bits >> np.uint64(16) & np.uint64(1))) >> np.uint64(16)
    found = rounded.astype(np.uint16)
    found[np.isnan(values)] = 0x7FC0
    return found


def from_bf16(bits: Bits) -> npt.NDArray[np.float32]:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def _moved(kind: str) -> str:
    """A DMA moves 32-bit words: 64-bit values go as two of them."""
    return f"{COUNT}x{kind}"


def _design(kinds: list[str], out: str, body: str) -> str:
    """A core that makes %y of type `out` from %x0, %x1, … for every element."""
    inputs = [_moved(kind) for kind in kinds]
    loads = "".join(
        f"%x{n} = memref.load %in{n}[%i] : memref<{kind}>\n" for n, kind in enumerate(inputs)
    )
    store = f"memref.store %y, %to[%i] : memref<{_moved(out)}>\n"
    names = [f"f{n}" for n in range(len(inputs))]
    words = {
        name: f"{COUNT * {'i8': 1, 'i16': 2, 'bf16': 2, 'i64': 8}.get(kind, 4) // 4}xi32"
        for name, kind in [*zip(names, kinds, strict=True), ("out", out)]
    }
    program = (
        "".join(
            consume(f"in{n}", name, kind)
            for n, (name, kind) in enumerate(zip(names, inputs, strict=True))
        )
        + produce("to", "out", _moved(out))
        + each(COUNT, loads + body + "\n" + store)
        + free(*names)
        + send("out")
    )
    return design(
        *(
            fifo(name, "%shim", "%a", kind, depth="1 : i32")
            for name, kind in zip(names, inputs, strict=True)
        ),
        fifo("out", "%a", "%shim", _moved(out), depth="1 : i32"),
        endless("a", program),
        sequence(
            {name: words[name] for name in (*names, "out")},
            "".join(
                transfer(name, name, words[name], sizes=words[name].split("x")[0], number=n)
                for n, name in enumerate((*names, "out"))
            )
            + wait("out"),
        ),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("designs")


Compute = Callable[..., Array]


@pytest.fixture(scope="module")
def compute(folder: Path) -> Compute:
    """Run a body on columns of values; designs stay loaded between examples."""
    loaded: dict[str, Running] = {}

    def run(kinds: list[str], out: str, body: str, dtype: Any, *columns: Array) -> Array:
        text = _design(kinds, out, body)
        key = f"{kinds}{out}{body}"
        result = np.zeros(COUNT, dtype)
        if key not in loaded:
            loaded[key] = Running(text, [c.nbytes for c in (*columns, result)], folder)
        return loaded[key](*columns, result)[-1]

    return run


def columns(dtype: Any, **limits: Any) -> st.SearchStrategy[Array]:
    """COUNT values, edges often among them."""
    return hnp.arrays(dtype, COUNT, elements=hnp.from_dtype(np.dtype(dtype), **limits))


def _edges(dtype: Any) -> Array:
    info = np.iinfo(dtype)
    some = [info.min, info.min + 1, -3, -2, -1, 0, 1, 2, 3, 7, 8, 100, info.max - 1, info.max]
    return np.array([*some, 5, -5], dtype)


def _exact(a: Array, b: Array, function: Callable[[int, int], int], dtype: Any) -> Array:
    """Through Python's unbounded integers, then wrapped to the type."""
    bits = np.dtype(dtype).itemsize * 8
    found = [function(int(x), int(y)) & (1 << bits) - 1 for x, y in zip(a, b, strict=True)]
    return np.array(found, f"uint{bits}").view(dtype)


def _unsigned(function: Callable[[int, int], int], bits: int) -> Callable[[int, int], int]:
    mask = (1 << bits) - 1
    return lambda x, y: function(x & mask, y & mask)


def _truncated(x: int, y: int) -> int:
    return int(math.copysign(1, x) * math.copysign(1, y)) * (abs(x) // abs(y))


PLAIN: dict[str, Callable[[int, int], int]] = {
    "addi": lambda x, y: x + y,
    "subi": lambda x, y: x - y,
    "muli": lambda x, y: x * y,
    "andi": lambda x, y: x & y,
    "ori": lambda x, y: x | y,
    "xori": lambda x, y: x ^ y,
    "maxsi": max,
    "minsi": min,
    "divsi": _truncated,
    "remsi": lambda x, y: x - y * _truncated(x, y),
    "floordivsi": lambda x, y: x // y,
    "ceildivsi": lambda x, y: -(-x // y),
}
UNSIGNED: dict[str, Callable[[int, int], int]] = {
    "divui": lambda x, y: x // y,
    "remui": lambda x, y: x % y,
    "ceildivui": lambda x, y: -(-x // y),
    "maxui": max,
    "minui": min,
}
SHIFTS = ("shli", "shrsi", "shrui")


def test_all_operations_are_tested() -> None:
    tested = {f"arith.{name}" for name in (*PLAIN, *UNSIGNED, *SHIFTS)}
    assert tested == INTEGER_BINARY
    assert {f"arith.{name}" for name in FLOATS} == FLOAT_BINARY
    assert {f"arith.{name}" for name in TESTED_CASTS} == CASTS


@pytest.mark.parametrize("kind", INTS)
@pytest.mark.parametrize("name", [*PLAIN, *UNSIGNED, *SHIFTS])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_integers(compute: Compute, name: str, kind: str, data: st.DataObject) -> None:
    dtype = INTS[kind]
    bits = np.dtype(dtype).itemsize * 8
    a, b = data.draw(columns(dtype) | st.just(_edges(dtype))), data.draw(columns(dtype))
    if "div" in name or "rem" in name:
        b[b == 0] = 3
    if name in SHIFTS:
        b = np.abs(b % bits).astype(dtype)
    mask = (1 << bits) - 1
    function = {
        **PLAIN,
        **{key: _unsigned(value, bits) for key, value in UNSIGNED.items()},
        "shli": lambda x, y: x << y,
        "shrsi": lambda x, y: x >> y,
        "shrui": lambda x, y: (x & mask) >> y,
    }[name]
    found = compute([kind, kind], kind, f"%y = arith.{name} %x0, %x1 : {kind}", dtype, a, b)
    assert np.array_equal(found, _exact(a, b, function, dtype))


@pytest.mark.parametrize("name", ["divsi", "divui", "remsi", "remui", "ceildivsi", "floordivsi"])
def test_a_division_by_zero_names_its_line(compute: Compute, name: str) -> None:
    a, b = np.ones(COUNT, np.int32), np.arange(COUNT, dtype=np.int32)
    body = f"%y = arith.{name} %x0, %x1 : i32"
    line = _design(["i32", "i32"], "i32", body).splitlines().index(body) + 1
    with pytest.raises(DesignError, match=r"core \(0,2\) fails: .*by zero") as error:
        compute(["i32", "i32"], "i32", body, np.int32, a, b)
    assert error.value.where == f"{PATH}:{line}"


PREDICATES: dict[str, Callable[[Array, Array], Array]] = {
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
}


@pytest.mark.parametrize("kind", INTS)
@pytest.mark.parametrize(
    "predicate", ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]
)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_integers_compare(compute: Compute, predicate: str, kind: str, data: st.DataObject) -> None:
    dtype = INTS[kind]
    a = data.draw(columns(dtype))
    b = np.where(np.arange(COUNT) % 3 == 0, a, data.draw(columns(dtype)))
    body = (
        f"%t = arith.cmpi {predicate}, %x0, %x1 : {kind}\n%y = arith.select %t, %x0, %x1 : {kind}"
    )
    plain = PREDICATES[predicate if predicate in ("eq", "ne") else predicate[1:]]
    unsigned = f"uint{np.dtype(dtype).itemsize * 8}"
    left, right = (a.view(unsigned), b.view(unsigned)) if predicate[0] == "u" else (a, b)
    found = compute([kind, kind], kind, body, dtype, a, b)
    assert np.array_equal(found, np.where(plain(left, right), a, b))


def test_booleans_are_one_bit(compute: Compute) -> None:
    """true is -1 to signed operations, as a bit of 1 is in one bit."""
    a = np.array([0, 0, 1, 1] * 4, np.int32)
    b = np.array([0, 1, 0, 1] * 4, np.int32)
    zero = "%z = arith.constant 0 : i32\n"
    to_bits = "%p = arith.cmpi ne, %x0, %z : i32\n%q = arith.cmpi ne, %x1, %z : i32\n"
    cases: dict[str, Callable[[Array, Array], Array]] = {
        "addi": np.not_equal,
        "muli": np.logical_and,
        "andi": np.logical_and,
        "ori": np.logical_or,
        "xori": np.not_equal,
        "maxui": np.logical_or,
        "maxsi": np.logical_and,
        "minsi": np.logical_or,
    }
    for name, plain in cases.items():
        body = f"{zero}{to_bits}%r = arith.{name} %p, %q : i1\n%y = arith.extui %r : i1 to i32"
        assert np.array_equal(compute(["i32", "i32"], "i32", body, np.int32, a, b), plain(a, b)), (
            name
        )
    for predicate, order in (("ult", np.less), ("slt", np.greater)):
        compared = f"%r = arith.cmpi {predicate}, %p, %q : i1\n"
        body = f"{zero}{to_bits}{compared}%y = arith.extui %r : i1 to i32"
        assert np.array_equal(compute(["i32", "i32"], "i32", body, np.int32, a, b), order(a, b))
    body = f"{zero}{to_bits}%y = arith.extsi %p : i1 to i32"
    assert np.array_equal(compute(["i32", "i32"], "i32", body, np.int32, a, b), -a)


def test_index_has_64_bits(compute: Compute) -> None:
    a, b = _edges(np.int64), np.roll(_edges(np.int64), 3)
    for name in ("addi", "subi", "muli"):
        body = f"""
            %p = arith.index_cast %x0 : i64 to index
            %q = arith.index_cast %x1 : i64 to index
            %r = arith.{name} %p, %q : index
            %y = arith.index_cast %r : index to i64
        """
        found = compute(["i64", "i64"], "i64", body, np.int64, a, b)
        assert np.array_equal(found, _exact(a, b, PLAIN[name], np.int64))


FLOATS: dict[str, Callable[[Array, Array], Array]] = {
    "addf": np.add,
    "subf": np.subtract,
    "mulf": np.multiply,
    "divf": np.divide,
    "maximumf": np.maximum,
    "minimumf": np.minimum,
    "maxnumf": np.fmax,
    "minnumf": np.fmin,
}


def _same(found: Array, expected: Array) -> bool:
    """Equal bits, any NaN for a NaN; and the sign of zero but for maxima of both zeros."""
    nan = np.isnan(expected)
    return bool(np.all(np.isnan(found) == nan) and np.all(found[~nan] == expected[~nan]))


@pytest.mark.parametrize("name", FLOATS)
@settings(max_examples=20, deadline=None)
@given(a=columns(np.float32), b=columns(np.float32))
def test_floats(compute: Compute, name: str, a: Array, b: Array) -> None:
    body = f"%y = arith.{name} %x0, %x1 : f32"
    with np.errstate(all="ignore"):
        expected = FLOATS[name](a, b)
    assert _same(compute(["f32", "f32"], "f32", body, np.float32, a, b), expected)


@pytest.mark.parametrize("name", FLOATS)
@settings(max_examples=20, deadline=None)
@given(a=columns(np.float32), b=columns(np.float32))
def test_bfloat16s(compute: Compute, name: str, a: Array, b: Array) -> None:
    """Computed in float32 and rounded once more, as there is no narrower arithmetic."""
    left, right = to_bf16(a), to_bf16(b)
    with np.errstate(all="ignore"):
        expected = to_bf16(FLOATS[name](from_bf16(left), from_bf16(right)))
    body = f"%y = arith.{name} %x0, %x1 : bf16"
    found = compute(["bf16", "bf16"], "bf16", body, np.uint16, left, right)
    assert _same(from_bf16(found), from_bf16(expected))


def test_zeros_keep_their_signs(compute: Compute) -> None:
    a = np.array([0.0, -0.0] * 8, np.float32)
    b = np.array([-0.0, 0.0] * 8, np.float32)
    largest = compute(["f32", "f32"], "f32", "%y = arith.maximumf %x0, %x1 : f32", np.float32, a, b)
    assert not np.signbit(largest).any()
    smallest = compute(
        ["f32", "f32"], "f32", "%y = arith.minimumf %x0, %x1 : f32", np.float32, a, b
    )
    assert np.signbit(smallest).all()
    negated = compute(["f32"], "f32", "%y = arith.negf %x0 : f32", np.float32, a)
    assert np.array_equal(np.signbit(negated), ~np.signbit(a))


ORDERED = {f"o{key}": value for key, value in PREDICATES.items()} | {
    "one": lambda a, b: (a != b) & ~np.isnan(a) & ~np.isnan(b),
    "ord": lambda a, b: ~np.isnan(a) & ~np.isnan(b),
    "false": lambda a, b: np.zeros(a.shape, bool),
    "true": lambda a, b: np.ones(a.shape, bool),
    "uno": lambda a, b: np.isnan(a) | np.isnan(b),
}
UNORDERED = {
    f"u{key}": (lambda a, b, plain=plain: plain(a, b) | np.isnan(a) | np.isnan(b))
    for key, plain in PREDICATES.items()
}


@pytest.mark.parametrize("predicate", [*ORDERED, *UNORDERED])
@settings(max_examples=6, deadline=None)
@given(a=columns(np.float32), b=columns(np.float32))
def test_floats_compare(compute: Compute, predicate: str, a: Array, b: Array) -> None:
    b = np.where(np.arange(COUNT) % 3 == 0, a, b).astype(np.float32)
    body = f"%t = arith.cmpf {predicate}, %x0, %x1 : f32\n%y = arith.extui %t : i1 to i32"
    expected = (ORDERED | UNORDERED)[predicate](a, b)
    assert np.array_equal(compute(["f32", "f32"], "i32", body, np.int32, a, b), expected)


TESTED_CASTS = [
    *("extsi", "extui", "trunci", "index_cast", "index_castui", "extf", "truncf"),
    *("sitofp", "uitofp", "fptosi", "fptoui", "bitcast"),
]


@pytest.mark.parametrize(("narrow", "wide"), [("i8", "i16"), ("i8", "i32"), ("i16", "i64")])
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_integers_widen_and_narrow(
    compute: Compute, narrow: str, wide: str, data: st.DataObject
) -> None:
    small, large = INTS[narrow], INTS[wide]
    a, b = data.draw(columns(small)), data.draw(columns(large))
    signed = compute([narrow], wide, f"%y = arith.extsi %x0 : {narrow} to {wide}", large, a)
    assert np.array_equal(signed, a.astype(large))
    unsigned = compute([narrow], wide, f"%y = arith.extui %x0 : {narrow} to {wide}", large, a)
    assert np.array_equal(unsigned, a.view(f"u{np.dtype(small).name}").astype(large))
    cut = compute([wide], narrow, f"%y = arith.trunci %x0 : {wide} to {narrow}", small, b)
    assert np.array_equal(cut, b.astype(small))


@settings(max_examples=8, deadline=None)
@given(a=columns(np.int32))
def test_indices_widen_and_narrow(compute: Compute, a: Array) -> None:
    for name, dtype in (("index_cast", np.int32), ("index_castui", np.uint32)):
        body = f"%n = arith.{name} %x0 : i32 to index\n%y = arith.{name} %n : index to i64"
        assert np.array_equal(compute(["i32"], "i64", body, np.int64, a), a.view(dtype))
        body = f"%n = arith.{name} %x0 : i32 to index\n%y = arith.{name} %n : index to i8"
        assert np.array_equal(compute(["i32"], "i8", body, np.int8, a), a.astype(np.int8))


@pytest.mark.parametrize("kind", INTS)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_integers_become_floats(compute: Compute, kind: str, data: st.DataObject) -> None:
    dtype = INTS[kind]
    a = data.draw(columns(dtype) | st.just(_edges(dtype)))
    signed = compute([kind], "f32", f"%y = arith.sitofp %x0 : {kind} to f32", np.float32, a)
    assert np.array_equal(signed, np.array([_nearest(int(n)) for n in a], np.float32))
    unsigned = compute([kind], "f32", f"%y = arith.uitofp %x0 : {kind} to f32", np.float32, a)
    plain = a.view(f"u{np.dtype(dtype).name}")
    assert np.array_equal(unsigned, np.array([_nearest(int(n)) for n in plain], np.float32))


def test_wide_integers_are_rounded_once(compute: Compute) -> None:
    """Just above the middle between two floats, by less than a double can tell."""
    above = (1 << 62) + (1 << 38) + 1
    a = np.full(COUNT, above, np.int64)
    a[1::2] = -above
    found = compute(["i64"], "f32", "%y = arith.sitofp %x0 : i64 to f32", np.float32, a)
    assert np.array_equal(np.abs(found), np.full(COUNT, _nearest(above), np.float32))
    assert _nearest(above) == (1 << 62) + (1 << 39)


def _nearest(number: int) -> float:
    """The float32 nearest to an integer, ties to even, without a double in between."""
    sign, size = (-1 if number < 0 else 1), abs(number)
    drop = max(0, size.bit_length() - 24)
    kept, rest, half = size >> drop, size & ((1 << drop) - 1), (1 << drop) >> 1
    if rest > half or (rest == half and drop and kept & 1):
        kept += 1
    return float(sign * (kept << drop))


@settings(max_examples=12, deadline=None)
@given(a=columns(np.int16))
def test_integers_become_bfloat16s(compute: Compute, a: Array) -> None:
    found = compute(["i16"], "bf16", "%y = arith.sitofp %x0 : i16 to bf16", np.uint16, a)
    assert np.array_equal(found, to_bf16(a.astype(np.float32)))


@settings(max_examples=20, deadline=None)
@given(a=columns(np.float32, min_value=-(2.0**31), max_value=2.0**31 - 128))
def test_floats_become_integers(compute: Compute, a: Array) -> None:
    found = compute(["f32"], "i32", "%y = arith.fptosi %x0 : f32 to i32", np.int32, a)
    assert np.array_equal(found, np.trunc(a).astype(np.int32))
    b = np.abs(a) * np.float32(1.9)
    found = compute(["f32"], "i32", "%y = arith.fptoui %x0 : f32 to i32", np.int32, b)
    assert np.array_equal(found.view(np.uint32), np.trunc(b).astype(np.uint32))


@settings(max_examples=20, deadline=None)
@given(a=columns(np.float32))
def test_floats_widen_and_narrow(compute: Compute, a: Array) -> None:
    narrowed = compute(["f32"], "bf16", "%y = arith.truncf %x0 : f32 to bf16", np.uint16, a)
    assert _same(from_bf16(narrowed), from_bf16(to_bf16(a)))
    widened = compute(["bf16"], "f32", "%y = arith.extf %x0 : bf16 to f32", np.float32, narrowed)
    assert _same(widened, from_bf16(narrowed))


@settings(max_examples=12, deadline=None)
@given(a=columns(np.int32), b=columns(np.int16))
def test_bits_are_kept_by_bitcasts(compute: Compute, a: Array, b: Array) -> None:
    body = "%f = arith.bitcast %x0 : i32 to f32\n%y = arith.bitcast %f : f32 to i32"
    plain = ~np.isnan(a.view(np.float32))
    found = compute(["i32"], "i32", body, np.int32, a)
    assert np.array_equal(found[plain], a[plain])
    to_float = "%y = arith.bitcast %x0 : i32 to f32"
    assert _same(compute(["i32"], "f32", to_float, np.float32, a), a.view(np.float32))
    body = "%f = arith.bitcast %x0 : i16 to bf16\n%y = arith.bitcast %f : bf16 to i16"
    plain = ~np.isnan(from_bf16(b.view(np.uint16)))
    assert np.array_equal(compute(["i16"], "i16", body, np.int16, b)[plain], b[plain])


def test_a_constant_is_rounded_to_its_type(compute: Compute) -> None:
    a = np.zeros(COUNT, np.float32)
    body = "%k = arith.constant 0.1 : bf16\n%y = arith.extf %k : bf16 to f32"
    assert set(compute(["f32"], "f32", body, np.float32, a)) == {np.float32(0.10009765625)}
    body = "%y = arith.constant 0x7F800000 : f32"
    assert set(compute(["f32"], "f32", body, np.float32, a)) == {np.inf}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("%p = arith.extf %x0 : f32 to f64\n%y = arith.truncf %p : f64 to f32", "f64"),
        ("%p = arith.truncf %x0 : f32 to f16\n%y = arith.extf %p : f16 to f32", "f16"),
        ("%k = arith.constant dense<1.0> : vector<4xf32>\n%y = arith.negf %x0 : f32", "vector"),
    ],
)
def test_other_types_are_refused(run: Run, body: str, what: str) -> None:
    a = np.zeros(COUNT, np.float32)
    with pytest.raises(DesignError) as error:
        run(_design(["f32"], "f32", body), a, a)
    assert error.value.where is not None
    assert what in error.value.message or "constant" in error.value.message
