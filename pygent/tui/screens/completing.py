"""Completion in the prompt: between the text, the list of candidates, and where candidates come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pygent.errors import PygentError
from pygent.events import Event, FilesChanged
from pygent.tui import slash
from pygent.tui.completion import NOTHING, Candidate, FileIndex, Found, find
from pygent.tui.widgets.completions import Completions

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

FAR = 50
"""Lines from the top below which nothing is completed."""


class PromptCompletion:
    """Looks at the text before the cursor after each change. Files are listed on a thread, when first asked for."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._files: FileIndex | None = None
        self._asked = False

    def edited(self) -> None:
        """The prompt's text changed."""
        prompt = self._screen.prompt
        row, column = prompt.cursor_location
        before = prompt.get_text_range((0, 0), (row, column)) if row < FAR else ""
        commands = self._commands() if before.startswith("/") else ()
        self._show(find(before, commands, self._values, self._file_index))

    def close(self) -> bool:
        """Hide the candidates. Answers whether there were any."""
        was = self._screen.prompt.completing
        self._show(NOTHING)
        return was

    def enter(self) -> bool:
        """Enter was pressed. Answers False where nothing is to be completed in the text as it stands now."""
        self.edited()
        if self._screen.prompt.completing:
            self.key("enter")
            return True
        return False

    def key(self, key: str) -> None:
        """A key for the list: ``up``, ``down``, ``take`` or ``enter``."""
        completions, prompt = self._screen.query_one(Completions), self._screen.prompt
        if key in {"up", "down"}:
            completions.move(-1 if key == "up" else 1)
            return
        chosen = completions.chosen
        if key == "enter" and prompt.text in {candidate.text for candidate in completions.found.candidates}:
            self.close()
            prompt.send()
            return
        self.take()
        if key == "enter" and chosen is not None and chosen.final:
            self.close()
            prompt.send()

    def take(self) -> None:
        """Put the chosen candidate where the cursor is."""
        completions, prompt = self._screen.query_one(Completions), self._screen.prompt
        chosen = completions.chosen
        if chosen is None:
            return
        row, column = prompt.cursor_location
        start = (row, max(0, column - completions.found.length))
        text = chosen.text if chosen.final or chosen.text.endswith(" ") else f"{chosen.text} "
        prompt.replace(text, start, (row, column))
        prompt.focus()

    def forget_files(self, batch: Iterable[Event]) -> None:
        """List the files anew at the next need, if they may be others now."""
        self._asked = self._asked and not any(isinstance(event, FilesChanged) for event in batch)

    def _show(self, found: Found) -> None:
        for completions in self._screen.query(Completions):
            completions.show(found)
            self._screen.prompt.completing = bool(found.candidates)

    def _commands(self) -> list[Candidate]:
        return [
            Candidate(f"/{item.name}", f"{item.usage}  {item.about}".strip(), not item.usage)
            for item in slash.commands()
        ]

    def _values(self, name: str) -> Sequence[str]:
        command = slash.find(name)
        if command is None or command.values is None or (command.needs_open and not self._screen.session.opened):
            return ()
        return command.values(self._screen.surface)

    def _file_index(self) -> FileIndex | None:
        if not self._asked and self._screen.session.opened:
            self._asked = True
            self._screen.run_worker(self._read_files, thread=True, exit_on_error=False)
        return self._files

    def _read_files(self) -> None:
        try:
            index = FileIndex(self._screen.session.list_files())
        except (PygentError, OSError):
            return
        self._screen.app.call_later(self._files_read, index)

    def _files_read(self, index: FileIndex) -> None:
        self._files = index
        self.edited()
