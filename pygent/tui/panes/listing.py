"""Names in the workspace's folders, read one folder at a time.

Only names and kinds are read, and no symbolic link is followed on the way to a folder, so that nothing outside of the
workspace is ever listed. Contents are read through the session.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass
from heapq import merge
from pathlib import Path
from typing import Literal, NamedTuple

from pygent.settings.paths import WORKSPACE_FOLDER

HIDDEN = frozenset({".git"})

Kind = Literal["folder", "file", "link", "other"]

PORTION = 2_000
"""Names that are read or sorted at once."""

BREAK = 0.0002
"""Seconds in which other threads go on after each portion."""

SETTLED = 0.1
"""Seconds; a folder that changed later than this before it was listed may change again within the same time stamp."""


class Entry(NamedTuple):
    """One name in a folder."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder as it was: sorted ``names``, the first ``folders`` of them folders; ``odd`` tells what is no file.

    A name is a text and nothing else, since a hundred thousand small objects keep the garbage collector busy.
    ``stamp`` tells whether the folder changed since; 0 is always old.
    """

    names: list[str]
    folders: int
    odd: Mapping[str, Kind]
    stamp: int

    def first(self, count: int) -> list[Entry]:
        """So many entries from the beginning."""
        odd = self.odd
        return [
            Entry(name, "folder" if at < self.folders else odd.get(name, "file"))
            for at, name in enumerate(self.names[:count])
        ]


def list_folder(root: Path, folder: str) -> Listing:
    """The names in ``folder``, a path relative to ``root`` ("" is the root). Raises ``OSError``."""
    handle = _open(root, folder)
    folders: list[str] = []
    others: list[str] = []
    odd: dict[str, Kind] = {}
    try:
        stamp = os.fstat(handle).st_mtime_ns
        with os.scandir(handle) as found:
            for count, item in enumerate(found):
                kind = _kind(item)
                if kind == "folder":
                    if item.name not in HIDDEN and not (not folder and _is_unused(handle, item.name)):
                        folders.append(item.name)
                else:
                    others.append(item.name)
                    if kind != "file":
                        odd[item.name] = kind
                if count % PORTION == PORTION - 1:
                    time.sleep(BREAK)
    finally:
        os.close(handle)
    if time.time_ns() - stamp < SETTLED * 1e9:
        stamp = 0
    return Listing([*_sorted(folders), *_sorted(others)], len(folders), odd, stamp)


def _is_unused(handle: int, name: str) -> bool:
    """Whether it is the settings' folder, empty: a sandbox that protects it makes it where there is none."""
    if name != WORKSPACE_FOLDER:
        return False
    try:
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
    except OSError:
        return False
    try:
        with os.scandir(inner) as found:
            return next(found, None) is None
    finally:
        os.close(inner)


def _sorted(names: list[str]) -> list[str]:
    """By name, whatever the case; many in portions, since one long sort keeps all other threads waiting."""
    parts = []
    for start in range(0, len(names), PORTION):
        parts.append(sorted(names[start : start + PORTION], key=_order))
        if len(names) > PORTION:
            time.sleep(BREAK)
    return list(merge(*parts, key=_order)) if len(parts) > 1 else [name for part in parts for name in part]


def _order(name: str) -> tuple[str, str]:
    return name.casefold(), name


def changed_folders(root: Path, stamps: Mapping[str, int]) -> list[str]:
    """Which of the folders are not as they were when they were listed."""
    changed = []
    for folder, stamp in stamps.items():
        try:
            now = (root / folder).lstat()
            same = stat.S_ISDIR(now.st_mode) and now.st_mtime_ns == stamp
        except OSError:
            same = False
        if not same:
            changed.append(folder)
    return changed


def _open(root: Path, folder: str) -> int:
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in Path(folder).parts:
            deeper = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            os.close(handle)
            handle = deeper
    except BaseException:
        os.close(handle)
        raise
    return handle


def _kind(item: os.DirEntry[str]) -> Kind:
    if item.is_symlink():
        return "link"
    if item.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if item.is_file(follow_symlinks=False) else "other"
