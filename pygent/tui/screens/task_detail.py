"""A task of its own: its conversation and its tool calls, live, and what can be done with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.theme import Theme
from textual.widgets import Static

from pygent.transcript import AssistantItem, Item, TaskItem, ToolItem, Transcript
from pygent.tui.colours import Palette
from pygent.tui.keys import LeavesKeys
from pygent.tui.panes.blocks.making import block_for
from pygent.tui.panes.blocks.task import TaskBlock
from pygent.tui.panes.blocks.tool import ToolBlock
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.reading import Reading
from pygent.tui.panes.task_rows import IDLE, idle, waits_for_you
from pygent.tui.panes.task_words import (
    changed,
    cost,
    limit,
    live,
    name_of,
    review_of,
    sign_of,
    span,
    spent,
    tokens,
    why,
)
from pygent.tui.panes.text import one_line, running_for, summary
from pygent.tui.panes.tool_log import TaskCalls
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.task_actions import WORDS, TaskActions
from pygent.tui.text import plural
from pygent.tui.widgets.detail_tabs import DetailTabs
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session

ROLES = {"primary": "running", "success": "ok", "error": "bad", "warning": "waiting"}


class TaskDetailScreen(ModalScreen[None]):
    """Reads the transcript anew ten times a second while the task goes on, so it needs no events of its own."""

    CSS_PATH = "task_detail.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="task.close"),
        Binding("1", "show('conversation')", "The task's conversation", id="task.conversation"),
        Binding("2", "show('calls')", "The task's tool calls", id="task.calls"),
        Binding("s", "do('stop')", "Stop the task", id="task.stop"),
        Binding("m", "do('message')", "Send the task a message, or answer it", id="task.message"),
        Binding("d", "do('review')", "Review what the task changed", id="task.review"),
        Binding("x", "do('discard')", "Discard what the task changed", id="task.discard"),
        Binding("r", "do('retry')", "Do the task again", id="task.retry"),
    ]

    def __init__(self, task: TaskItem, transcript: Transcript, session: Session) -> None:
        super().__init__()
        self.item = task
        self._view = transcript.agent(task.task_id)
        self._transcript = transcript
        self._session = session
        self._shown = 0
        self._open: dict[int, tuple[object, ...]] = {}
        self._said: tuple[object, ...] = ()
        self._part = "conversation"

    def compose(self) -> ComposeResult:
        with Reading(id="task"):
            yield Static(markup=False, id="task-state")
            yield Static(markup=False, id="task-note")
            yield TaskTabs(id="task-tabs")
            yield Static(markup=False, id="task-empty")
            yield TaskTranscript(self._palette(), id="task-conversation")
            yield TaskCalls(self.item.task_id, id="task-calls")
            yield KeyLine()

    def _palette(self) -> Palette:
        return Palette.from_variables(self.app.get_css_variables(), dark=self.app.current_theme.dark)

    def _theme_changed(self, _theme: Theme) -> None:
        self.query_one(TranscriptView).set_palette(self._palette())

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)
        self._actions = TaskActions(self.app, self._session, self._transcript)
        self.query_one("#task").border_title = Content(f"Task · {name_of(self.item)}")
        self.query_one(TaskCalls).attach(self._session, self._transcript)
        self.action_show(self._part)
        self.set_interval(0.1, self._update)

    def _update(self) -> None:
        self._head()
        blocks = self.query_one(TranscriptView)
        items = self._view.items
        self.query_one("#task-empty").display = not items and self._part == "conversation"
        changed_blocks = []
        for index, before in list(self._open.items()):
            now = _signature(items[index])
            if now != before:
                changed_blocks.append(index)
            if now:
                self._open[index] = now
            else:
                del self._open[index]
        if changed_blocks:
            blocks.touch(changed_blocks)
        if len(items) > self._shown:
            new = items[self._shown :]
            for index, item in enumerate(new, self._shown):
                signature = _signature(item)
                if signature:
                    self._open[index] = signature
            self._shown = len(items)
            blocks.extend(block_for(item) for item in new)
        self.query_one(TaskCalls).keep_up()

    def _head(self) -> None:
        task, calls = self.item, self.query_one(TaskCalls).total
        possible = self._actions.possible(task)
        said = (self._state(), self._note(), calls, self._part, *possible)
        if said == self._said:
            return
        self._said = said
        state = self.query_one("#task-state", Static)
        state.update(self._state())
        state.set_classes(f"task--{ROLES.get(sign_of(task).style, 'other')}")
        note = self.query_one("#task-note", Static)
        note.update(Content(self._note()))
        note.display = bool(self._note())
        self.query_one(TaskTabs).tell(calls, self._part)
        nothing = "Nothing said yet." if live(task) else "What it said stands in the session in which it ran."
        self.query_one("#task-empty", Static).update(f"{one_line(task.prompt)}\n\n{nothing}")
        own = [
            (WORDS[action][0], WORDS[action][1].capitalize(), f"do('{action}')")
            for action in possible
            if action != "open"
        ]
        blocks = [("shift+↑↓", "Choose block", "choose"), ("o", "Open block", "open_block")]
        rows = [("enter", "Open call", "open_call"), ("/", "Filter", "filter_calls")]
        self.query_one(KeyLine).tell(
            ("esc", "Close", "close"), *own, *(blocks if self._part == "conversation" else rows)
        )

    def _state(self) -> str:
        task, view = self.item, self._view
        sign = sign_of(task)
        word = one_line(task.status, 120) if task.status.startswith(sign.word) else sign.word
        parts = [f"{sign.sign} {word}", span(task), f"step {view.step or task.steps}"]
        parts = parts if view.step or task.steps else parts[:-1]
        parts.append(spent(tokens(task, view), cost(task, view)))
        if (number := changed(task, view)) and review_of(task) is None:
            parts.append(f"{plural(number, 'file')} changed")
        if (review := review_of(task)) is not None:
            parts.append(f"{review.sign} {review.word}")
        parts.append(f"id {one_line(task.task_id, 40)}")
        return " · ".join(part for part in parts if part)

    def _note(self) -> str:
        """What a person should know now: that it waits, and for what; why it ended; which files it changed."""
        task = self.item
        if (waited := waits_for_you(task, self._view)) is not None:
            question = self._actions.question(task)
            last = self._view.last_tool
            if question is not None:
                return f"? asks you, for {running_for(waited)}: {summary(question.arguments)}"
            about = f"{last.tool} {summary(last.arguments, last.folder)}" if last is not None else ""
            return f"? waits for you, {running_for(waited)}: {about} · the question stands above the prompt"
        if (still := idle(task, self._view)) >= IDLE:
            return f"idle for {running_for(still)}"
        files = [str(change.get("path", "")) for change in task.changes] or task.files_changed
        told = task.ended_at is not None and (task.status == "lost" or not task.status.startswith(sign_of(task).word))
        parts = [why(task) if told else limit(task), ", ".join(files[:20])]
        if task.retry_of:
            parts.append(f"does task {one_line(task.retry_of, 40)} again")
        return one_line(" · ".join(part for part in parts if part))

    def action_show(self, part: str) -> None:
        """Show the conversation or the tool calls, and give them the keys."""
        self._part = part
        conversation, calls = self.query_one(TaskTranscript), self.query_one(TaskCalls)
        conversation.display, calls.display = part == "conversation", part == "calls"
        (conversation if part == "conversation" else calls).focus()
        self._update()

    def on_transcript_view_block_opened(self, event: TranscriptView.BlockOpened) -> None:
        event.stop()
        if isinstance(event.block, ToolBlock):
            screen = ToolDetailScreen(event.block.item, agent=self.item.persona, session=self._session)
            self.app.push_screen(screen)
        elif isinstance(event.block, TaskBlock):
            self._actions.open(event.block.item)

    def action_close(self) -> None:
        self.dismiss()

    def action_do(self, action: str) -> None:
        """One of the actions of `TaskActions`."""
        self._actions.do(action, self.item)

    def action_choose(self) -> None:
        self.query_one(TranscriptView).action_select_block(-1)

    def action_open_block(self) -> None:
        self.query_one(TranscriptView).action_open_block()

    def action_open_call(self) -> None:
        self.query_one(TaskCalls).rows.action_open()

    def action_filter_calls(self) -> None:
        self.query_one(TaskCalls).action_filter()


class TaskTabs(DetailTabs):
    """Its two parts."""

    NUMBERS = ("conversation", "calls")
    WORDS = ("Conversation", "Tool calls")

    def tell(self, calls: int, current: str) -> None:
        """Say how many calls there are, and which part shows."""
        self.show(self.NUMBERS, current, (self.WORDS[0], f"{self.WORDS[1]} · {calls:,}"))


class TaskTranscript(TranscriptView, LeavesKeys):
    """A task's conversation; ``m`` is for the task, as ``o`` shows a block whole."""

    LEFT = frozenset({"maximise_block"})


def _signature(item: Item) -> tuple[object, ...]:
    """What differs while the item goes on; empty once it is whole."""
    match item:
        case AssistantItem(done=False):
            return len(item.text), len(item.reasoning)
        case ToolItem(state="waiting" | "running"):
            return item.state, len(item.output), item.output[-32:], int(time.time())
        case TaskItem(ended_at=None):
            return (item.status,)
    return ()
