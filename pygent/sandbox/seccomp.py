"""System calls that commands in a sandbox of the operating system are refused: a filter in the kernel's own form.

The namespaces hold most of it. This closes what they leave: the user's kernel keyring, sockets that no network
namespace separates (vsock, Bluetooth), io_uring, and set-user-ID files in the workspace, which would outlive the
sandbox. Debuggers and sanitizers trace their own processes, so ``ptrace`` is left to the kernel's own rules.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of the kernel's filters: load a word, compare and jump, return."""

_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Where in the kernel's description of a call its number, its architecture and its arguments stand."""

_ALLOW = 0x7FFF0000
_ERROR = 0x00050000
_X32 = 0x40000000
_NEW_NAMESPACES = 0x7E020000
"""The flags of ``clone`` that make namespaces."""

_DEVICE = 0x2000
"""The bit that the types of character and block devices share, and no other type has."""

_SET_UID = 0o4000
_CREATES = 0o100 | 0o20000000
"""The flags with which ``open`` makes a file."""

_FAMILIES = (1, 2, 10, 16)
"""Kinds of sockets that there are: Unix, IPv4, IPv6, netlink."""

_TERMINAL_INPUT = (0x5412, 0x541C)
"""``ioctl`` requests that type into a terminal."""

_REFUSED = (
    *(
        "unshare",
        "setns",
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "open_tree",
        "move_mount",
        "fsopen",
        "fsconfig",
    ),
    *("fsmount", "fspick", "mount_setattr", "add_key", "request_key", "keyctl", "bpf", "perf_event_open"),
    *("userfaultfd", "kexec_load", "open_by_handle_at"),
)
_UNKNOWN = ("clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register")
"""Answered as by an older kernel: their arguments cannot be looked at, and programs know how to do without."""

_MODES = {"chmod": 1, "fchmod": 1, "fchmodat": 2, "fchmodat2": 2, "creat": 1}
"""Calls that set the mode of a file, and which argument it is."""

_DEVICES = {"mknod": 1, "mknodat": 2}
_OPENS = {"open": (1, 2), "openat": (2, 3)}
"""Calls with flags and a mode, and which arguments they are."""


def _numbers(table: str) -> dict[str, int]:
    return {name: int(number) for name, number in (item.split("=") for item in table.split())}


_LATE = _numbers(
    "io_uring_setup=425 io_uring_enter=426 io_uring_register=427 open_tree=428 move_mount=429 fsopen=430 "
    "fsconfig=431 fsmount=432 fspick=433 clone3=435 openat2=437 mount_setattr=442 fchmodat2=452"
)


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the kernel calls it, and the numbers of its calls."""

    token: int
    numbers: dict[str, int]


_ARCHITECTURES = {
    "x86_64": Architecture(
        0xC000003E,
        _LATE
        | _numbers(
            "open=2 ioctl=16 socket=41 clone=56 creat=85 chmod=90 fchmod=91 mknod=133 pivot_root=155 chroot=161 "
            "mount=165 umount2=166 kexec_load=246 add_key=248 request_key=249 keyctl=250 openat=257 mknodat=259 "
            "fchmodat=268 unshare=272 perf_event_open=298 open_by_handle_at=304 setns=308 bpf=321 userfaultfd=323"
        ),
    ),
    "aarch64": Architecture(
        0xC00000B7,
        _LATE
        | _numbers(
            "ioctl=29 mknodat=33 umount2=39 mount=40 pivot_root=41 chroot=51 fchmod=52 fchmodat=53 openat=56 "
            "unshare=97 kexec_load=104 socket=198 add_key=217 request_key=218 keyctl=219 clone=220 "
            "perf_event_open=241 open_by_handle_at=265 setns=268 bpf=280 userfaultfd=282"
        ),
    ),
}


def rules(machine: str | None = None) -> bytes:
    """The filter for this machine; empty where its architecture is not known, and the namespaces hold alone."""
    architecture = _ARCHITECTURES.get(machine or platform.machine())
    if architecture is None:
        return b""
    return b"".join(struct.pack("=HBBI", *line) for line in _program(architecture))


_Line = tuple[int, int, int, int]


def _program(architecture: Architecture) -> Iterator[_Line]:
    numbers = architecture.numbers
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_EQUAL, 1, 0, architecture.token)
    yield _fail(errno.ENOSYS)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_AT_LEAST, 0, 1, _X32)
    yield _fail(errno.ENOSYS)
    for names, code in ((_REFUSED, errno.EPERM), (_UNKNOWN, errno.ENOSYS)):
        for name in names:
            if name in numbers:
                yield (_EQUAL, 0, 1, numbers[name])
                yield _fail(code)
    blocks = [("clone", [_argument(0), (_ANY_BIT, 0, 1, _NEW_NAMESPACES), _fail(errno.EPERM)])]
    families = [(_EQUAL, len(_FAMILIES) - at, 0, family) for at, family in enumerate(_FAMILIES)]
    blocks.append(("socket", [_argument(0), *families, _fail(errno.EAFNOSUPPORT)]))
    typed = [line for value in _TERMINAL_INPUT for line in ((_EQUAL, 0, 1, value), _fail(errno.EPERM))]
    blocks.append(("ioctl", [_argument(1), *typed]))
    for name, at in _MODES.items():
        blocks.append((name, [_argument(at), (_ANY_BIT, 0, 1, _SET_UID), _fail(errno.EPERM)]))
    for name, at in _DEVICES.items():
        blocks.append((name, [_argument(at), (_ANY_BIT, 0, 1, _DEVICE | _SET_UID), _fail(errno.EPERM)]))
    for name, (flags, mode) in _OPENS.items():
        block = [_argument(flags), (_ANY_BIT, 0, 3, _CREATES), _argument(mode), (_ANY_BIT, 0, 1, _SET_UID)]
        blocks.append((name, [*block, _fail(errno.EPERM)]))
    for name, block in blocks:
        if name in numbers:
            yield (_EQUAL, 0, len(block) + 1, numbers[name])
            yield from block
            yield (_RETURN, 0, 0, _ALLOW)
    yield (_RETURN, 0, 0, _ALLOW)


def _argument(at: int) -> _Line:
    """Load the lower half of an argument; both architectures put it first."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * at)


def _fail(code: int) -> _Line:
    return (_RETURN, 0, 0, _ERROR | code)
