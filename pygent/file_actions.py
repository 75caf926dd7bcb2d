"""What a person does with files of the workspace, and how it is taken back."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pygent import moving
from pygent.errors import WorkspaceError
from pygent.trash import Trash
from pygent.workspace import Workspace

COUNTED = 10_000
"""Files of a folder that are counted before it is deleted; more are told as more than these."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes with a path, a ``"file"``, a ``"folder"`` or a ``"link"``; ``more`` where not all is counted."""

    kind: str
    files: int = 0
    folders: int = 0
    more: bool = False


class FileActions:
    """Makes, renames and deletes; every method raises ``WorkspaceError`` in words for the person. Thread-safe."""

    def __init__(self, workspace: Workspace, trash: Path) -> None:
        self._workspace = workspace
        self._trash = Trash(trash)
        self._done: list[tuple[str, Callable[[], object]]] = []
        self._lock = threading.Lock()

    def problem(self, path: str) -> str:
        """Why nothing new can be called so; empty where it can."""
        try:
            name = moving.check(self._workspace, path)
        except WorkspaceError as error:
            return str(error)
        if moving.exists(self._workspace, name):
            return str(moving.taken(name))
        above = name.rpartition("/")[0]
        while above:
            if moving.exists(self._workspace, above):
                return "" if self._workspace.is_dir(above) else f"{above!r} is no folder."
            above = above.rpartition("/")[0]
        return ""

    def make_file(self, path: str) -> str:
        """Make an empty file."""
        return moving.make_file(self._workspace, path)

    def make_folder(self, path: str) -> str:
        """Make a folder."""
        return moving.make_folder(self._workspace, path)

    def rename(self, old: str, new: str) -> str:
        """Rename or move; answers the new path."""
        name = moving.rename(self._workspace, old, new)
        before = self._workspace.relative(old)
        self._remember(f"{name} is {before} again", lambda: moving.rename(self._workspace, name, before))
        return name

    def contents(self, path: str) -> Contents:
        """What would be deleted."""
        name = moving.changeable(self._workspace, path)
        with self._workspace.parent(name) as (folder, last):
            found = os.stat(last, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISLNK(found.st_mode):
                return Contents("link")
            if not stat.S_ISDIR(found.st_mode):
                return Contents("file")
            files, folders = _count(folder, last, 0, 0)
        return Contents("folder", files, folders, files + folders > COUNTED)

    def delete(self, path: str) -> None:
        """Move into the trash."""
        name = moving.changeable(self._workspace, path)
        if self._workspace.is_file(name):
            self._workspace.before_change(name)
        trashed = self._trash.put(self._workspace, name)
        self._remember(f"{name} is back", lambda: self._trash.restore(self._workspace, trashed))

    def undo(self) -> str:
        """Take the last deletion or renaming back; answers what is so again."""
        with self._lock:
            if not self._done:
                raise WorkspaceError("There is nothing to undo: no file was renamed or deleted here.")
            told, back = self._done.pop()
        try:
            back()
        except WorkspaceError:
            self._remember(told, back)
            raise
        return told

    def _remember(self, told: str, back: Callable[[], object]) -> None:
        with self._lock:
            self._done.append((told, back))


def _count(folder: int, name: str, files: int, folders: int) -> tuple[int, int]:
    fd = os.open(name, moving.FOLDER, dir_fd=folder)
    try:
        with os.scandir(fd) as found:
            for item in found:
                if files + folders > COUNTED:
                    break
                if item.is_dir(follow_symlinks=False):
                    files, folders = _count(fd, item.name, files, folders + 1)
                else:
                    files += 1
    finally:
        os.close(fd)
    return files, folders
