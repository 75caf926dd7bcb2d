"""Renames, makes and removes what is in a workspace: never over something that exists, never through a link."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
import sys
from collections.abc import Callable

from pygent.errors import WorkspaceError
from pygent.path_names import plain_parts
from pygent.workspace import Workspace, owner_of

FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
"""How a folder is opened that must not be a link."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_REPLACE = {"linux": 1, "darwin": 4}  # RENAME_NOREPLACE and RENAME_EXCL
_EXCHANGE = {"linux": 2, "darwin": 2}  # RENAME_EXCHANGE and RENAME_SWAP
_CANNOT = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP})
_NAME_LIMIT = 255

Rename = Callable[[int, str, int, str], None]


def check(workspace: Workspace, path: str) -> str:
    """The path where something new may be put. Raises ``WorkspaceError`` with what is wrong with it."""
    if path.endswith("/"):
        path = path.rstrip("/")
    name = changeable(workspace, path)
    last = name.rpartition("/")[2]
    if len(os.fsencode(last)) > _NAME_LIMIT:
        raise WorkspaceError(f"The name is too long: {len(os.fsencode(last))} bytes; {_NAME_LIMIT} is the limit.")
    if not name.isprintable():
        raise WorkspaceError("The name has characters in it that cannot be seen.")
    if name != name.strip() or any(part != part.strip() for part in name.split("/")):
        raise WorkspaceError("A name begins or ends with a blank.")
    return name


def changeable(workspace: Workspace, path: str) -> str:
    """The normalised path of what a person may change. Raises ``WorkspaceError``."""
    name = workspace.relative(path)
    if name == ".":
        raise WorkspaceError("That is the workspace itself.")
    if ".git" in plain_parts(name):
        raise WorkspaceError("What is in .git is git's own and is not changed here.")
    return name


def exists(workspace: Workspace, path: str) -> bool:
    """Whether the name is taken, by a link to nothing too."""
    try:
        with workspace.parent(path) as (folder, last):
            os.stat(last, dir_fd=folder, follow_symlinks=False)
    except WorkspaceError:
        return False
    return True


def make_file(workspace: Workspace, path: str) -> str:
    """Make an empty file, and the folders above it; answers its path. Raises ``WorkspaceError``."""
    name = check(workspace, path)
    workspace.before_change(name)
    with workspace.parent(name, make=True) as (folder, last):
        try:
            fd = os.open(last, _NEW, 0o666, dir_fd=folder)
        except FileExistsError:
            raise taken(name) from None
        try:
            owner = owner_of(workspace.root, None)
            if owner is not None:
                os.fchown(fd, *owner)
        finally:
            os.close(fd)
    return name


def make_folder(workspace: Workspace, path: str) -> str:
    """Make a folder, and those above it; answers its path. Raises ``WorkspaceError`` where something is there."""
    name = check(workspace, path)
    with workspace.parent(name, make=True) as (folder, last):
        try:
            os.mkdir(last, dir_fd=folder)
        except FileExistsError:
            raise taken(name) from None
        owner = owner_of(workspace.root, None)
        if owner is not None:
            os.chown(last, *owner, dir_fd=folder, follow_symlinks=False)
    return name


def rename(workspace: Workspace, old: str, new: str) -> str:
    """Give a file, folder or link another name or place; answers the new path.

    Folders above it are made. Raises ``WorkspaceError``, where something stands there already too.
    """
    source, target = changeable(workspace, old), check(workspace, new)
    if target.startswith(f"{source}/"):
        raise WorkspaceError("A folder cannot be moved into itself.")
    if source == target:
        return target
    workspace.before_change(source)
    workspace.before_change(target)
    with workspace.parent(source) as (here, name):
        os.stat(name, dir_fd=here, follow_symlinks=False)  # before any folder is made for it
        with workspace.parent(target, make=True) as (there, other):
            try:
                move(here, name, there, other)
            except FileExistsError:
                raise taken(target) from None
            except OSError as error:
                if error.errno == errno.EXDEV:
                    raise WorkspaceError("It would have to go to another disk; use mv in a command.") from None
                raise
    return target


def move(here: int, name: str, there: int, other: str) -> None:
    """Rename between two open folders. Raises ``FileExistsError`` where the new name is taken, else ``OSError``."""
    call = _rename(_NO_REPLACE.get(sys.platform, 0))
    if call is not None:
        try:
            call(here, name, there, other)
        except OSError as error:
            if error.errno == errno.EEXIST and _is_same(here, name, there, other):
                os.rename(name, other, src_dir_fd=here, dst_dir_fd=there)
            elif error.errno not in _CANNOT:
                raise
            else:
                _checked_rename(here, name, there, other)
    else:
        _checked_rename(here, name, there, other)


def exchange(here: int, name: str, there: int, other: str) -> bool:
    """Give each of two names what the other one stands for, at once. Answers False where the system cannot."""
    call = _rename(_EXCHANGE.get(sys.platform, 0))
    if call is None:
        return False
    try:
        call(here, name, there, other)
    except OSError as error:
        if error.errno in _CANNOT:
            return False
        raise
    return True


def remove(folder: int, name: str) -> None:
    """Remove a file, a link, or a folder with all that is in it; no link is followed. Raises ``OSError``."""
    found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=folder)
        return
    fd = os.open(name, FOLDER, dir_fd=folder)
    try:
        for inner in os.listdir(fd):  # noqa: PTH208 - a descriptor
            remove(fd, inner)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=folder)


def taken(name: str) -> WorkspaceError:
    """The error for a name that is in use."""
    return WorkspaceError(f"There is {name!r} already.")


def _is_same(here: int, name: str, there: int, other: str) -> bool:
    """Whether two names are one file for a file system that does not know case."""
    return name.casefold() == other.casefold() and os.path.samestat(
        os.stat(name, dir_fd=here, follow_symlinks=False), os.stat(other, dir_fd=there, follow_symlinks=False)
    )


def _checked_rename(here: int, name: str, there: int, other: str) -> None:
    try:
        os.stat(other, dir_fd=there, follow_symlinks=False)
    except FileNotFoundError:
        pass
    else:
        if not _is_same(here, name, there, other):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), other)
    os.rename(name, other, src_dir_fd=here, dst_dir_fd=there)


@functools.cache
def _rename(flag: int) -> Rename | None:
    """The system call that renames with a flag, None where there is none."""
    name = {"linux": "renameat2", "darwin": "renameatx_np"}.get(sys.platform)
    if name is None:
        return None
    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]

    def call(here: int, old: str, there: int, new: str) -> None:
        if function(here, os.fsencode(old), there, os.fsencode(new), flag) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), old)

    return call
