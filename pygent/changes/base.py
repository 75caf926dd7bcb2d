"""A copy of a workspace's files, and what they were when it was made."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from pygent.cancellation import CancelToken
from pygent.changes.compare import Comparison, Now, look
from pygent.changes.data import KEEP_LIMIT, digest_of
from pygent.changes.filling import Filling, Progress
from pygent.changes.hunks import with_hunks
from pygent.changes.model import ChangeSet, FileChange
from pygent.changes.pack import Pack, Records
from pygent.changes.tree import Entry, Tree, of_git, short, too_long
from pygent.errors import WorkspaceError
from pygent.workspace import Workspace, owner_of, reason_of

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file's time tells it from a change that came right after."""


class Base:
    """What the files in ``root`` were, kept in ``folder``. Thread-safe; one process holds it at a time.

    Files are compared by kind, permission bits and content; links by where they lead. Empty folders, folders'
    permissions, owners, times and extended attributes are not compared, and ``.git`` is never looked at.
    ``notes`` say in words what was left out of the copy.
    """

    def __init__(self, folder: Path, root: Path, entries: dict[str, Entry], notes: tuple[str, ...]) -> None:
        self.folder = folder
        self.root = root
        self.notes = notes
        self._entries = dict(sorted(entries.items()))
        self._records = Records(folder)
        self._pack = Pack(folder / "pack")
        self._lock = threading.RLock()

    @classmethod
    def make(
        cls,
        source: Workspace,
        paths: Iterable[str],
        root: Path,
        folder: Path,
        *,
        cancel: CancelToken | None = None,
        on_progress: Progress | None = None,
        durable: bool = True,
    ) -> Base:
        """Copy files and links of ``source`` into ``root``, and keep in ``folder`` what they were.

        Both folders are made, or are empty. Links are copied as links and never followed. Paths that are gone, that
        are folders, or that are git's are passed over; what else cannot be copied is in ``notes``. ``on_progress`` is
        called with how many are done, of how many. Without ``durable`` it need not outlive a power failure. Raises
        ``WorkspaceError``, and ``Stopped`` where ``cancel`` is; what was made until then is removed.
        """
        wanted = sorted({path.rstrip("/") for path in paths if not of_git(path)} - {"", "."})
        deep = [path for path in wanted if too_long(path)]
        wanted = [path for path in wanted if not too_long(path)] if deep else wanted
        for path in wanted:
            if path.startswith("/") or not {"", ".", ".."}.isdisjoint(path.split("/")):
                raise WorkspaceError(f"{path!r} cannot be copied: paths are relative to the workspace, without '..'.")
        _prepare(root, folder)
        try:
            owner = owner_of(source.root, None)
            if owner is not None:
                os.chown(root, *owner)
            pack = Pack(folder / "pack", new=True)
            try:
                filling = Filling(source.root, root, pack, owner=owner, cancel=cancel)
                filling.run(wanted, on_progress)
            finally:
                pack.close()
            notes = short(
                [f"{path[:200]!r} is not in the copy: its path is too long." for path in deep] + filling.notes
            )
            Records(folder).write(filling.entries, notes, durable=durable)
        except BaseException as error:
            _empty(root)
            _empty(folder)
            if isinstance(error, OSError):
                raise WorkspaceError(f"The workspace could not be copied: {reason_of(error)}.") from error
            raise
        return cls(folder, root, filling.entries, notes)

    @staticmethod
    def was_made(folder: Path) -> bool:
        """Whether ``make`` came to its end in ``folder``; nobody has worked in the copy before."""
        return Records(folder).there

    @classmethod
    def open(cls, folder: Path, root: Path) -> Base:
        """The base that was made in ``folder``. Raises ``WorkspaceError`` where it is not there or not whole."""
        entries, notes = Records(folder).read()
        try:
            return cls(folder, root, entries, notes)
        except OSError as error:
            raise WorkspaceError(f"{str(folder / 'pack')!r} cannot be opened: {reason_of(error)}.") from error

    def close(self) -> None:
        """Let go of the open file; the base stays on the disk."""
        with self._lock:
            self._pack.close()

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    @property
    def paths(self) -> tuple[str, ...]:
        """The files and links that there were, in order."""
        with self._lock:
            return tuple(self._entries)

    def entry(self, path: str) -> Entry | None:
        """What a path was."""
        return self._entries.get(path)

    def old(self, path: str) -> bytes | None:
        """What a file held; None where there was none, and where it is not kept."""
        entry = self.entry(path)
        return None if entry is None or entry.kind == "link" else self._pack.get(entry)

    def now(self, path: str) -> Now | None:
        """What stands in ``root`` at a path. Raises ``WorkspaceError`` where it cannot be read."""
        try:
            with Tree(self.root) as tree:
                return look(tree, path)
        except OSError as error:
            raise WorkspaceError(f"{path!r} cannot be read: {reason_of(error)}.") from error

    def changes(self, listing: Iterable[str]) -> ChangeSet:
        """What is different in ``root``, sorted by path.

        ``listing`` are the paths there that count besides those of the base, such as all that are not ignored.
        Raises ``WorkspaceError`` where ``root`` cannot be read.
        """
        with self._lock:
            entries = dict(self._entries)
        try:
            with Tree(self.root) as tree:
                comparison = Comparison(tree, entries, self._pack)
                found = comparison.run(listing)
        except OSError as error:
            raise WorkspaceError(f"{str(self.root)!r} cannot be read: {reason_of(error)}.") from error
        settled = time.time_ns() - _SETTLED
        with self._lock:
            for path, entry in comparison.unchanged.items():
                if entry.ctime_ns < settled and self._entries.get(path) is entries[path]:
                    self._entries[path] = entry
        return found

    def contents(self, path: str, old_path: str | None = None) -> tuple[bytes | None, bytes | None]:
        """A file before and now, for a viewer; None where there is none, or it is above the limit.

        ``old_path`` is what it was called before. For a link it is where it leads.
        """
        before, now = self.entry(old_path or path), self.now(path)
        old = (
            os.fsencode(before.link) if before is not None and before.link is not None else self.old(old_path or path)
        )
        if now is None:
            return old, None
        return old, os.fsencode(now.entry.link) if now.entry.link is not None else now.data

    # -- moving forward

    @contextlib.contextmanager
    def moving(self) -> Iterator[None]:
        """What is kept for entries that are not recorded after all is given up where the block fails."""
        with self._lock:
            end = self._pack.end
            try:
                yield
            except BaseException:
                self._pack.cut(end)
                raise

    def moved(self, change: FileChange, chosen: Collection[int] | None = None) -> dict[str, Entry | None]:
        """The entries that there are once ``change`` is taken over or decided, or only those of its hunks.

        None is a path that is gone. Raises ``WorkspaceError`` where the file is another one by now.
        """
        out: dict[str, Entry | None] = {} if change.old_path is None else {change.old_path: None}
        if chosen is not None and set(chosen) != set(range(len(change.hunks))):
            data = self.chosen(change, chosen)
            mode = change.old_mode if change.old_mode is not None else change.new_mode
            out[change.path] = Entry("file", mode or 0, len(data), digest_of(data), self._keep(data))
            return out
        now = self.now(change.path)
        if (now.entry.digest if now else "") != change.digest or (now and now.entry.mode) != change.new_mode:
            raise stale(change.path)
        out[change.path] = None if now is None else self._kept(now)
        return out

    def chosen(self, change: FileChange, chosen: Collection[int]) -> bytes:
        """The old content with some of the hunks. Raises ``WorkspaceError`` where they do not fit."""
        old = b"" if change.kind == "added" else self.old(change.old_path or change.path)
        try:
            return with_hunks(old if old is not None else b"", change.hunks, chosen)
        except ValueError:
            raise stale(change.path) from None

    def record(self, entries: Mapping[str, Entry | None]) -> dict[str, Entry | None]:
        """Move the base; answers what was there. Durable on return.

        Raises ``WorkspaceError``, and then it is as it was.
        """
        with self._lock:
            before = {path: self._entries.get(path) for path in entries}
            try:
                self._pack.sync()
                self._records.append(entries)
            except OSError as error:
                raise WorkspaceError(f"The base could not be written: {reason_of(error)}.") from error
            now = {**self._entries, **entries}
            self._entries = {path: entry for path, entry in sorted(now.items()) if entry is not None}
            return before

    def accept(
        self, changes: Iterable[FileChange], hunks: Mapping[str, Collection[int]] | None = None
    ) -> dict[str, Entry | None]:
        """These changes, or only the chosen hunks of them, are none any more. As ``record``."""
        entries: dict[str, Entry | None] = {}
        with self.moving():
            for change in changes:
                entries |= self.moved(change, None if hunks is None else hunks.get(change.path))
            return self.record(entries)

    def _kept(self, now: Now) -> Entry:
        entry = now.entry._replace(ino=0)  # its owner may write to it in this very moment
        return entry if now.data is None else entry._replace(offset=self._keep(now.data))

    def _keep(self, data: bytes) -> int:
        if len(data) > KEEP_LIMIT:
            return -1
        try:
            return self._pack.add(data, always=True)
        except OSError as error:
            raise WorkspaceError(f"The base could not be written: {reason_of(error)}.") from error


def stale(path: str) -> WorkspaceError:
    """A file is not any more what the change set says."""
    return WorkspaceError(f"{path!r} was changed again after its changes were looked at. Look at them anew.")


def _prepare(*folders: Path) -> None:
    for folder in folders:
        try:
            folder.mkdir(0o700, parents=True, exist_ok=True)
            taken = any(folder.iterdir())
        except OSError as error:
            raise WorkspaceError(f"{str(folder)!r} cannot be made: {reason_of(error)}.") from error
        if taken:
            raise WorkspaceError(f"{str(folder)!r} is not empty: a copy is made in a folder of its own.")


def _empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for place in folder.iterdir():
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
