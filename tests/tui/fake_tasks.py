"""The part of the fake session that is about delegated tasks: what ``SessionTasks`` answers, with answers to set.

``fake.changes[task_id]`` is what a task changed, as long as it is to be decided; ``fake.both[task_id, path]`` is a
file before and after. ``fake.previews`` and ``fake.applies`` answer in place of the rule that everything fits, and
``fake.fails[method]`` is raised once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pygent.bus import EventBus
from pygent.changes.model import Applied, ChangeSet, FileChange
from pygent.errors import TaskError
from pygent.events import TaskReviewed, TaskStarted


class FakeTasks:
    bus: EventBus
    calls: list[tuple[Any, ...]]
    _id: Callable[[str], str]

    def __init__(self) -> None:
        self.changes: dict[str, ChangeSet] = {}
        self.both: dict[tuple[str, str], tuple[bytes | None, bytes | None]] = {}
        self.previews: dict[str, Applied] = {}
        self.applies: dict[str, Applied] = {}
        self.overlaps: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self.fails: dict[str, Exception] = {}
        self.ended: set[str] = set()
        """Tasks that ``cancel_task`` is too late for."""
        self.left_alone: dict[str, tuple[str, ...]] = {}
        """What ``undo_task`` finds changed since."""
        self._before: dict[str, ChangeSet] = {}

    # What a front end calls.

    def start_task(
        self, prompt: str, persona: str | None = None, files: Sequence[str] | None = None, workspace: str = "copy"
    ) -> str:
        self._called("start_task", prompt, persona, files, workspace)
        task_id = self._id("task")
        self.bus.publish(
            TaskStarted(task_id=task_id, persona=persona or "developer", prompt=prompt, workspace=workspace)
        )
        return task_id

    def cancel_task(self, task_id: str) -> bool:
        self._called("cancel_task", task_id)
        return task_id not in self.ended

    def send_to_task(self, task_id: str, text: str) -> None:
        self._called("send_to_task", task_id, text)

    def retry_task(self, task_id: str) -> str:
        self._called("retry_task", task_id)
        new = self._id("task")
        self.bus.publish(TaskStarted(task_id=new, persona="tester", prompt="the same again", retry_of=task_id))
        return new

    def task_changes(self, task_id: str) -> ChangeSet:
        self._called("task_changes", task_id)
        return self.changes.get(task_id, ChangeSet())

    def task_contents(self, task_id: str, path: str) -> tuple[bytes | None, bytes | None]:
        self._called("task_contents", task_id, path)
        if (task_id, path) not in self.both:
            raise TaskError(f"task {task_id} did not change {path!r}")
        return self.both[task_id, path]

    def preview_task(
        self, task_id: str, paths: Sequence[str] | None = None, hunks: Mapping[str, Sequence[int]] | None = None
    ) -> Applied:
        self._called("preview_task", task_id, paths, hunks)
        return self.previews.get(task_id) or self._all(task_id, paths, hunks)

    def apply_task(
        self,
        task_id: str,
        paths: Sequence[str] | None = None,
        hunks: Mapping[str, Sequence[int]] | None = None,
        on_conflict: str = "leave",
    ) -> Applied:
        self._called("apply_task", task_id, paths, hunks, on_conflict)
        done = self.applies.pop(task_id, None) or self._all(task_id, paths, hunks)
        before = self.changes.get(task_id, ChangeSet())
        self._before[task_id] = before
        self.changes[task_id] = replace(before, files=tuple(_left(before, done.paths, hunks or {})))
        self._reviewed(task_id, "partly applied" if self.changes[task_id] else "applied", done)
        return done

    def undo_task(self, task_id: str) -> tuple[str, ...]:
        self._called("undo_task", task_id)
        if task_id not in self._before:
            raise TaskError(f"nothing of task {task_id} was taken over")
        now, before = self.changes[task_id], self._before.pop(task_id)
        self.changes[task_id] = before
        back = tuple(path for path in before.paths if now.of(path) != before.of(path))
        left = self.left_alone.pop(task_id, ())
        self._reviewed(task_id, "undone", Applied(tuple(path for path in back if path not in left)))
        return left

    def discard_task(self, task_id: str) -> None:
        self._called("discard_task", task_id)
        paths = self.changes.pop(task_id, ChangeSet()).paths
        self._reviewed(task_id, "discarded", Applied(paths))

    def task_overlaps(self, task_id: str) -> Mapping[str, tuple[str, ...]]:
        self._called("task_overlaps", task_id)
        return self.overlaps.get(task_id, {})

    def _called(self, name: str, *values: Any) -> None:
        self.calls.append((name, *values))
        if name in self.fails:
            raise self.fails.pop(name)

    def _all(self, task_id: str, paths: Sequence[str] | None, hunks: Mapping[str, Sequence[int]] | None) -> Applied:
        everything = self.changes.get(task_id, ChangeSet()).paths
        if paths is None and hunks is None:
            return Applied(everything)
        chosen = {*(paths or ()), *(hunks or {})}
        return Applied(tuple(path for path in everything if path in chosen))

    def _reviewed(self, task_id: str, review: Any, done: Applied) -> None:
        self.bus.publish(
            TaskReviewed(
                task_id=task_id,
                review=review,
                paths=list(done.paths),
                conflicts=[conflict.path for conflict in done.conflicts],
            )
        )


def _left(before: ChangeSet, paths: Sequence[str], hunks: Mapping[str, Sequence[int]]) -> list[FileChange]:
    """What is still to be decided once ``paths`` were taken over, of some only the ``hunks``."""
    left: list[FileChange] = []
    for change in before.files:
        if change.path not in paths:
            left.append(change)
        elif change.path in hunks:
            others = tuple(hunk for at, hunk in enumerate(change.hunks) if at not in hunks[change.path])
            left += [replace(change, hunks=others)] if others else []
    return left
