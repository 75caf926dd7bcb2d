"""What is to be written and removed in a workspace, so that changes are taken over."""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path

from pygent.changes.compare import look
from pygent.changes.model import FileChange
from pygent.changes.tree import Entry, Tree

_HELD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Version:
    """A file or link. ``data`` is a file's content, None where it is not held.

    It is to be had at ``path`` in the folder ``root`` then; an empty path is that of a content that stands nowhere.
    """

    entry: Entry
    data: bytes | None
    root: Path
    path: str


@dataclass(frozen=True, slots=True)
class Step:
    """A name that is written or removed. ``old`` is what stands there, ``new`` what is to; None is nothing."""

    path: str
    old: Version | None
    new: Version | None

    def light(self) -> Step:
        """The same without contents that can be read again."""
        return Step(self.path, _light(self.old), _light(self.new))


@dataclass(frozen=True, slots=True)
class Part:
    """What becomes of one change: its steps, all of them or none.

    ``chosen`` are the hunks, None for all of it. Not ``decided`` is a conflict that stays open: nothing is written,
    and the base stays as it is.
    """

    change: FileChange
    chosen: tuple[int, ...] | None = None
    steps: tuple[Step, ...] = ()
    merged: bool = False
    conflict: str = ""
    decided: bool = True


def _light(version: Version | None) -> Version | None:
    if version is None or not version.path or version.entry.size <= _HELD:
        return version
    return replace(version, data=None)


class NoFile(OSError):
    """What stands there is neither a file nor a link."""


def standing(tree: Tree, root: Path, path: str) -> Version | None:
    """What stands at a path of the folder ``root``, None for nothing or a folder. Raises ``NoFile``, ``OSError``."""
    found = tree.stat(path)
    if found is None or stat.S_ISDIR(found.st_mode):
        return None
    now = look(tree, path)
    if now is None:
        raise NoFile(0, "it is neither a file nor a link here")
    return Version(now.entry, now.data, root, path)
