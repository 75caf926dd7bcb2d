"""Everything around the prompt: completion, history, images, the queue, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pygent.errors import PygentError
from pygent.events import Event
from pygent.tui.draft import Draft, Picture, joined
from pygent.tui.screens.completing import PromptCompletion
from pygent.tui.screens.history_search import HistorySearch
from pygent.tui.screens.keeping import Keeper
from pygent.tui.screens.prompting import Sender
from pygent.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen
    from pygent.tui.widgets.queue import QueueList
    from pygent.tui.widgets.todo_bar import TodoBar


class PromptDesk:
    """What the main screen asks about its prompt, and what the prompt asks for."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.completion = PromptCompletion(screen)
        self.sender = Sender(screen)
        self.search = HistorySearch(screen)
        self.keeper = Keeper(screen, self._unsent)
        self.sender.changed = self.keeper.changed
        self._todos: TodoBar | None = None
        self._prompt: Prompt  # kept, since it is asked for its text at the very end, when the screen has none

    def meet(self, prompt: Prompt) -> None:
        """The prompt is there."""
        self._prompt = prompt
        prompt.complete_with_enter, prompt.take_back = self.enter, self.sender.take_back

    def begin(self, queue: QueueList, todos: TodoBar) -> None:
        """Everything is mounted and the first frame is painted."""
        self.sender.list, self._todos = queue, todos
        self.keeper.begin()
        self.sender.show()
        self._show_todos()
        if self._prompt.text:
            self.completion.edited()

    def leave(self) -> tuple[Draft, list[Draft], list[Draft]]:
        """Another screen takes over: what is in the prompt, what waits behind it, and what was sent."""
        draft, queued = self._unsent()
        self.keeper.end(handed_over=True)
        return draft, queued, self._prompt.recall.sent

    def typed(self) -> Draft:
        """What is in the prompt, also once its screen is gone."""
        return self._unsent()[0]

    def arrive(self, left: tuple[Draft, list[Draft], list[Draft]]) -> None:
        """Take over from another screen. What waited there waits for the person here, what is typed already stays."""
        draft, queued, sent = left
        if draft.text.strip():
            self._prompt.set_draft(joined([draft, self._prompt.draft()]))
        self.sender.hold(queued)
        if not self.keeper.on:
            self._prompt.recall.remember_earlier(sent)

    def take(self, batch: Sequence[Event]) -> None:
        """Follow what happens in the session."""
        self.completion.forget_files(batch)
        self.sender.take(batch)
        self._show_todos()

    def fold_todos(self) -> None:
        """Fold the list of to-dos, or unfold it."""
        if self._todos is not None and self._todos.display:
            self._todos.toggle()
        else:
            self._screen.notify("The agent keeps no list of to-dos.", timeout=3)

    def _show_todos(self) -> None:
        if self._todos is not None:
            transcript = self._screen.transcript
            self._todos.show(transcript.main.todos, crowded=bool(transcript.approvals))

    def submit(self, draft: Draft) -> None:
        """Send."""
        self.completion.close()
        self.sender.submit(draft)
        self.keeper.sent(draft)

    def edited(self) -> None:
        """The prompt's text changed."""
        if self.search.on:
            self.search.edited()
            return
        self.completion.edited()
        self.sender.hint()
        self.keeper.changed()

    def enter(self) -> bool:
        """Enter was pressed. Answers False where the text is to be sent as it is."""
        if self.search.on:
            self.search.take()
            return True
        return self.completion.enter()

    def key(self, key: str) -> None:
        """A key for the list above the prompt: ``up``, ``down`` or ``take``."""
        if not self.search.on:
            self.completion.key(key)
            self._attach_mentioned()
        elif key == "take":
            self.search.take()
        else:
            self.search.move(-1 if key == "up" else 1)

    def clicked(self) -> None:
        """A line of the list above the prompt was clicked."""
        if self.search.on:
            self.search.clicked()
            self._prompt.focus()
        else:
            self.completion.take()
            self._attach_mentioned()

    def escape(self) -> bool:
        """Close what is open above the prompt. Answers whether anything was."""
        return self.search.close() or self.completion.close()

    def asked(self, what: str) -> None:
        """Do what a key of the prompt asks for."""
        match what:
            case "search_history":
                self.completion.close()
                self.search.begin()
            case "send_queued":
                self.sender.send_next()
            case "choose_queued":
                self._choose_queued()
            case "paste_image":
                self._screen.run_worker(self._paste_image(), exit_on_error=False)
            case "edit":
                self._edit()

    def pasted(self, text: str) -> None:
        """A text was pasted that may be paths of images."""
        self._screen.run_worker(self._paste_files(text), exit_on_error=False)

    def show_picture(self, picture: Picture) -> None:
        """Tell of an image in the prompt."""
        self._screen.notify(f"{picture.path} goes with the prompt. Backspace behind it takes it out.", timeout=5)

    def _unsent(self) -> tuple[Draft, list[Draft]]:
        draft = self.search.draft if self.search.on else self._prompt.draft()
        return draft, self.sender.drafts()

    def _choose_queued(self) -> None:
        queue = self.sender.list
        if queue is not None and queue.display:
            queue.focus()
        else:
            self._screen.notify("No prompt is queued. Enter queues one while the agent works.", timeout=4)

    def _edit(self) -> None:
        from pygent.tui.editor import edit  # noqa: PLC0415 - rarely asked for

        draft = self._prompt.draft()
        text = edit(self._screen.app, draft.whole())
        if text is None:
            self._screen.note("Editor", "The editor could not be used; set $EDITOR.", level="warning")
        else:
            self._prompt.set_draft(draft.folded(text))

    async def _paste_files(self, text: str) -> None:
        from pygent.tui.attaching import pasted_images  # noqa: PLC0415 - only with an image

        try:
            pictures = await asyncio.to_thread(pasted_images, self._screen.session.read_image, text)
        except (PygentError, OSError) as error:
            self._refused(error)
            pictures = []
        if not pictures:
            self._prompt.put(text)
        for picture in pictures:
            self._prompt.add_picture(picture)
            self._prompt.put(" ")

    async def _paste_image(self) -> None:
        from pygent.tui.clipboard_image import clipboard_image  # noqa: PLC0415 - only with an image

        try:
            picture = await asyncio.to_thread(clipboard_image)
        except (PygentError, OSError) as error:
            self._refused(error)
        else:
            self._prompt.add_picture(picture)
            self._prompt.put(" ")

    def _attach_mentioned(self) -> None:
        """Make an image of an ``@path`` that was just completed."""
        from pygent.tui.attaching import MENTION, mentioned_path  # noqa: PLC0415 - only once something is completed

        row, column = self._prompt.cursor_location
        before = self._prompt.get_text_range((row, 0), (row, column))
        found = [match for match in MENTION.finditer(before) if before[match.end() :].strip() == ""]
        if found:
            self._screen.run_worker(self._attach(found[-1][0], mentioned_path(found[-1])), exit_on_error=False)

    async def _attach(self, mention: str, path: str) -> None:
        try:
            image = await asyncio.to_thread(self._screen.session.read_image, path)
        except (PygentError, OSError) as error:
            self._refused(error)
            return
        for row in range(self._prompt.document.line_count):
            at = self._prompt.document.get_line(row).find(mention)
            if at >= 0:
                self._prompt.add_picture(Picture(path, image), at=((row, at), (row, at + len(mention))))
                return

    def _refused(self, error: Exception) -> None:
        self._screen.notify(str(error), title="No image", severity="warning", timeout=8, markup=False)
