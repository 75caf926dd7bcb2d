"""The delegated tasks: who works on what, what each does now, and since when."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from pygent.events import Event
from pygent.transcript import AgentView, Item, TaskItem, Transcript
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.signs import task_sign
from pygent.tui.panes.text import one_line, running_for, summary, took
from pygent.tui.text import count

if TYPE_CHECKING:
    from pygent.session import Session

IDLE = 10.0
"""Seconds without an event after which a task is called idle."""


class TasksPane(RowsView):
    """Two lines a task, those that go on first. Enter opens its conversation, ``s`` stops it."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Tasks"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("s", "stop", "Stop task", id="tasks.stop")]
    EMPTY: ClassVar[Sequence[Part]] = (
        ("", ""),
        ("No tasks yet.", "strong"),
        ("", ""),
        ("When the agent delegates work, each task stands here with what it is doing now.", "muted"),
        ("", ""),
        ("Enter opens a task's own conversation, s stops it.", "muted"),
    )
    row_height = 2

    class Selected(Message):
        """A task was chosen; the pane itself opens its conversation."""

        def __init__(self, pane: TasksPane, task: TaskItem) -> None:
            super().__init__()
            self.pane = pane
            self.task = task

        @property
        def control(self) -> TasksPane:
            return self.pane

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self._tasks: list[TaskItem] = []
        self._session: Session | None = None
        self._transcript: Transcript | None = None

    def on_mount(self) -> None:
        self._clock = self.set_interval(1.0, self.refresh, pause=True)

    # What the main screen calls.

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the tasks of ``transcript`` and keep up from there."""
        self._session, self._transcript = session, transcript
        self._tasks = []
        self._take_in()

    def apply_batch(self, batch: Iterable[tuple[Event, Item | None]]) -> None:
        """Take in what events did; on the UI thread."""
        if self._transcript is None or not self._transcript.tasks:
            return
        tasks = self._transcript.tasks
        if any(isinstance(item, TaskItem) or event.agent_id in tasks for event, item in batch):
            self._take_in()

    def _take_in(self) -> None:
        if self._transcript is None:
            return
        order = sorted(self._transcript.tasks.values(), key=_place)
        if [task.task_id for task in order] != [task.task_id for task in self._tasks]:
            current = self._tasks[self.cursor] if 0 <= self.cursor < len(self._tasks) else None
            self._tasks = order
            self.rows_changed()
            if current in order and self.cursor >= 0:
                self.cursor = order.index(current)
        live = sum(task.ended_at is None for task in self._tasks)
        if self.is_mounted:
            (self._clock.resume if live else self._clock.pause)()
        parts = [f"{live} running"] if live else []
        if len(self._tasks) > live:
            parts.append(f"{len(self._tasks) - live} ended")
        self.border_subtitle = " · ".join(parts)
        self.refresh()

    # Rows.

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self._tasks)

    def empty(self) -> Sequence[Part]:
        return self.EMPTY

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        task = self._tasks[index]
        view = self._transcript.agents.get(task.task_id) if self._transcript is not None else None
        return _head(task) if line == 0 else _doing(task, view, time.time())

    def open_row(self, index: int) -> None:
        self.post_message(self.Selected(self, self._tasks[index]))

    def on_tasks_pane_selected(self, event: Selected) -> None:
        if self._transcript is None or self._session is None:
            return
        from pygent.tui.screens.task_detail import TaskDetailScreen  # noqa: PLC0415 - not needed for the first paint

        self.app.push_screen(TaskDetailScreen(event.task, self._transcript, self._session))

    def action_stop(self) -> None:
        """Ask, then stop the task under the cursor."""
        if self._session is None or not 0 <= self.cursor < len(self._tasks):
            return
        from pygent.tui.screens.task_detail import ask_to_stop  # noqa: PLC0415 - not needed for the first paint

        ask_to_stop(self.app, self._tasks[self.cursor], partial(self._session.cancel_task))


def _place(task: TaskItem) -> tuple[bool, float]:
    """What goes on comes first, in the order of its start; what ended after it, the last end first."""
    return task.ended_at is not None, task.at if task.ended_at is None else -task.ended_at


def _head(task: TaskItem) -> tuple[Sequence[Part], Sequence[Part]]:
    sign = task_sign(task.status)
    ended = task.ended_at is not None
    span = took((task.ended_at or 0) - task.at) if ended else running_for(time.time() - task.at)
    left = ((f"{sign.sign} ", sign.style), (one_line(task.persona or task.task_id, 60), "strong"))
    return left, ((f"{sign.word} ", sign.style), (span, "muted"))


def _doing(task: TaskItem, view: AgentView | None, now: float) -> tuple[Sequence[Part], Sequence[Part]]:
    tokens = _tokens(view)
    right = f"{count(tokens)} tok" if tokens else ""
    if task.ended_at is not None:
        text = task.result or (task.status if ":" in task.status or " " in task.status else "") or task.prompt
        return (("  ", ""), (one_line(text), "muted")), ((right, "muted"),) if right else ()
    parts: list[Part] = [("  ", "")]
    if view is not None and view.step:
        parts.append((f"step {view.step} · ", "muted"))
    last = view.last_tool if view is not None else None
    if last is None:
        parts.append((one_line(task.prompt), "muted"))
    else:
        parts += [(f"{one_line(last.tool, 24)} ", "secondary"), (summary(last.arguments, last.folder), "muted")]
    if last is not None and last.state == "waiting":
        return parts, (("waits for you", "warning"),)
    idle = now - view.last_event_at if view is not None and view.last_event_at else 0.0
    if idle >= IDLE:
        return parts, ((f"idle {running_for(idle)}", "warning"),)
    return parts, ((right, "muted"),) if right else ()


def _tokens(view: AgentView | None) -> int:
    if view is None:
        return 0
    return view.usage.get("total_tokens") or sum(
        view.usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")
    )
