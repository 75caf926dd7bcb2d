"""Finding text in a list of blocks of any length: in slices, so that no key waits for it, and without drawing any."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.style import Style
from textual.strip import Strip

from pygent.tui.text import clean
from pygent.tui.widgets.block_list import highlighted
from pygent.tui.wrap import Aside, Line

if TYPE_CHECKING:
    from pygent.tui.widgets.block_text import BlockText

SLICE = 0.004
"""Seconds that are searched at a stretch."""


class BlockSearch:
    """A query and its matches. A query in small letters finds capitals, too.

    A match is a block and which of its matches it is. What is told is counted in the blocks' text, what is marked on
    the screen is looked for in what is drawn there.
    """

    def __init__(self, view: BlockText) -> None:
        self._view = view
        self.query = ""
        self.matches: list[tuple[int, int]] = []
        self.at: int | None = None
        """Which of the matches is shown."""
        self.searching = False
        self.shown = False
        """Whether matches are marked."""
        self._searched: tuple[str, int] = ("", -1)
        self._current: tuple[int, int] = (-1, 0)  # the block, and which of its drawn matches

    def found_in(self, text: str) -> list[tuple[int, int]]:
        """From where to where the query is in ``text``, in characters."""
        query = self.query
        if not query:
            return []
        if query == query.lower():
            text = text.lower()
        out: list[tuple[int, int]] = []
        at = text.find(query)
        while at >= 0:
            out.append((at, at + len(query)))
            at = text.find(query, at + len(query))
        return out

    async def find(self, query: str) -> None:
        """Look for ``query`` everywhere and show the match that is nearest to what is on the screen."""
        self.query, self.matches, self.at, self._current = query, [], None, (-1, 0)
        self.shown = True
        self._view.refresh()
        await self._collect()
        if self.matches:
            top = self._view.top_block()
            self.at = next((n for n, (index, _) in enumerate(self.matches) if index >= top), len(self.matches) - 1)
            self._show()

    async def go(self, step: int) -> None:
        """Show the next match, or the one before; from the last on to the first."""
        if not self.query:
            return
        self.shown = True
        if self._searched != (self.query, len(self._view.blocks)):
            shown = self.matches[self.at] if self.at is not None else None
            await self._collect()
            self.at = self.matches.index(shown) if shown in self.matches else None
        if self.matches:
            self.at = ((self.at if self.at is not None else -1) + step) % len(self.matches)
            self._show()

    def end(self) -> None:
        """Mark nothing any more; ``go`` still knows the query."""
        self._current, self.at, self.shown = (-1, 0), None, False
        self._view.refresh()

    def said(self) -> str:
        """How many matches there are, and which is shown."""
        if not self.query:
            return ""
        if self.searching:
            return f"{len(self.matches)} …"
        if not self.matches:
            return "no match"
        return f"{(self.at or 0) + 1} of {len(self.matches)}"

    def marked(self, strip: Strip, index: int, offset: int) -> Strip:
        """A drawn line with its matches on another ground."""
        found = self.spans(self._view.drawn(index).line(offset)) if self.shown else []
        if not found:
            return strip
        palette = self._view.palette
        before = 0
        if index == self._current[0]:
            before = sum(len(self.spans(line)) for line in self._view.drawn(index).lines[:offset])
        for number, span in enumerate(found, before):
            current = (index, number) == self._current
            ground = Style(bgcolor=palette.mark.color, color=palette.ground.rich_color, bold=True)
            strip = highlighted(strip, span, ground if current else palette.selection)
        return strip

    def spans(self, line: Line) -> list[tuple[int, int]]:
        """The matches in a drawn line, in cells."""
        text = "".join("\0" * len(one.text) if isinstance(one, Aside) else one.text for one in line)
        found = self.found_in(text)
        shown = "".join(one.text for one in line) if found else ""
        return [(cell_len(shown[:start]), cell_len(shown[:end])) for start, end in found]

    async def _collect(self) -> None:
        """Find all matches; ``matches`` grows meanwhile."""
        query, blocks = self.query, self._view.blocks
        self._searched = (query, len(blocks))
        self.matches, self.searching = [], True
        until = time.perf_counter() + SLICE
        for index in range(len(blocks)):
            if index >= len(blocks):  # they were taken away meanwhile
                break
            count = len(self.found_in(clean(blocks[index].plain())))
            self.matches.extend((index, number) for number in range(count))
            if time.perf_counter() > until:
                await asyncio.sleep(0)
                until = time.perf_counter() + SLICE
        self.searching = False

    def _show(self) -> None:
        """Bring the match into sight, unfolded where it was folded away."""
        if self.at is None:
            return
        index, number = self.matches[self.at]
        view = self._view
        places = self._places(index)
        block = view.blocks[index]
        while number >= len(places) and block.shape != "full":
            block.unfold()
            view.settle()
            places = self._places(index)
        self._current = (index, min(number, max(0, len(places) - 1)))
        view.show_row(index, places[self._current[1]] if places else 0)

    def _places(self, index: int) -> list[int]:
        """The rows of a block's matches as it is drawn."""
        return [row for row, line in enumerate(self._view.drawn(index).lines) for _ in self.spans(line)]
