"""Folders for tests of change sets: written, read, and a pair of a workspace and its copy."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pygent.changes import ChangeSet
from pygent.changes.base import Base
from pygent.workspace import Workspace


def listing(root: Path) -> list[str]:
    """What a caller would list: everything that is no folder, links to folders included."""
    return [
        os.path.relpath(os.path.join(folder, name), root)
        for folder, folders, names in os.walk(root)
        for name in [*names, *(one for one in folders if os.path.islink(os.path.join(folder, one)))]
    ]


def write(root: Path, files: Mapping[str, bytes]) -> None:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def snapshot(root: Path, *, folders: bool = True) -> dict[str, object]:
    """Everything below a folder: kinds, permission bits, contents."""
    out: dict[str, object] = {}
    for folder, inner, names in os.walk(root):
        for name in [*inner, *names]:
            path = os.path.join(folder, name)
            found = os.lstat(path)
            below = os.path.relpath(path, root)
            if stat.S_ISLNK(found.st_mode):
                out[below] = os.readlink(path)
            elif not stat.S_ISDIR(found.st_mode):
                out[below] = (stat.S_IMODE(found.st_mode), Path(path).read_bytes())
            elif folders:
                out[below] = "folder"
    return out


class Pair:
    """A parent's workspace and a child's copy of it."""

    def __init__(self, top: Path, files: Mapping[str, bytes]) -> None:
        self.top = top
        self.parent = top / "parent"
        self.parent.mkdir(parents=True)
        write(self.parent, files)
        self.child = top / "child"
        self.target = Workspace(self.parent)
        self.make()

    def make(self) -> Base:
        self.base = Base.make(self.target, listing(self.parent), self.child, self.top / "base")
        return self.base

    def reopen(self) -> Base:
        """The base as another process finds it."""
        self.base.close()
        self.base = Base.open(self.top / "base", self.child)
        return self.base

    def changes(self) -> ChangeSet:
        return self.base.changes(listing(self.child))


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder in memory, where there is one, so that many small writes take no time."""
    folder = Path(tempfile.mkdtemp(prefix="pygent-test-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
