"""The contents that files have before a command: at hand when it has overwritten or removed them.

What git has of a clean tracked file is read from its objects when it is needed. All else is copied once into one
file that only grows, and goes with the session; what a checkpoint needs is kept among the blobs.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from pygent.blobs import BlobError, Blobs
from pygent.changes.data import KEEP_LIMIT, digest_of, digest_of_large, read_all
from pygent.changes.pack import Pack
from pygent.changes.tree import Entry, Tree, link_entry
from pygent.checkpoints.listing import Stamp, stamp_of
from pygent.checkpoints.records import State, StateKind
from pygent.git import GitError, Repository
from pygent.git.objects import clean, contents, name_of

PORTION = 200
"""Files that are copied between two looks at whether somebody waits."""


class _Copy(NamedTuple):
    """A content in the pack: as it was when the file had this stamp."""

    stamp: Stamp
    entry: Entry


class _Object(NamedTuple):
    """A content among git's objects. ``stamp`` is the file's when it was known to be clean."""

    stamp: Stamp
    name: str


class Keeping:
    """Contents of files by path and stamp. ``folder`` is private to it. Thread-safe."""

    def __init__(self, root: Path, folder: Path, blobs: Blobs) -> None:
        self.blobs = blobs
        self._root = root
        self._pack = Pack(folder / "contents", new=True)
        self._repository = Repository.find(root)
        self._copies: dict[str, _Copy] = {}
        self._objects: dict[str, _Object] = {}
        self._wanting: dict[str, Stamp] = {}
        self._at_work = 0
        self._lock = threading.Condition()

    @property
    def wanting(self) -> int:
        """How many files are still to be copied."""
        return len(self._wanting)

    def from_git(self, files: dict[str, Stamp]) -> None:
        """Leave the clean ones of these files, which were looked at before and are all, to git."""
        if self._repository is None:
            return
        try:
            found = clean(self._repository)
        except (GitError, ValueError):
            return
        with Tree(self._root) as tree, self._lock:
            for path in sorted(found):
                name, size = found[path]
                stamp = files.get(path)
                # Filters and line ends make other contents of objects; those are copied like what is not tracked.
                if stamp is not None and stamp[1] == size and _stamp_at(tree, path) == stamp:
                    self._objects[path] = _Object(stamp, name)

    def want(self, files: Iterable[tuple[str, Stamp]]) -> None:
        """Copy the contents of these files, as far as they are not at hand."""
        with self._lock:
            for path, stamp in files:
                copy, known = self._copies.get(path), self._objects.get(path)
                if not (copy is not None and copy.stamp == stamp) and not (
                    known is not None and known.stamp == stamp
                ):
                    self._wanting[path] = stamp

    def copy(self, until: float) -> None:
        """Copy what is wanted, as far as it goes before the monotonic time ``until``.

        What another thread is copying just then is waited for as well.
        """
        while time.monotonic() < until:
            with self._lock:
                some = [self._wanting.popitem() for _ in range(min(PORTION, len(self._wanting)))]
                self._at_work += bool(some)
            if not some:
                break
            try:
                with Tree(self._root) as tree:
                    for path, stamp in sorted(some):
                        self._copy(tree, path, stamp)
            finally:
                with self._lock:
                    self._at_work -= 1
                    self._lock.notify_all()
        with self._lock:
            self._lock.wait_for(lambda: not self._at_work, max(0.0, until - time.monotonic()))

    def _copy(self, tree: Tree, path: str, stamp: Stamp) -> None:
        if not stat.S_ISREG(stamp[4]) or stamp[1] > KEEP_LIMIT:
            if stat.S_ISLNK(stamp[4]):
                with contextlib.suppress(OSError):
                    self._copies[path] = _Copy(stamp, link_entry(tree.link(path)))
            return
        with contextlib.suppress(OSError):
            fd = tree.open(path)
            try:
                data = read_all(fd, stamp[1])
                if stamp_of(os.fstat(fd)) != stamp:
                    return
            finally:
                os.close(fd)
            self._hold(path, stamp, data, digest_of(data))

    def _hold(self, path: str, stamp: Stamp, data: bytes, digest: str) -> None:
        """Have a content at hand for a file with this stamp; one that is already is not copied again.

        A file that was written a moment ago is read at each look, and most often holds what it held. Raises
        ``OSError``.
        """
        known = self._objects.get(path)
        if known is not None and known.stamp[1] == len(data) and known.name == name_of(data, len(known.name)):
            self._objects[path] = _Object(stamp, known.name)
            self._copies.pop(path, None)
            return
        mode = stat.S_IMODE(stamp[4]) & 0o777
        with self._lock:  # another thread may have read the same file
            copy = self._copies.get(path)
            if copy is not None and copy.entry.kind == "file" and copy.entry.digest == digest:
                entry = copy.entry._replace(mode=mode)
            else:
                entry = Entry("file", mode, len(data), digest, self._pack.add(data))
            if entry.offset >= 0:
                self._copies[path] = _Copy(stamp, entry)

    def before(self, files: dict[str, Stamp]) -> Iterator[tuple[str, State, str]]:
        """What files with these stamps were, and why their content is not kept, "" where it is."""
        asked: dict[str, list[str]] = {}
        for path in sorted(files):
            stamp = files[path]
            copy, known = self._copies.get(path), self._objects.get(path)
            if copy is not None and copy.stamp == stamp:
                yield path, *self._of_copy(copy)
            elif known is not None and known.stamp == stamp:
                asked.setdefault(known.name, []).append(path)
            else:
                kind: StateKind = "link" if stat.S_ISLNK(stamp[4]) else "file"
                yield path, State(kind, stat.S_IMODE(stamp[4]) & 0o777, stamp[1]), why_not_kept(stamp)
        if asked and self._repository is not None:
            try:
                for name, data in contents(self._repository, list(asked)):
                    for path in asked.pop(name):
                        yield path, *self._of_data(data, files[path])
            except (GitError, ValueError):
                pass
        for path in (path for some in asked.values() for path in some):
            yield path, *self._of_data(None, files[path])

    def _of_copy(self, copy: _Copy) -> tuple[State, str]:
        entry = copy.entry
        if entry.link is not None:
            return State("link", entry.mode, entry.size, entry.digest, link=entry.link), ""
        data = self._pack.get(entry)
        return self._of_data(data, copy.stamp)

    def _of_data(self, data: bytes | None, stamp: Stamp) -> tuple[State, str]:
        mode = stat.S_IMODE(stamp[4]) & 0o777
        if data is None or len(data) != stamp[1]:
            return State("file", mode, stamp[1]), "what it was is not there any more"
        return self._kept(data, mode)

    def _kept(self, data: bytes, mode: int) -> tuple[State, str]:
        try:
            return State("file", mode, len(data), digest_of(data), self.blobs.put(data)), ""
        except BlobError as error:
            return State("file", mode, len(data), digest_of(data)), str(error)

    def now(self, tree: Tree, path: str) -> tuple[State | None, Stamp | None]:
        """What stands at a path, its content kept, and its stamp. Raises ``OSError``."""
        found = tree.stat(path)
        if found is None:
            return None, None
        if stat.S_ISDIR(found.st_mode):
            return State("folder", stat.S_IMODE(found.st_mode) & 0o777), None
        if stat.S_ISLNK(found.st_mode):
            entry = link_entry(tree.link(path))
            stamp = stamp_of(found)
            self._copies[path] = _Copy(stamp, entry)
            return State("link", entry.mode, entry.size, entry.digest, link=entry.link), stamp
        if not stat.S_ISREG(found.st_mode):
            return None, None
        fd = tree.open(path)
        try:
            found = os.fstat(fd)
            stamp, mode = stamp_of(found), stat.S_IMODE(found.st_mode) & 0o777
            if found.st_size > KEEP_LIMIT:
                return State("file", mode, found.st_size, digest_of_large(fd, found.st_size)), stamp
            data = read_all(fd, found.st_size)
            again = stamp_of(os.fstat(fd)) == stamp
        finally:
            os.close(fd)
        state, _ = self._kept(data, mode)
        if again:
            with contextlib.suppress(OSError):
                self._hold(path, stamp, data, state.digest)
        return state, stamp

    def close(self) -> None:
        """Let go of the open file."""
        self._pack.close()


def why_not_kept(stamp: Stamp) -> str:
    """Why the content of a file is not at hand."""
    if stamp[1] > KEEP_LIMIT:
        return f"it is larger than {KEEP_LIMIT // 1024**2} MiB"
    return "its content had not been kept before it was changed"


def _stamp_at(tree: Tree, path: str) -> Stamp | None:
    try:
        found = tree.stat(path)
    except OSError:
        return None
    return None if found is None else stamp_of(found)
