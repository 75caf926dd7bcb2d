"""Copies files and links from one folder to another, and keeps what they were."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path

from pygent.cancellation import CancelToken
from pygent.changes.data import KEEP_LIMIT, BlockDigest, blocks, clone, digest_of, read_all, write_at
from pygent.changes.pack import Pack
from pygent.changes.tree import NEW_FILE, Entry, Tree, link_entry
from pygent.workspace import reason_of

COPY_LIMIT = 4 * 1024 * 1024 * 1024
"""Bytes on disk of one file that is copied where the file system cannot share them."""

_PORTION = 256
_SLOW = 0.0001
"""Seconds for a file from which on the disk is waited for, so that more threads help; below it they hinder."""

_CLONE_FROM = 64 * 1024
"""Bytes from which sharing the data is worth a system call of its own."""

Progress = Callable[[int, int], object]


class Filling:
    """One copy of many files. ``owner`` is whom they are to belong to, None: as it comes."""

    def __init__(
        self, source: Path, target: Path, pack: Pack, *, owner: tuple[int, int] | None, cancel: CancelToken | None
    ) -> None:
        self._source = source
        self._target = target
        self._pack = pack
        self._owner = owner
        self._cancel = cancel
        self._clones = True
        self._lock = threading.Lock()
        self._waiting: Iterator[list[str]] = iter(())
        self._failed = False
        self._done = 0
        self.entries: dict[str, Entry] = {}
        self.notes: list[str] = []

    def run(self, paths: list[str], on_progress: Progress | None = None) -> None:
        """Copy these paths, which are in order. Raises ``OSError`` and ``Stopped``."""
        self._folders(paths)
        self._waiting = (paths[place : place + _PORTION] for place in range(0, len(paths), _PORTION))
        workers = min(4, os.cpu_count() or 1, 1 + len(paths) // (4 * _PORTION))
        began = time.monotonic()
        with ThreadPoolExecutor(workers, "pygent-copy") as pool:
            open_ends: set[Future[None]] = {pool.submit(self._work)}
            while open_ends:
                ended, open_ends = wait(open_ends, timeout=0.1, return_when=FIRST_EXCEPTION)
                if open_ends and time.monotonic() - began > _SLOW * self._done:
                    open_ends |= {pool.submit(self._work) for _ in range(workers - len(open_ends))}
                if on_progress is not None:
                    on_progress(self._done, len(paths))
                for future in ended:
                    future.result()
        # What has the latest time of all might be changed again without getting another one.
        last = max((entry.ctime_ns for entry in self.entries.values()), default=0) - 20_000_000
        self.entries = {
            path: entry._replace(ino=0) if entry.ctime_ns >= last else entry
            for path, entry in sorted(self.entries.items())
        }

    def _folders(self, paths: list[str]) -> None:
        """Make the folders, so that no two workers make the same one. They are as private as they are there."""
        made = {""}
        with Tree(self._source) as source, Tree(self._target) as target:
            for path in paths:
                folder = path.rpartition("/")[0]
                if folder in made:
                    continue
                for end in [*(place for place, sign in enumerate(folder) if sign == "/"), len(folder)]:
                    if folder[:end] in made:
                        continue
                    found = None
                    with contextlib.suppress(PermissionError):
                        found = source.stat(folder[:end])
                    if found is None or not stat.S_ISDIR(found.st_mode):
                        break  # gone meanwhile, a link now, or closed: the files in it are not found either
                    above, name = target.parent(folder[:end])
                    os.mkdir(name, stat.S_IMODE(found.st_mode) & 0o777 | 0o700, dir_fd=above)
                    if self._owner is not None:
                        os.chown(name, *self._owner, dir_fd=above, follow_symlinks=False)
                    made.add(folder[:end])

    def _work(self) -> None:
        try:
            with Tree(self._source) as source, Tree(self._target) as target:
                while not self._failed:
                    with self._lock:
                        paths = next(self._waiting, None)
                    if paths is None:
                        return
                    if self._cancel is not None:
                        self._cancel.check()
                    for path in paths:
                        self._one(source, target, path)
                    self._done += len(paths)
        except BaseException:
            self._failed = True
            raise

    def _one(self, source: Tree, target: Tree, path: str) -> None:
        try:
            fd = source.open(path)
        except FileNotFoundError:
            return  # gone meanwhile
        except OSError as error:
            self._no_file(source, target, path, error)
            return
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                self._no_file(source, target, path, None)
                return
            folder, name = target.parent(path)
            copy = os.open(name, NEW_FILE, stat.S_IMODE(found.st_mode) & 0o777, dir_fd=folder)
            try:
                entry = self._content(fd, found, copy, path)
                if entry is None:
                    os.unlink(name, dir_fd=folder)
                else:
                    self.entries[path] = entry
            finally:
                os.close(copy)
        except FileNotFoundError:  # its folder was not there when folders were made
            return
        finally:
            os.close(fd)

    def _content(self, fd: int, found: os.stat_result, copy: int, path: str) -> Entry | None:
        size, mode = found.st_size, stat.S_IMODE(found.st_mode) & 0o777
        offset = -1
        if size <= KEEP_LIMIT:
            data = read_all(fd, size)
            size = len(data)
            digest = digest_of(data)
            if size < _CLONE_FROM or size != found.st_size or not self._clone(fd, copy):
                write_at(copy, data)
            elif (shared := read_all(copy, size)) != data:  # written to between reading and sharing
                data, size, digest = shared, len(shared), digest_of(shared)
            offset = self._pack.add(data)
        elif self._clone(fd, copy):
            size = os.fstat(copy).st_size
            digest = self._copied(copy, None, size)
        elif found.st_blocks * 512 > COPY_LIMIT:
            self.notes.append(f"{path!r} is not in the copy: it has more than {COPY_LIMIT // 1024**3} GiB.")
            return None
        else:
            digest = self._copied(fd, copy, size)
        if self._owner is not None:
            os.fchown(copy, *self._owner)
        os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
        now = os.fstat(copy)
        if stat.S_IMODE(now.st_mode) != mode:
            os.fchmod(copy, mode)
            now = os.fstat(copy)
        return Entry("file", mode, size, digest, offset, None, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)

    def _copied(self, fd: int, copy: int | None, size: int) -> str:
        """The digest of a large file, which is written to ``copy`` on the way where there is one."""
        digest = BlockDigest()
        for place, block in blocks(fd, size):
            if self._cancel is not None:
                self._cancel.check()
            if digest.add(place, block) and copy is not None:
                write_at(copy, block, place)
        if copy is not None:
            os.ftruncate(copy, size)
        return digest.result(size)

    def _clone(self, fd: int, copy: int) -> bool:
        if self._clones:
            self._clones = clone(fd, copy)
        return self._clones

    def _no_file(self, source: Tree, target: Tree, path: str, error: OSError | None) -> None:
        """A link is copied as a link; of anything else it is said that it was left out."""
        try:
            found = source.stat(path)
        except OSError as another:
            self.notes.append(f"{path!r} is not in the copy: {reason_of(another)}.")
            return
        if found is None:
            return
        if stat.S_ISLNK(found.st_mode):
            link = source.link(path)
            folder, name = target.parent(path)
            os.symlink(link, name, dir_fd=folder)
            if self._owner is not None:
                os.chown(name, *self._owner, dir_fd=folder, follow_symlinks=False)
            now = os.stat(name, dir_fd=folder, follow_symlinks=False)
            self.entries[path] = link_entry(link).stamped(now)
        elif stat.S_ISREG(found.st_mode) and error is not None:
            self.notes.append(f"{path!r} is not in the copy: {reason_of(error)}.")
        elif not stat.S_ISDIR(found.st_mode):
            self.notes.append(f"{path!r} is not in the copy: it is neither a file nor a link.")
