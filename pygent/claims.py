"""Which Pygent has a session open: a lock for each, which the system takes back when its process ends.

Each is a file's, in a folder beside the database. What stands in the file tells others who holds it; it means nothing
while nobody holds the lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pygent.errors import PygentError, SessionInUse
from pygent.locks import hold, is_still, try_lock

_PATIENCE = 0.3  # seconds; others may hold the lock for the moment in which they look whether anybody has it


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a session open; ``since`` is a Unix time in seconds. A file that cannot be read yet tells nothing."""

    pid: int = 0
    host: str = ""
    since: float = 0.0

    def __str__(self) -> str:
        if not self.pid:
            return "another Pygent"
        return f"another Pygent (process {self.pid} on {self.host or 'this machine'})"


class Claim:
    """A session that is this process's own until ``release``, or until the process ends."""

    def __init__(self, file: Path, fd: int) -> None:
        self._file = file
        self._fd = fd

    def release(self) -> None:
        """Let others have the session. Safe to call twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                self._file.unlink()
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def claim(folder: Path, session_id: str) -> Claim:
    """Take a session for this process.

    Raises ``SessionInUse``, which tells who has it, and ``OSError`` where the folder cannot be used.
    """
    file = _file(folder, session_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = hold(file, patience=_PATIENCE)
    if fd is None:
        holder = _read(file)
        raise SessionInUse(session_id, str(holder), pid=holder.pid, host=holder.host)
    try:
        _write(fd)
    except BaseException:
        os.close(fd)
        raise
    return Claim(file, fd)


def holder_of(folder: Path, session_id: str) -> Holder | None:
    """Who has the session open; None where nobody has."""
    file = _file(folder, session_id)
    try:
        fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if try_lock(fd, shared=True) or not is_still(file, fd) else _read(file)
    except OSError:  # a file system without locks: nobody can have one
        return None
    finally:
        os.close(fd)


def held(folder: Path) -> set[str]:
    """The ids of all sessions that are open somewhere. Files that a killed process left are removed."""
    out: set[str] = set()
    with contextlib.suppress(OSError):
        for file in sorted(folder.glob("*.lock")):
            if holder_of(folder, file.stem) is not None:
                out.add(file.stem)
            else:
                with contextlib.suppress(PygentError, OSError):
                    claim(folder, file.stem).release()
    return out


def _file(folder: Path, session_id: str) -> Path:
    if not session_id or not session_id.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{session_id!r} is no id of a session")
    return folder / f"{session_id}.lock"


def _write(fd: int) -> None:
    about = {"pid": os.getpid(), "host": os.uname().nodename, "since": time.time()}
    os.ftruncate(fd, 0)
    os.pwrite(fd, json.dumps(about).encode(), 0)


def _read(file: Path) -> Holder:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        about = json.loads(file.read_text("utf-8"))
        return Holder(int(about["pid"]), str(about["host"]), float(about["since"]))
    return Holder()
