"""Learning where a crashing kernel touched memory, from the signal that ends its process."""

from __future__ import annotations

import ctypes
import signal
from collections.abc import Callable

OnFault = Callable[[str, int], None]
"""Told the signal's name and the address that was touched."""

SIGNALS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)

_ADDRESS_AT = 16
"""Offset of si_addr in siginfo_t on 64-bit Linux."""

_STACK_BYTES = 512 * 1024
_SA_SIGINFO, _SA_ONSTACK, _SA_RESETHAND = 4, 0x08000000, 0x80000000

_Handler = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


class _Action(ctypes.Structure):
    """struct sigaction of 64-bit Linux, as glibc and musl have it."""

    _fields_ = (
        ("handler", _Handler),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class _Stack(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("flags", ctypes.c_int), ("bytes", ctypes.c_size_t))


_kept: list[object] = []
"""What the installed handlers need for as long as the process lives."""


def report_faults(on_fault: OnFault) -> None:
    """Call `on_fault` once when a kernel faults; the signal then ends the process as ever.

    Only for a process whose faults come from kernels called through ctypes: the handler runs
    Python, which it can since ctypes gives up the interpreter's lock around such calls.
    """

    def handle(number: int, info: int, context: int) -> None:
        address = ctypes.c_uint64.from_address(info + _ADDRESS_AT).value
        on_fault(signal.Signals(number).name, address)

    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(_STACK_BYTES)
    # A kernel that recurses without end leaves no stack for the handler.
    libc.sigaltstack(ctypes.byref(_Stack(ctypes.addressof(room), 0, _STACK_BYTES)), None)
    flags = _SA_SIGINFO | _SA_ONSTACK | _SA_RESETHAND
    action = _Action(_Handler(handle), (ctypes.c_ubyte * 128)(), ctypes.c_int(flags).value, None)
    _kept.extend((room, action))
    for number in SIGNALS:
        libc.sigaction(int(number), ctypes.byref(action), None)
