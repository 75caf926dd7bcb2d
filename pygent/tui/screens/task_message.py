"""Where a person writes to a task, or answers what it asks."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from pygent.transcript import TaskItem
from pygent.tui.panes.task_words import name_of
from pygent.tui.panes.text import one_line
from pygent.tui.text import clean
from pygent.tui.widgets.message_input import MessageInput


class TaskMessageScreen(ModalScreen[str | None]):
    """Answers the text, or None where the person left. ``question`` is what the task asks, "" for nothing."""

    CSS_PATH = "task_message.tcss"
    AUTO_FOCUS = "MessageInput"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Send nothing", id="message.leave")]

    def __init__(self, task: TaskItem, question: str = "") -> None:
        super().__init__()
        self._item, self._question = task, question

    def compose(self) -> ComposeResult:
        name = name_of(self._item)
        with Vertical(id="message") as box:
            box.border_title = Content(f"Answer to {name}" if self._question else f"Message to {name}")
            box.border_subtitle = Content(f"task {one_line(self._item.task_id, 40)}")
            with VerticalScroll(id="message-scroll", can_focus=False):
                yield Static(self._about(), markup=False, id="message-about")
            yield MessageInput("Your answer" if self._question else "What should it know?")
            with Horizontal(id="message-buttons"):
                yield Button(Content("Leave (esc)"), id="leave")
                yield Button(Content("Send (enter)"), id="send")

    def _about(self) -> str:
        if self._question:
            return clean(self._question).strip()
        when = "when its turn comes" if self._item.state == "queued" else "before its next step"
        return f"It reads this {when}, and goes on with it."

    @on(MessageInput.Sent)
    def _sent(self, event: MessageInput.Sent) -> None:
        event.stop()
        self.dismiss(event.text)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "leave":
            self.dismiss(None)
        else:
            self.query_one(MessageInput).action_send()

    def action_leave(self) -> None:
        self.dismiss(None)
