"""What a parent is told of a task that ended, once, and whoever waits for that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pygent import clock
from pygent.cancellation import CancelToken
from pygent.models.fences import fenced
from pygent.tasks.task import Task

if TYPE_CHECKING:
    from pygent.changes import ChangeSet

SHOWN_FILES = 40
"""Changed files that a report names; the rest is counted."""

SHOWN_SHARED = 10
"""Files that two tasks changed and that are named; the rest is counted."""

TEXT_LIMIT = 6000
"""Characters of a task's own words in a report."""

_LETTERS = {"added": "A", "changed": "M", "deleted": "D", "renamed": "R"}


def report(task: Task, question: str | None = None, siblings: Iterable[Task] = ()) -> str:
    """The message for the parent: who it was, how it ended, what it says, which files it changed, what to do now.

    Files that ``siblings`` changed, too, are named.
    """
    lines = [f"Task {task.id} ({task.persona.name}): {task.status}."]
    if task.account is not None and task.state == "timeout" and task.account.why:
        lines.append(task.account.why)
    text = task.text.strip()
    if len(text) > TEXT_LIMIT:
        text = f"{text[:TEXT_LIMIT]} … ({len(text) - TEXT_LIMIT} more characters)"
    if text:
        lines.append(f"It reports:\n{fenced(text)}")
    if question is not None:
        lines.append(f"It asks, and nobody can answer it here:\n{fenced(question)}")
        lines.append("Where you know the answer, delegate again with it in the prompt.")
    if task.changes is not None:
        lines.extend(_files(task.id, task.changes))
        lines.extend(_shared(task, siblings))
    if task.order is not None and not task.order.delegated:
        lines.append("You did not start this task: take its changes over only where the user asks you to.")
    return "\n".join(lines)


def _files(task_id: str, changes: ChangeSet) -> list[str]:
    if not changes:
        return ["It changed no files."]
    shown = changes.files[:SHOWN_FILES]
    lines = ["Changed files, in its own workspace:"]
    for change in shown:
        before = f"{_name(change.old_path)} -> " if change.old_path is not None else ""
        lines.append(f"  {_LETTERS[change.kind]} {before}{_name(change.path)}")
    if len(changes.files) > len(shown):
        lines.append(f"  and {len(changes.files) - len(shown)} more")
    lines.append(f'apply_task(task_id="{task_id}") takes them over into your workspace.')
    return lines


def _name(path: str) -> str:
    """A file's name on one line, which its own characters cannot end."""
    return path if path.isprintable() else repr(path)


def _shared(task: Task, siblings: Iterable[Task]) -> list[str]:
    assert task.changes is not None
    mine, lines = set(task.changes.paths), list[str]()
    for other in siblings:
        open_work = other.changes is not None and (other.place is None or other.place.record.review is None)
        if other is not task and other.changes is not None and open_work:
            both = sorted(mine & set(other.changes.paths))
            if both:
                more = f" and {len(both) - SHOWN_SHARED} more" if len(both) > SHOWN_SHARED else ""
                lines.append(f"Task {other.id} changed {', '.join(map(_name, both[:SHOWN_SHARED]))}{more}, too.")
    return lines


class Reports:
    """The reports that the parent has not read. Thread-safe; nothing here polls."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._unread: dict[str, str] = {}

    def put(self, task_id: str, text: str) -> None:
        """Leave a report, in place of an older one of the same task."""
        with self._changed:
            self._unread[task_id] = text
            self._changed.notify_all()

    def take(self, task_ids: Iterable[str] | None = None) -> dict[str, str]:
        """The unread reports by task, of these tasks or of all, once and in the order they came."""
        with self._changed:
            wanted = list(self._unread) if task_ids is None else [one for one in task_ids if one in self._unread]
            return {task_id: self._unread.pop(task_id) for task_id in wanted}

    def drop(self, task_id: str) -> None:
        """Forget a report that nobody needs any more."""
        with self._changed:
            self._unread.pop(task_id, None)

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, over: Callable[[], bool], cancel: CancelToken, timeout: float | None = None) -> bool:
        """Wait until ``over()``, which is asked again after each ``wake`` and ``put``; answers what it says.

        At most ``timeout`` seconds. Raises ``Cancelled`` or ``DeadlineExceeded`` where ``cancel`` ends the work.
        """
        ends_at = None if timeout is None else clock.now() + timeout
        with cancel.on_cancel(self.wake), self._changed:
            while not over():
                cancel.check()
                left = None if ends_at is None else ends_at - clock.now()
                if left is not None and left <= 0:
                    return False
                self._changed.wait(left)
        return True
