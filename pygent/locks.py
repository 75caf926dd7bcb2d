"""Locks on files (``flock``), which the system takes back when the process that holds them ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

_PAUSE = 0.01  # seconds between two looks at a lock that somebody has


def try_lock(fd: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder, alone or with others who share it. Answers whether that went at once.

    Raises ``OSError`` where the file system has no locks.
    """
    try:
        fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hold(file: Path, *, shared: bool = False, patience: float = 0.0) -> int | None:
    """Open a file, made where it is missing, and lock it until it is closed.

    ``patience``: seconds to wait for others, who may only be looking whether anybody has it. None where one of them
    has it for longer. A file that its holder removes meanwhile is made anew.

    Raises ``OSError``.
    """
    until = time.monotonic() + patience
    while True:
        fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        held = False
        try:
            held = try_lock(fd, shared=shared) and is_still(file, fd)
        finally:
            if not held:
                os.close(fd)
        if held:
            return fd
        if time.monotonic() >= until:
            return None
        time.sleep(_PAUSE)


@contextlib.contextmanager
def holding(file: Path) -> Iterator[bool]:
    """Hold a file's lock meanwhile, where nobody else has it: the value says so. Raises ``OSError``."""
    fd = hold(file)
    try:
        yield fd is not None
    finally:
        if fd is not None:
            os.close(fd)


@contextlib.contextmanager
def in_turn(file: Path) -> Iterator[None]:
    """Wait for a file's lock and hold it meanwhile; the file stays. Raises ``OSError``."""
    fd = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def is_still(file: Path, fd: int) -> bool:
    """Whether the open file is the one of that name."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(fd), file.stat())
    return False
