"""Opening files below a folder and never outside it, whatever symbolic links stand there or are swapped in meanwhile.

Checking a path first and opening it afterwards loses a race against whoever swaps a folder for a link in between. So
the kernel resolves and opens in one step (``openat2`` on Linux), or, where it cannot, every part of the path is
opened by itself without following links, and links are read and followed here, from one open folder to the next.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from pygent.errors import PathOutsideWorkspace

MAX_LINKS = 40

_OPENAT2 = 437  # the same number on every architecture that Python is built for on Linux
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_BENEATH = 0x08
_O_PATH: int = getattr(os, "O_PATH", os.O_RDONLY)  # a folder may be entered without being readable
_FOLDER = _O_PATH | os.O_CLOEXEC | getattr(os, "O_DIRECTORY", 0)
_NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)

OpenAt2 = Callable[[int, str, int], int]


def supported() -> bool:
    """True where the system can open files relative to an open folder without following links."""
    return bool(_NOFOLLOW) and os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd


@functools.cache
def openat2() -> OpenAt2 | None:
    """The system call as a function of (folder, path, flags), or None where the kernel has or allows none."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only where files are opened: start-up does without

    class OpenHow(ctypes.Structure):
        _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]

    try:
        syscall = ctypes.CDLL(None, use_errno=True).syscall
    except (OSError, AttributeError):
        return None
    syscall.restype = ctypes.c_long
    size = ctypes.sizeof(OpenHow)

    def call(folder: int, path: str, flags: int) -> int:
        how = OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_BENEATH | _RESOLVE_NO_MAGICLINKS)
        name = os.fsencode(path)
        while True:
            fd: int = syscall(
                ctypes.c_long(_OPENAT2),
                ctypes.c_int(folder),
                ctypes.c_char_p(name),
                ctypes.byref(how),
                ctypes.c_size_t(size),
            )
            if fd >= 0:
                return fd
            code = ctypes.get_errno()
            # EAGAIN: something was renamed meanwhile and the kernel could not be sure.
            if code not in {errno.EAGAIN, errno.EINTR}:
                raise OSError(code, os.strerror(code), path)

    probe = os.open("/", _FOLDER)
    try:
        os.close(call(probe, ".", _FOLDER))
    except OSError:  # an old kernel, or a filter that does not know the call
        return None
    finally:
        os.close(probe)
    return call


class Confined:
    """A folder that nothing opened here leaves. ``prefixes`` are the absolute names under which links may mean it.

    Paths are relative, with forward slashes, without ``.`` and ``..``; ``"."`` is the folder itself. ``kernel`` False
    goes the way without ``openat2``. All methods raise ``OSError``, and ``PathOutsideWorkspace`` where one leads out.
    """

    def __init__(self, root: Path, prefixes: tuple[str, ...], *, kernel: bool = True) -> None:
        self.root = root
        self.prefixes = prefixes
        self._kernel = kernel

    def open(self, path: str, flags: int) -> int:
        """Open what is there already, following links that stay inside. The caller closes the descriptor."""
        call = openat2() if self._kernel else None
        if call is not None:
            with self._root() as root:
                try:
                    return call(root, path, flags)
                except OSError as error:
                    # EXDEV is also what an absolute link gives that points inside: the walk can tell.
                    if error.errno != errno.EXDEV:
                        raise
        return self._walk(path, flags)[0]

    def real(self, path: str) -> str:
        """The same path without links. The last part need not exist; where a folder is missing, ``OSError``."""
        fd, parts = self._walk(path, None)
        os.close(fd)
        return "/".join(parts) or "."

    @contextlib.contextmanager
    def parent(
        self, path: str, *, make: bool = False, owner: tuple[int, int] | None = None
    ) -> Iterator[tuple[int, str]]:
        """The open folder that holds ``path``, and the last part of its name.

        ``make``: missing folders are made, for ``owner`` (uid, gid) where given.
        """
        folder, _, name = path.rpartition("/")
        fd = self._folder(folder or ".", make=make, owner=owner)
        try:
            yield fd, name
        finally:
            os.close(fd)

    def stat(self, path: str) -> os.stat_result:
        """What stands at ``path``, behind links that stay inside; never opens it."""
        if path == ".":
            return self.root.stat()
        for _ in range(MAX_LINKS):
            with self.parent(path) as (folder, name):
                found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISLNK(found.st_mode):
                return found
            path = self.real(path)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)

    @contextlib.contextmanager
    def _root(self) -> Iterator[int]:
        fd = os.open(self.root, _FOLDER)
        try:
            yield fd
        finally:
            os.close(fd)

    def _folder(self, path: str, *, make: bool, owner: tuple[int, int] | None) -> int:
        try:
            return self.open(path, _FOLDER)
        except FileNotFoundError:
            if not make or path == ".":
                raise
        with self.parent(path, make=True, owner=owner) as (above, name), contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=above)
            if owner is not None:
                os.chown(name, *owner, dir_fd=above, follow_symlinks=False)
        return self.open(path, _FOLDER)

    def _walk(self, path: str, flags: int | None) -> tuple[int, list[str]]:
        """Open ``path`` part by part; answer the descriptor and the path without links.

        ``flags`` None: only find where the last part stands, and answer a descriptor of its folder.
        """
        todo = [part for part in reversed(path.split("/")) if part not in {"", "."}]
        folders = [os.open(self.root, _FOLDER)]  # from the root to where we are: ".." goes back along it
        names: list[str] = []
        links = 0
        try:
            while todo:
                name = todo.pop()
                if name == "..":
                    if not names:
                        raise PathOutsideWorkspace(path, "a symbolic link leads out")
                    names.pop()
                    os.close(folders.pop())
                    continue
                last = not todo
                try:
                    target = os.readlink(name, dir_fd=folders[-1])
                except OSError as error:
                    if error.errno == errno.EINVAL or (error.errno == errno.ENOENT and last):
                        target = None
                    else:
                        raise
                if target is not None:
                    links += 1
                    if links > MAX_LINKS:
                        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                    if target.startswith("/"):
                        target = self._inside(path, target)
                        while len(folders) > 1:
                            os.close(folders.pop())
                        names.clear()
                    todo.extend(part for part in reversed(target.split("/")) if part not in {"", "."})
                    continue
                if last:
                    return self._open_last(folders[-1], name, flags), [*names, name]
                # Not a link a moment ago; if it is one now, O_NOFOLLOW refuses it.
                folders.append(os.open(name, _FOLDER | _NOFOLLOW, dir_fd=folders[-1]))
                names.append(name)
            return self._open_last(folders[-1], ".", flags), names
        finally:
            for fd in folders:
                os.close(fd)

    @staticmethod
    def _open_last(folder: int, name: str, flags: int | None) -> int:
        if flags is None:
            return os.dup(folder)
        return os.open(name, flags | _NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)

    def _inside(self, path: str, target: str) -> str:
        """An absolute link's target, relative to the root."""
        for prefix in self.prefixes:
            if target == prefix or target.startswith(prefix.rstrip("/") + "/"):
                return target[len(prefix) :]
        raise PathOutsideWorkspace(path, "a symbolic link leads out")
