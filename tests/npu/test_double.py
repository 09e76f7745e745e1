"""The double of pyxrt is as strict as the real one is, and as forgiving where that swallows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.npu.conftest import DOUBLE, Folder

RIGHT = """
import array, sys, pyxrt
import numpy as np

TO = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE
FROM = pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
device = pyxrt.device(0)
binary = pyxrt.xclbin(sys.argv[1])
device.register_xclbin(binary)
context = pyxrt.hw_context(device, binary.get_uuid())
kernel = pyxrt.kernel(context, "MLIR_AIE")
insts = pyxrt.bo(device, 64, pyxrt.bo.cacheable, kernel.group_id(1))
insts.write(bytes(range(64)), 0)
insts.sync(TO)
a = pyxrt.bo(device, 2048, pyxrt.bo.host_only, kernel.group_id(3))
b = pyxrt.bo(device, 1024, pyxrt.bo.flags.host_only, kernel.group_id(4))
a.write(np.arange(512, dtype=np.int32), 0)
b.write(bytes(1024), 0)
a.sync(TO)
b.sync(TO)
run = kernel(3, insts, 64, a, b)
state = run.wait(5000)
b.sync(FROM)
result = np.frombuffer(b.read(1024, 0), np.int32)
print(int(state), np.array_equal(result, 3 * np.arange(256)))
"""


def said(folder: Path, tmp_path: Path, *changes: tuple[str, str]) -> tuple[str, list[str], str]:
    """What a script prints, what it misused, and the last line of its traceback."""
    script = RIGHT
    for before, after in changes:
        assert before in script
        script = script.replace(before, after)
    record = tmp_path / "record"
    record.touch()
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "final.xclbin")],
        env={**os.environ, "PYTHONPATH": str(DOUBLE), "NPU_DOUBLE": f"run-record={record}"},
        capture_output=True,
        text=True,
        check=False,
    )
    calls = [json.loads(line) for line in record.read_text().splitlines()]
    misuses = [call["misuse"] for call in calls if "misuse" in call]
    return done.stdout.strip(), misuses, (done.stderr.splitlines() or [""])[-1]


def test_right_use(built: Folder, tmp_path: Path) -> None:
    assert said(built(), tmp_path)[:2] == ("4 True", [])


@pytest.mark.parametrize("count", ["16", "64"])
def test_words_and_bytes_both_count_instructions(built: Folder, tmp_path: Path, count: str) -> None:
    assert said(built(), tmp_path, ("insts, 64", f"insts, {count}"))[0] == "4 True"


SWALLOWED = {
    "an array in place of a buffer": (
        ("64, a, b)", "64, np.arange(512), b)"),
        "4 False",
        "argument 3 is ndarray: swallowed",
    ),
    "another group": (("group_id(4)", "group_id(3)"), "4 False", "argument 4 has a buffer"),
    "the instructions' kind": (
        ("pyxrt.bo.flags.host_only", "pyxrt.bo.cacheable"),
        "4 False",
        "argument 4 is a cacheable buffer",
    ),
    "swapped buffers": (("64, a, b)", "64, b, a)"), "4 False", "argument 3 has a buffer"),
    "an input not synced": (("a.sync(TO)", ""), "4 False", "argument 3 was written and not synced"),
    "an output not synced": (("b.sync(FROM)", ""), "4 False", "not synced from the device"),
    "a strided view": (
        ("np.arange(512, dtype=np.int32)", "np.arange(512, dtype=np.int32).reshape(16, 32).T"),
        "4 False",
        "strided view",
    ),
    "another opcode": (("kernel(3,", "kernel(2,"), "8 False", "opcode 2 is not 3"),
    "a count of neither": (("insts, 64", "insts, 65"), "8 False", "number of instructions is 65"),
    "no instructions": (("kernel(3, insts", "kernel(3, a"), "8 False", "no buffer of group_id(1)"),
    "instructions not synced": (("insts.sync(TO)", ""), "8 False", "instructions were not synced"),
    "instructions where they can't be": (
        ("pyxrt.bo.cacheable", "pyxrt.bo.host_only"),
        "8 False",
        "not cacheable",
    ),
    "one buffer too few": (("64, a, b)", "64, a)"), "8 False", "takes 2 host buffers"),
}


@pytest.mark.parametrize("what", SWALLOWED)
def test_what_the_real_one_swallows(built: Folder, tmp_path: Path, what: str) -> None:
    change, printed, misuse = SWALLOWED[what]
    found = said(built(), tmp_path, change)
    assert found[0] == printed
    assert any(misuse in one for one in found[1]), found[1]


RAISED = {
    "load_xclbin": (
        ("device.register_xclbin(binary)", "device.load_xclbin(binary)"),
        "RuntimeError: load_axlf: Operation not supported",
    ),
    "not registered": (("device.register_xclbin(binary)", ""), "No xclbin with that uuid"),
    "a context of a path": (
        ("hw_context(device, binary.get_uuid())", "hw_context(device, sys.argv[1])"),
        "TypeError: hw_context: incompatible",
    ),
    "another kernel": (('"MLIR_AIE"', '"vadd"'), "No such kernel 'vadd'"),
    "normal memory": (("pyxrt.bo.flags.host_only", "pyxrt.bo.normal"), "unsupported buffer type"),
    "device memory": (("pyxrt.bo.flags.host_only", "pyxrt.bo.p2p"), "Bad BO flags (err=95)"),
    "a flag that is a number": (("pyxrt.bo.cacheable", "1"), "TypeError: bo: incompatible"),
    "a group that is none": (("kernel.group_id(4))", "None)"), "TypeError: bo: incompatible"),
    "a list for bytes": (("b.write(bytes(1024), 0)", "b.write([0], 0)"), "TypeError"),
    "too many bytes": (("bytes(1024)", "bytes(1025)"), "past buffer size"),
    "a direction that is a number": (("b.sync(FROM)", "b.sync(1)"), "TypeError: bo.sync"),
    "seconds": (("wait(5000)", "wait(0.5)"), "TypeError: run.wait"),
    "wait2": (("wait(5000)", "wait2()"), "Unable to convert"),
}


@pytest.mark.parametrize("what", RAISED)
def test_what_the_real_one_raises(built: Folder, tmp_path: Path, what: str) -> None:
    change, last = RAISED[what]
    printed, _, error = said(built(), tmp_path, change)
    assert printed == ""
    assert last in error


def test_a_context_after_a_run_that_did_not_complete_is_dead(built: Folder, tmp_path: Path) -> None:
    again = (
        "run = kernel(3, insts, 64, a, b)\n",
        "kernel(2, insts, 64, a, b).wait(5000)\nrun = kernel(3, insts, 64, a, b)\n",
    )
    printed, misuses, _ = said(built(), tmp_path, again)
    assert printed == "8 False"
    assert "a context is used after a run that did not complete" in misuses
    assert "a buffer is read after a run that did not complete" in misuses
