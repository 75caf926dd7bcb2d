"""The folder that an agent works in: every path checked, every open confined, every write whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pygent.confined import Confined, supported
from pygent.errors import PathOutsideWorkspace, WorkspaceError
from pygent.nearest import not_found, outside
from pygent.path_names import below, checked

READ_LIMIT = 32 * 1024 * 1024

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_WORDS = {
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.ELOOP: "its symbolic links go in a circle, or one changed meanwhile",
    errno.ENAMETOOLONG: "the name is too long",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.ENOTDIR: "a part of it is a file, not a folder",
    errno.ENOTEMPTY: "the folder is not empty",
    errno.ENXIO: "it is a socket or a device, not a file",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder. ``size`` is in bytes, 0 for a folder; a link shows what it leads to inside."""

    name: str
    is_dir: bool
    size: int
    is_link: bool = False


class Workspace:
    """Reads and writes files below ``root``, a folder that exists.

    A path is relative to the root, or absolute below the root or one of ``aliases`` (absolute prefixes under which
    commands see the same folder, such as ``/workspace``). Symbolic links are followed as long as they stay inside.
    Every method raises ``WorkspaceError`` with a text that says what to do differently, and its subclass
    ``PathOutsideWorkspace`` where a path leads out. Thread-safe.
    """

    def __init__(self, root: Path, *, aliases: tuple[str, ...] = (), kernel: bool = True) -> None:
        if not supported():
            raise WorkspaceError("Workspaces need a POSIX system (Linux, macOS, or WSL on Windows).")
        given = str(Path(root).absolute())
        self.root = Path(root).resolve()
        self._prefixes = tuple(
            dict.fromkeys((str(self.root), given, *(alias.rstrip("/") for alias in aliases if alias)))
        )
        self._confined = Confined(self.root, self._prefixes, kernel=kernel)
        self.kernel = kernel
        """Whether system calls are used that not every kernel and file system has."""
        self.before_change: Callable[[str], object] = lambda _path: None
        """Called with the path of a file that is about to be made, replaced, moved or removed here."""

    def __repr__(self) -> str:
        return f"Workspace({str(self.root)!r})"

    # -- names

    def relative(self, path: str | os.PathLike[str]) -> str:
        """The normalised path relative to the root, with forward slashes; ``"."`` is the root."""
        name = checked(path)
        normal = posixpath.normpath(name)
        if normal.startswith("/"):
            inside = below(normal, self._prefixes)
            if inside is None:
                raise outside(self, name)
            return inside
        if normal == ".." or normal.startswith("../"):
            raise outside(self, name)
        return normal

    def host_path(self, path: str) -> Path:
        """The path on this machine, links resolved, for what only shows it. To read or write, use the methods."""
        name = self.relative(path)
        with self._errors(name):
            return self.root / self._confined.real(name)

    def exists(self, path: str) -> bool:
        """True where something stands there, not where a link leads out or nowhere."""
        return self._stat(path) is not None

    def is_dir(self, path: str) -> bool:
        """True where a folder stands there."""
        found = self._stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def is_file(self, path: str) -> bool:
        """True where a regular file stands there."""
        found = self._stat(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    # -- reading

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """A regular file, open for reading bytes."""
        name = self.relative(path)
        with self._errors(name):
            fd = self._confined.open(name, _READ)
            try:
                _require_regular(name, os.fstat(fd))
                os.set_blocking(fd, True)
                file = os.fdopen(fd, "rb", closefd=False)
            except BaseException:
                os.close(fd)
                raise
        try:
            yield file
        finally:
            file.close()
            os.close(fd)

    def read_bytes(self, path: str, *, limit: int = READ_LIMIT) -> bytes:
        """The whole file. Refused above ``limit`` bytes, and for anything that is no regular file."""
        with self.open(path) as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(limit + 1) if size <= limit else b""
            if size > limit or len(data) > limit:
                raise WorkspaceError(
                    f"{path!r} has {max(size, len(data)):,} bytes, more than the limit of {limit:,}. Read a part "
                    "of it with a command, such as head, tail, or sed -n."
                )
            return data

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str:
        """The whole file as strict UTF-8. Line ends and a byte order mark (U+FEFF) are kept."""
        data = self.read_bytes(path, limit=limit)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WorkspaceError(f"{path!r} is not UTF-8 text: {_encoding_problem(data, error)}") from None

    @contextlib.contextmanager
    def folder(self, path: str = ".") -> Iterator[int]:
        """A folder, open. What is opened relative to it without following links is inside."""
        name = self.relative(path)
        with self._errors(name):
            fd = self._confined.open(name, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield fd
        finally:
            os.close(fd)

    def scan_dir(self, path: str = ".") -> Iterator[Entry]:
        """The entries of a folder as they come, unsorted, for folders of any size."""
        name = self.relative(path)
        with self.folder(path) as fd, self._errors(name), os.scandir(fd) as found:
            for item in found:
                yield self._entry(name, item)

    def list_dir(self, path: str = ".") -> list[Entry]:
        """The entries of a folder by name."""
        return sorted(self.scan_dir(path), key=lambda entry: entry.name)

    def walk(self, path: str = ".") -> Iterator[str]:
        """The paths of all files below a folder, in order of name. Links to folders are not entered."""
        name = self.relative(path)
        for entry in self.list_dir(name):
            below = entry.name if name == "." else f"{name}/{entry.name}"
            if not entry.is_dir:
                yield below
            elif not entry.is_link:
                yield from self.walk(below)

    # -- writing

    def write_bytes(self, path: str, data: bytes) -> None:
        """Create or replace a file, and the folders above it. See ``write_stream``."""
        self.write_stream(path, (data,))

    def write_text(self, path: str, text: str) -> None:
        """Create or replace a file with UTF-8 text, line ends as they are."""
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise WorkspaceError(
                f"{path!r} was not written: the text holds {text[error.start]!r}, which UTF-8 cannot express."
            ) from None
        self.write_bytes(path, data)

    def write_stream(self, path: str, pieces: Iterable[bytes], *, mode: int | None = None) -> None:
        """Create or replace a file with ``pieces`` joined: it is the old file or the new one, never a part.

        The permissions of a replaced file stay (``mode`` sets those of a new one), and so does its owner where this
        process may set it; another hard link to it keeps the old content.
        """
        name = self._target(path)
        self.before_change(name)
        with (
            self._errors(name),
            self._confined.parent(name, make=True, owner=owner_of(self.root, None)) as (folder, last),
        ):
            old = _lstat(last, folder)
            if old is not None:
                _require_regular(name, old)
                if not old.st_mode & 0o222:
                    raise WorkspaceError(f"{name!r} is read-only (its mode is {stat.S_IMODE(old.st_mode):o}).")
            _replace(folder, last, pieces, old, owner_of(self.root, old), mode)

    def make_dir(self, path: str) -> None:
        """Make a folder and those above it; nothing happens where it exists."""
        name = self.relative(path)
        with self._errors(name), self._confined.parent(f"{name}/.", make=True, owner=owner_of(self.root, None)):
            pass

    def delete(self, path: str) -> None:
        """Remove a file, an empty folder, or a link (not what it leads to)."""
        name = self.relative(path)
        if name == ".":
            raise WorkspaceError("The workspace itself cannot be deleted.")
        self.before_change(name)
        with self._errors(name), self._confined.parent(name) as (folder, last):
            found = os.stat(last, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                os.rmdir(last, dir_fd=folder)
            else:
                os.unlink(last, dir_fd=folder)

    # -- inside

    @contextlib.contextmanager
    def parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder that holds ``path``, and its name there, for what is done to the name itself.

        ``make``: missing folders are made.
        """
        name = self.relative(path)
        owner = owner_of(self.root, None) if make else None
        with self._errors(name), self._confined.parent(name, make=make, owner=owner) as found:
            yield found

    def _stat(self, path: str) -> os.stat_result | None:
        name = self.relative(path)
        try:
            return self._confined.stat(name)
        except (OSError, PathOutsideWorkspace):
            return None

    def _entry(self, folder: str, item: os.DirEntry[str]) -> Entry:
        is_link = item.is_symlink()
        found: os.stat_result | None
        if is_link:
            found = self._stat(item.name if folder == "." else f"{folder}/{item.name}")
        else:
            try:
                found = item.stat(follow_symlinks=False)
            except OSError:  # gone meanwhile
                found = None
        if found is None:
            return Entry(item.name, is_dir=False, size=0, is_link=is_link)
        is_dir = stat.S_ISDIR(found.st_mode)
        return Entry(item.name, is_dir=is_dir, size=0 if is_dir else found.st_size, is_link=is_link)

    def _target(self, path: str) -> str:
        """Where a write to ``path`` goes: what a link at its end leads to, itself otherwise."""
        name = self.relative(path)
        if name == ".":
            raise WorkspaceError(f"{path!r} is the workspace itself, not a file.")
        if str(path).endswith("/"):
            raise WorkspaceError(f"{path!r} names a folder, not a file.")
        with self._errors(name):
            try:
                with self._confined.parent(name) as (folder, last):
                    found = _lstat(last, folder)
            except FileNotFoundError:
                return name
            if found is not None and stat.S_ISLNK(found.st_mode):
                return self._confined.real(name)
        return name

    @contextlib.contextmanager
    def _errors(self, name: str) -> Iterator[None]:
        """System errors as ``WorkspaceError`` in plain words."""
        try:
            yield
        except FileNotFoundError:
            raise WorkspaceError(not_found(self, name)) from None
        except OSError as error:
            shown = name if len(name) <= 200 else name[:200] + "…"
            raise WorkspaceError(f"{shown!r} cannot be used: {reason_of(error)}.") from error


def reason_of(error: OSError) -> str:
    """A system error in plain words, as the end of a sentence."""
    return _WORDS.get(error.errno or 0) or error.strerror or str(error)


def owner_of(root: Path, old: os.stat_result | None) -> tuple[int, int] | None:
    """Whom a new file belongs to: as root, what it replaces or the workspace says; None: as it comes."""
    if os.geteuid() != 0:
        return None
    model = old if old is not None else root.stat()
    return (model.st_uid, model.st_gid) if (model.st_uid, model.st_gid) != (0, 0) else None


def _lstat(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _replace(
    folder: int,
    name: str,
    pieces: Iterable[bytes],
    old: os.stat_result | None,
    owner: tuple[int, int] | None,
    mode: int | None,
) -> None:
    """Write a temporary file beside ``name`` and give it that name."""
    temporary = f".pygent-{secrets.token_hex(8)}.tmp"
    fd = os.open(temporary, _CREATE, 0o600 if old else 0o666 if mode is None else mode, dir_fd=folder)
    try:
        with os.fdopen(fd, "wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            if owner is not None:
                os.fchown(fd, *owner)
            if old is not None:
                os.fchmod(fd, old.st_mode & 0o777)
            os.fsync(fd)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _require_regular(name: str, found: os.stat_result) -> None:
    if stat.S_ISREG(found.st_mode):
        return
    kind = next((word for test, word in _KINDS if test(found.st_mode)), "no regular file")
    raise WorkspaceError(f"{name!r} is {kind}, not a file.")


def _encoding_problem(data: bytes, error: UnicodeDecodeError) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it begins like UTF-16."
    line = data.count(b"\n", 0, error.start) + 1
    if b"\0" in data[:8192]:
        return f"it is binary ({len(data):,} bytes)."
    return f"byte 0x{data[error.start]:02x} at offset {error.start:,} (line {line}). It may be in an older encoding."
