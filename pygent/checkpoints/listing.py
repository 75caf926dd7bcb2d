"""What stands in a workspace: one stat of each file, and nothing of what is ignored."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pygent.changes.tree import Tree, too_long
from pygent.checkpoints.ignoring import Ignoring
from pygent.errors import PygentError
from pygent.settings.paths import WORKSPACE_FOLDER

MOST_FILES = 200_000
"""Files that are looked at; in a workspace with more, what commands change is not recorded."""

SECONDS = 20.0
"""How long one look may take; where it takes longer, what commands change is not recorded."""

_RECENT = 50_000_000
"""Nanoseconds within which a file's times may not tell two versions from each other."""

Stamp = tuple[int, int, int, int, int]
"""Inode, size, both times, mode: by what a file is known to be unchanged."""


class TooLargeError(PygentError):
    """There are too many files, or they cannot be looked at quickly enough."""


@dataclass(slots=True)
class Listing:
    """What was found at one look.

    ``files`` are files and links by path, ``folders`` have their permission bits, ``began`` is in Unix
    nanoseconds.

    ``changed`` are paths of files whose stamp is another one than in the listing before. ``recent`` were written so
    shortly before that another version may have the same stamp. ``ignored_before`` are the paths that were ignored
    until rules changed: what is new in the listing there is not new.
    """

    began: int = 0
    files: dict[str, Stamp] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    recent: set[str] = field(default_factory=set)
    ignored_before: frozenset[str] = frozenset()

    def is_first_seen(self, path: str) -> bool:
        """Whether a path, or a folder above it, was ignored until now."""
        return bool(self.ignored_before) and any(
            path[:place] in self.ignored_before for place in (*_slashes(path), len(path))
        )


def _slashes(path: str) -> Iterator[int]:
    return (place for place, sign in enumerate(path) if sign == "/")


def stamp_of(found: os.stat_result) -> Stamp:
    """The stamp of what was looked at."""
    return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_mode)


def kind_is_kept(mode: int) -> bool:
    """Whether a mode is that of a file or a link; pipes, sockets and devices are passed over."""
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)


class Watch:
    """Looks at a workspace again and again. Not thread-safe.

    What was seen once is looked at until it is gone, also where it comes to be ignored.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ignoring = Ignoring(root)
        self.last = Listing()

    def look(self) -> Listing:
        """The workspace as it is now, which is ``last`` from then on.

        Raises ``TooLargeError``, and ``OSError`` where the workspace itself cannot be read.
        """
        before = self.last
        found = Listing(began=time.time_ns())
        found.ignored_before = self._ignoring.renew()
        ends_at = time.monotonic() + SECONDS
        recent = found.began - _RECENT
        with Tree(self._root) as tree:
            waiting = [""]
            while waiting:
                unknown: list[tuple[str, bool, Stamp | None]] = []
                folders: list[str] = []
                for folder in waiting:
                    self._folder(tree, folder, before, found, folders, unknown)
                    if len(found.files) + len(unknown) > MOST_FILES:
                        raise TooLargeError(f"it has more than {MOST_FILES:,} files")
                    if time.monotonic() > ends_at:
                        raise TooLargeError(f"looking at its files takes more than {SECONDS:g} seconds")
                for path, is_folder, stamp in self._wanted(unknown):
                    if is_folder:
                        folders.append(path)
                    elif stamp is not None:
                        found.files[path] = stamp
                        found.changed.add(path)
                waiting = sorted(folders)
        found.recent = {path for path in found.changed if found.files[path][3] > recent}
        for path in before.recent:  # they may have changed since without showing it
            if (stamp := found.files.get(path)) is not None and stamp[3] > recent:
                found.recent.add(path)
        self.last = found
        return found

    def note(self, path: str, folder: int | None, stamp: Stamp | None) -> None:
        """A path was written by somebody who told of it; it is no change any more.

        ``folder`` are the permission bits of a folder, ``stamp`` is that of a file; both None where nothing is there.
        """
        self.last.files.pop(path, None)
        self.last.folders.pop(path, None)
        if folder is not None:
            self.last.folders[path] = folder
        elif stamp is not None:
            self.last.files[path] = stamp

    def _folder(
        self,
        tree: Tree,
        folder: str,
        before: Listing,
        found: Listing,
        folders: list[str],
        unknown: list[tuple[str, bool, Stamp | None]],
    ) -> None:
        prefix = f"{folder}/" if folder else ""
        known, known_folders, ignored = before.files, before.folders, self._ignoring.ignored
        files, changed = found.files, found.changed
        if too_long(folder):
            return
        with contextlib.suppress(OSError), _entries(tree, folder) as (fd, entries):
            if folder:
                found.folders[folder] = stat.S_IMODE(os.fstat(fd).st_mode) & 0o777
            empty = True
            for entry in entries:
                empty = False
                name = entry.name
                path = prefix + name
                if path in ignored or name == ".git":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    if path in known_folders:
                        folders.append(path)
                    else:
                        unknown.append((path, True, None))
                    continue
                try:
                    at = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                stamp = (at.st_ino, at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_mode)
                was = known.get(path)
                if was == stamp:
                    files[path] = was
                elif not kind_is_kept(at.st_mode):
                    continue
                elif was is None:
                    unknown.append((path, False, stamp))
                else:
                    files[path] = stamp
                    changed.add(path)
            if empty and folder == WORKSPACE_FOLDER:  # a sandbox made it to protect it, and removes it
                found.folders.pop(folder, None)

    def _wanted(self, unknown: list[tuple[str, bool, Stamp | None]]) -> Iterator[tuple[str, bool, Stamp | None]]:
        if not unknown:
            return
        self._ignoring.judge([(path, is_folder) for path, is_folder, _ in unknown])
        for one in unknown:
            if one[0] not in self._ignoring.ignored:
                yield one


@contextlib.contextmanager
def _entries(tree: Tree, folder: str) -> Iterator[tuple[int, Iterator[os.DirEntry[str]]]]:
    fd = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree.folder(folder))
    try:
        with os.scandir(fd) as found:
            yield fd, found
    finally:
        os.close(fd)
