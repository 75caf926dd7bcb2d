"""A workspace as an archive: packed here, unpacked where the task runs, and the changes back the same way.

An archive comes from another machine. What is unpacked stays in the workspace whatever stands in it, links are made
and never followed out, and what it may hold is bounded.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

from pygent.errors import WorkspaceError
from pygent.path_names import plain_parts
from pygent.workspace import Workspace

PACKED_LIMIT = 256 * 1024 * 1024
"""Bytes of an archive at most, compressed."""

UNPACKED_LIMIT = 4 * 1024 * 1024 * 1024
"""Bytes of all files of an archive at most."""

ENTRIES_LIMIT = 400_000

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 1024 * 1024
_MIB = 1024 * 1024

Stamp = tuple[int, int, int, int, int]
"""What tells that a file was touched: mode, size, times of content and of inode in ns, inode."""


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive. ``left_out`` says in words, with its path, what could not be packed."""

    data: bytes
    count: int
    left_out: tuple[str, ...] = ()


def everything(workspace: Workspace, folder: str = ".") -> Iterator[str]:
    """Paths of all files, links and folders, folders first; no link is entered."""
    waiting = [folder]
    while waiting:
        above = waiting.pop()
        with workspace.folder(f"./{above}") as fd, os.scandir(fd) as found:
            entries = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found)
        for name, is_dir in entries:
            path = name if above == "." else f"{above}/{name}"
            yield path
            if is_dir:
                waiting.append(path)


def pack(workspace: Workspace, paths: Iterable[str], *, limit: int = PACKED_LIMIT, whole: bool = False) -> Packed:
    """Pack files, links and folders of a workspace, with their modes.

    ``whole``: all or nothing. Otherwise what is larger than the rest of ``limit`` (bytes, compressed), is no file, or
    cannot be read is left out and named. Raises ``WorkspaceError`` where it has to be whole and is not.
    """
    out = io.BytesIO()
    left_out: list[str] = []
    count, total = 0, 0
    with tarfile.open(
        fileobj=out, mode="w:gz", compresslevel=1, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        for path in paths:
            try:
                size = _add(archive, workspace, path, UNPACKED_LIMIT - total)
            except WorkspaceError as error:
                left_out.append(str(error))
                continue
            count, total = count + 1, total + size
            if out.tell() > limit:
                break
    if out.tell() > limit:
        text = f"The files have more than {limit // _MIB:,} MiB, even compressed, which is the most that is sent."
        raise WorkspaceError(f"{text} Give the task the files that it needs, or ignore what it does not.")
    if whole and left_out:
        raise WorkspaceError(f"The workspace cannot be sent: {'; '.join(left_out[:5])}")
    return Packed(out.getvalue(), count, tuple(left_out))


def pack_all(workspace: Workspace, *, limit: int = PACKED_LIMIT) -> Packed:
    """Pack a whole workspace; without its repository, which ``left_out`` then says, where that makes it too large.

    Raises ``WorkspaceError`` where it is too large all the same, or holds what is no file.
    """
    try:
        return pack(workspace, everything(workspace), limit=limit, whole=True)
    except WorkspaceError:
        if not workspace.exists(".git"):
            raise
    rest = (path for path in everything(workspace) if path.partition("/")[0] != ".git")
    packed = pack(workspace, rest, limit=limit, whole=True)
    return replace(packed, left_out=("the repository (.git), which is too large to be sent",))


def unpack(data: bytes, workspace: Workspace, *, repositories: bool = True) -> list[str]:
    """Unpack an archive over what stands in a workspace; answers the paths of files and links.

    ``repositories`` False refuses names inside of ``.git``. Raises ``WorkspaceError`` where the archive is damaged,
    too large, or holds what does not belong into a workspace.
    """
    written: list[str] = []
    room = UNPACKED_LIMIT
    try:
        with tarfile.open(
            fileobj=io.BytesIO(data), mode="r|gz", encoding="utf-8", errors="surrogateescape"
        ) as archive:
            for number, member in enumerate(archive):
                path = workspace.relative(f"./{member.name}")
                room -= max(0, member.size)
                if number >= ENTRIES_LIMIT or room < 0:
                    raise WorkspaceError("The archive holds more than a workspace may.")
                if not repositories and ".git" in plain_parts(path):
                    raise WorkspaceError(f"The archive holds {path!r}, which belongs to git.")
                _take(archive, member, workspace, path)
                if not member.isdir():
                    written.append(path)
    except (tarfile.TarError, zlib.error, EOFError, UnicodeError) as error:
        raise WorkspaceError(f"The archive is damaged: {error}") from error
    except OSError as error:
        raise WorkspaceError(f"The archive cannot be unpacked: {error.strerror or error}") from error
    return written


def stamps(workspace: Workspace, paths: Iterable[str]) -> dict[str, Stamp]:
    """What the files and links look like from outside, to be compared later; what is no file or link is left out."""
    out: dict[str, Stamp] = {}
    for path in paths:
        found = _stamp(workspace, path)
        if found is not None:
            out[path] = found
    return out


def touched(workspace: Workspace, before: Mapping[str, Stamp], listing: Iterable[str]) -> tuple[list[str], list[str]]:
    """The paths that may differ from ``before`` or are new, and those that are gone.

    ``listing`` are the paths there now that count; those of ``before`` are always looked at.
    """
    changed, gone = [], []
    for path in dict.fromkeys((*before, *listing)):
        now = _stamp(workspace, path)
        if now is None:
            if path in before:
                gone.append(path)
        elif now != before.get(path):
            changed.append(path)
    return changed, gone


def remove(workspace: Workspace, paths: Iterable[str]) -> None:
    """Remove files and links, and the folders that are empty then.

    What is not there is no error; what belongs to git, or lies outside, is left alone.
    """
    for path in paths:
        if ".git" in plain_parts(path):
            continue
        with contextlib.suppress(WorkspaceError, OSError):
            with workspace.parent(f"./{path}") as (folder, name):
                os.unlink(name, dir_fd=folder)
            above = path.rpartition("/")[0]
            while above:
                with workspace.parent(f"./{above}") as (folder, name):
                    os.rmdir(name, dir_fd=folder)
                above = above.rpartition("/")[0]


def _add(archive: tarfile.TarFile, workspace: Workspace, path: str, room: int) -> int:
    """Add one entry; answers its size in bytes."""
    with workspace.parent(f"./{path}") as (folder, name):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        info = tarfile.TarInfo(path)
        info.mode = stat.S_IMODE(found.st_mode) & 0o777
        info.mtime = int(found.st_mtime)
        if stat.S_ISDIR(found.st_mode):
            info.type = tarfile.DIRTYPE
            archive.addfile(info)
            return 0
        if stat.S_ISLNK(found.st_mode):
            info.type, info.linkname = tarfile.SYMTYPE, os.readlink(name, dir_fd=folder)
            archive.addfile(info)
            return 0
        if not stat.S_ISREG(found.st_mode):
            raise WorkspaceError(f"{path!r} is neither a file nor a link.")
        fd = os.open(name, _READ, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        info.size = os.fstat(fd).st_size
        if info.size > room:
            raise WorkspaceError(f"{path!r} is too large to be sent: {info.size:,} bytes.")
        archive.addfile(info, _Exactly(file))
        return info.size


class _Exactly(io.RawIOBase):
    """A file that is as long as it was, also where it shrinks while it is read: what is missing is zeros."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """``size`` bytes."""
        try:
            data = self._file.read(size)
        except OSError:  # the header that says how long it is has been written
            data = b""
        return data + bytes(size - len(data))


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, workspace: Workspace, path: str) -> None:
    mode = member.mode & 0o777
    if path == ".":
        return
    if member.isdir():
        workspace.make_dir(f"./{path}")
        return
    if not (member.isreg() or member.issym()):
        raise WorkspaceError(f"The archive holds {path!r}, which is neither a file, a folder nor a symbolic link.")
    with workspace.parent(f"./{path}", make=True) as (folder, name):
        _clear(folder, name)
        if member.issym():
            os.symlink(member.linkname, name, dir_fd=folder)
            return
        content = archive.extractfile(member)
        fd = os.open(name, _WRITE, 0o600, dir_fd=folder)
        with os.fdopen(fd, "wb") as file:
            if content is not None:
                shutil.copyfileobj(content, file, _PIECE)
            file.flush()
            os.fchmod(fd, mode)
            os.utime(fd, (member.mtime, member.mtime))


def _clear(folder: int, name: str) -> None:
    """Make room for a new file: what is in its place goes, a link is not followed."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:  # a folder
        shutil.rmtree(name, dir_fd=folder)


def _stamp(workspace: Workspace, path: str) -> Stamp | None:
    try:
        found = (workspace.root / path).lstat()
    except (OSError, ValueError):
        return None
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)):
        return None
    return found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
