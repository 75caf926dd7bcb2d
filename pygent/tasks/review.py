"""The part of ``TaskManager`` that is about what tasks changed: looking, taking over, taking back, giving up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pygent.errors import PygentError, TaskError
from pygent.events import MAIN, Event, FilesChanged, Review, TaskReviewed

if TYPE_CHECKING:
    from pygent.changes import Applied, ChangeSet, OnConflict
    from pygent.tasks.place import Place
    from pygent.tasks.running import Surroundings
    from pygent.tasks.task import Task
    from pygent.tasks.work import Work

Emit = Callable[[Event], object]


class TaskReviews:
    """Every method takes a task's id, may block, and works from any thread.

    Raises ``TaskError`` for an unknown task, for one that has no change set, and where a running one would be decided
    on; what reading and writing raises besides is a ``PygentError`` in words.
    """

    tasks: dict[str, Task]
    _around: Surroundings
    _known: Callable[[str], Task]

    def diff(self, task_id: str) -> ChangeSet:
        """What the task changed and nobody has decided on yet; also while it runs."""
        return self._work_on(task_id).changes()

    def contents(self, task_id: str, path: str) -> tuple[bytes | None, bytes | None]:
        """A file as the task found it and as it left it, None where there is none."""
        return self._work_on(task_id).contents(path)

    def preview(
        self, task_id: str, paths: Sequence[str] | None = None, hunks: Mapping[str, Sequence[int]] | None = None
    ) -> Applied:
        """What ``apply`` would write, merge and leave as conflicts, and who else changed these files."""
        outcome = self._work_on(task_id).preview(paths, hunks)
        return replace(outcome, overlaps=self._shared(task_id, _concerned(outcome)))

    def apply(
        self,
        task_id: str,
        paths: Sequence[str] | None = None,
        hunks: Mapping[str, Sequence[int]] | None = None,
        on_conflict: OnConflict = "leave",
        *,
        by: str = "user",
        emit: Emit | None = None,
    ) -> Applied:
        """Take changes over into the parent's workspace: all, those of ``paths``, or chosen hunks by their index.

        On disk it is all or nothing; ``undo_apply`` takes it back. ``by`` is who decides, ``"user"`` or the parent's
        ``agent_id``; ``emit`` publishes for a tool call which files it changed.
        """
        work = self._decided(task_id)
        outcome, review = work.apply(paths, hunks, on_conflict)
        outcome = replace(outcome, overlaps=self._shared(task_id, _concerned(outcome)))
        if review is not None:
            self._told_files(outcome.paths, emit)
            self._tell(task_id, review, outcome.paths, by, [conflict.path for conflict in outcome.conflicts])
        return outcome

    def undo_apply(self, task_id: str, *, by: str = "user") -> tuple[str, ...]:
        """Take back what was last applied or given up; answers the files that were changed since and left alone."""
        restored, left = self._work_on(task_id).undo()
        self._told_files(restored)
        self._tell(task_id, "undone", restored, by)
        return left

    def discard(self, task_id: str, *, by: str = "user") -> None:
        """Give up what was not taken over. Until the session ends, ``undo_apply`` takes that back."""
        self._tell(task_id, "discarded", self._decided(task_id).discard(), by)

    def overlaps(self, task_id: str) -> dict[str, tuple[str, ...]]:
        """Which other tasks changed the same files and wait to be decided on: ids by path."""
        return self._shared(task_id, _touched(self.diff(task_id)))

    def adopt(self, task: Task, *events: Event) -> None:
        """Take in a task that another process started; ``events`` tell the stream of it."""
        self.tasks[task.id] = task
        for event in events:
            self._around.emit(event)

    def _let_go(self, task: Task, patience: float) -> bool:
        """The session ends: what has nothing to decide on is removed, the rest stays for another one.

        Waits ``patience`` seconds for the removal at most. Answers whether it stays.
        """
        if task.place is None or task.place.closed:
            return False
        try:
            settled = not task.place.kept or _never_began(task.place) or self._work_on(task.id).settled
        except (PygentError, OSError):
            settled = False  # whatever it is, it is not for us to throw away
        if task.base is not None:
            task.base.close()
        if settled:
            task.place.remove(patience)
        else:
            task.place.close()
        return not settled

    def _shared(self, task_id: str, paths: set[str]) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for other in list(self.tasks.values()) if paths else ():
            if other.id == task_id:
                continue
            try:
                changes = self.diff(other.id)
            except PygentError:  # it has none, or not yet
                continue
            for path in paths & _touched(changes):
                found.setdefault(path, []).append(other.id)
        return {path: tuple(ids) for path, ids in sorted(found.items())}

    def _work_on(self, task_id: str) -> Work:
        task = self._known(task_id)
        with _making:
            if task.work is None:
                task.work = _work_of(task)
            return task.work

    def _decided(self, task_id: str) -> Work:
        work = self._work_on(task_id)
        if self.tasks[task_id].running:
            raise TaskError(f"task {task_id} still runs; wait for its end (wait_for_tasks) or stop it first")
        return work

    def _told_files(self, paths: Sequence[str], emit: Emit | None = None) -> None:
        if paths:
            (emit or self._around.emit)(FilesChanged(agent_id=self._agent_id, paths=list(paths)))

    def _tell(
        self, task_id: str, review: Review, paths: Sequence[str], by: str, conflicts: Sequence[str] = ()
    ) -> None:
        self._around.emit(
            TaskReviewed(
                agent_id=self._agent_id,
                task_id=task_id,
                review=review,
                paths=list(paths),
                conflicts=list(conflicts),
                by=by,
            )
        )

    @property
    def _agent_id(self) -> str:
        return MAIN if self._around.parent is None else self._around.parent.agent_id


_making = threading.Lock()


def _never_began(place: Place) -> bool:
    """Whether a task was killed before its workspace was filled, so that nothing in it is its work."""
    from pygent.changes.base import Base  # noqa: PLC0415 - only where a session ends that had tasks

    return place.record.state == "lost" and not Base.was_made(place.base)


def _work_of(task: Task) -> Work:
    target = getattr(task.order.parent_rt if task.order is not None else None, "workspace", None)
    if task.place is None or (task.base is None and not task.place.base.is_dir()):
        why = (
            "it has not begun yet" if task.state == "queued" else "it or its parent has no workspace to compare with"
        )
        raise TaskError(f"task {task.id} has no change set: {why}")
    if target is None:
        raise TaskError(f"task {task.id} has no change set: its parent has no workspace")
    from pygent.tasks.work import Work  # noqa: PLC0415 - only once somebody looks at changes

    return Work(task.place, target, task.base)


def _concerned(outcome: Applied) -> set[str]:
    return {*outcome.paths, *(conflict.path for conflict in outcome.conflicts)}


def _touched(changes: ChangeSet) -> set[str]:
    return {path for change in changes.files for path in (change.path, change.old_path) if path is not None}
