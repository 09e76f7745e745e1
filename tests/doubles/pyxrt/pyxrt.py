"""A pyxrt without XRT: it takes what the real one takes, and raises or swallows what that does.

The signatures are those of XRT's src/python/pybind11/src/pyxrt.cpp. An xclbin is a JSON file:
{"magic": "xclbin-double", "design": MLIR, "sources": {link object: C file}, "allocation": …}, with
"kernels" (names) and "instructions_sha256" as it likes. What the real one swallows is noted as
misuse, and does here what it does there: garbage, or a run that never ends.
"""

from __future__ import annotations

import enum
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

sys.path.append(str(Path(__file__).resolve().parents[3]))

from tests.doubles.failing import told as asked
from tests.doubles.silicon import ENDINGS, Silicon, clock, faults, misuse, note

if faults.active("no-import"):
    raise ImportError("libxrt_coreutil.so.2: cannot open shared object file: No such file")

clock.install()

MOST_CONTEXTS = 6
C_INT = range(-(2**31), 2**31)


class _Enum(enum.Enum):
    """pybind11's: no number, but one can be made of it."""

    def __int__(self) -> int:
        return int(self.value)


class xclBOSyncDirection(_Enum):
    XCL_BO_SYNC_BO_TO_DEVICE = 0
    XCL_BO_SYNC_BO_FROM_DEVICE = 1
    XCL_BO_SYNC_BO_GMIO_TO_AIE = 2
    XCL_BO_SYNC_BO_AIE_TO_GMIO = 3


class ert_cmd_state(_Enum):
    """RUNNING (3) is not bound there either."""

    ERT_CMD_STATE_NEW = 1
    ERT_CMD_STATE_QUEUED = 2
    ERT_CMD_STATE_COMPLETED = 4
    ERT_CMD_STATE_ERROR = 5
    ERT_CMD_STATE_ABORT = 6
    ERT_CMD_STATE_SUBMITTED = 7
    ERT_CMD_STATE_TIMEOUT = 8
    ERT_CMD_STATE_NORESPONSE = 9
    ERT_CMD_STATE_SKERROR = 10
    ERT_CMD_STATE_SKCRASHED = 11


class _Unbound:
    """A value of an enum that has no name in the binding."""

    name = "???"

    def __init__(self, value: int) -> None:
        self._value = value

    def __int__(self) -> int:
        return self._value


class xrt_info_device:
    """No `enum`, which would not take `name` for one of its names."""

    bdf: ClassVar[xrt_info_device]
    name: ClassVar[xrt_info_device]


xrt_info_device.bdf = xrt_info_device()
xrt_info_device.name = xrt_info_device()


def _typed(value: object, kind: type, what: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{what}: incompatible function arguments: {value!r}")


class uuid:
    def __init__(self, text: str) -> None:
        _typed(text, str, "uuid")
        self._text = text

    def to_string(self) -> str:
        return self._text


class _Kernel:
    def __init__(self, name: str) -> None:
        self._name = name

    def get_name(self) -> str:
        return self._name


class xclbin:
    def __init__(self, filename: str) -> None:
        _typed(filename, str, "xclbin")
        self._path = Path(filename)
        try:
            self._content: dict[str, Any] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            raise RuntimeError(f"failed to open file: {filename}") from None
        if self._content.get("magic") != "xclbin-double":
            raise RuntimeError("Invalid xclbin: bad magic")

    def get_kernels(self) -> list[_Kernel]:
        return [_Kernel(name) for name in self._content.get("kernels", ["MLIR_AIE"])]

    def get_uuid(self) -> uuid:
        return uuid(hashlib.sha256(self._path.read_bytes()).hexdigest()[:32])


class device:
    def __init__(self, index: int) -> None:
        _typed(index, int, "device")
        faults.opens += 1
        note(call="device")
        if faults.active("permission"):
            raise RuntimeError("Failed to open /dev/accel/accel0: Permission denied (err=-13)")
        no_device = faults.active("no-device") or faults.among_first("flaky", faults.opens)
        if index or no_device:
            raise RuntimeError(f"No such device with index '{index}'")
        self._registered: dict[str, xclbin] = {}

    def __del__(self) -> None:
        note(drop="device")

    def get_info(self, key: xrt_info_device) -> str:
        _typed(key, xrt_info_device, "get_info")
        return (
            f"NPU {asked().get('npu', 'Phoenix')} (double)" if key is xrt_info_device.name else "NA"
        )

    def load_xclbin(self, _binary: object) -> uuid:
        misuse("load_xclbin is for other cards than the NPU")
        raise RuntimeError("load_axlf: Operation not supported")

    def register_xclbin(self, binary: xclbin) -> uuid:
        _typed(binary, xclbin, "register_xclbin")
        note(call="register_xclbin")
        self._registered[binary.get_uuid().to_string()] = binary
        return binary.get_uuid()


_DRIVER_REFUSES = {
    "refuse-context": "CREATE_HWCTX IOCTL failed (err=-2): No such file or directory",
    "wrong-xclbin": "CREATE_HWCTX IOCTL failed (err=-22): Invalid argument",
    "firmware": "CONFIG_HWCTX IOCTL failed (err=62): Timer expired",
}


class hw_context:
    _alive = 0

    def __init__(self, of: device, binary: uuid) -> None:
        _typed(of, device, "hw_context")
        _typed(binary, uuid, "hw_context")
        for name, text in _DRIVER_REFUSES.items():
            if faults.active(name):
                raise RuntimeError(f"DRM_IOCTL_AMDXDNA_{text}")
        if faults.active("memlock"):
            raise RuntimeError(
                "mmap(addr=(nil), len=67108864, prot=3, flags=8193, offset=4294967296) failed "
                "(err=-11): Resource temporarily unavailable"
            )
        if binary.to_string() not in of._registered:
            raise RuntimeError("No xclbin with that uuid is registered: Invalid argument")
        if hw_context._alive >= MOST_CONTEXTS:
            raise RuntimeError(f"DRM_IOCTL_AMDXDNA_{_DRIVER_REFUSES['refuse-context']}")
        hw_context._alive += 1
        self._xclbin = of._registered[binary.to_string()]
        self._silicon = Silicon(self._xclbin._content, self._xclbin._path)
        note(call="hw_context", alive=hw_context._alive)

    def __del__(self) -> None:
        if hasattr(self, "_silicon"):
            hw_context._alive -= 1
            note(drop="context")


class bo:
    class flags(_Enum):
        normal = 0
        cacheable = 1
        device_only = 2
        host_only = 3
        p2p = 4
        svm = 5

    normal, cacheable, device_only = flags.normal, flags.cacheable, flags.device_only
    host_only, p2p, svm = flags.host_only, flags.p2p, flags.svm

    def __init__(self, of: device, size: int, kind: flags, group: int) -> None:
        _typed(of, device, "bo")
        _typed(size, int, "bo")
        _typed(kind, bo.flags, "bo")
        _typed(group, int, "bo")
        if size < 1:
            raise RuntimeError("buffer size must be greater than zero")
        if kind in (bo.device_only, bo.p2p):
            raise RuntimeError("Bad BO flags (err=95): Operation not supported")
        if kind is bo.normal:
            raise RuntimeError("unsupported buffer type: none flag (err=95)")
        self._kind = kind
        self._group = group
        self._host = bytearray(b"\xee" * size)
        self._device = b"\xdd" * size
        self._unsynced = True
        self._stale = False
        self._broken = False
        note(call="bo", size=size, flags=kind.name, group=group)

    def __del__(self) -> None:
        if hasattr(self, "_host"):
            note(drop="bo")

    def size(self) -> int:
        return len(self._host)

    def write(self, data: Any, seek: int) -> None:
        _typed(seek, int, "bo.write")
        view = memoryview(data)
        if not view.c_contiguous:
            misuse("bo.write copies the memory of a strided view as it lies")
            view = memoryview(b"\xcc" * view.nbytes)
        if seek < 0 or seek + view.nbytes > len(self._host):
            raise RuntimeError("attempting to write past buffer size")
        self._host[seek : seek + view.nbytes] = view.cast("B") if view.nbytes else b""
        self._unsynced = True

    def sync(self, direction: xclBOSyncDirection) -> None:
        _typed(direction, xclBOSyncDirection, "bo.sync")
        note(call="sync", direction=direction.name[len("XCL_BO_SYNC_BO_") :], group=self._group)
        if direction is xclBOSyncDirection.XCL_BO_SYNC_BO_TO_DEVICE:
            self._device = bytes(self._host)
            self._unsynced = self._stale = False
        elif direction is xclBOSyncDirection.XCL_BO_SYNC_BO_FROM_DEVICE:
            if self._broken:
                misuse("a buffer is read after a run that did not complete")
            self._host[:] = self._device
            self._stale = False
        else:
            raise RuntimeError("Operation not supported")

    def map(self) -> memoryview:
        if self._stale:
            misuse("a buffer is read that was not synced from the device")
        if self._broken:
            misuse("a buffer is read after a run that did not complete")
        return memoryview(self._host)

    def read(self, size: int, skip: int) -> Any:
        import numpy as np

        return np.frombuffer(self.map()[skip : skip + size], np.int8).copy()


class kernel:
    def __init__(self, context: hw_context, name: str) -> None:
        _typed(context, hw_context, "kernel")
        _typed(name, str, "kernel")
        if name not in (one.get_name() for one in context._xclbin.get_kernels()):
            raise RuntimeError(f"No such kernel '{name}'")
        self._silicon = context._silicon
        self._digest = context._xclbin._content.get("instructions_sha256")
        note(call="kernel", name=name)

    def __del__(self) -> None:
        if hasattr(self, "_silicon"):
            note(drop="kernel")

    def group_id(self, argument: int) -> int:
        _typed(argument, int, "group_id")
        return 0x10000 | argument

    def __call__(self, *arguments: object) -> run:
        if faults.active("io-error"):
            raise RuntimeError(
                "DRM_IOCTL_AMDXDNA_EXEC_CMD IOCTL failed (err=5): Input/output error"
            )
        return run(self, arguments)

    def _is_command(self, arguments: Sequence[object]) -> bool:
        """Whether the first three arguments make the firmware do anything."""
        opcode, code, count = [*arguments, None, None, None][:3]
        if opcode != 3 or isinstance(opcode, bool):
            misuse(f"opcode {opcode!r} is not 3")
        elif not isinstance(code, bo) or code._group != self.group_id(1):
            misuse("argument 1 is no buffer of group_id(1)")
        elif code._kind is not bo.cacheable:
            misuse("the instruction buffer is not cacheable")
        elif code._unsynced:
            misuse("the instructions were not synced to the device")
        elif not isinstance(count, int) or count not in (code.size(), code.size() // 4):
            misuse(f"the number of instructions is {count!r}, for {code.size()} bytes")
        else:
            return self._digest in (None, hashlib.sha256(code._device).hexdigest())
        return False

    def _is_reachable(self, position: int, argument: object) -> bool:
        if not isinstance(argument, bo):
            misuse(f"argument {position} is {type(argument).__name__}: swallowed, and left unset")
        elif argument._group != self.group_id(position):
            misuse(f"argument {position} has a buffer of group {argument._group:#x}")
        elif argument._kind is not bo.host_only:
            misuse(f"argument {position} is a {argument._kind.name} buffer")
        else:
            if argument._unsynced:
                misuse(f"argument {position} was written and not synced to the device")
            return True
        return False


class run:
    """Started by the call that makes it; its state comes with `wait`."""

    def __init__(self, of: kernel, arguments: tuple[object, ...]) -> None:
        faults.runs += 1
        note(call="run", number=faults.runs)
        self._kernel = of
        self._silicon = of._silicon
        self._buffers = [argument for argument in arguments[3:] if isinstance(argument, bo)]
        works = of._is_command(arguments)
        reached = [of._is_reachable(*pair) for pair in enumerate(arguments[3:], 3)]
        if self._silicon.dead:
            misuse("a context is used after a run that did not complete")
            works = False
        self._ends = works
        if works and all(reached):
            self._compute()
        elif works:
            for buffer in self._buffers:
                buffer._device = b"\xbb" * buffer.size()
                buffer._stale = True

    def __del__(self) -> None:
        note(drop="run")

    def _compute(self) -> None:
        after = self._silicon.compute([buffer._device for buffer in self._buffers])
        self._ends = after is not None
        for buffer, content in zip(self._buffers, after or (), strict=bool(after)):
            buffer._device = content
            buffer._stale = True

    def wait(self, timeout_ms: int = 0) -> ert_cmd_state | _Unbound:
        _typed(timeout_ms, int, "run.wait")
        if timeout_ms not in C_INT or timeout_ms < 0:
            raise TypeError("run.wait: incompatible function arguments")
        note(call="wait", timeout_ms=timeout_ms)
        self._silicon.wait()
        if faults.active("host-copy"):
            text = "Reverting to host copy of buffers (exec_buf: Operation not supported)"
            print(f"[XRT] WARNING: {text}", file=sys.stderr)
        told = [ending for name, ending in ENDINGS.items() if faults.active(name)]
        state, seconds = told[0] if told else (4, 0.0) if self._ends else ENDINGS["timeout"]
        if state == 4:
            self._silicon.take_time()
            return ert_cmd_state.ERT_CMD_STATE_COMPLETED
        clock.advance(timeout_ms * 1_000_000 if seconds is None else int(seconds * 1e9))
        self._silicon.dead = True
        for buffer in self._buffers:
            buffer._broken = True
        return _Unbound(state) if state == 3 else ert_cmd_state(state)

    def wait2(self, *_: object) -> None:
        raise TypeError("Unable to convert function return value to a Python type")
