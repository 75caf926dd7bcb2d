"""Copies files and folders between workspaces, and from this machine into one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pygent.errors import WorkspaceError
from pygent.workspace import Workspace

COPY_LIMIT = 20_000
"""Files of one folder that are copied in or out at most."""

_PIECE = 1024 * 1024


def copy_in(source: Path, target: Workspace, dest: str) -> int:
    """Copy a file or folder of this machine; answers how many files."""
    if not source.exists():
        raise WorkspaceError(f"{str(source)!r} does not exist.")
    source = source.resolve()
    if source.is_dir():
        return copy_tree(Workspace(source), ".", target, dest)
    copy_file(Workspace(source.parent), source.name, target, dest)
    return 1


def copy_out(source: Workspace, path: str, target: Path) -> tuple[Path, int | None]:
    """Copy a file or folder out to this machine, into ``target`` where that is a folder.

    Answers where it is now, and of a folder how many files it has. Raises ``WorkspaceError``.
    """
    name = source.relative(path)
    is_folder = source.is_dir(name)
    if target.is_dir() and name != ".":
        target /= PurePosixPath(name).name
    target = target.resolve()
    try:
        (target if is_folder else target.parent).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{str(target)!r} cannot be written: {error.strerror}.") from error
    if is_folder:
        return target, copy_tree(source, name, Workspace(target), ".")
    copy_file(source, name, Workspace(target.parent), target.name)
    return target, None


def copy_tree(source: Workspace, folder: str, target: Workspace, dest: str) -> int:
    """Copy a folder with all its files, save those that lead out of it; answers how many."""
    target.make_dir(dest)
    names: list[str] = []
    for name in source.walk(folder):
        names.append(name)
        if len(names) > COPY_LIMIT:
            raise WorkspaceError(f"The folder has more than {COPY_LIMIT:,} files. Copy a part of it.")
    count = 0
    for name in names:
        below = name if folder == "." else name.removeprefix(f"{folder}/")
        if source.is_file(name):  # not a pipe, not a link that leads out
            copy_file(source, name, target, f"{dest}/{below}")
            count += 1
    return count


def copy_file(source: Workspace, path: str, target: Workspace, dest: str) -> None:
    """Copy one file; whether it can be run stays."""
    with source.open(path) as file:
        executable = os.fstat(file.fileno()).st_mode & stat.S_IXUSR
        target.write_stream(dest, _pieces(file), mode=0o777 if executable else 0o666)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece
