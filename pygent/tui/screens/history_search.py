"""Searching what was sent: what is typed filters the list above the prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pygent.tui.completion import NOTHING, SHOWN, Candidate, Found
from pygent.tui.draft import Draft, summary
from pygent.tui.widgets.completions import Completions

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

SEARCHED = 4000
"""Characters of a prompt that are looked through."""


class HistorySearch:
    """While it is on, the prompt holds what is searched for; the draft waits here and comes back."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._entries: list[tuple[str, Draft]] = []
        self._hits: list[Draft] = []
        self._at = 0
        self.on = False
        self.draft = Draft()

    def begin(self) -> None:
        """Begin; asked again, go to the next older hit."""
        prompt = self._screen.prompt
        if self.on:
            self.move(1)
            return
        self.draft = prompt.draft()
        newest_first = dict.fromkeys((draft.whole()[:SEARCHED], draft.text) for draft in reversed(prompt.recall.sent))
        by_text = {draft.text: draft for draft in prompt.recall.sent}
        self._entries = [(whole.lower(), by_text[text]) for whole, text in newest_first]
        self.on = prompt.searching = prompt.completing = True
        prompt.border_title = "search the prompt history"
        prompt.placeholder = "Words of what you sent"
        prompt.hint("Enter takes · ↑ ↓ choose · Esc back to the draft")
        prompt.set_text("")
        self.edited()

    def edited(self) -> None:
        """What is searched for changed."""
        words = self._screen.prompt.text.lower().split()
        self._hits = [draft for text, draft in self._entries if all(word in text for word in words)]
        self._at = 0
        self._show()

    def move(self, step: int) -> None:
        """Mark the next hit: 1 is the older one, which stands below."""
        if self._hits:
            self._at = (self._at + step) % len(self._hits)
            self._show()

    def take(self) -> None:
        """Put what is marked into the prompt; the draft is in the history then."""
        hit = self._hits[self._at] if self._hits else None
        if hit is None:
            self._screen.notify("Nothing that was sent has these words.", timeout=3)
            return
        self._end()
        prompt = self._screen.prompt
        if self.draft.text.strip():
            prompt.recall.remember(self.draft)
        prompt.set_draft(hit)
        self.draft = Draft()

    def close(self) -> bool:
        """Bring the draft back. Answers whether it was under way."""
        if not self.on:
            return False
        self._end()
        self._screen.prompt.set_draft(self.draft)
        self.draft = Draft()
        return True

    def _end(self) -> None:
        self._entries, self._hits = [], []
        prompt = self._screen.prompt
        self.on = prompt.searching = prompt.completing = False
        prompt.border_title = None
        for completions in self._screen.query(Completions):
            completions.show(NOTHING)

    def _show(self) -> None:
        first = max(0, min(self._at - SHOWN // 2, len(self._hits) - SHOWN))
        width = max(20, self._screen.size.width - 12)
        candidates = [Candidate(summary(draft)[:width]) for draft in self._hits[first : first + SHOWN]]
        for completions in self._screen.query(Completions):
            completions.show(Found(candidates, 0))
            completions.current = self._at - first
        count = len(self._hits)
        self._screen.prompt.border_title = (
            f"search the prompt history · {self._at + 1} of {count}"
            if count
            else "search the prompt history · nothing"
        )

    def clicked(self) -> None:
        """A line of the list was clicked."""
        for completions in self._screen.query(Completions):
            first = max(0, min(self._at - SHOWN // 2, len(self._hits) - SHOWN))
            self._at = first + completions.current
        self.take()
