"""How much memory a model takes, how much there is, and the context window that fits into it."""

from __future__ import annotations

import os
from pathlib import Path

from pygent.models.gguf.header import Header

LARGEST, LEAST = 32768, 4096
"""Tokens of the window where none is set: at most, however long the model's own is, and at least."""

WORKING = 400_000_000
"""Bytes for computing, beside the model itself and its cache."""

_GROUP = Path("/sys/fs/cgroup")


class TooLittleMemory(Exception):
    """The model does not fit; the text says what it takes and what there is."""


def choose_window(header: Header, size: int, wanted: int | None, available: int | None) -> int:
    """Tokens of the context window of a model of ``size`` bytes.

    ``wanted`` holds where it is given; otherwise the model's own window, halved until it fits. ``available`` is in
    bytes, None where it is not known. Raises ``TooLittleMemory``.
    """
    trained = header.trained_window or LEAST
    window = wanted or min(trained, LARGEST)

    def needed() -> int:
        return size + header.cache_bytes(window) + WORKING

    while available is not None and needed() > available:
        if wanted is not None or window // 2 < LEAST:
            smaller = f"; a smaller context_window than {window} takes less" if window > LEAST else ""
            raise TooLittleMemory(
                f"it takes about {in_words(needed())} of memory with a window of {window} tokens, and "
                f"{in_words(available)} are free{smaller}"
            )
        window //= 2
    return window


def available_memory() -> int | None:
    """Bytes that a new process can have without anything being thrown out, None where nobody says.

    The limit of a container counts. Where the system only tells what is built in, two thirds of that are taken.
    """
    known = [amount for amount in (_of_machine(), _of_group()) if amount is not None]
    return min(known, default=None)


def in_words(amount: float) -> str:
    """Bytes for people: ``1.1 GB``, ``270 MB``."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{max(1, round(amount / 1e6))} MB"


def usable_cpus() -> int:
    """Processors that this process may use, at least one; less than there are with ``taskset`` or in a container."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        count = os.cpu_count() or 1
    try:
        quota, period = (_GROUP / "cpu.max").read_text("ascii").split()
        return max(1, min(count, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no container, or without a limit ("max")
        return count


def _of_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 2 // 3
    except (AttributeError, OSError, ValueError):
        return None


def _of_group() -> int | None:
    try:
        limit = int((_GROUP / "memory.max").read_text("ascii"))  # "max" where there is none
        used = int((_GROUP / "memory.current").read_text("ascii"))
        counts = dict(line.split() for line in (_GROUP / "memory.stat").read_text("ascii").splitlines())
    except (OSError, ValueError):
        return None
    return max(0, limit - used + int(counts.get("inactive_file", 0)))
