"""The calls of pyxrt that run a design, in the order and with the arguments that XRT needs.

Only the standard library: this runs in the Python that pyxrt was built for, and what it raises
crosses to the workbench as text. The sequence is that of mlir-aie's own helpers
(python/utils/xrt.py); XRT checks little of it, a wrong group id or argument type gives garbage.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from traceback import clear_frames
from typing import Any

KERNEL = "MLIR_AIE"
"""Part of the name that aiecc gives the kernel in every xclbin."""

OPCODE = 3
"""Of the kernel's first argument: execute the instruction buffer."""

INSTRUCTIONS_ARGUMENT = 1
FIRST_DATA_ARGUMENT = 3

OPEN_TRIES = 5
OPEN_PAUSE_S = 0.1

COMPLETED = 4

STATES = {
    1: "NEW",
    2: "QUEUED",
    3: "RUNNING",
    COMPLETED: "COMPLETED",
    5: "ERROR",
    6: "ABORT",
    7: "SUBMITTED",
    8: "TIMEOUT",
    9: "NORESPONSE",
    10: "SKERROR",
    11: "SKCRASHED",
}
"""ert_cmd_state (XRT, ert.h); pyxrt binds some of the names only."""


class FailedError(Exception):
    """XRT or the driver refused something: what was being done, and their words."""

    def __init__(self, doing: str, text: str) -> None:
        super().__init__(doing, text)
        self.doing = doing
        self.text = text


class EndedError(Exception):
    """A run ended in another state than COMPLETED: its context and its buffers are dead."""

    def __init__(self, state: int, seconds: float) -> None:
        super().__init__(state, seconds)
        self.state = STATES.get(state, str(state))
        self.seconds = seconds


@contextmanager
def doing(what: str) -> Iterator[None]:
    """Name what was being done when pyxrt raises; a std::exception is a RuntimeError there."""
    try:
        yield
    except (RuntimeError, IndexError, MemoryError, ImportError, OSError) as error:
        clear_frames(error.__traceback__)  # they would keep what has to go in order
        raise FailedError(what, str(error)) from None


class Npu:
    """The first NPU with an xclbin registered on it; `close` it."""

    def __init__(self, pyxrt: Any, xclbin: str, instructions: bytes, wait_ms: int) -> None:
        self._pyxrt = pyxrt
        self._instructions = instructions
        self._wait_ms = wait_ms
        with doing("open the NPU"):
            self._device = _opened(pyxrt)
            self.name = str(self._device.get_info(pyxrt.xrt_info_device.name))
        with doing("register the xclbin"):
            binary = pyxrt.xclbin(xclbin)
            names = [kernel.get_name() for kernel in binary.get_kernels()]
            self._device.register_xclbin(binary)
            self._uuid = binary.get_uuid()
        found = [name for name in names if KERNEL in name]
        if not found:
            listed = ", ".join(names) or "none"
            raise FailedError(
                "find the kernel", f"no {KERNEL} among the xclbin's kernels: {listed}"
            )
        self._kernel_name = found[0]

    @contextmanager
    def context(self, sizes: Sequence[int]) -> Iterator[Context]:
        """The design loaded afresh, with buffers of these sizes."""
        context = Context(self._pyxrt, self._wait_ms)
        try:
            context.load(self._device, self._uuid, self._kernel_name, self._instructions, sizes)
            yield context
        finally:
            context.close()

    def close(self) -> None:
        """Let go of the device, after its contexts."""
        self._uuid = None
        self._device = None
        gc.collect()


class Context:
    """A hardware context: the cores' and FIFOs' state lives as long as it does.

    What pyxrt gives is held in attributes only: a local variable would live on in a traceback, and
    XRT wants run, kernel, buffers and context to go in this order (mlir-aie#2832).
    """

    def __init__(self, pyxrt: Any, wait_ms: int) -> None:
        self._pyxrt = pyxrt
        self._wait_ms = wait_ms
        self._context: Any = None
        self._kernel: Any = None
        self._run: Any = None
        self._instructions: Any = None
        self._instruction_bytes = 0
        self._buffers: list[Any] = []

    def load(
        self, device: Any, uuid: Any, kernel: str, instructions: bytes, sizes: Sequence[int]
    ) -> None:
        """Load the design and allocate its buffers. Raises FailedError."""
        pyxrt = self._pyxrt
        with doing("create the hardware context"):
            self._context = pyxrt.hw_context(device, uuid)
        with doing("open the kernel"):
            self._kernel = pyxrt.kernel(self._context, kernel)
        with doing("allocate the instruction buffer"):
            group = self._kernel.group_id(INSTRUCTIONS_ARGUMENT)
            self._instruction_bytes = len(instructions)
            self._instructions = pyxrt.bo(device, len(instructions), pyxrt.bo.cacheable, group)
            self._to_device(self._instructions, instructions)
        with doing("allocate the host buffers"):
            for argument, size in enumerate(sizes, FIRST_DATA_ARGUMENT):
                group = self._kernel.group_id(argument)
                self._buffers.append(pyxrt.bo(device, size, pyxrt.bo.host_only, group))

    def run(self, contents: Sequence[bytes]) -> tuple[list[bytes], int]:
        """Write all buffers, run once, and read all of them; with the nanoseconds it took.

        Raises FailedError or EndedError; then nothing is read.
        """
        self._write(contents)
        nanoseconds = self.run_again()
        return self._read(), nanoseconds

    def run_again(self) -> int:
        """Run once on what the buffers hold; nanoseconds from submission to the end.

        Raises FailedError or EndedError.
        """
        with doing("run the design"):
            started = time.perf_counter_ns()
            self._run = self._kernel(
                OPCODE, self._instructions, self._instruction_bytes, *self._buffers
            )
            state = int(self._run.wait(self._wait_ms))
            nanoseconds = time.perf_counter_ns() - started
        self._run = None
        if state != COMPLETED:
            raise EndedError(state, nanoseconds / 1e9)
        return nanoseconds

    def close(self) -> None:
        """Let go of everything, in XRT's order."""
        self._run = None
        self._kernel = None
        self._instructions = None
        self._buffers.clear()
        self._context = None
        gc.collect()

    def _write(self, contents: Sequence[bytes]) -> None:
        with doing("write the host buffers"):
            for buffer, content in zip(self._buffers, contents, strict=True):
                self._to_device(buffer, content)

    def _read(self) -> list[bytes]:
        direction = self._pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE
        with doing("read the host buffers"):
            for buffer in self._buffers:
                buffer.sync(direction)
            return [bytes(buffer.map()) for buffer in self._buffers]

    def _to_device(self, buffer: Any, content: bytes) -> None:
        # `bytes` are contiguous: XRT copies a strided view's memory as it lies.
        buffer.write(content, 0)
        buffer.sync(self._pyxrt.xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE)


def _opened(pyxrt: Any) -> Any:
    """The first device; opening it can fail for a moment after another process let go of it."""
    for _ in range(OPEN_TRIES - 1):
        try:
            return pyxrt.device(0)
        except (RuntimeError, IndexError):
            time.sleep(OPEN_PAUSE_S)
    return pyxrt.device(0)
