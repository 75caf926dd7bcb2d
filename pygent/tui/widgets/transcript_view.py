"""The list of blocks with all that a reader does to it: choose, fold, copy and open blocks, select text, search."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from pygent.tui.text import plural
from pygent.tui.widgets.block_chooser import BlockChooser

if TYPE_CHECKING:
    from pygent.tui.widgets.block_search import BlockSearch


class TranscriptView(BlockChooser):
    """Marks what is looked for and what is selected by key; messages tell the pane, which has a line for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "select", "Select text by key", id="view.select"),
        Binding("slash,ctrl+f", "search", "Search", id="view.search"),
        Binding("n", "search_next(1)", "Next match", id="view.next-match", show=False),
        Binding("N", "search_next(-1)", "Match before", id="view.previous-match", show=False),
        Binding("j", "scroll_down", "Down", id="view.down", show=False),
        Binding("k", "scroll_up", "Up", id="view.up", show=False),
        Binding("ctrl+d", "scroll_half(1)", "Half a page down", id="view.half-down", show=False),
        Binding("ctrl+u", "scroll_half(-1)", "Half a page up", id="view.half-up", show=False),
        Binding("home,g", "scroll_home", "To the beginning", id="view.home", show=False),
        Binding("end,G", "scroll_end", "To the end", id="view.end", show=False),
    ]

    class SearchAsked(Message):
        """Something shall be looked for."""

    class Searched(Message):
        """There are other matches, or another one is shown."""

        def __init__(self, said: str) -> None:
            self.said = said
            super().__init__()

    class SelectModeChanged(Message):
        """Text is selected by key from now on, or no longer."""

        def __init__(self, on: bool) -> None:
            self.on = on
            super().__init__()

    _search: BlockSearch | None = None

    @property
    def width(self) -> int:
        """Cells that the blocks are drawn for; 0 before the first frame."""
        return self._width

    def shows_from(self, index: int) -> bool:
        """Whether there is room for all from a block to the end."""
        return self._rows.total - self._rows.start(index) <= self.scrollable_content_region.height

    def clear(self) -> None:
        if self.select_mode is not None:
            self._selected_by_key(None)
        super().clear()

    def decorated(self, strip: Strip, index: int, offset: int, row: int) -> Strip:
        if self._search is not None:
            strip = self._search.marked(strip, index, offset)
        return super().decorated(strip, index, offset, row)

    def action_scroll_half(self, step: int) -> None:
        self.scroll_by(step * max(1, self.scrollable_content_region.height // 2))

    def action_select(self) -> None:
        from pygent.tui.widgets.select_mode import SelectMode  # noqa: PLC0415 - when it is asked for

        if not self._rows.total:
            return
        self._set_following(False)
        height = self.scrollable_content_region.height
        row = min(self.scroll_offset.y + height, self._rows.total) - 2
        if self._selected is not None:
            start = self._rows.start(self._selected)
            row = start if self.scroll_offset.y <= start < self.scroll_offset.y + height else row
        self.select_mode = SelectMode(self, row, self._selected_by_key)
        self.post_message(self.SelectModeChanged(True))

    def _selected_by_key(self, text: str | None) -> None:
        self.select_mode = None
        self.screen.clear_selection()
        self.look_for_end()
        self.refresh()
        self.post_message(self.SelectModeChanged(False))
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"Copied {plural(text.count(chr(10)) + 1, 'line')}.", timeout=2, markup=False)

    def on_key(self, event: events.Key) -> None:
        if self.select_mode is not None and self.select_mode.key(event.key, event.character):
            event.stop()
            event.prevent_default()

    def on_blur(self) -> None:
        if self.select_mode is not None:
            self._selected_by_key(None)

    def action_search(self) -> None:
        self.post_message(self.SearchAsked())

    @property
    def search(self) -> BlockSearch:
        """What is looked for here."""
        from pygent.tui.widgets.block_search import BlockSearch  # noqa: PLC0415 - when it is asked for

        if self._search is None:
            self._search = BlockSearch(self)
        return self._search

    def find(self, query: str) -> None:
        """Look for a text and show where it is."""
        self.run_worker(self._tell(self.search.find(query)), group="search", exclusive=True)

    def action_search_next(self, step: int) -> None:
        if self.search.query:
            self.run_worker(self._tell(self.search.go(step)), group="search", exclusive=True)
        else:
            self.action_search()

    def end_search(self) -> None:
        """Mark no matches any more."""
        if self._search is not None:
            self._search.end()

    async def _tell(self, looking: Awaitable[None]) -> None:
        await looking
        self.post_message(self.Searched(self.search.said()))
