"""Completion in the prompt: between the text, the list of candidates, and where candidates come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from pygent.events import Event, FilesChanged, RunFinished, ToolFinished
from pygent.tui import slash
from pygent.tui.completion import NOTHING, SHOWN, Candidate, Found, file_candidates, find
from pygent.tui.widgets.completions import Completions

if TYPE_CHECKING:
    from pygent.tui.file_finder import Answer, FileFinder, Search
    from pygent.tui.screens.main import MainScreen

FAR = 50
"""Lines from the top below which nothing is completed."""

MENTIONED = 20
"""Files chosen last that come first the next time."""


class PromptCompletion:
    """Looks at the text before the cursor after each change. Files are listed on a thread, when first asked for."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._length = 0
        self._typed = ""
        self._mentioned: list[str] = []

    @cached_property
    def _search(self) -> Search:
        from pygent.tui.file_finder import Search  # noqa: PLC0415 - with the first key

        return Search(self._screen, SHOWN, self._found)

    def edited(self) -> None:
        """The prompt's text changed."""
        prompt = self._screen.prompt
        row, column = prompt.cursor_location
        before = prompt.get_text_range((0, 0), (row, column)) if row < FAR else ""
        commands = self._commands() if before.startswith("/") else ()
        self._search.forget()
        self._length = 0
        self._show(find(before, commands, self._values, self._file))

    def close(self) -> bool:
        """Hide the candidates. Answers whether there were any."""
        was = any(completions.display for completions in self._screen.query(Completions))
        self._search.forget()
        self._show(NOTHING)
        return was

    def enter(self) -> bool:
        """Enter was pressed. Answers False where nothing is to be completed in the text as it stands now."""
        self.edited()
        if self._length and self._typed and self._is_whole(self._typed):
            self.close()
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
        text = chosen.text if chosen.final or chosen.text.endswith((" ", "/")) else f"{chosen.text} "
        if self._length:
            path = text[1:].strip().strip('"')
            self._mentioned = [path, *(other for other in self._mentioned if other != path)][:MENTIONED]
        prompt.replace(text, start, (row, column))
        prompt.focus()

    def forget_files(self, batch: Iterable[Event]) -> None:
        """List the files anew at the next need, if they may be others now."""
        if any(isinstance(event, FilesChanged | ToolFinished | RunFinished) for event in batch):
            self._finder.stale()

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

    # Files.

    def _file(self, typed: str, length: int) -> Found:
        self._typed, self._length = typed, length
        answer = self._search.ask(self._finder, typed)
        if answer is not None:
            return file_candidates(answer.paths, length, answer.note)
        found = self._screen.query_one(Completions).found  # the old ones until the new ones are found
        return found._replace(length=length) if self._screen.prompt.completing else NOTHING

    def _found(self, answer: Answer) -> None:
        if self._length:
            self._show(file_candidates(answer.paths, self._length, answer.note))

    @property
    def _finder(self) -> FileFinder:
        from pygent.tui.file_finder import finder_of  # noqa: PLC0415 - once files are asked for

        finder = finder_of(self._screen.session)
        finder.recent = self._recent
        return finder

    def _recent(self) -> list[str]:
        return [*self._mentioned, *reversed(self._screen.transcript.files_changed[-100:])]

    def _is_whole(self, typed: str) -> bool:
        """Whether what was typed is a path as it is, so that Enter need not complete it."""
        index = self._finder.index
        return index is not None and typed in index
