"""Files below a folder, reached without following any symbolic link, and what of them is compared."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Self

from pygent.changes.data import digest_of
from pygent.path_names import MAX_DEPTH, MAX_PATH, plain_parts

OPEN_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

NOTES = 100
"""Notes that are told."""

Kind = Literal["file", "link"]


class Entry(NamedTuple):
    """A file or link as it was. ``digest`` is of the content, or of where the link leads.

    ``offset`` is where the content stands in the pack, -1 where it is not kept. The rest is the stamp by which an
    unchanged file is known without reading it; ``ino`` 0 says that there is none.
    """

    kind: Kind
    mode: int
    size: int
    digest: str
    offset: int = -1
    link: str | None = None
    mtime_ns: int = 0
    ctime_ns: int = 0
    ino: int = 0

    def same(self, other: Entry | None) -> bool:
        """Whether both are the same file: kind, permission bits, content."""
        return other is not None and self[:2] == other[:2] and self.digest == other.digest

    def stamped(self, found: os.stat_result) -> Entry:
        """With the stamp of what stands there."""
        return self._replace(mtime_ns=found.st_mtime_ns, ctime_ns=found.st_ctime_ns, ino=found.st_ino)

    def is_stamp_of(self, found: os.stat_result) -> bool:
        """Whether what stands there is this, going by the stamp."""
        return (
            self.ino == found.st_ino != 0
            and self.ctime_ns == found.st_ctime_ns
            and self.mtime_ns == found.st_mtime_ns
            and self.size == found.st_size
            and (self.kind == "link" or self.mode == stat.S_IMODE(found.st_mode) & 0o777)
        )


def same(one: Entry | None, other: Entry | None) -> bool:
    """Whether both are the same file, or both none."""
    return other is None if one is None else one.same(other)


class Tree:
    """A folder. Keeps the folders on the way to the last path open, so paths in order are quick. Not thread-safe.

    Paths are relative, with forward slashes, without ``.`` and ``..``. What raises raises ``OSError``;
    ``NotADirectoryError`` where a part of the way is a file or a link.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
        self._way: list[tuple[str, int]] = []
        self._at: tuple[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.forget()
        os.close(self._root)

    def forget(self) -> None:
        """Let go of the folders on the way, where they may be others by now."""
        self._at = None
        while self._way:
            os.close(self._way.pop()[1])

    def folder(self, path: str) -> int:
        """A folder, open; ``""`` is the root. The descriptor is valid until the next call."""
        if self._at is not None and self._at[0] == path:
            return self._at[1]
        self._at = None
        parts = path.split("/") if path else []
        depth = 0
        for (name, _), part in zip(self._way, parts, strict=False):
            if name != part:
                break
            depth += 1
        while len(self._way) > depth:
            os.close(self._way.pop()[1])
        for part in parts[depth:]:
            above = self._way[-1][1] if self._way else self._root
            self._way.append((part, os.open(part, _FOLDER, dir_fd=above)))
        fd = self._way[-1][1] if self._way else self._root
        self._at = (path, fd)
        return fd

    def parent(self, path: str) -> tuple[int, str]:
        """The open folder that holds ``path``, and its name there."""
        folder, _, name = path.rpartition("/")
        return self.folder(folder), name

    def stat(self, path: str) -> os.stat_result | None:
        """What stands there, None where nothing does."""
        try:
            folder, name = self.parent(path)
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def open(self, path: str) -> int:
        """A regular file, open for reading. The caller closes it. ``OSError`` for anything else."""
        folder, name = self.parent(path)
        return os.open(name, OPEN_FILE, dir_fd=folder)

    def link(self, path: str) -> str:
        """Where a link leads."""
        folder, name = self.parent(path)
        return os.readlink(name, dir_fd=folder)

    def sync(self, folder: str) -> None:
        """Wait until the names in a folder are on the disk."""
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder(folder))
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def names(self, folder: str) -> list[tuple[str, bool]]:
        """What is in a folder, in order, and whether it is a folder itself."""
        fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self.folder(folder))
        try:
            with os.scandir(fd) as found:
                return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in found)
        finally:
            os.close(fd)


def of_git(path: str) -> bool:
    """Whether a path is git's own, in whatever spelling a file system may take for it."""
    lowered = path.lower()
    return ("git" in lowered or not path.isascii()) and ".git" in plain_parts(path)


def too_long(path: str) -> bool:
    """Whether a path is longer, or deeper, than any that is looked at."""
    return len(path) > MAX_PATH or path.count("/") > MAX_DEPTH


def short(notes: list[str]) -> tuple[str, ...]:
    """Notes without end are cut, and it is said how many there were."""
    more = len(notes) - NOTES
    return tuple(notes) if more <= 0 else (*notes[:NOTES], f"{more:,} more were left out.")


def link_entry(link: str) -> Entry:
    """A symbolic link; its permission bits are nobody's choice."""
    data = os.fsencode(link)
    return Entry("link", 0o777, len(data), digest_of(data), link=link)
