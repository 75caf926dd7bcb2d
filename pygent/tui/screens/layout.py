"""Which panes show and how large: all four, the conversation with one beside it, one at a time, or one alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.timer import Timer
from textual.widget import Widget

from pygent.tui.panes.conversation import ConversationPane
from pygent.tui.screens.arrangement import SIDE_PANES, WHOLE, Arrangement, read_arrangement
from pygent.tui.widgets.ground import Column, Row
from pygent.tui.widgets.tabs import PaneTabs

if TYPE_CHECKING:
    from pygent.transcript import Transcript
    from pygent.tui.panes.tasks import TasksPane
    from pygent.tui.panes.tool_log import ToolLogPane
    from pygent.tui.panes.workspace import WorkspacePane
    from pygent.tui.screens.main import MainScreen

TWO_COLUMNS = 80
"""Cells from which a pane stands beside the conversation."""

ALL_PANES = 130
"""Cells from which all of them do."""

LEAST = {"conversation": 32, "side": 24}
"""Cells that each column keeps."""

LOWEST = 4
"""Rows that each side pane keeps, its border among them."""

SAVE_AFTER = 1.0
"""Seconds without a change after which the layout is kept."""


class PaneLayout:
    """Makes the panes and arranges them by the width and by what the person asked for."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self.conversation = ConversationPane(id="conversation")
        self.beside: tuple[()] | tuple[ToolLogPane, TasksPane, WorkspacePane] = ()
        self.arrangement, self._complaint = read_arrangement()
        self.maximised = ""
        self.side = Column(id="side")
        self._tabs: tuple[PaneTabs, ...] = ()
        self._current = "conversation"
        self._shape = (False, False)
        self._saving: Timer | None = None

    def first(self) -> Iterator[Widget]:
        """What the first frame shows, arranged before any style is worked out; nothing moves when the rest comes."""
        width = self._screen.app.size.width
        if _shape(width)[0]:
            self._tabs = (PaneTabs(whole=True, id="top-tabs"),)
        self._arrange(width)
        yield from self._tabs
        yield Row(self.conversation, self.side, id="body")

    async def complete(self) -> None:
        """Add the side panes and the tabs."""
        from pygent.tui.panes.tasks import TasksPane  # noqa: PLC0415 - after the first frame
        from pygent.tui.panes.tool_log import ToolLogPane  # noqa: PLC0415
        from pygent.tui.panes.workspace import WorkspacePane  # noqa: PLC0415

        self.beside = (ToolLogPane(id="tool-log"), TasksPane(id="tasks"), WorkspacePane(id="workspace"))
        top = self._tabs[0] if self._tabs else PaneTabs(whole=True, id="top-tabs")
        self._tabs = (PaneTabs(id="tabs"), top)
        self._arrange(self._screen.size.width)
        await self.side.mount(self._tabs[0], *self.beside)
        if not top.is_attached:
            await self._screen.mount(top, before="#body")
        if self._current != "conversation":  # asked for before it was there
            self._screen.query_one(f"#{self._current}").focus()
        if self._complaint:
            self._screen.note("layout", self._complaint, level="warning")
            self._changed()

    # What shows.

    def show(self, pane: str) -> None:
        """Bring a pane into view and give it the keys."""
        self._current = pane
        self.maximised = self.maximised if self.maximised == pane else ""
        if pane != "conversation":
            before = self.arrangement.text()
            self.arrangement.tab, self.arrangement.side_hidden = pane, False
            self._unhide(pane)
            if self.arrangement.text() != before:
                self._changed()
        self._rearrange()
        if pane == "conversation":
            self.conversation.focus_view()
        else:
            for widget in self._screen.query(f"#{pane}"):  # not there yet in the very first moments
                widget.focus()

    def toggle_side(self) -> None:
        """Show or hide what stands beside the conversation."""
        arrangement = self.arrangement
        if self._shape[0]:
            self.show(arrangement.tab if self._current == "conversation" else "conversation")
            return
        self.maximised = ""
        arrangement.side_hidden = not arrangement.side_hidden
        if not arrangement.side_hidden and len(arrangement.hidden) == len(SIDE_PANES):
            arrangement.hidden.clear()
        if arrangement.side_hidden and self.focused != "conversation":
            self._to_conversation()
        self._changed()
        self._rearrange()

    def toggle_maximised(self, pane: str = "") -> None:
        """Give the whole room to ``pane``, by default the one with the focus, or give the others theirs back."""
        if self.maximised:
            self.maximised = ""
        elif not self._shape[0]:
            pane = pane or self.focused
            self.show(pane)
            self.maximised = pane
        else:
            self._screen.notify("One pane at a time has all the room already.", timeout=3)
        self._rearrange()

    def hide(self, pane: str = "") -> None:
        """Take a side pane away; its key brings it back."""
        pane = pane or self.focused
        if pane == "conversation":
            self._screen.notify("The conversation stays. A side pane with the focus can be hidden.", timeout=4)
            return
        arrangement = self.arrangement
        arrangement.hidden.add(pane)
        left = [name for name in SIDE_PANES if name not in arrangement.hidden]
        arrangement.side_hidden = arrangement.side_hidden or not left
        arrangement.tab = left[0] if left and arrangement.tab in arrangement.hidden else arrangement.tab
        self.maximised = ""
        self._to_conversation()
        self._changed()
        self._rearrange()

    def use(self, arrangement: Arrangement) -> None:
        """Arrange anew."""
        self.arrangement, self.maximised = arrangement, ""
        self._changed()
        self._rearrange()

    @property
    def focused(self) -> str:
        """The pane with the focus; the conversation where none has it."""
        focused = self._screen.focused
        above = [] if focused is None else [node.id for node in focused.ancestors_with_self]
        return next((pane for pane in SIDE_PANES if pane in above), "conversation")

    @property
    def shown(self) -> list[ToolLogPane | TasksPane | WorkspacePane]:
        """The side panes that can be seen, from the top."""
        return [pane for pane in self.beside if pane.display and self.side.display]

    # How large.

    def wider(self, cells: int) -> None:
        """Make the conversation wider by ``cells``, or narrower."""
        if self.conversation.display and self.side.display:
            self.split_at(self.conversation.outer_size.width + cells)
        else:
            self._screen.notify("There is nothing beside it that could give or take room.", timeout=3)

    def split_at(self, width: int) -> None:
        """Give the conversation ``width`` cells, as far as both columns keep what they need."""
        whole = max(1, self._screen.size.width)
        width = max(min(width, whole - LEAST["side"]), LEAST["conversation"])
        self.arrangement.side = max(100, min(900, WHOLE * (whole - width) // whole))
        self._changed()
        self._rearrange()

    def taller(self, rows: int) -> None:
        """Make the focused side pane taller by ``rows``, or lower; without a focused one the first of them."""
        panes = self.shown
        index = next((index for index, pane in enumerate(panes) if pane.id == self.focused), 0)
        if len(panes) < 2:
            self._screen.notify("There is no pane above or below it.", timeout=3)
        elif index == len(panes) - 1:
            self.move_row(index - 1, -rows)
        else:
            self.move_row(index, rows)

    def move_row(self, index: int, rows: int) -> None:
        """Move the border below the side pane ``index`` down by ``rows``, or up."""
        panes = self.shown
        heights = [pane.outer_size.height for pane in panes]
        rows = max(LOWEST - heights[index], min(rows, heights[index + 1] - LOWEST))
        heights[index] += rows
        heights[index + 1] -= rows
        for pane, height in zip(panes, heights, strict=True):
            self.arrangement.heights[str(pane.id)] = max(1, height)
        self._changed()
        self._rearrange()

    # What the screen tells.

    def resized(self, width: int) -> None:
        """The screen has another width."""
        if _shape(width) != self._shape:
            self._arrange(width)

    def count(self, transcript: Transcript) -> None:
        """What the tabs say of the panes that do not show: what runs in them, what changed."""
        if not self.beside:
            return
        running = sum(1 for task in transcript.tasks.values() if task.ended_at is None)
        numbers = {
            "tool-log": self.beside[0].running,
            "tasks": running,
            "workspace": len(transcript.files_changed),
        }
        for tabs in self._tabs:
            tabs.counts = {pane: str(number) for pane, number in numbers.items() if number}

    def ended(self) -> None:
        """The application ends: what is still to be kept is kept now."""
        if self._saving is not None:
            self._saving.stop()
            self._saving = None
            self._write(self.arrangement.text())

    def _to_conversation(self) -> None:
        self._current = "conversation"
        self._screen.prompt.focus()

    def _unhide(self, pane: str) -> None:
        """Show a side pane again, not smaller than the others leave it."""
        arrangement = self.arrangement
        if pane in arrangement.hidden:
            arrangement.hidden.remove(pane)
            others = [arrangement.heights[name] for name in SIDE_PANES if name != pane]
            arrangement.heights[pane] = max(arrangement.heights[pane], sum(others) // 3)

    def _rearrange(self) -> None:
        self._arrange(self._screen.size.width)

    def _arrange(self, width: int) -> None:
        self._shape = single, tabbed = _shape(width)
        arrangement, alone = self.arrangement, self.maximised
        self._screen.set_class(single, "-single")
        self._screen.set_class(tabbed, "-tabbed")
        shown = alone or (self._current if single else arrangement.tab)
        one = bool(alone or single)
        self.conversation.display = shown == "conversation" if one else True
        self.side.display = shown != "conversation" if one else not arrangement.side_hidden
        self.conversation.styles.width = f"{WHOLE - arrangement.side}fr"
        self.side.styles.width = f"{arrangement.side}fr"
        for pane in self.beside:
            name = str(pane.id)
            pane.display = name == shown if one or tabbed else name not in arrangement.hidden
            pane.styles.height = f"{arrangement.heights[name]}fr"
        for tabs in self._tabs:
            tabs.display = one if tabs.whole else tabbed and not one
            tabs.current, tabs.alone = shown, bool(alone)
            tabs.hidden = () if one else tuple(arrangement.hidden)

    def _changed(self) -> None:
        """Keep the layout, once it has been left alone for a moment."""
        if self._saving is not None:
            self._saving.stop()
        self._saving = self._screen.set_timer(SAVE_AFTER, self._save)

    def _save(self) -> None:
        self._saving = None
        text = self.arrangement.text()
        self._screen.run_worker(lambda: self._write(text), thread=True, exit_on_error=False)

    def _write(self, text: str) -> None:
        from pygent.errors import SettingsError  # noqa: PLC0415 - rarely needed
        from pygent.tui.screens.arrangement import write_arrangement  # noqa: PLC0415

        try:
            write_arrangement(text)
        except (OSError, SettingsError) as error:
            self._screen.app.call_later(
                self._screen.notify, f"The layout is not remembered: {error}", severity="warning"
            )


def _shape(width: int) -> tuple[bool, bool]:
    """Whether one pane shows at a time, and whether panes are behind tabs."""
    return width < TWO_COLUMNS, width < ALL_PANES
