"""Folders for what is of use to this process alone. What a killed one left of them is removed by the next.

All are in one folder of the process below the system's for temporary files. It holds a lock there for as long as it
lives, and the system takes that back however it ends.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from pygent.locks import try_lock

log = logging.getLogger(__name__)

PREFIX = "pygent-"
_HELD, _NEW = ".held", ".held-new"
_YOUNG = 60.0  # seconds within which a process has locked the folder that it made
_making = threading.Lock()
_own: tuple[int, str, Path] | None = None
"""The process and the system's folder for which it was made, and the folder itself."""


def scratch_folder(prefix: str = "") -> Path:
    """A new folder that only its owner can read.

    It is the caller's to remove, and goes with the process at the latest.

    Raises ``OSError``.
    """
    return Path(tempfile.mkdtemp(prefix=prefix, dir=own_folder())).resolve()


def own_folder() -> Path:
    """The process's folder. Raises ``OSError`` where it cannot be made."""
    global _own  # noqa: PLW0603 - one for each process
    with _making:
        key = (os.getpid(), tempfile.gettempdir())
        if _own is None or _own[:2] != key or not _own[2].is_dir():
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            _hold(folder)
            atexit.register(_leave, os.getpid(), folder)
            _own = (*key, folder)
        return _own[2]


def sweep() -> None:
    """Remove the folders of processes that are gone; those of other users and of those that live stay."""
    with contextlib.suppress(OSError), os.scandir(tempfile.gettempdir()) as found:
        for entry in found:
            if entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_uid == os.getuid() and not _is_held(Path(entry.path)):
                        log.info("removing %s, which a process left that is gone", entry.path)
                        remove_folder(Path(entry.path))


def remove_folder(folder: Path) -> None:
    """Remove a folder, also where commands have made parts of it read-only; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
    if not folder.exists():
        return
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
    for above, below, _ in os.walk(folder):  # looks into what is below only now
        for path in (Path(above, name) for name in below):
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)


def _hold(folder: Path) -> None:
    """Lock a new folder until the process ends. Whoever finds the lock's file finds it locked."""
    fd = os.open(folder / _NEW, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with contextlib.suppress(OSError):  # a file system without locks: nobody else can have one, and nothing is swept
        try_lock(fd)
        (folder / _NEW).rename(folder / _HELD)


def _is_held(folder: Path) -> bool:
    """Whether a process that lives has the folder, or may have it."""
    try:
        fd = os.open(folder / _HELD, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:  # not ours, or made just now, or its process was killed as it made it
        new = folder / _NEW
        return not new.exists() or time.time() - new.lstat().st_mtime < _YOUNG
    except OSError:
        return True
    try:
        return not try_lock(fd)
    except OSError:
        return True
    finally:
        os.close(fd)


def _leave(pid: int, folder: Path) -> None:
    if pid == os.getpid():  # not a fork's
        remove_folder(folder)
