"""A task's place on disk: its workspace, what that began as, and who it is, so that its work outlives a crash.

::

    <folder>/<id>/
        workspace/   the task's own files
        base/        what they were when it began (``pygent.changes``)
        undo/        points to go back to, one for each time that something was taken over
        task.json    its ``Record``
        lock         held by the process that the task belongs to, for as long as that lives

A place without a folder is a temporary one, which goes with the process.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from pygent.errors import TaskError
from pygent.events import Review, TaskState
from pygent.locks import hold
from pygent.scratch import remove_folder, scratch_folder
from pygent.settings.paths import write_private

TaskWorkspace = Literal["files", "copy"]
"""What a task's workspace begins with: the files that were named for it, or a copy of its parent's."""

_NEW, _GONE = ".new-", ".gone-"
_LOCK = "lock"
_PATIENCE = 0.03  # seconds; others may only be looking whether anybody has the lock
_STALE = 3600.0
"""Seconds after which a place that was never finished, and that nobody holds, is nobody's."""


@dataclass(slots=True, kw_only=True)
class Record:
    """What is known of a task without its session's events.

    ``parent`` is the absolute path of the parent's workspace and ``files`` are what was copied of it, where not all
    was; with ``ignored`` what is ignored counts, too. ``rules_above`` are those of the repository around the parent's
    workspace, as ``pygent.tasks.workspaces`` has them. ``delegated``: the parent's model asked for it. ``root`` is
    where the task works, "" where that is in its place. Times are Unix times in seconds; ``ended_at`` None: it runs,
    or its process was killed. ``changes`` are as in ``TaskFinished``; ``review`` is what was decided of them, None
    where nothing was. ``size`` is what the place takes on the disk in bytes, None where nobody has counted.
    """

    id: str
    session_id: str = ""
    parent: str = ""
    persona: str = ""
    prompt: str = ""
    workspace: TaskWorkspace = "files"
    files: list[str] = field(default_factory=list)
    ignored: bool = False
    delegated: bool = False
    root: str = ""
    rules_above: list[tuple[str, list[str]]] = field(default_factory=list)
    retry_of: str | None = None
    started_at: float = field(default_factory=time.time)
    ended_at: float | None = None
    state: TaskState = "running"
    status: str = "running"
    result: str = ""
    steps: int = 0
    usage: dict[str, Any] = field(default_factory=dict)
    cost: float | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)
    review: Review | None = None
    size: int | None = None


class Place:
    """Where one task works. ``make`` makes one, ``take`` takes over that of a process that is gone."""

    def __init__(self, root: Path, record: Record, lock: int, *, kept: bool) -> None:
        self.root = root
        self.record = record
        self.kept = kept
        self._lock = lock
        self._writing = threading.Lock()
        self._end = weakref.finalize(self, _release if kept else _remove, lock, root)

    @classmethod
    def make(cls, folder: Path | None, record: Record) -> Place:
        """A new place, below ``folder`` under the task's id, or a temporary one where that is None.

        Raises ``TaskError`` where the disk does not let us.
        """
        try:
            if folder is None:
                root = scratch_folder("task-")
                new = root
            else:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                root, new = folder.resolve() / record.id, folder.resolve() / f"{_NEW}{uuid4().hex}"
                new.mkdir(mode=0o700)
        except OSError as error:
            raise TaskError(
                f"a task has no place to work in: {error.filename or folder}: {error.strerror}"
            ) from error
        lock = -1
        try:
            for name in ("workspace", "undo"):
                (new / name).mkdir(mode=0o700)
            lock = _lock(new)
            if folder is not None:  # a temporary one is nobody's after this process
                _write(new, record)
                new.rename(root)  # whoever finds it, finds it locked
        except OSError as error:
            _remove(lock, new)
            raise TaskError(f"a task has no place to work in: {error.filename or root}: {error.strerror}") from error
        return cls(root, record, lock, kept=folder is not None)

    @classmethod
    def take(cls, root: Path) -> Place | None:
        """The place at ``root``, for this process from now on; None where another one holds it or it is none.

        Its record says ``lost`` where its task had not ended, since it was last heard of.
        """
        record = read_record(root)
        if record is None:
            return None
        try:
            lock = _lock(root)
        except OSError:
            return None
        record = read_record(root) or record  # as it was left, now that nobody else writes it
        place = cls(root, record, lock, kept=True)
        if record.ended_at is None:
            record.state = record.status = "lost"
            record.ended_at = last_written(root)
        return place

    @property
    def workspace(self) -> Path:
        """The task's own files."""
        return self.root / "workspace"

    @property
    def base(self) -> Path:
        """Where ``changes.Base`` keeps what the files were; it may not be there yet."""
        return self.root / "base"

    @property
    def undo(self) -> Path:
        """Where the points to go back to are kept."""
        return self.root / "undo"

    @property
    def closed(self) -> bool:
        """Whether it is this process's no longer."""
        return not self._end.alive

    def save(self, **changes: Any) -> None:
        """Change fields of the record and write it. Raises ``OSError``, and then only the record in memory is so."""
        with self._writing:
            for name, value in changes.items():
                setattr(self.record, name, value)
            if self.kept and self._end.alive:
                _write(self.root, self.record)

    def close(self) -> None:
        """Let another process take it over; a temporary place is removed. Safe to call twice."""
        with self._writing:
            self._end()

    def rest(self) -> None:
        """Hold no open file for it any longer: there is nothing to decide on that another process would take over."""
        with self._writing:
            if self._end.detach() is not None:
                _release(self._lock, self.root)
                self._lock = -1
                end: Callable[..., None] = _nothing if self.kept else _remove
                self._end = weakref.finalize(self, end, -1, self.root)

    def remove(self, patience: float | None = None) -> None:
        """Remove it and all that is in it. Safe to call twice.

        A kept one is gone at once for everybody else. Its files go beside the caller, who waits ``patience`` seconds
        for that at most, None: to the end; ``sweep`` removes what is left where the process ends before.
        """
        with self._writing:
            if self._end.detach() is None:
                return
            if patience is None or not self.kept:
                _remove(self._lock, self.root)
                return
            remover = threading.Thread(
                target=_remove, args=(self._lock, _aside(self.root)), name="pygent-remove", daemon=True
            )
            remover.start()
        remover.join(patience)


def read_record(root: Path) -> Record | None:
    """What stands in a place about its task; None where there is none that can be read."""
    try:
        data = json.loads((root / "task.json").read_text("utf-8"))
        known = {one.name for one in fields(Record)}
        return Record(**{name: value for name, value in data.items() if name in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def last_written(root: Path) -> float:
    """When a place's task was last heard of, in Unix seconds; now where it is not there."""
    for path in (root / "task.json", root):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime
    return time.time()


def places(folder: Path) -> Iterator[Path]:
    """The places below ``folder``, in no order; what is half made or half removed is not among them."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in found:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                yield Path(entry.path)


def is_held(root: Path) -> bool:
    """Whether a process that lives holds the place."""
    try:
        fd = hold(root / _LOCK, shared=True, patience=_PATIENCE)
    except OSError:
        return False
    if fd is None:
        return True
    os.close(fd)
    return False


def sweep(folder: Path) -> None:
    """Remove what was left half made or half removed by a process that is gone."""
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        for entry in list(found):
            begun = entry.name.startswith(_NEW) and time.time() - entry.stat(follow_symlinks=False).st_mtime > _STALE
            if (begun or entry.name.startswith(_GONE)) and not is_held(Path(entry.path)):
                remove_folder(Path(entry.path))


def _lock(root: Path) -> int:
    """The lock of a place, held. Raises ``BlockingIOError`` where another process has it, and ``OSError``."""
    fd = hold(root / _LOCK, patience=_PATIENCE)
    if fd is None:
        raise BlockingIOError(root)
    return fd


def _write(root: Path, record: Record) -> None:
    write_private(root / "task.json", json.dumps(asdict(record), ensure_ascii=False))


def _release(lock: int, _root: Path) -> None:
    with contextlib.suppress(OSError):
        os.close(lock)


def _nothing(_lock: int, _root: Path) -> None:
    pass


def _remove(lock: int, root: Path) -> None:
    remove_folder(_aside(root))
    if lock >= 0:
        _release(lock, root)


def _aside(root: Path) -> Path:
    """``root`` under a name that means nothing to others."""
    if root.name.startswith(_GONE):
        return root
    gone = root.with_name(f"{_GONE}{uuid4().hex}")
    try:
        return root.rename(gone)
    except OSError:
        return root
