"""Files that cannot be written because of what stands around their place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pygent.changes.steps import Part, Step
from pygent.changes.tree import Tree, too_long


def settled(tree: Tree, parts: list[Part]) -> list[Part]:
    """The parts; those that are in the way of each other, or in whose way something stands here, as conflicts."""
    while True:
        around = Around(tree, [step for part in parts for step in part.steps])
        checked = [_checked(around, part) for part in parts]
        if checked == parts:
            return parts
        parts = checked  # what is not removed after all may be in the way of others


def _checked(around: Around, part: Part) -> Part:
    reason = next(filter(None, map(around.reason, part.steps)), "")
    return replace(part, steps=(), merged=False, conflict=reason, decided=False) if reason else part


class Around:
    """What there is around the places of some steps, the other steps included."""

    def __init__(self, tree: Tree, steps: Iterable[Step]) -> None:
        steps = list(steps)
        self._tree = tree
        self._removed = {step.path for step in steps if step.new is None}
        self._written = {step.path for step in steps if step.new is not None}
        self._folders: dict[str, str] = {"": ""}

    def reason(self, step: Step) -> str:
        """Why a step cannot be done, empty where it can."""
        if step.new is None:
            return ""
        return self._above(step.path.rpartition("/")[0]) or self._below(step.path)

    def _above(self, folder: str) -> str:
        """Why nothing can be written in a folder, empty where it can."""
        if folder not in self._folders:
            self._folders[folder] = self._above(folder.rpartition("/")[0]) or self._folder(folder)
        return self._folders[folder]

    def _folder(self, folder: str) -> str:
        if folder in self._written:
            return f"{folder!r} is to be a file"
        found = self._tree.stat(folder)
        if found is None or stat.S_ISDIR(found.st_mode) or folder in self._removed:
            return ""
        return f"{folder!r} is a {'symbolic link' if stat.S_ISLNK(found.st_mode) else 'file'} here"

    def _below(self, path: str) -> str:
        """Why a folder that stands at ``path`` cannot give way."""
        found = self._tree.stat(path)
        if found is None or not stat.S_ISDIR(found.st_mode):
            return ""
        stays = next((name for name in below(self._tree, path) if name not in self._removed), None)
        return "" if stays is None else f"a folder stands there here, with {stays!r} in it"


def below(tree: Tree, folder: str, *, folders: bool = False) -> Iterator[str]:
    """The paths of all that is below a folder and is no folder; or of the folders, the innermost first."""
    if too_long(folder):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), folder)
    for name, is_dir in tree.names(folder):
        path = f"{folder}/{name}" if folder else name
        if is_dir:
            yield from below(tree, path, folders=folders)
        if is_dir == folders:
            yield path
