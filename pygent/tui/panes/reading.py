"""What stands around a list of blocks that is read: a line for the search, and one for selecting by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.widgets import Static

from pygent.tui.widgets.ground import Column
from pygent.tui.widgets.transcript_view import TranscriptView

if TYPE_CHECKING:
    from pygent.tui.panes.search_bar import SearchBar


class Reading(Column):
    """Has one `TranscriptView` in it. Each line is there only while it is needed."""

    DEFAULT_CSS: ClassVar[str] = """
    Reading > #select-hint {
        dock: bottom;
        height: 1;
        padding: 0 1;
        background: $surface;
        color: $text-accent;
        text-overflow: ellipsis;
        text-wrap: nowrap;
    }
    """

    @property
    def view(self) -> TranscriptView:
        """The list of blocks."""
        return self.query_one(TranscriptView)

    @on(TranscriptView.SearchAsked)
    async def _search_asked(self, event: TranscriptView.SearchAsked) -> None:
        event.stop()
        from pygent.tui.panes.search_bar import SearchBar  # noqa: PLC0415 - when it is asked for

        bars = self.query(SearchBar)
        bar = bars.first() if bars else SearchBar(id="search")
        if not bars:
            await self.mount(bar)
            self.add_class("-searching")
        bar.input.focus()
        bar.input.select_all()

    def on_search_bar_changed(self, event: SearchBar.Changed) -> None:
        event.stop()
        self.view.find(event.query)

    def on_search_bar_step(self, event: SearchBar.Step) -> None:
        event.stop()
        self.view.action_search_next(event.step)

    def on_search_bar_closed(self, event: SearchBar.Closed) -> None:
        event.stop()
        self.view.focus()
        self.end_search()

    @on(TranscriptView.Searched)
    def _searched(self, event: TranscriptView.Searched) -> None:
        event.stop()
        for bar in self.query("#search"):
            cast("SearchBar", bar).say(event.said)

    def end_search(self) -> None:
        """Mark nothing any more; the view stays where it is."""
        self.view.end_search()
        self.remove_class("-searching")
        self.query("#search").remove()

    @on(TranscriptView.SelectModeChanged)
    async def _select_mode(self, event: TranscriptView.SelectModeChanged) -> None:
        event.stop()
        await self.query("#select-hint").remove()
        if event.on:
            from pygent.tui.widgets.select_mode import HINT  # noqa: PLC0415 - it is there

            await self.mount(Static(HINT, id="select-hint", markup=False))
