"""A task's own conversation, live, and the way to stop the task."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.theme import Theme
from textual.widgets import Static

from pygent.transcript import AssistantItem, Item, TaskItem, ToolItem, Transcript
from pygent.tui.colours import Palette
from pygent.tui.panes.blocks.making import block_for
from pygent.tui.panes.blocks.tool import ToolBlock
from pygent.tui.panes.keys import KeyLine
from pygent.tui.panes.reading import Reading
from pygent.tui.panes.signs import task_sign
from pygent.tui.panes.text import one_line, running_for, took
from pygent.tui.screens.confirm import ConfirmScreen
from pygent.tui.screens.tool_detail import ToolDetailScreen
from pygent.tui.text import count, plural
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session


class TaskDetailScreen(ModalScreen[None]):
    """Reads the transcript anew ten times a second while the task goes on, so it needs no events of its own."""

    CSS_PATH = "task_detail.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", id="task.close"),
        Binding("s", "stop", "Stop task", id="task.stop"),
    ]

    def __init__(self, task: TaskItem, transcript: Transcript, session: Session) -> None:
        super().__init__()
        self._item = task
        self._view = transcript.agent(task.task_id)
        self._session = session
        self._shown = 0
        self._open: dict[int, tuple[object, ...]] = {}
        self._said = ""

    def compose(self) -> ComposeResult:
        with Reading(id="task"):
            yield Static(markup=False, id="task-state")
            yield Static(markup=False, id="task-empty")
            yield TranscriptView(self._palette())
            yield KeyLine(
                ("esc", "Close", "close"),
                ("s", "Stop task", "stop"),
                ("shift+↑↓", "Choose block", "choose"),
                ("enter", "Unfold", "unfold"),
                ("o", "Open call", "open_call"),
            )

    def _palette(self) -> Palette:
        return Palette.from_variables(self.app.get_css_variables(), dark=self.app.current_theme.dark)

    def _theme_changed(self, _theme: Theme) -> None:
        self.query_one(TranscriptView).set_palette(self._palette())

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._theme_changed)
        self.query_one("#task").border_title = Content(
            f"Task · {one_line(self._item.persona or self._item.task_id, 60)}"
        )
        self.query_one(TranscriptView).focus()
        self._update()
        self.set_interval(0.1, self._update)

    def _update(self) -> None:
        self._head()
        blocks = self.query_one(TranscriptView)
        items = self._view.items
        self.query_one("#task-empty").display = not items
        changed = []
        for index, before in list(self._open.items()):
            now = _signature(items[index])
            if now != before:
                changed.append(index)
            if now:
                self._open[index] = now
            else:
                del self._open[index]
        if changed:
            blocks.touch(changed)
        if len(items) > self._shown:
            new = items[self._shown :]
            for index, item in enumerate(new, self._shown):
                signature = _signature(item)
                if signature:
                    self._open[index] = signature
            self._shown = len(items)
            blocks.extend(block_for(item) for item in new)

    def _head(self) -> None:
        task, view = self._item, self._view
        sign = task_sign(task.status)
        ended = task.ended_at is not None
        span = took((task.ended_at or 0) - task.at) if ended else running_for(time.time() - task.at)
        word = one_line(task.status, 120) if task.status.startswith(sign.word) else sign.word
        parts = [f"{sign.sign} {word}", span, f"step {view.step}" if view.step else ""]
        tokens = view.usage.get("total_tokens", 0)
        parts += [f"{count(tokens)} tokens" if tokens else "", f"id {one_line(task.task_id, 40)}"]
        if task.files_changed:
            parts.append(f"{plural(len(task.files_changed), 'file')} changed")
        said = " · ".join(part for part in parts if part)
        if said == self._said:
            return
        self._said = said
        state = self.query_one("#task-state", Static)
        state.update(said)
        role = {"primary": "running", "success": "ok", "error": "bad"}.get(sign.style, "other")
        state.set_classes(f"task--{role}")
        empty = self.query_one("#task-empty", Static)
        empty.update(f"{one_line(task.prompt)}\n\nNothing said yet.")

    def on_transcript_view_block_opened(self, event: TranscriptView.BlockOpened) -> None:
        event.stop()
        if isinstance(event.block, ToolBlock):
            self.app.push_screen(ToolDetailScreen(event.block.item, agent=self._item.persona, session=self._session))

    def action_close(self) -> None:
        self.dismiss()

    def action_stop(self) -> None:
        ask_to_stop(self.app, self._item, self._session.cancel_task)

    def action_choose(self) -> None:
        self.query_one(TranscriptView).action_select_block(-1)

    def action_unfold(self) -> None:
        self.query_one(TranscriptView).action_toggle_block()

    def action_open_call(self) -> None:
        self.query_one(TranscriptView).action_open_block()


def ask_to_stop(app: App[object], task: TaskItem, cancel: Callable[[str], bool]) -> None:
    """Ask whether to stop ``task``, and do it. A task that is over is only told so."""
    name = one_line(task.persona or task.task_id, 60)
    if task.ended_at is not None:
        app.notify(f"{name} has ended already.", markup=False)
        return

    def answered(yes: bool | None) -> None:
        if yes and not cancel(task.task_id):
            app.notify(f"{name} had ended already.", markup=False)

    text = f"{one_line(task.prompt, 300)}\n\nIts files stay as they are; the others go on."
    app.push_screen(ConfirmScreen(f"Stop {name}?", text, yes="Stop it", no="Keep running"), answered)


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
