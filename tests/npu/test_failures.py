"""Whatever XRT, driver and NPU can do instead of completing: the class, the sentence, the mend."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.npu.conftest import DOUBLE, Folder, Npu
from workbench.device.npu.device import NpuDevice
from workbench.device.npu.failures import ended, how_ended
from workbench.errors import CrashError, DeviceError, ExitCode, HangError, WorkbenchError

FAILURES = {
    "no-import": (
        DeviceError,
        "can't import pyxrt: pyxrt doesn't find XRT's libraries",
        "setup.sh",
    ),
    "permission": (
        DeviceError,
        "can't open the NPU: the device node belongs to the group render",
        "usermod -aG render",
    ),
    "no-device": (
        DeviceError,
        "can't open the NPU: the driver amdxdna has no device",
        "modprobe amdxdna",
    ),
    "memlock": (
        DeviceError,
        "can't create the hardware context: the driver may not lock the 64 MiB",
        "memlock",
    ),
    "refuse-context": (
        DeviceError,
        "can't create the hardware context: too many contexts are open",
        "close other users",
    ),
    "wrong-xclbin": (
        DeviceError,
        "can't create the hardware context: the xclbin is for another device",
        "build for this NPU",
    ),
    "firmware": (
        DeviceError,
        "can't create the hardware context: the NPU's firmware doesn't answer",
        "reload the driver",
    ),
    "io-error": (DeviceError, "can't run the design: the device is in a bad state", "driver"),
    "timeout": (
        HangError,
        "run 1 did not end in 8 s (TIMEOUT: this limit or the driver's, XRT doesn't tell them "
        "apart)",
        "look for a FIFO",
    ),
    "tdr": (
        HangError,
        "run 1 made no progress: the driver gave it up after 2.5 s (TIMEOUT)",
        "xrt-smi reset",
    ),
    "late-abort": (
        HangError,
        "run 1 made no progress: the driver gave it up after 3.1 s (ABORT)",
        "look for a FIFO",
    ),
    "abort": (
        DeviceError,
        "run 1 did not complete: the NPU answered ABORT after 0.0 s",
        "firmware and driver may not fit together",
    ),
    "error": (
        DeviceError,
        "run 1 did not complete: the NPU answered ERROR after 0.0 s",
        "of one build",
    ),
    "error,host-copy": (
        DeviceError,
        "run 1 did not complete: the NPU answered ERROR after 0.0 s: a buffer was made with the "
        "wrong context or group id",
        "group_id",
    ),
    "crashed": (DeviceError, "the NPU answered SKCRASHED", "xrt-smi reset"),
    "queued": (DeviceError, "XRT stopped waiting for run 1, which is still QUEUED", "modprobe"),
    "running": (DeviceError, "XRT stopped waiting for run 1, which is still RUNNING", "modprobe"),
    "die": (CrashError, "XRT ended the NPU's process with SIGABRT", "xrt-smi reset"),
}


@pytest.mark.parametrize("fault", FAILURES)
async def test_failures(npu: Npu, fault: str) -> None:
    kind, message, hint = FAILURES[fault]
    with pytest.raises(WorkbenchError) as raised:
        await npu.run(fault)
    error = raised.value
    assert type(error) is kind
    assert message in error.message
    assert hint in (error.hint or "")
    assert error.where == "scale.mlir"
    assert error.exit_code == (ExitCode.HANG if kind is HangError else ExitCode.DEVICE)
    assert npu.misuses() == []
    assert npu.leftovers() == []


@pytest.mark.parametrize("fault", ["timeout", "abort", "error", "crashed", "running", "tdr@2"])
async def test_nothing_is_read_after_a_run_that_did_not_complete(npu: Npu, fault: str) -> None:
    with pytest.raises(WorkbenchError):
        await npu.run(fault)
    calls = npu.calls()
    last = max(n for n, call in enumerate(calls) if call.get("call") == "wait")
    context = ["kernel", "bo", "bo", "bo", "context", "device"]
    assert calls[last + 1 :] == [{"drop": what} for what in ("run", *context)]


async def test_the_first_run_of_the_result_may_not_fail(npu: Npu) -> None:
    with pytest.raises(HangError, match="run 1 did not end"):
        await npu.run("timeout@2")
    assert len(npu.named("hw_context")) == 2


async def test_an_io_error_lets_go_in_order_too(npu: Npu) -> None:
    with pytest.raises(DeviceError):
        await npu.run("io-error@2")
    assert npu.dropped()[-6:] == ["kernel", "bo", "bo", "bo", "context", "device"]


async def test_no_device_is_asked_for_five_times(npu: Npu) -> None:
    with pytest.raises(DeviceError):
        await npu.run("no-device")
    assert len(npu.named("device")) == 5


async def test_instructions_of_another_build_hang(npu: Npu, tmp_path: Path) -> None:
    content = json.loads((npu.folder / "final.xclbin").read_text())
    xclbin = tmp_path / "other.xclbin"
    xclbin.write_text(json.dumps({**content, "instructions_sha256": "of others"}))
    with pytest.raises(HangError, match="run 1 did not end in 8 s"):
        await npu.run(xclbin=xclbin)


async def test_files_that_are_no_build(npu: Npu, tmp_path: Path) -> None:
    bad = tmp_path / "bad.xclbin"
    bad.write_text('{"magic": "elf"}')
    with pytest.raises(DeviceError, match=r"can't register the xclbin: Invalid xclbin"):
        await npu.run(xclbin=bad)
    with pytest.raises(DeviceError, match=r"can't read the instructions: .*nothing.bin"):
        await npu.run(instructions=tmp_path / "nothing.bin")
    content = json.loads((npu.folder / "final.xclbin").read_text())
    bad.write_text(json.dumps({**content, "kernels": ["vadd"]}))
    with pytest.raises(DeviceError, match="no MLIR_AIE among the xclbin's kernels: vadd"):
        await npu.run(xclbin=bad)


async def test_another_number_of_buffers_than_the_design_has(npu: Npu) -> None:
    work = npu.work()
    with pytest.raises(HangError):
        await npu.run(buffers=work.buffers[:1], outputs=(False,))
    assert "takes 2 host buffers, the spec declares 1" in npu.misuses()[0]


async def test_a_python_without_pyxrt(npu: Npu) -> None:
    with pytest.raises(DeviceError, match="can't import pyxrt") as raised:
        await NpuDevice().execute(npu.work(), npu.lines.extend, 60)
    assert "No module named 'pyxrt'" in raised.value.message


async def test_a_python_that_is_not_there(npu: Npu) -> None:
    with pytest.raises(DeviceError, match=r"can't start /nowhere/python.*No such file"):
        await NpuDevice("/nowhere/python").execute(npu.work(), npu.lines.extend, 60)
    assert npu.leftovers() == []


async def test_a_process_that_ends_without_a_word(npu: Npu) -> None:
    with pytest.raises(DeviceError, match="ended with exit 0 and no result"):
        await NpuDevice("/bin/true").execute(npu.work(), npu.lines.extend, 60)


async def test_a_python_that_has_nothing_but_itself_will_do(npu: Npu, tmp_path: Path) -> None:
    """pyxrt's Python may be another than the workbench's: no NumPy, and none of ours there."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    device = NpuDevice(bare, DOUBLE, environment=npu.environment("no-import"))
    with pytest.raises(DeviceError, match="libxrt_coreutil"):
        await device.execute(npu.work(), npu.lines.extend, 60)


async def test_the_process_knows_where_xrt_is(npu: Npu, tmp_path: Path) -> None:
    """XRT finds its drivers by XILINX_XRT, which setup.sh would have set."""
    folder = tmp_path / "told"
    folder.mkdir()
    (folder / "pyxrt.py").write_text(
        "import os\nraise ImportError('XRT is at ' + os.environ['XILINX_XRT'])\n"
    )
    device = NpuDevice(pythonpath=folder, xrt=Path("/some/xrt"))
    with pytest.raises(DeviceError, match="XRT is at /some/xrt"):
        await device.execute(npu.work(), npu.lines.extend, 60)


async def test_a_broken_kernel_does_not_break_us(built: Folder, runtime_folder: Path) -> None:
    npu = Npu(built("*(volatile int *)0 = 1;"), runtime_folder / "record")
    with pytest.raises(CrashError, match="XRT ended the NPU's process with SIGSEGV"):
        await npu.run()


def test_how_a_run_ended() -> None:
    assert "did not end in 6.5 s" in how_ended("TIMEOUT", 6.5, 6500, 3)
    assert how_ended("TIMEOUT", 2.4, 6500, 3).startswith("run 3 made no progress: the driver")
    assert "answered NORESPONSE after 1.0 s" in how_ended("NORESPONSE", 1.0, 8000, 1)
    assert "answered 14 after" in how_ended("14", 1.0, 8000, 1)


def test_an_abort_is_a_hang_only_once_the_watchdog_can_have_fired() -> None:
    assert isinstance(ended("ABORT", 1.9, 8000, 1, (), None), DeviceError)
    assert isinstance(ended("ABORT", 2.0, 8000, 1, (), None), HangError)
