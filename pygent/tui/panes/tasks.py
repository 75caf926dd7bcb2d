"""The delegated tasks: who works on what, what each does now and since when, what came of it, what it cost."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message

from pygent.events import Event
from pygent.transcript import AgentView, Item, TaskItem, Transcript
from pygent.tui.keys import key_of
from pygent.tui.panes.task_filter import CYCLE, in_order, parse_filter, spelled, summary_of
from pygent.tui.panes.task_rows import TaskRows
from pygent.tui.panes.task_words import live, spent
from pygent.tui.panes.tool_filter import value_of, with_value
from pygent.tui.panes.word_filter import WordFilter
from pygent.tui.task_actions import WORDS, TaskActions

if TYPE_CHECKING:
    from pygent.session import Session


BETWEEN = "  "

ROOMY = 48
"""Cells from which the upper border says whose tokens it tells."""


class TasksPane(Vertical):
    """A live list with a filter; what can be done with the task under the cursor stands on its lower border."""

    DEFAULT_CSS = Path(__file__).with_suffix(".tcss").read_text(encoding="utf-8")
    BORDER_TITLE = "Tasks"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "do('stop')", "Stop the task", id="tasks.stop"),
        Binding("m", "do('message')", "Send the task a message, or answer it", id="tasks.message"),
        Binding("d", "do('review')", "Review what the task changed", id="tasks.review"),
        Binding("x", "do('discard')", "Discard what the task changed", id="tasks.discard"),
        Binding("r", "do('retry')", "Do the task again", id="tasks.retry"),
        Binding("n", "start", "Start a task", id="tasks.start"),
        Binding("f,slash", "filter", "Filter the tasks", id="tasks.filter"),
        Binding("a", "next_status", "All tasks, those at work, ended, to review", id="tasks.filter-status"),
    ]

    class Selected(Message):
        """A task was chosen; the pane itself opens it."""

        def __init__(self, pane: TasksPane, task: TaskItem) -> None:
            super().__init__()
            self.pane = pane
            self.task = task

        @property
        def control(self) -> TasksPane:
            return self.pane

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes=classes)
        self.rows = TaskRows(self._view)
        self._tasks: list[TaskItem] = []
        self._transcript: Transcript | None = None
        self._session: Session | None = None
        self._actions: TaskActions | None = None

    def compose(self) -> ComposeResult:
        yield self.rows
        yield TaskFilterLine()

    def on_mount(self) -> None:
        self._clock = self.set_interval(1.0, self._tick, pause=True)

    def focus(self, scroll_visible: bool = True) -> TasksPane:
        """Give the focus to the rows."""
        self.rows.focus(scroll_visible)
        return self

    # What the main screen calls.

    def attach(self, session: Session, transcript: Transcript) -> None:
        """Show the tasks of ``transcript`` and keep up from there."""
        self._session, self._transcript = session, transcript
        self._actions = TaskActions(self.app, session, transcript)
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
        self._tasks = in_order(self._transcript.tasks.values())
        fits = self.rows.filter.fits
        shown = [task for task in self._tasks if fits(task)]
        self.rows.show(shown, len(self._tasks) - len(shown))
        if self.is_mounted:
            (self._clock.resume if any(map(live, self._tasks)) else self._clock.pause)()
        self._borders()

    def _tick(self) -> None:
        self.rows.refresh()
        self._borders()

    # The borders: what all tasks take, and what can be done with one.

    def _borders(self) -> None:
        transcript = self._transcript
        if transcript is None:
            return
        title = Content(self.BORDER_TITLE)
        if self._tasks and (all_spent := spent(transcript.tokens, transcript.cost)):
            whose = "all agents " if self.size.width >= ROOMY else ""
            title = Content.assemble(title, (f" · {whose}{all_spent}", "$text-muted not bold"))
        subtitle = self._keys() if self.has_focus_within else Content(self._counted())
        if str(self.border_title) != title.markup:
            self.border_title = title
        if str(self.border_subtitle or "") != subtitle.markup:
            self.border_subtitle = subtitle

    def _counted(self) -> str:
        counted = summary_of(self._tasks)
        return f"{len(self.rows.tasks)} of {len(self._tasks)} · {counted}" if self.rows.filter else counted

    def _keys(self) -> Content:
        task = self.rows.chosen
        if task is None or self._actions is None:
            key = Content.styled(key_of(self.app, "tasks.start", "n"), "bold")
            return Content.assemble(key, " start a task").stylize("@click=start")
        parts: list[Content] = []
        for action in self._actions.possible(task):
            default, words = WORDS[action]
            key_id = "rows.open" if action == "open" else f"tasks.{action}"
            key = Content.styled(key_of(self.app, key_id, default).lower(), "bold")
            parts.append(Content.assemble(key, f" {words}").stylize(f"@click=do('{action}')"))
        if sum(part.cell_length + len(BETWEEN) for part in parts) > self.size.width - 2:
            del parts[0]  # Enter opens what a cursor is on everywhere
        return Content(BETWEEN).join(parts)

    def on_resize(self) -> None:
        self._borders()

    def on_descendant_focus(self) -> None:
        self._borders()

    def on_descendant_blur(self) -> None:
        self.call_after_refresh(self._borders)

    def on_task_rows_moved(self, event: TaskRows.Moved) -> None:
        event.stop()
        self._borders()

    # The filter.

    @property
    def filter_line(self) -> WordFilter:
        return self.query_one(WordFilter)

    def set_filter(self, text: str) -> None:
        """Show only what fits ``text``, as it is typed in the filter."""
        self.filter_line.set_text(text)

    def personas(self) -> list[str]:
        """The personas of the tasks, as a filter has them."""
        return list(dict.fromkeys(spelled(task) for task in self._tasks))

    def action_filter(self) -> None:
        self.filter_line.begin()

    def action_next_status(self) -> None:
        value = value_of(self.filter_line.text, "status")
        following = CYCLE[(CYCLE.index(value) + 1) % len(CYCLE)] if value in CYCLE else ""
        self.set_filter(with_value(self.filter_line.text, "status", following))

    def on_word_filter_changed(self, event: WordFilter.Changed) -> None:
        event.stop()
        self.rows.filter = parse_filter(event.text)
        self._take_in()

    def on_word_filter_left(self, event: WordFilter.Left) -> None:
        event.stop()
        self.rows.focus()

    # What is done with a task.

    def on_task_rows_opened(self, event: TaskRows.Opened) -> None:
        event.stop()
        self.post_message(self.Selected(self, event.task))

    def on_tasks_pane_selected(self, event: Selected) -> None:
        if self._actions is not None:
            self._actions.open(event.task)

    def action_do(self, action: str) -> None:
        """One of the actions of `TaskActions`, on the task under the cursor."""
        if self._actions is not None and self.rows.chosen is not None:
            self._actions.do(action, self.rows.chosen)

    async def action_start(self) -> None:
        """Begin the command that starts a task, in the prompt."""
        await self.screen.run_action("command('delegate')")

    def _view(self, task_id: str) -> AgentView | None:
        return self._transcript.agents.get(task_id) if self._transcript is not None else None


class TaskFilterLine(WordFilter):
    """The filter of the tasks."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear the filter", id="tasks.filter-clear"),
        Binding("down", "leave", "To the tasks", show=False, id="tasks.filter-leave"),
    ]
    HINT = "status:ended persona:tester words"
