"""Keeps what the person wrote: the history of what was sent, and what was not sent yet, over the end of Pygent."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from pygent.errors import SettingsError
from pygent.tui.draft import Draft

if TYPE_CHECKING:
    from pygent.tui.prompt_files import PromptFiles, Unsent
    from pygent.tui.screens.main import MainScreen

PAUSE = 0.4
"""Seconds after a change within which it is on the disk."""

LAST_WAIT = 2.0
"""Seconds that the end waits for the disk at most."""


class Keeper:
    """All reading and writing happens on one thread of its own, in order; the screen never waits for the disk.

    ``unsent`` tells what is in the prompt and waits behind it. A disk that refuses is told of once.
    """

    def __init__(self, screen: MainScreen, unsent: Callable[[], tuple[Draft, list[Draft]]]) -> None:
        self._screen = screen
        self._unsent = unsent
        self._jobs: queue.SimpleQueue[Callable[[PromptFiles], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._waiting = False
        self._ended = False
        self._told = False
        self._last: Unsent | None = None

    def begin(self) -> None:
        """Read what was kept, now that the first frame is painted. Nothing is kept of a temporary workspace."""
        session = self._screen.session
        if session.settings.ephemeral or session.status().demo:
            return
        from pygent.settings.paths import data_dir  # noqa: PLC0415 - after the first frame
        from pygent.settings.secrets import secrets_of  # noqa: PLC0415
        from pygent.tui.prompt_files import PromptFiles  # noqa: PLC0415

        try:
            folder = data_dir() / "prompts"
        except SettingsError:
            return
        files = PromptFiles(folder, str(session.workspace), secrets_of(session.settings))
        self._thread = threading.Thread(target=self._work, args=(files,), name="pygent-prompts", daemon=True)
        self._thread.start()
        self._jobs.put(self._load)

    def changed(self) -> None:
        """What is unsent is another now."""
        if self._thread is not None and not self._waiting:
            self._waiting = True
            self._screen.set_timer(PAUSE, self.write)

    def sent(self, draft: Draft) -> None:
        """A draft was sent."""
        self._jobs.put(lambda files: files.append(draft))
        self.write()

    def write(self) -> None:
        """Write what is unsent now."""
        self._waiting = False
        if self._thread is None or self._ended:
            return
        from pygent.tui.prompt_files import Unsent  # noqa: PLC0415 - there already

        draft, queued = self._unsent()
        unsent = Unsent(draft, tuple(queued))
        if unsent != self._last:
            self._last = unsent
            self._jobs.put(lambda files: files.keep(unsent))

    @property
    def on(self) -> bool:
        """Whether anything is kept."""
        return self._thread is not None

    def end(self, *, handed_over: bool = False) -> None:
        """Write what is left to write; nothing of it is unsent here any longer where it was handed over."""
        if self._thread is not None and not self._ended:
            from pygent.tui.prompt_files import Unsent  # noqa: PLC0415 - there already

            self.write()
            self._ended = True
            if handed_over:
                self._jobs.put(lambda files: files.keep(Unsent()))
            self._jobs.put(None)
            self._thread.join(LAST_WAIT)

    def _work(self, files: PromptFiles) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job(files)
            except OSError as error:
                if not self._told:
                    self._told = True
                    self._screen.app.call_later(self._tell, str(error))
        files.close()

    def _load(self, files: PromptFiles) -> None:
        history = files.history()
        self._screen.app.call_later(self._screen.prompt.recall.remember_earlier, history)
        left = files.left()
        if left:
            self._screen.app.call_later(self._restore, left)

    def _restore(self, left: list[Unsent]) -> None:
        screen = self._screen
        prompt, draft = screen.prompt, left[-1].draft
        for earlier in left[:-1]:
            prompt.recall.remember(earlier.draft)
        back = draft.text.strip() and not prompt.text and not prompt.searching
        if back:
            prompt.set_draft(draft)
        elif draft.text.strip():
            prompt.recall.remember(draft)
            self._jobs.put(lambda files: files.append(draft))
            screen.notify("What you had not sent is in the prompt history: ↑ in an empty prompt.", timeout=6)
        queued = [draft for one in left for draft in one.queued]
        if queued:
            screen.desk.sender.hold(queued)
        if not prompt.searching and (back or queued):
            what = "what you had not sent" if back else "what you had queued"
            prompt.remark(f"{what} is back{', and the queue' if back and queued else ''}")
        self.changed()

    def _tell(self, error: str) -> None:
        self._screen.note(
            "Prompts are not kept", f"The history of prompts cannot be written: {error}", level="warning"
        )
