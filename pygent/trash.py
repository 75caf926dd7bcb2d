"""Where deleted files go, so that they can come back: a private folder among Pygent's data.

The desktop's own trash is not used: the libraries for it work with paths, which somebody could swap for links in the
meantime, and none of them can bring a file back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pygent.errors import WorkspaceError
from pygent.moving import FOLDER, move, remove
from pygent.workspace import Workspace

DAYS = 30
"""After these, what was deleted is removed for good when something else is deleted."""

COPY_LIMIT = 1024 * 1024 * 1024
"""Bytes that are copied at most where the trash is on another disk than the workspace."""

_CONTENT = "content"
_READ = os.O_RDONLY | os.O_NOFOLLOW | getattr(os, "O_NONBLOCK", 0) | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Trashed:
    """Something that was deleted: its path in the workspace, and where it is now."""

    path: str
    place: Path


class Trash:
    """Takes what is deleted and gives it back. ``folder`` need not exist. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, workspace: Workspace, path: str) -> Trashed:
        """Move a file, folder or link of the workspace into the trash. Raises ``WorkspaceError``."""
        place = self.folder / f"{int(time.time())}-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._forget_old()
            place.mkdir(mode=0o700)
            (place / "origin").write_text(f"{workspace.root}\n{path}\n", encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise WorkspaceError(f"The trash {str(self.folder)!r} cannot be used: {error.strerror}.") from error
        try:
            with workspace.parent(path) as (folder, name), _opened(place) as there:
                _transfer(folder, name, there, _CONTENT)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return Trashed(path, place)

    def restore(self, workspace: Workspace, trashed: Trashed) -> None:
        """Bring it back to where it was. Raises ``WorkspaceError``, where something stands there meanwhile too."""
        if not os.path.lexists(trashed.place / _CONTENT):
            raise WorkspaceError(f"{trashed.path!r} is not in the trash any more.")
        with workspace.parent(trashed.path, make=True) as (folder, name), _opened(trashed.place) as here:
            try:
                _transfer(here, _CONTENT, folder, name)
            except FileExistsError:
                raise WorkspaceError(f"There is another {trashed.path!r} meanwhile.") from None
        shutil.rmtree(trashed.place, ignore_errors=True)

    def _forget_old(self) -> None:
        before = time.time() - DAYS * 86_400
        for place in self.folder.iterdir():
            began = place.name.partition("-")[0]
            if began.isdigit() and int(began) < before:
                shutil.rmtree(place, ignore_errors=True)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    fd = os.open(folder, FOLDER)
    try:
        yield fd
    finally:
        os.close(fd)


def _transfer(here: int, name: str, there: int, other: str) -> None:
    """Move between two open folders, on two disks too. Raises ``OSError`` and ``WorkspaceError``."""
    try:
        move(here, name, there, other)
    except OSError as error:
        if error.errno == errno.EINVAL:
            raise WorkspaceError("Pygent's own data is in it.") from None
        if error.errno != errno.EXDEV:
            raise
        try:
            _copy(here, name, there, other, COPY_LIMIT)
        except BaseException:
            with contextlib.suppress(OSError):
                remove(there, other)
            raise
        remove(here, name)


def _copy(here: int, name: str, there: int, other: str, left: int) -> int:
    """Copy without following links; answers how many bytes may still be copied."""
    found = os.stat(name, dir_fd=here, follow_symlinks=False)
    if stat.S_ISLNK(found.st_mode):
        os.symlink(os.readlink(name, dir_fd=here), other, dir_fd=there)
    elif stat.S_ISDIR(found.st_mode):
        os.mkdir(other, 0o700, dir_fd=there)
        source, target = os.open(name, FOLDER, dir_fd=here), os.open(other, FOLDER, dir_fd=there)
        try:
            for inner in os.listdir(source):  # noqa: PTH208 - a descriptor
                left = _copy(source, inner, target, inner, left)
            _keep(target, found)
        finally:
            os.close(source)
            os.close(target)
    elif stat.S_ISREG(found.st_mode):
        left -= found.st_size
        if left < 0:
            raise WorkspaceError("It is too large to be kept in the trash; delete it with a command.")
        with (
            os.fdopen(os.open(name, _READ, dir_fd=here), "rb") as source_file,
            os.fdopen(os.open(other, _WRITE, 0o600, dir_fd=there), "wb") as target_file,
        ):
            shutil.copyfileobj(source_file, target_file)
            target_file.flush()
            _keep(target_file.fileno(), found)
    return left  # a pipe, a socket or a device has no content to keep


def _keep(fd: int, found: os.stat_result) -> None:
    """Give a copy the mode, the times and, as root, the owner of the original."""
    if os.geteuid() == 0:
        os.fchown(fd, found.st_uid, found.st_gid)
    os.fchmod(fd, stat.S_IMODE(found.st_mode))
    os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns))
