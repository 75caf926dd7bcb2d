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

HIDDEN = frozenset({".git"})

Kind = Literal["folder", "file", "link", "other"]

PORTION = 2_000
"""Names that are sorted at once."""

SETTLED = 0.1
"""Seconds; a folder that changed later than this before it was listed may change again within the same time stamp."""


class Entry(NamedTuple):
    """One name in a folder."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder as it was: folders first, then by name. ``stamp`` tells whether it changed since; 0 is always old."""

    entries: tuple[Entry, ...]
    stamp: int


def list_folder(root: Path, folder: str) -> Listing:
    """The names in ``folder``, a path relative to ``root`` ("" is the root). Raises ``OSError``."""
    handle = _open(root, folder)
    try:
        stamp = os.fstat(handle).st_mtime_ns
        with os.scandir(handle) as found:
            entries = [Entry(item.name, _kind(item)) for item in found if item.name not in HIDDEN]
    finally:
        os.close(handle)
    entries = _sorted(entries)
    if time.time_ns() - stamp < SETTLED * 1e9:
        stamp = 0
    return Listing(tuple(entries), stamp)


def _sorted(entries: list[Entry]) -> list[Entry]:
    """Folders first, then by name; many in portions, since one long sort keeps all other threads waiting."""
    parts = [sorted(entries[start : start + PORTION], key=_order) for start in range(0, len(entries), PORTION)]
    return parts[0] if len(parts) == 1 else list(merge(*parts, key=_order))


def _order(entry: Entry) -> tuple[bool, str, str]:
    return entry.kind != "folder", entry.name.casefold(), entry.name


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
