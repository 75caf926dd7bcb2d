"""What one task changed in its place, and what became of it: looked at, taken over, taken back, given up."""

from __future__ import annotations

import filecmp
import logging
import os
import stat
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pygent.changes import Applied, ChangeSet, OnConflict
from pygent.errors import TaskError
from pygent.events import Review
from pygent.tasks.place import Place
from pygent.workspace import Workspace

if TYPE_CHECKING:
    from pygent.changes.base import Base

log = logging.getLogger(__name__)


class Work:
    """The work in ``place``, to be taken over into ``target``, its parent's workspace.

    ``base`` is what the task began with; read from the place where it is not given. Every method may block and works
    from any thread. Raises ``TaskError`` where nothing is known of what the task began with, else what
    ``pygent.changes`` raises.
    """

    def __init__(self, place: Place, target: Workspace, base: Base | None = None) -> None:
        self.place = place
        self.target = target
        self._base = base
        self._lock = threading.RLock()
        self._told = ChangeSet()
        self._old_paths: dict[str, str | None] = {}  # of the changes that were told last
        self._recovered = base is not None  # who makes a base has not been killed in the middle of anything

    def changes(self) -> ChangeSet:
        """What is to be decided: the task's files as they are now, without what was taken over already.

        Hunks are chosen from what this told last.
        """
        with self._lock:
            self._told = self._now()
            return self._told

    def _chosen_from(self, hunks: Mapping[str, Collection[int]] | None) -> ChangeSet:
        """The changes as they are now. Raises ``WorkspaceError`` where hunks were chosen from others."""
        from pygent.changes.base import stale  # noqa: PLC0415 - only once something is taken over

        now = self._now()
        for path in hunks or ():
            if (told := self._told.of(path)) is not None and told != now.of(path):
                raise stale(path)
        return now

    def _now(self) -> ChangeSet:
        from pygent.tasks.workspaces import listing  # noqa: PLC0415 - only once something is looked at

        with self._lock:
            if self.place.record.review == "discarded":
                return ChangeSet()
            base = self._opened()
            changes = base.changes(listing(base.root, self.place.record))
            self._old_paths = {change.path: change.old_path for change in changes.files}
            return changes

    def contents(self, path: str) -> tuple[bytes | None, bytes | None]:
        """A file as it was and as it is, None where there is none."""
        with self._lock:
            base = self._opened()
            if path not in self._old_paths:  # else looking at all of them anew would only take its time
                self._now()
            return base.contents(path, self._old_paths.get(path))

    def preview(
        self, paths: Collection[str] | None = None, hunks: Mapping[str, Collection[int]] | None = None
    ) -> Applied:
        """What ``apply`` would do; nothing is written."""
        from pygent.changes.take_over import preview  # noqa: PLC0415 - only once something is taken over

        with self._lock:
            return preview(self._opened(), self._chosen_from(hunks), self.target, paths=paths, hunks=hunks)

    def apply(
        self,
        paths: Collection[str] | None = None,
        hunks: Mapping[str, Collection[int]] | None = None,
        on_conflict: OnConflict = "leave",
    ) -> tuple[Applied, Review | None]:
        """Take changes over, all or nothing on disk; answers them, and how much is decided now.

        The second is None where nothing was decided.
        """
        from pygent.changes.take_over import apply  # noqa: PLC0415 - only once something is taken over

        with self._lock:
            base, changes = self._opened(), self._chosen_from(hunks)
            point = self.place.undo / f"{max(_numbers(self.place.undo), default=0) + 1:06d}"
            applied = apply(base, changes, self.target, undo=point, paths=paths, hunks=hunks, on_conflict=on_conflict)
            if not point.is_dir():
                return applied, None
            whole = hunks is None and not applied.conflicts and {*applied.paths}.issuperset(changes.paths)
            review: Review = "applied" if whole or not self._now() else "partly applied"
            self._note(review)
            return applied, review

    def undo(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Take back what was applied last, or that it was given up.

        Answers the paths that are as they were before, and those that were changed since and are left alone. Raises
        ``TaskError`` where there is nothing to take back.
        """
        from pygent.changes.journal import Journal  # noqa: PLC0415 - only once something is taken back
        from pygent.changes.undoing import undo  # noqa: PLC0415

        with self._lock:
            base, points = self._opened(), self._points()
            if self.place.record.review == "discarded":
                self._note("partly applied" if points else "undone")
                return (), ()
            if not points:
                raise TaskError("nothing of this task was applied, so nothing can be taken back")
            point = self.place.undo / f"{max(points):06d}"
            left = undo(point, self.target, base)
            restored = sorted({item.path for item in Journal.read(point).items} - set(left))
            self._note("partly applied" if self._points() else "undone")
            return tuple(restored), left

    def discard(self) -> tuple[str, ...]:
        """Give up what was not taken over; answers its paths. It stays in its place until the session ends."""
        with self._lock:
            paths = self._now().paths
            self._note("discarded")
            return paths

    @property
    def settled(self) -> bool:
        """Whether nothing waits to be decided: all was, or there is nothing that the parent has not got.

        Goes by what was noted at the task's end, which is quick.
        """
        record = self.place.record
        if record.ended_at is None or not self.root.is_dir():
            return record.ended_at is not None
        if record.review in ("applied", "discarded"):
            return True
        return all(
            same_file(self.root / path, self.target.root / path)
            for change in record.changes
            for path in (change.get("path"), change.get("old_path"))
            if path is not None
        )

    @property
    def root(self) -> Path:
        """Where the task works, or worked."""
        return Path(self.place.record.root or self.place.workspace)

    def mend(self) -> list[str]:
        """Undo or complete what a process that was killed left half written on either side; answers that in words."""
        with self._lock:
            if self._recovered or not any(self.place.undo.iterdir()):
                return []
            from pygent.changes.undoing import recover  # noqa: PLC0415 - only after a crash

            self._recovered = True  # also where it fails: trying again would
            return recover(self.place.undo, self.target, self._opened())

    def _opened(self) -> Base:
        from pygent.changes.base import Base  # noqa: PLC0415 - only once something is looked at

        self.mend()
        if self._base is None:
            if not self.place.base.is_dir():
                raise TaskError("what this task began with was not kept, so its changes cannot be told")
            if not self.root.is_dir():
                raise TaskError(f"what this task made is not there any more: {str(self.root)!r}")
            self._base = Base.open(self.place.base, self.root)
        return self._base

    def _note(self, review: Review) -> None:
        try:
            self.place.save(review=review)
        except OSError:  # the files are as they should be, which counts; a full disk should not hide that
            log.exception("what was decided of task %s could not be written down", self.place.record.id)

    def _points(self) -> list[int]:
        """The points to go back to that were not gone back to yet."""
        from pygent.changes.undoing import is_undone  # noqa: PLC0415 - only once something is taken over

        return [number for number in _numbers(self.place.undo) if not is_undone(self.place.undo / f"{number:06d}")]


def same_file(one: Path, other: Path) -> bool:
    """Whether both are the same: nothing, a link to the same, or a file with the same content and permissions."""
    try:
        first, second = os.lstat(one), os.lstat(other)
    except OSError:
        return not os.path.lexists(one) and not os.path.lexists(other)
    if stat.S_ISLNK(first.st_mode) and stat.S_ISLNK(second.st_mode):
        return one.readlink() == other.readlink()
    if not (stat.S_ISREG(first.st_mode) and first.st_mode == second.st_mode and first.st_size == second.st_size):
        return False
    try:
        return filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def _numbers(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
