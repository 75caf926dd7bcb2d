"""The screen that a session is worked on: four panes, the prompt, the approval, the status line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from pygent.events import Event
from pygent.transcript import Item, Transcript
from pygent.tui.contained import contained
from pygent.tui.draft import Draft
from pygent.tui.panes.conversation import ConversationPane
from pygent.tui.screens.asking_screen import AskingScreen
from pygent.tui.screens.desk import PromptDesk
from pygent.tui.screens.past import Past
from pygent.tui.screens.surface import ScreenSurface
from pygent.tui.widgets.completions import Completions
from pygent.tui.widgets.prompt import Prompt
from pygent.tui.widgets.status import StatusLine
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.tui.app import PygentApp
    from pygent.tui.task_actions import TaskActions
    from pygent.tui.widgets.queue import QueueList


class MainScreen(AskingScreen):
    """Hands events to the panes and what the person does to the session; draws nothing itself."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "interrupt", "Interrupt the run", id="run.interrupt"),
        Binding("alt+t", "fold_todos", "Fold or unfold the to-dos", id="todos.fold"),
        Binding("shift+tab", "next_mode", "Next permission mode", id="permissions.next", priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.transcript = Transcript()
        self.surface = ScreenSurface(self)
        self._past = Past(self)
        self.desk = PromptDesk(self)

    def compose(self) -> ComposeResult:
        self.conversation.welcome.session = self.session
        yield from self.panes.first()
        yield Prompt(id="prompt")
        yield StatusLine(id="status")

    async def complete(self) -> None:
        """Bring what the first frame can do without: the side panes, and the lines that are seldom there."""
        from pygent.tui.widgets.queue import QueueList  # noqa: PLC0415 - after the first frame
        from pygent.tui.widgets.todo_bar import TodoBar  # noqa: PLC0415

        await self.panes.complete()
        todos, queue = TodoBar(id="todos"), QueueList(id="queue")
        await self.mount_all([todos, queue, Completions(id="completions")], before="#prompt")
        self.desk.begin(queue, todos)

    def on_mount(self) -> None:
        self.desk.meet(self.prompt)
        self.status.session = self.session
        self.status.transcript = self.transcript
        self.status.changed()
        ahead = self.pygent.typed_ahead
        if text := ahead.text():
            self.prompt.insert(text)
        self.app.call_later(ahead.open)  # the prompt has the focus since it was composed

    @property
    def pygent(self) -> PygentApp:
        """The app, by its own type."""
        return cast("PygentApp", self.app)

    @property
    def task_actions(self) -> TaskActions:
        """What can be done with the tasks of this session."""
        from pygent.tui.task_actions import TaskActions  # noqa: PLC0415 - once there is a task

        return TaskActions(self.app, self.session, self.transcript)

    @property
    def conversation(self) -> ConversationPane:
        return self.panes.conversation

    @property
    def prompt(self) -> Prompt:
        return self.query_one("#prompt", Prompt)

    @property
    def status(self) -> StatusLine:
        return self.query_one("#status", StatusLine)

    def use(self, session: Session) -> None:
        """Work with another session than the one at hand, which was not opened."""
        self.session = self.status.session = self.conversation.welcome.session = session
        self.state_changed()

    # From the session.

    def session_opened(self) -> None:
        """The session is open: the panes meet it, and what was sent meanwhile goes out."""
        if not self._past.under_way:
            self.attach_panes()
        self.desk.sender.opened()
        self.desk.completion.edited()  # files can be listed now
        self.state_changed()

    def attach_panes(self) -> None:
        """Let the panes show what the transcript has, and keep up from there."""
        for pane in (self.conversation, *self.panes.beside):
            pane.attach(self.session, self.transcript)

    def opening_failed(self, error: str) -> None:
        """The session cannot be used; what was sent comes back into the prompt."""
        self.desk.sender.opening_failed()
        self.note("Pygent could not start the session", error, level="error")
        self.status.note = "not open · Ctrl+Q quits"
        self.state_changed()

    def take(self, batch: Sequence[Event]) -> None:
        """Take a batch of events in and let the panes follow."""
        if self._past.keeps(batch, self.take):
            return
        folded: list[tuple[Event, Item | None]] = []
        for event in batch:
            item = self.transcript.apply(event)
            folded.append((event, item))
        for pane in (self.conversation, *self.panes.beside):
            try:
                pane.apply_batch(folded)
            except Exception as error:  # one pane that fails must not take the others with it
                contained(self.app, f"what is new in the pane {pane.id}", error)
        self.approvals.take(batch)
        self.plans.take(batch)
        self.desk.take(batch)
        self.status.changed()
        self.panes.count(self.transcript)

    # From the prompt.

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.desk.submit(event.draft)

    def submit(self, text: str) -> None:
        """Do what a text asks for: a command, a command in the sandbox, or a prompt for the agent."""
        self.desk.submit(Draft(text))

    @on(Prompt.Edited)
    def _edited(self) -> None:
        self.desk.edited()

    @on(Prompt.CompletionKey)
    def _completion_key(self, event: Prompt.CompletionKey) -> None:
        self.desk.key(event.key)

    @on(Completions.Taken)
    def _completion_taken(self) -> None:
        self.desk.clicked()

    @on(Prompt.Asked)
    def _asked(self, event: Prompt.Asked) -> None:
        self.desk.asked(event.what)

    @on(Prompt.FilesPasted)
    def _files_pasted(self, event: Prompt.FilesPasted) -> None:
        self.desk.pasted(event.text)

    @on(Prompt.PictureClicked)
    def _picture_clicked(self, event: Prompt.PictureClicked) -> None:
        self.desk.show_picture(event.picture)

    def on_queue_list_chosen(self, event: QueueList.Chosen) -> None:
        self.desk.sender.chosen(event.what, event.prompt_id)

    def on_unmount(self) -> None:
        self.desk.keeper.end()

    # The conversation's blocks.

    @on(TranscriptView.BlockOpened)
    def _open_block(self, event: TranscriptView.BlockOpened) -> None:
        from pygent.tui.panes.blocks.plan import PlanBlock  # noqa: PLC0415
        from pygent.tui.panes.blocks.task import TaskBlock  # noqa: PLC0415
        from pygent.tui.panes.blocks.tool import ToolBlock  # noqa: PLC0415
        from pygent.tui.screens.tool_detail import ToolDetailScreen  # noqa: PLC0415

        if isinstance(event.block, ToolBlock):
            self.app.push_screen(ToolDetailScreen(event.block.item, session=self.session))
        elif isinstance(event.block, TaskBlock):
            self.task_actions.open(event.block.item)
        elif isinstance(event.block, PlanBlock) and event.block.item is self.plans.item:
            self.plans.decide()

    # Keys.

    def action_interrupt(self) -> None:
        if self.approvals.back() or self.plans.back() or self.desk.escape():
            return
        if self.session.interrupt():
            self.desk.sender.show()
        elif not self.approvals.answer_by_key():
            self.prompt.focus()

    def action_scroll_conversation(self, pages: int) -> None:
        self.conversation.view.page(pages)

    def action_interrupt_run(self) -> None:
        """For the mouse: whatever Esc would do first where the focus is."""
        self.session.interrupt()

    def action_command(self, name: str) -> None:
        """Begin a slash command in the prompt, where its values are offered; a draft goes first."""
        if self.prompt.text:
            self.notify(f"/{name} changes it, in an empty prompt.", timeout=4)
        else:
            self.prompt.set_text(f"/{name} ")
        self.prompt.focus()

    def action_show_costs(self) -> None:
        self.submit("/cost")

    def action_fold_todos(self) -> None:
        self.desk.fold_todos()

    def action_next_mode(self) -> None:
        self.session.cycle_permission_mode()
        self.state_changed()

    # What others need of the screen.

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        """Say something in the conversation that is no part of the transcript."""
        self.conversation.note(title, text, level=level)

    def to_prompt(self, text: str) -> None:
        """Put ``text`` where the cursor of the prompt is, and give the prompt the keys."""
        self.prompt.put(text)
        self.prompt.focus()

    def state_changed(self) -> None:
        """Model, persona, mode or sandbox may be others now."""
        self.conversation.refresh_welcome()
        self.status.changed()
