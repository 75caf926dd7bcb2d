"""What the supervisor does as the first process of a sandbox: it makes itself untouchable and holds limits.

The supervisor imports it there by its bare name. It imports nothing of Pygent.
"""

from __future__ import annotations

import ctypes
import os
import re
import resource

OPEN_FILES = 1 << 16
_PR_SET_DUMPABLE = 4
_PAGE = os.sysconf("SC_PAGE_SIZE")


def enter(memory: int, processes: int) -> Watch:
    """Let no command touch this process, limit each of theirs, and answer what watches over all of them.

    ``memory`` is in megabytes, for all processes of a command together, as is the number of ``processes``.
    """
    become_untouchable()
    limit_each(processes)
    return Watch(memory << 20, processes)


class Watch:
    """Looks at what the processes of a command take together; answers the limit that they are over, or ""."""

    every = 0.2

    def __init__(self, memory: int, processes: int) -> None:
        self._memory = memory
        self._processes = processes

    def __call__(self) -> str:
        pids = [entry for entry in os.listdir("/proc") if entry.isdigit() and entry != "1"]
        if len(pids) > self._processes:
            return "processes"
        return "memory" if memory_in_use(pids) > self._memory else ""


def become_untouchable() -> None:
    """Let no other process of this user trace this one or look into it."""
    if ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise SystemExit("the supervisor cannot be protected from its commands")


def limit_each(processes: int) -> None:
    """What every process of a command may have by itself. Where memory runs out, these go first."""
    # A core file of one byte is none, and is not handed to a program of the host's either.
    wanted = {resource.RLIMIT_NOFILE: OPEN_FILES, resource.RLIMIT_CORE: 1}
    if tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= (5, 14):
        wanted[resource.RLIMIT_NPROC] = processes  # older kernels count all of the user's processes, not only these
    for kind, most in wanted.items():
        soft, hard = (most if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(kind))
        try:
            resource.setrlimit(kind, (min(soft, hard, most), min(hard, most)))
        except (OSError, ValueError):
            continue
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass


def memory_in_use(pids: list[str]) -> int:
    """Bytes that these processes have for themselves, and what lies in the sandbox's shared memory."""
    pages = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                fields = file.read().split()
            pages += int(fields[1]) - int(fields[2])
        except (OSError, IndexError):
            continue
    try:
        shared = os.statvfs("/dev/shm")  # noqa: S108
    except OSError:
        return pages * _PAGE
    return pages * _PAGE + (shared.f_blocks - shared.f_bfree) * shared.f_frsize
