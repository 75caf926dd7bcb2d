"""The rows of the tasks: two lines a task, who works on what and what each does now, or what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.message import Message

from pygent.transcript import AgentView, TaskItem
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.task_filter import STATES, TaskFilter
from pygent.tui.panes.task_words import changed, cost, name_of, outcome, review_of, sign_of, span, spent, tokens
from pygent.tui.panes.text import one_line, running_for, summary
from pygent.tui.text import plural

IDLE = 10.0
"""Seconds without an event after which a task is called idle."""

LEAST = 16
"""Cells that a row keeps for what a task does, whatever else is to be told."""


class TaskRows(RowsView):
    """One row for each of ``tasks``. ``view`` answers what is known of an agent."""

    EMPTY: ClassVar[Sequence[Part]] = (
        ("", ""),
        ("No tasks yet.", "strong"),
        ("", ""),
        ("A task is delegated work: an agent with a persona and a copy of the workspace.", "muted"),
        ("", ""),
        ("The agent starts tasks; you do with n, or /delegate. Nothing of them reaches your files unseen.", "muted"),
    )
    row_height = 2

    class Opened(Message):
        """A row was chosen."""

        def __init__(self, task: TaskItem) -> None:
            super().__init__()
            self.task = task

    class Moved(Message):
        """The cursor is on another task."""

    def __init__(self, view: Callable[[str], AgentView | None]) -> None:
        super().__init__()
        self.tasks: list[TaskItem] = []
        self.filter = TaskFilter()
        self.hidden = 0
        """Tasks that the filter leaves out."""
        self._view = view

    @property
    def chosen(self) -> TaskItem | None:
        """The one under the cursor."""
        return self.tasks[self.cursor] if 0 <= self.cursor < len(self.tasks) else None

    def show(self, tasks: list[TaskItem], hidden: int) -> None:
        """Show these; the cursor stays on its task."""
        current = self.chosen
        changed_order = [task.task_id for task in tasks] != [task.task_id for task in self.tasks]
        self.tasks, self.hidden = tasks, hidden
        if changed_order:
            self.rows_changed()
            if current in tasks:
                self.cursor = tasks.index(current)
        self.refresh()

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self.tasks)

    def empty(self) -> Sequence[Part]:
        if not self.hidden:
            return self.EMPTY
        why_not = "Esc in the filter clears it."
        if self.filter.unknown:
            states = ", ".join((*STATES, "ended", "review"))
            why_not = f"There is no status {self.filter.unknown[0]!r}; there are: {states}."
        return (("", ""), ("No task fits the filter.", "strong"), ("", ""), (why_not, "muted"))

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        task = self.tasks[index]
        return _head(task) if line == 0 else _below(task, self._view(task.task_id), width)

    def cursor_moved(self) -> None:
        self.post_message(self.Moved())

    def open_row(self, index: int) -> None:
        self.post_message(self.Opened(self.tasks[index]))


def _head(task: TaskItem) -> tuple[Sequence[Part], Sequence[Part]]:
    sign = sign_of(task)
    left = [(f"{sign.sign} ", sign.style), (name_of(task), "strong")]
    if task.retry_of:
        left.append((" again", "muted"))
    left.append((f"  {one_line(task.prompt)}", "muted"))
    return left, ((sign.word, sign.style), (f" {span(task)}".rstrip(), "muted"))


def _below(task: TaskItem, view: AgentView | None, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
    words = outcome(task) if task.ended_at is not None else ""
    left: list[Part] = [("  ", ""), (words, "muted")] if words else _doing(task, view)
    return left, _fitting(_notes(task, view), width - LEAST)


def _doing(task: TaskItem, view: AgentView | None) -> list[Part]:
    parts: list[Part] = [("  ", "")]
    if view is not None and view.step:
        parts.append((f"step {view.step} · ", "muted"))
    last = view.last_tool if view is not None else None
    if last is not None and last.tool == "continue":
        parts += [("asks ", "secondary"), (summary(last.arguments), "muted")]
    elif last is not None:
        parts += [(f"{one_line(last.tool, 24)} ", "secondary"), (summary(last.arguments, last.folder), "muted")]
    elif task.ended_at is None:
        parts.append(("waits for its turn" if task.state == "queued" else "begins", "muted"))
    return parts


def _notes(task: TaskItem, view: AgentView | None) -> list[Part]:
    """What stands at the right, the most important first."""
    notes: list[Part] = []
    if (waits := waits_for_you(task, view)) is not None:
        notes.append((f"waits for you {running_for(waits)}", "warning"))
    elif (still := idle(task, view)) >= IDLE:
        notes.append((f"idle {running_for(still)}", "warning"))
    if (review := review_of(task)) is not None:
        notes.append((f"{review.sign} {review.word}", review.style))
    elif number := changed(task, view):
        notes.append((plural(number, "file"), ""))
    number, price = tokens(task, view), cost(task, view)
    notes += [(part, "muted") for part in spent(number, price).split(" · ") if part]
    return notes


def waits_for_you(task: TaskItem, view: AgentView | None, now: float | None = None) -> float | None:
    """For how many seconds it has waited for a decision or an answer; None where it does not."""
    if task.ended_at is not None:
        return None
    last = view.last_tool if view is not None else None
    if task.waiting_since is None and (last is None or last.state != "waiting"):
        return None
    since = task.waiting_since or (view.last_event_at if view is not None else 0.0)
    return max(0.0, (time.time() if now is None else now) - since)


def idle(task: TaskItem, view: AgentView | None) -> float:
    """Seconds without an event from a task at work; 0 for any other."""
    if task.ended_at is not None or task.state == "queued" or view is None or not view.last_event_at:
        return 0.0
    return time.time() - view.last_event_at


def _fitting(notes: Sequence[Part], room: int) -> list[Part]:
    shown: list[Part] = []
    for text, style in notes:
        used = cell_len(text) + (3 if shown else 0)
        if used > room and shown:
            continue
        room -= used
        shown += [(" · ", "muted"), (text, style)] if shown else [(text, style)]
    return shown
