"""Learning from the signal that ends a crashing kernel's process what it touched, and where."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Iterator

OnFault = Callable[[str, int | None, Iterator[int]], None]
"""Told the signal's name, the address that was touched, and those of the code, innermost first."""

SIGNALS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
"""Signals that say what was touched."""

STOPS = (signal.SIGTRAP, signal.SIGABRT)
"""Signals of a kernel that stops itself."""

_ADDRESS_AT = 16
"""Offset of si_addr in siginfo_t on 64-bit Linux."""

_PC_AT = {"x86_64": 168, "aarch64": 440}
"""Offset of the program counter in Linux's ucontext_t: `uc_mcontext.gregs[REG_RIP]`, or `.pc`."""

_FRAMES = 64
"""Most frames between the handler and the kernel: Python's, and those of a library it calls."""

_TELLING_S = 1
"""Longest time for `on_fault`, which waits for ever where the C library's memory is broken."""

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
    """Call `on_fault` once when a kernel faults or stops itself; the signal then ends the process.

    Only for a process whose faults come from kernels called through ctypes: the handler runs
    Python, which it can since ctypes gives up the interpreter's lock around such calls.
    """

    def handle(number: int, info: int, context: int) -> None:
        libc.alarm(_TELLING_S)
        address = ctypes.c_uint64.from_address(info + _ADDRESS_AT).value
        touched = address if number in SIGNALS else None
        on_fault(signal.Signals(number).name, touched, _code(number, context))
        signal.raise_signal(number)  # what only interrupts would go on after the handler

    libc = ctypes.CDLL(None, use_errno=True)
    room = ctypes.create_string_buffer(_STACK_BYTES)
    # A kernel that recurses without end leaves no stack for the handler.
    libc.sigaltstack(ctypes.byref(_Stack(ctypes.addressof(room), 0, _STACK_BYTES)), None)
    flags = _SA_SIGINFO | _SA_ONSTACK | _SA_RESETHAND
    action = _Action(_Handler(handle), (ctypes.c_ubyte * 128)(), ctypes.c_int(flags).value, None)
    _kept.extend((room, action))
    for number in (*SIGNALS, *STOPS):
        libc.sigaction(int(number), ctypes.byref(action), None)
    last = _Action(ctypes.cast(libc.abort, _Handler), (ctypes.c_ubyte * 128)(), 0, None)
    libc.sigaction(int(signal.SIGALRM), ctypes.byref(last), None)


def _code(number: int, context: int) -> Iterator[int]:
    """Where the signal came, then the calls that led there, as far as this machine tells."""
    machine = os.uname().machine
    if machine in _PC_AT:
        at = ctypes.c_uint64.from_address(context + _PC_AT[machine]).value
        # x86-64's breakpoint is over when it is told.
        yield at - 1 if (number, machine) == (signal.SIGTRAP, "x86_64") else at
    # Not every C library has it.
    with contextlib.suppress(AttributeError):
        frames = (ctypes.c_void_p * _FRAMES)()
        for frame in frames[: ctypes.CDLL(None).backtrace(frames, _FRAMES)]:
            yield (frame or 1) - 1  # it returns behind the call
