"""The screen that a session is worked on: four panes, the prompt, the approval, the status line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from pygent.errors import PygentError
from pygent.events import Event, RunFinished
from pygent.transcript import Item, ToolItem, Transcript, UserItem
from pygent.tui import slash
from pygent.tui.completion import NOTHING, Candidate, FileIndex, Found
from pygent.tui.completion import find as find_completions
from pygent.tui.panes.conversation import ConversationPane
from pygent.tui.screens.approvals import ApprovalQueue
from pygent.tui.text import clean_line
from pygent.tui.widgets.completions import Completions
from pygent.tui.widgets.prompt import Prompt
from pygent.tui.widgets.status import StatusLine
from pygent.tui.widgets.tabs import PaneTabs
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.session import Session
    from pygent.tui.app import PygentApp
    from pygent.tui.panes.tasks import TasksPane
    from pygent.tui.panes.tool_log import ToolLogPane
    from pygent.tui.panes.workspace import WorkspacePane
    from pygent.tui.widgets.approval import Approval, Choices

TWO_COLUMNS = 80
"""Cells from which a pane stands beside the conversation."""
ALL_PANES = 130
"""Cells from which all of them do."""


class MainScreen(Screen[None]):
    """Hands events to the panes and what the person does to the session; draws nothing itself."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "interrupt", "Interrupt the run", id="run.interrupt"),
        Binding("shift+tab", "next_mode", "Next permission mode", id="permissions.next", priority=True),
        Binding("f2", "show_pane('conversation')", "Conversation", id="pane.conversation", priority=True),
        Binding("f3", "show_pane('tool-log')", "Tool calls", id="pane.tools", priority=True),
        Binding("f4", "show_pane('tasks')", "Tasks", id="pane.tasks", priority=True),
        Binding("f5", "show_pane('workspace')", "Workspace", id="pane.workspace", priority=True),
        Binding("f6", "toggle_side", "Show or hide the side panes", id="pane.side", priority=True),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.transcript = Transcript()
        self.cost: float | None = None
        self._events: list[Event] = []
        self._queue: list[str] = []
        self._files: FileIndex | None = None
        self._files_asked = False
        self._approvals = ApprovalQueue(self)
        self._pane = "conversation"
        self._side_pane = "tool-log"
        self._side = True
        self._layout = (False, False)
        self._side_panes: tuple[ToolLogPane | TasksPane | WorkspacePane, ...] = ()
        self._tabs: tuple[PaneTabs, ...] = ()

    def compose(self) -> ComposeResult:
        single, tabbed = self._layout = _layout(self.app.size.width)
        side = Vertical(id="side")
        side.display = not single  # before styles are worked out: the first frame is the right one
        self.set_class(single, "-single")
        self.set_class(tabbed, "-tabbed")
        yield Horizontal(ConversationPane(id="conversation"), side, id="body")
        yield Prompt(id="prompt")
        yield StatusLine(id="status")

    async def complete(self) -> None:
        """Bring what the first frame can do without: the side panes, and the lines that are seldom there."""
        from pygent.tui.panes.tasks import TasksPane  # noqa: PLC0415 - after the first frame
        from pygent.tui.panes.tool_log import ToolLogPane  # noqa: PLC0415
        from pygent.tui.panes.workspace import WorkspacePane  # noqa: PLC0415

        panes = (ToolLogPane(id="tool-log"), TasksPane(id="tasks"), WorkspacePane(id="workspace"))
        self._side_panes = panes
        self._tabs = (PaneTabs(id="tabs"), PaneTabs(whole=True, id="top-tabs"))
        self._arrange(self.size.width)
        await self.query_one("#side").mount(self._tabs[0], *panes)
        await self.mount(self._tabs[1], before="#body")
        await self.mount_all([Static(id="queue", markup=False), Completions(id="completions")], before="#prompt")

    def on_mount(self) -> None:
        self.status.session = self.session
        self.status.transcript = self.transcript
        self.conversation.welcome.session = self.session
        self.conversation.refresh_welcome()
        self.status.changed()

    @property
    def pygent(self) -> PygentApp:
        """The app, by its own type."""
        return cast("PygentApp", self.app)

    @property
    def conversation(self) -> ConversationPane:
        return self.query_one("#conversation", ConversationPane)

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
        for pane in (self.conversation, *self._side_panes):
            pane.attach(self.session, self.transcript)
        waiting, self._queue = self._queue, []
        for text in waiting:
            self._send(text)
        self.state_changed()

    def opening_failed(self, error: str) -> None:
        """The session cannot be used; what was sent comes back into the prompt."""
        waiting, self._queue = self._queue, []
        if waiting:
            self.prompt.set_text("\n".join([*waiting, self.prompt.text]).strip())
        self.note("Pygent could not start the session", error, level="error")
        self.status.note = "not open · Ctrl+Q quits"
        self.state_changed()

    def take(self, batch: Sequence[Event]) -> None:
        """Take a batch of events in and let the panes follow."""
        folded: list[tuple[Event, Item | None]] = []
        for event in batch:
            item = self.transcript.apply(event)
            folded.append((event, item))
            if event.durable:
                self._events.append(event)
            if isinstance(event, RunFinished) and event.cost is not None:
                self.cost = (self.cost or 0.0) + event.cost
            if isinstance(item, UserItem) and item.text in self._queue:
                self._queue.remove(item.text)
        for pane in (self.conversation, *self._side_panes):
            pane.apply_batch(folded)
        self._approvals.take(batch)
        self._files_asked = self._files_asked and not any(event.type == "files.changed" for event in batch)
        self._show_queue()
        self.status.changed()

    # From the prompt.

    @on(Prompt.Submitted)
    def _submitted(self, event: Prompt.Submitted) -> None:
        self.submit(event.text)

    def submit(self, text: str) -> None:
        """Do what a text in the prompt asks for: a command, a command in the sandbox, or a prompt for the agent."""
        self._complete_with(NOTHING)
        if slash.is_command(text):
            slash.run_command(self, text)
        elif not self.session.opened:
            self._queue.append(text)
            self._show_queue()
        else:
            self._send(text)

    def _send(self, text: str) -> None:
        try:
            if text.startswith("!"):
                if command := text[1:].strip():
                    self.session.run_command(command)
            else:
                if self.transcript.main.running or self.session.running:
                    self._queue.append(text)
                self.session.submit(text)
        except PygentError as error:
            self.note("Not sent", str(error), level="error")
            self.prompt.set_text(text)
        self.conversation.view.follow()
        self._show_queue()

    def _show_queue(self) -> None:
        if not self._tabs:
            return
        line = self.query_one("#queue", Static)
        line.display = bool(self._queue)
        self.status.queued = len(self._queue)
        if self._queue:
            why = "next" if self.session.opened else "sent when the session is open"
            room = max(10, self.size.width - len(why) - 14)
            line.update(
                Content("\n").join(Content(f"↳ {why}: {clean_line(text)[:room]}") for text in self._queue[:4])
            )

    @on(Prompt.Edited)
    def _edited(self) -> None:
        self._complete()

    @on(Prompt.CompletionKey)
    def _completion_key(self, event: Prompt.CompletionKey) -> None:
        completions = self.query_one(Completions)
        if event.key in {"up", "down"}:
            completions.move(-1 if event.key == "up" else 1)
            return
        chosen, typed = completions.chosen, self.prompt.text
        if (
            event.key == "enter"
            and chosen is not None
            and (chosen.text == typed or typed in {c.text for c in completions.found.candidates})
        ):
            self._complete_with(NOTHING)
            self.prompt.send()
            return
        self._take_completion()
        if event.key == "enter" and chosen is not None and chosen.final:
            self.prompt.send()

    @on(Completions.Taken)
    def _take_completion(self) -> None:
        completions = self.query_one(Completions)
        chosen = completions.chosen
        if chosen is None:
            return
        row, column = self.prompt.cursor_location
        start = (row, max(0, column - completions.found.length))
        text = chosen.text if chosen.final or chosen.text.endswith(" ") else f"{chosen.text} "
        self.prompt.replace(text, start, (row, column))
        self.prompt.focus()

    def _complete(self) -> None:
        prompt = self.prompt
        row, column = prompt.cursor_location
        before = prompt.get_text_range((0, 0), (row, column)) if row < 50 else ""
        found = find_completions(
            before, self._candidates() if before.startswith("/") else (), self._values, self._file_index
        )
        self._complete_with(found)

    def _complete_with(self, found: Found) -> None:
        for completions in self.query(Completions):
            completions.show(found)
            self.prompt.completing = bool(found.candidates)

    def _candidates(self) -> list[Candidate]:
        return [
            Candidate(
                f"/{command.name}",
                f"{command.usage + '  ' if command.usage else ''}{command.about}",
                not command.usage,
            )
            for command in slash.commands()
        ]

    def _values(self, name: str) -> Sequence[str]:
        command = slash.find(name)
        if command is None or command.values is None or (command.needs_open and not self.session.opened):
            return ()
        return command.values(self)

    def _file_index(self) -> FileIndex | None:
        if not self._files_asked and self.session.opened:
            self._files_asked = True
            self.run_worker(self._read_files, thread=True, exit_on_error=False)
        return self._files

    def _read_files(self) -> None:
        try:
            index = FileIndex(self.session.list_files())
        except (PygentError, OSError):
            return
        self.app.call_later(self._files_read, index)

    def _files_read(self, index: FileIndex) -> None:
        self._files = index
        self._complete()

    @on(Prompt.EditorAsked)
    def _editor(self) -> None:
        from pygent.tui.editor import edit  # noqa: PLC0415 - rarely asked for

        text = edit(self.app, self.prompt.text)
        if text is None:
            self.note("Editor", "The editor could not be used; set $EDITOR.", level="warning")
        else:
            self.prompt.set_text(text)

    # Approvals.

    def on_approval_answered(self, event: Approval.Answered) -> None:
        self._approvals.answer(event.request_id, event.decision, event.feedback)

    def on_choices_typed_ahead(self, event: Choices.TypedAhead) -> None:
        self.prompt.insert(event.character)

    # The conversation's blocks.

    @on(TranscriptView.BlockOpened)
    def _open_block(self, event: TranscriptView.BlockOpened) -> None:
        from pygent.tui.panes.blocks import ToolBlock  # noqa: PLC0415
        from pygent.tui.screens.tool_detail import ToolDetailScreen  # noqa: PLC0415

        if isinstance(event.block, ToolBlock):
            item: ToolItem = event.block.item
            self.app.push_screen(ToolDetailScreen(item))

    @on(TranscriptView.BlockCopied)
    def _copy_block(self, event: TranscriptView.BlockCopied) -> None:
        self.copy(event.block.plain())

    # Keys.

    def action_interrupt(self) -> None:
        if self._approvals.back():
            return
        if self.prompt.completing:
            self._complete_with(NOTHING)
        elif self.transcript.main.running or self.session.running:
            self.session.interrupt()
        else:
            self.prompt.focus()

    def action_next_mode(self) -> None:
        self.session.cycle_permission_mode()
        self.state_changed()

    def action_show_pane(self, pane: str) -> None:
        self.show_pane(pane)

    def show_pane(self, pane: str) -> None:
        """Bring a pane into view and give it the keys."""
        self._pane = pane
        if pane != "conversation":
            self._side_pane, self._side = pane, True
        self._arrange(self.size.width)
        if pane == "conversation":
            self.conversation.focus_view()
        else:
            self.query_one(f"#{pane}").focus()

    def action_toggle_side(self) -> None:
        if self.size.width < TWO_COLUMNS:
            self.show_pane(self._side_pane if self._pane == "conversation" else "conversation")
            return
        self._side = not self._side
        if not self._side and self._pane != "conversation":
            self._pane = "conversation"
            self.prompt.focus()
        self._arrange(self.size.width)

    def on_resize(self, event: events.Resize) -> None:
        if _layout(event.size.width) != self._layout:
            self._arrange(event.size.width)

    def _arrange(self, width: int) -> None:
        """All four panes; the conversation and one beside it; or one pane at a time."""
        self._layout = single, tabbed = _layout(width)
        self.set_class(single, "-single")
        self.set_class(tabbed, "-tabbed")
        shown = self._pane if single else self._side_pane
        self.conversation.display = not single or shown == "conversation"
        self.query_one("#side").display = shown != "conversation" if single else self._side
        for pane in self._side_panes:
            pane.display = not tabbed or pane.id == shown
        for tabs in self._tabs:
            tabs.display = single if tabs.whole else tabbed and not single
            tabs.current = shown

    # What slash commands and approvals need.

    def note(self, title: str, text: str = "", *, level: str = "info") -> None:
        self.conversation.note(title, text, level=level)

    def work(self, title: str, job: Callable[[], str | None]) -> None:
        """Run ``job`` on a thread; note what it answers, or its error."""

        def run() -> None:
            try:
                answer, level = job(), "info"
            except (PygentError, ValueError, OSError) as error:
                answer, level = str(error), "error"
            if answer is not None:
                self.app.call_later(lambda: self.note(title, answer, level=level))
            self.app.call_later(self.state_changed)

        self.run_worker(run, thread=True, exit_on_error=False)

    def state_changed(self) -> None:
        """Model, persona, mode or sandbox may be others now."""
        self.conversation.refresh_welcome()
        self.status.changed()

    def quit(self) -> None:
        self.pygent.leave()

    def show_help(self) -> None:
        self.pygent.action_help()

    def choose_theme(self) -> None:
        self.app.search_themes()

    def set_theme(self, name: str) -> None:
        if name not in self.app.available_themes:
            raise ValueError(f"there is no theme {name!r}; there are: {', '.join(self.theme_names())}")
        self.app.theme = name

    def theme_names(self) -> Sequence[str]:
        return sorted(self.app.available_themes, key=lambda name: (not name.startswith("pygent"), name))

    def set_title(self, title: str) -> None:
        self.conversation.border_title = Content(clean_line(title) or ConversationPane.BORDER_TITLE)

    def clear_conversation(self) -> None:
        self.conversation.clear()

    def copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.notify("Copied.", timeout=2, markup=False)

    def last_answer(self) -> str:
        return self.conversation.last_answer()

    def export(self, path: str) -> Path:
        """Write the session to a new file; the ending ``.jsonl`` asks for the events. Raises ``OSError``."""
        from pygent.export import export  # noqa: PLC0415

        target = Path(path).expanduser()
        if not target.is_absolute():
            target = self.session.workspace / target
        text = export(self._events, "jsonl" if target.suffix == ".jsonl" else "markdown")
        with target.open("x", encoding="utf-8") as file:
            target.chmod(0o600)
            file.write(text)
        return target


def _layout(width: int) -> tuple[bool, bool]:
    """Whether one pane shows at a time, and whether panes are behind tabs."""
    return width < TWO_COLUMNS, width < ALL_PANES
