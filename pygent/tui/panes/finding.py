"""Looking for a text in what a viewer of lines shows, however much that is: a thread looks, and keys go on."""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_left
from collections.abc import Callable

from pygent.tui.panes.line_source import Match, Source
from pygent.tui.panes.lines import LinesView

MOST = 100_000
"""Places that are kept at most."""


class Finding:
    """What is sought in ``view``, and where it was found. Capitals count where there are any in the text."""

    def __init__(self, view: LinesView) -> None:
        self._view = view
        self._run = 0
        self._matches: list[Match] = []
        self._at = -1
        self.text = ""

    async def start(self, text: str) -> str:
        """Look for ``text`` and go to the first place at or below the top of the view. Answers what to say."""
        self._run += 1
        run, self.text, self._matches, self._at = self._run, text, [], -1
        if not text:
            self._view.mark(None)
            return ""
        pattern = re.compile(re.escape(text), 0 if text.lower() != text else re.IGNORECASE)
        self._view.mark(pattern)
        top = self._view.top
        found = await asyncio.to_thread(_collect, self._view.source, pattern, lambda: self._run == run)
        if self._run != run:
            return ""
        self._matches = found
        if not found:
            return f"“{text}” is not in it"
        self._at = bisect_left(found, Match(top, 0))
        return self._go(pattern)

    def step(self, by: int) -> str:
        """Go to the next place or the one before; from the last on to the first. Answers what to say."""
        if not self._matches:
            return f"“{self.text}” is not in it" if self.text else "Nothing is sought yet; / asks for a text"
        self._at += by
        pattern = re.compile(re.escape(self.text), 0 if self.text.lower() != self.text else re.IGNORECASE)
        return self._go(pattern)

    def _go(self, pattern: re.Pattern[str]) -> str:
        self._at %= len(self._matches)
        match = self._matches[self._at]
        self._view.mark(pattern, match)
        self._view.go_to_line(match.line, match.at)
        more = "+" if len(self._matches) >= MOST else ""
        return f"{self._at + 1:,} of {len(self._matches):,}{more} · n, N: next, before"


def _collect(source: Source, pattern: re.Pattern[str], wanted: Callable[[], bool]) -> list[Match]:
    found: list[Match] = []
    for match in source.find(pattern):
        if match is not None:
            found.append(match)
        if not wanted() or len(found) >= MOST:
            break
    return found
