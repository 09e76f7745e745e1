"""What follows from reference, model and NPU: the sentence, the rows, the buffer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.npu.conftest import DESIGN, FOREVER, OVERRUN, Folder, Npu, X, out
from workbench import simulate
from workbench.design.model import Pool
from workbench.design.observed import CoreMemory
from workbench.design.read import read_design
from workbench.spec.model import Criterion, HostBuffer, Promise, Tensor
from workbench.verdict.three_way import NOT_ARITHMETIC, ThreeWay, bad_buffers, three_way

Array = npt.NDArray[Any]


def promise(
    *tensors: Tensor, criteria: tuple[Criterion, ...] = (Criterion("max_abs", "<=", 1),)
) -> Promise:
    outputs = tensors or (Tensor("out", "int8", (16, 8)),)
    return Promise("d.mlir", "f", (HostBuffer(outputs, "out"),), (), criteria, (), "bank-aware")


RIGHT = np.arange(128, dtype=np.int8).reshape(16, 8)


def changed(*rows: int, by: int = -20) -> Array:
    result = RIGHT.copy()
    for row in rows:
        result[row, 3] += np.int8(by)
    return result


def compare(model: Array, npu: Array, arithmetic: Array | None = None) -> ThreeWay:
    return three_way(
        promise(),
        {"out": RIGHT},
        {"out": model},
        {"out": npu},
        None if arithmetic is None else {"out": arithmetic},
    )


def test_all_agree() -> None:
    found = compare(RIGHT, RIGHT)
    assert found.sentence == "NPU and model agree, and meet the reference"
    assert found.findings == ()
    assert (found.npu_differs, found.model_differs) == (False, False)


def test_the_npu_differs() -> None:
    found = compare(RIGHT, changed(3, 4, 5, 9))
    assert found.sentence == (
        "NPU differs from the model: memory, synchronisation or toolchain, not arithmetic"
    )
    (one,) = found.findings
    assert (one.id, one.severity) == ("npu-differs", "error")
    assert one.message == (
        "NPU differs from the model in 4 of 128 elements of out (rows 3-5, 9, by up to 20): "
        + NOT_ARITHMETIC
    )
    assert one.evidence == {"tensors": {"out": {"count": 4, "rows": [3, 4, 5, 9], "max_abs": 20}}}
    assert (found.npu_differs, found.model_differs) == (True, False)


def test_the_model_differs() -> None:
    found = compare(changed(1), changed(1))
    assert found.sentence == ("NPU and model agree; model differs from the reference: arithmetic")
    assert [one.id for one in found.findings] == ["model-differs"]


def test_both_differ() -> None:
    found = compare(changed(1), changed(2))
    assert found.sentence == (
        "NPU differs from the model: memory, synchronisation or toolchain; "
        "model differs from the reference: arithmetic"
    )
    assert [one.id for one in found.findings] == ["npu-differs", "model-differs"]
    assert (found.npu_differs, found.model_differs) == (True, True)


def test_an_error_that_the_criteria_allow_is_no_difference() -> None:
    found = compare(changed(1, by=1), changed(1, by=1))
    assert not found.model_differs
    assert compare(RIGHT, changed(1, by=1)).npu_differs


def test_damage_that_both_have_is_not_arithmetic() -> None:
    found = compare(changed(1), changed(1), arithmetic=RIGHT)
    assert found.sentence == "NPU and model agree, memory damage included"
    assert found.findings == ()


def test_damage_that_only_the_model_has() -> None:
    found = compare(changed(1, 2), RIGHT, arithmetic=RIGHT)
    assert found.sentence == (
        "the NPU gives the kernel's arithmetic result, without the model's memory damage"
    )
    assert [(one.id, one.severity) for one in found.findings] == [("npu-undamaged", "info")]


def test_damage_of_another_kind_than_the_models() -> None:
    found = compare(changed(1), changed(2), arithmetic=RIGHT)
    assert found.sentence == f"NPU differs from the model: {NOT_ARITHMETIC}"


def test_many_rows_are_counted() -> None:
    (one,) = compare(RIGHT, changed(*range(0, 16, 2))).findings
    assert "(rows 0, 2, 4, 6 and 4 more ranges, by up to 20)" in one.message


def test_every_output_is_named() -> None:
    tensors = Tensor("a", "int8", (2, 2)), Tensor("b", "int32", (4,))
    right: dict[str, Array] = {"a": np.zeros((2, 2), np.int8), "b": np.zeros(4, np.int32)}
    wrong: dict[str, Array] = {"a": right["a"], "b": np.array([0, 0, 7, 0], np.int32)}
    (one,) = three_way(promise(*tensors), right, right, wrong).findings
    assert "1 of 4 elements of b (rows 0, by up to 7)" in one.message
    assert "of a" not in one.message


def test_without_criteria_only_equality_will_do() -> None:
    none = promise(criteria=())
    same, other = {"out": RIGHT}, {"out": changed(1, by=1)}
    assert not three_way(none, same, same, same).model_differs
    assert three_way(none, same, other, other).model_differs


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rounding_of_floats_is_no_difference(dtype: str) -> None:
    values = np.linspace(-2, 2, 64, dtype=np.float32).reshape(8, 8)
    bits: Array = values.view(np.uint32)
    stored = values if dtype == "float32" else (bits >> 16).astype(np.uint16)
    last = stored.view(np.uint32 if dtype == "float32" else np.uint16) + 1
    far = last + (1 << 12 if dtype == "float32" else 1 << 6)
    outputs = promise(Tensor("out", dtype, (8, 8)))

    def differs(npu: Array) -> bool:
        same = {"out": stored}
        return three_way(outputs, same, same, {"out": npu.view(stored.dtype)}).npu_differs

    assert not differs(last)
    assert differs(far)


def test_not_a_number_differs_from_a_number_only() -> None:
    outputs = promise(Tensor("out", "float32", (2, 2)), criteria=())
    model = {"out": np.array([[1, np.nan], [np.inf, 4]], np.float32)}
    assert not three_way(outputs, model, model, model).npu_differs
    npu = {"out": np.array([[1, 2], [np.inf, 4]], np.float32)}
    (one,) = three_way(outputs, model, model, npu).findings
    assert "(rows 0)" in one.message


@given(st.sets(st.integers(0, 15)))
def test_the_rows_are_those_that_differ(rows: set[int]) -> None:
    found = compare(RIGHT, changed(*rows))
    assert found.npu_differs == bool(rows)
    if rows:
        tensors: Any = found.findings[0].evidence["tensors"]
        assert tensors["out"]["rows"] == sorted(rows)


@pytest.fixture
def pools(tmp_path: Path) -> tuple[Pool, ...]:
    """Those of a design with two FIFOs of depth 2."""
    file = tmp_path / "design.mlir"
    file.write_text(DESIGN.format(times=FOREVER))
    return tuple(read_design(str(file)).pools.values())


WORDS = promise(Tensor("y", "int32", (256,)))


async def test_the_damaged_buffer_is_named(
    built: Folder, runtime_folder: Path, pools: tuple[Pool, ...]
) -> None:
    """The overrun of a stack, on the double's silicon and on the model."""
    npu = Npu(built(OVERRUN), runtime_folder / "record")
    outcome = await npu.run()
    model = simulate(
        _design(runtime_folder),
        [X, np.zeros(256, np.int32)],
        kernels={"kernel.o": npu.folder / "kernel.c"},
        allocation="basic-sequential",
    )
    runs = [{"y": out(run)} for run in outcome.runs]
    found = bad_buffers(WORDS, runs, {"y": model.arithmetic[1]}, pools, model.cores)
    assert found is not None
    assert (found.id, found.severity) == ("nondeterministic", "error")
    assert found.message == (
        "3 runs on the same input alternate with period 2, runs 1, 3 are wrong: in_cons_buff_0 or "
        "out_buff_0 is damaged (in_cons_buff_0 comes first after the stack)"
    )
    assert found.evidence["wrong"] == [0, 2]


def _design(folder: Path) -> Path:
    file = folder / "design.mlir"
    file.write_text(DESIGN.format(times=FOREVER))
    return file


def alternation(
    runs: str, expected: str, pools: tuple[Pool, ...], cores: tuple[CoreMemory, ...] = ()
) -> tuple[str, Any]:
    """Runs as letters, one for each result."""

    def result(letter: str) -> dict[str, Array]:
        return {"y": np.full(256, ord(letter), np.int32)}

    found = bad_buffers(WORDS, [result(r) for r in runs], result(expected), pools, cores)
    return ("", None) if found is None else (found.message, found.evidence.get("buffers"))


def test_the_run_tells_the_buffer(pools: tuple[Pool, ...]) -> None:
    assert alternation("aba", "b", pools)[1] == ["in_cons_buff_0", "out_buff_0"]
    assert alternation("aba", "a", pools)[1] == ["in_cons_buff_1", "out_buff_1"]


def test_where_every_run_is_wrong_any_buffer_may_be_bad(pools: tuple[Pool, ...]) -> None:
    message, buffers = alternation("aba", "c", pools)
    assert "runs 1-3 are wrong" in message
    assert sorted(buffers) == ["in_cons_buff_0", "in_cons_buff_1", "out_buff_0", "out_buff_1"]


def test_runs_that_agree_name_nothing(pools: tuple[Pool, ...]) -> None:
    assert alternation("aaa", "b", pools) == ("", None)


def test_a_period_that_no_fifo_has(pools: tuple[Pool, ...]) -> None:
    message, buffers = alternation("abcab", "a", pools)
    assert "alternate with period 3" in message
    assert buffers is None


def test_results_without_a_period(pools: tuple[Pool, ...]) -> None:
    message, buffers = alternation("abc", "a", pools)
    assert "differ from run to run" in message
    assert buffers is None
