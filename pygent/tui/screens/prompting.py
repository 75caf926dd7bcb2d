"""What the person sends: to the agent, into its queue, into its run. What waits is shown above the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from pygent.errors import PygentError
from pygent.events import MAIN, Event, ToolFinished, ToolStarted
from pygent.tui import slash
from pygent.tui.draft import Chip, Draft, Picture, joined
from pygent.tui.keys import key_of

if TYPE_CHECKING:
    from pygent.images import Image
    from pygent.prompt_queue import QueuedPrompt
    from pygent.tui.screens.main import MainScreen
    from pygent.tui.widgets.queue import QueueList, Waiting


class Sender:
    """Between the prompt and the session. A draft whose images are still to be read makes later ones wait for it."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._unopened: list[Draft] = []
        self._held: list[Draft] = []
        self._outbox: list[tuple[Draft, bool]] = []
        self._drafts: dict[str, Draft] = {}
        self._commands: set[str] = set()
        self.leaving = False
        """Whether another session takes over in a moment: what is sent by then goes along to it."""
        self.changed: Callable[[], object] = lambda: None
        """Called when something else may wait."""
        self.list: QueueList | None = None
        """Where what waits is shown; None in the very first moments."""

    # Sending.

    def submit(self, draft: Draft) -> None:
        """Do what a draft asks for: a command, a command in the sandbox, or a prompt for the agent."""
        draft = draft.stripped()
        if slash.is_command(draft.text):
            slash.run_command(self._screen.surface, draft.whole())
        elif self.leaving or not self._screen.session.opened:
            self._unopened.append(draft)
        else:
            self._deliver(draft)
        self.show()

    def opened(self) -> None:
        """The session is open: what was sent meanwhile goes out, and what earlier sessions left waits again."""
        waiting, self._unopened = self._unopened, []
        for draft in waiting:
            self._deliver(draft)
        held, self._held = self._held, []
        for draft in held:
            self._deliver(draft, held=True)
        self.show()

    def opening_failed(self) -> None:
        """What was sent comes back into the prompt."""
        prompt = self._screen.prompt
        drafts = [*self._unopened, prompt.draft()]
        if self._unopened:
            prompt.set_draft(joined(drafts))
        self._unopened = []
        self.show()

    def hold(self, drafts: Iterable[Draft]) -> None:
        """Let prompts that an earlier session left in its queue wait for the person."""
        for draft in drafts:
            if self._screen.session.opened:
                self._deliver(draft, held=True)
            else:
                self._held.append(draft)
        self.show()

    def _deliver(self, draft: Draft, *, held: bool = False) -> None:
        from pygent.tui.attaching import needs_reading  # noqa: PLC0415 - only once something is sent

        if self._outbox or needs_reading(draft):
            self._outbox.append((draft, held))
            if len(self._outbox) == 1:
                self._screen.run_worker(self._empty_outbox(), exit_on_error=False)
        else:
            self._send(draft, held)

    async def _empty_outbox(self) -> None:
        from pygent.tui.attaching import read_pictures  # noqa: PLC0415 - only with an image

        while self._outbox:
            draft, held = self._outbox[0]
            try:
                draft = await asyncio.to_thread(read_pictures, self._screen.session.read_image, draft)
            except (PygentError, OSError) as error:
                self._give_back(draft, error)
            else:
                self._send(draft, held)
            del self._outbox[0]
            self.show()

    def _send(self, draft: Draft, held: bool) -> None:
        screen, text = self._screen, draft.sent()
        try:
            if text.startswith("!"):
                if command := text[1:].strip():
                    screen.session.run_command(command)
            else:
                images = tuple(picture.image for picture in draft.pictures() if picture.image is not None)
                prompt_id = screen.session.submit(text, images, held=held)
                self._drafts[prompt_id] = draft
        except PygentError as error:
            self._give_back(draft, error)
        screen.conversation.view.follow()

    def _give_back(self, draft: Draft, error: Exception) -> None:
        self._screen.note("Not sent", str(error), level="error")
        prompt = self._screen.prompt
        prompt.set_draft(joined([draft, prompt.draft()]))

    # The queue.

    def drafts(self) -> list[Draft]:
        """All that waits, in its order."""
        waiting = (
            [self._draft_of(item) for item in self._screen.session.queued()] if self._screen.session.opened else []
        )
        return [*waiting, *(draft for draft, _ in self._outbox), *self._unopened, *self._held]

    def take_back(self) -> Draft | None:
        """The last of what waits, out of the queue; None where nothing does."""
        rows = self._rows()
        return self._take(rows[-1].id) if rows else None

    def chosen(self, what: str, prompt_id: str) -> None:
        """Do what was chosen in the list."""
        if what == "hint":
            self.hint()
            return
        if what == "edit":
            self.edit(prompt_id)
        elif what == "remove":
            self._take(prompt_id)
        elif what == "send":
            self._steer(prompt_id)
        if what != "remove" or not self._rows():
            self._screen.prompt.focus()
        self.show()

    def edit(self, prompt_id: str) -> None:
        """Take a prompt out of the queue and into the prompt; what was there stands below it."""
        prompt = self._screen.prompt
        draft, taken = prompt.draft().stripped(), self._take(prompt_id)
        if taken is not None:
            prompt.set_draft(taken if not draft.text else joined([taken, draft]))

    def send_next(self) -> None:
        """Enter in an empty prompt: the first that waits goes in at the next step, or begins."""
        session = self._screen.session
        item = next((item for item in session.queued() if item.waiting != "steer"), None) if session.opened else None
        if item is not None:
            self._steer(item.id)
            self.show()

    def _steer(self, prompt_id: str) -> None:
        try:
            self._screen.session.steer(prompt_id)
        except PygentError as error:
            self._screen.note("Not sent", str(error), level="error")

    def show(self) -> None:
        """Show what waits, and what Enter does now."""
        rows = self._rows()
        if self.list is not None:
            if self.list.has_focus and not rows:
                self._screen.prompt.focus()
            self.list.show(rows)
        if self._screen.status.queued != len(rows):
            self._screen.status.queued = len(rows)
            self._screen.status.changed()
        self.hint()
        self.changed()

    def take(self, batch: Sequence[Event]) -> None:
        """Follow what happens."""
        for event in batch:
            if isinstance(event, ToolStarted) and event.call_id.startswith("user_") and event.agent_id == MAIN:
                self._commands.add(event.call_id)
            elif isinstance(event, ToolFinished):
                self._commands.discard(event.call_id)
        self.show()

    def hint(self) -> None:
        """Say below the prompt what its keys do now."""
        screen, prompt = self._screen, self._screen.prompt
        if prompt.searching:
            return
        working = screen.transcript.main.running or screen.session.running
        hint = self._keys(working, empty=not prompt.text)
        prompt.hint(hint, sends=not self._in_queue)
        words = "What you send now waits until the agent is done" if working else "Ask for something, / for commands"
        if prompt.placeholder != words:
            prompt.placeholder = words

    @property
    def _in_queue(self) -> bool:
        return self.list is not None and self.list.has_focus

    def _keys(self, working: bool, *, empty: bool) -> str:
        app = self._screen.app
        enter, newline = key_of(app, "prompt.send", "enter"), key_of(app, "prompt.newline", "shift+enter")
        escape = key_of(app, "run.interrupt", "escape")
        if self._in_queue:
            edit, send = key_of(app, "queue.edit", "enter"), key_of(app, "queue.send", "s")
            remove, leave = key_of(app, "queue.remove", "delete"), key_of(app, "queue.leave", "escape")
            return f"{edit} edits · {send} sends now · {remove} removes · {leave} back to the prompt"
        waits = [item for item in self._screen.session.queued() if item.waiting != "steer"] if empty else []
        if waits:
            what = "steers with the first" if working else "sends the next"
            choose = key_of(app, "prompt.queue", "alt+q")
            ends = f" · {escape} ends the command" if self._commands and not working else ""
            return f"{enter} {what} · ↑ takes the last back · {choose} chooses{ends}"
        if working:
            return f"{enter} queues · {escape} interrupts · {newline} new line"
        if self._commands:
            return f"{enter} sends · {escape} ends the command · {newline} new line"
        return f"{enter} sends · {newline} new line"

    def _rows(self) -> list[Waiting]:
        from pygent.tui.widgets.queue import Waiting  # noqa: PLC0415 - after the first frame

        session = self._screen.session
        rows = []
        if session.opened:
            queued = session.queued()
            self._drafts = {item.id: self._drafts[item.id] for item in queued if item.id in self._drafts}
            for item in queued:
                why, now = {
                    "next": ("next", "send now"),
                    "steer": ("at the next step", ""),
                    "held": ("waits for you", "send now"),
                }[item.waiting]
                rows.append(Waiting(item.id, self._draft_of(item).text, why, now))
        rows += [Waiting(f"reading {n}", draft.text, "reading images") for n, (draft, _) in enumerate(self._outbox)]
        later = "sent when the session is open"
        rows += [Waiting(f"unopened {n}", draft.text, later) for n, draft in enumerate(self._unopened)]
        rows += [Waiting(f"held {n}", draft.text, "waits for you") for n, draft in enumerate(self._held)]
        return rows

    def _take(self, prompt_id: str) -> Draft | None:
        kind, _, number = prompt_id.partition(" ")
        for name, drafts in (("unopened", self._unopened), ("held", self._held)):
            if kind == name and int(number) < len(drafts):
                return drafts.pop(int(number))
        item = self._screen.session.unqueue(prompt_id) if self._screen.session.opened else None
        draft = self._draft_of(item) if item is not None else None
        self.show()
        return draft

    def _draft_of(self, item: QueuedPrompt) -> Draft:
        known = self._drafts.get(item.id)
        return known if known is not None else _draft(item.text, item.images)


def _draft(text: str, images: Iterable[Image]) -> Draft:
    chips: dict[str, Chip] = {image.mark: Picture(image.path, image) for image in images}
    return Draft(" ".join([text, *(mark for mark in chips if mark not in text)]), chips)
