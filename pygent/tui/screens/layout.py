"""Which panes show: all four, the conversation with one beside it, or one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from pygent.tui.panes.conversation import ConversationPane
from pygent.tui.widgets.tabs import PaneTabs

if TYPE_CHECKING:
    from pygent.tui.panes.tasks import TasksPane
    from pygent.tui.panes.tool_log import ToolLogPane
    from pygent.tui.panes.workspace import WorkspacePane
    from pygent.tui.screens.main import MainScreen

TWO_COLUMNS = 80
"""Cells from which a pane stands beside the conversation."""

ALL_PANES = 130
"""Cells from which all of them do."""


class PaneLayout:
    """Makes the panes and arranges them by the width and by what the person asked for."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.conversation = ConversationPane(id="conversation")
        self.beside: tuple[ToolLogPane | TasksPane | WorkspacePane, ...] = ()
        self._side = Vertical(id="side")
        self._tabs: tuple[PaneTabs, ...] = ()
        self._current = "conversation"
        self._side_current = "tool-log"
        self._side_wanted = True
        self._shape = (False, False)

    def first(self) -> Iterator[Widget]:
        """What the first frame shows, arranged before any style is worked out; nothing moves when the rest comes."""
        width = self._screen.app.size.width
        if _shape(width)[0]:
            self._tabs = (PaneTabs(whole=True, id="top-tabs"),)
        self._arrange(width)
        yield from self._tabs
        yield Horizontal(self.conversation, self._side, id="body")

    async def complete(self) -> None:
        """Add the side panes and the tabs."""
        from pygent.tui.panes.tasks import TasksPane  # noqa: PLC0415 - after the first frame
        from pygent.tui.panes.tool_log import ToolLogPane  # noqa: PLC0415
        from pygent.tui.panes.workspace import WorkspacePane  # noqa: PLC0415

        self.beside = (ToolLogPane(id="tool-log"), TasksPane(id="tasks"), WorkspacePane(id="workspace"))
        top = self._tabs[0] if self._tabs else PaneTabs(whole=True, id="top-tabs")
        self._tabs = (PaneTabs(id="tabs"), top)
        self._arrange(self._screen.size.width)
        await self._side.mount(self._tabs[0], *self.beside)
        if not top.is_attached:
            await self._screen.mount(top, before="#body")
        if self._current != "conversation":  # asked for before it was there
            self._screen.query_one(f"#{self._current}").focus()

    def show(self, pane: str) -> None:
        """Bring a pane into view and give it the keys."""
        self._current = pane
        if pane != "conversation":
            self._side_current, self._side_wanted = pane, True
        self._arrange(self._screen.size.width)
        if pane == "conversation":
            self.conversation.focus_view()
        else:
            for widget in self._screen.query(f"#{pane}"):  # not there yet in the very first moments
                widget.focus()

    def toggle_side(self) -> None:
        """Show or hide what stands beside the conversation."""
        if self._shape[0]:
            self.show(self._side_current if self._current == "conversation" else "conversation")
            return
        self._side_wanted = not self._side_wanted
        if not self._side_wanted and self._current != "conversation":
            self._current = "conversation"
            self._screen.prompt.focus()
        self._arrange(self._screen.size.width)

    def resized(self, width: int) -> None:
        """The screen has another width."""
        if _shape(width) != self._shape:
            self._arrange(width)

    def _arrange(self, width: int) -> None:
        self._shape = single, tabbed = _shape(width)
        self._screen.set_class(single, "-single")
        self._screen.set_class(tabbed, "-tabbed")
        shown = self._current if single else self._side_current
        self.conversation.display = not single or shown == "conversation"
        self._side.display = shown != "conversation" if single else self._side_wanted
        for pane in self.beside:
            pane.display = not tabbed or pane.id == shown
        for tabs in self._tabs:
            tabs.display = single if tabs.whole else tabbed and not single
            tabs.current = shown


def _shape(width: int) -> tuple[bool, bool]:
    """Whether one pane shows at a time, and whether panes are behind tabs."""
    return width < TWO_COLUMNS, width < ALL_PANES
