"""The panes' borders under the mouse: dragging moves them; a double click on a title gives that pane all the room."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual import events
from textual.timer import Timer

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

Border: TypeAlias = tuple[Literal["column"], int] | tuple[Literal["row"], int]
"""The border between the columns, or the one below the side pane of that number."""

PACE = 0.04
"""Seconds between two moves of a border that is dragged."""


class Borders:
    """Follows the mouse for the main screen. No cell of the screen is spent on a splitter."""

    def __init__(self, screen: MainScreen) -> None:
        self._screen = screen
        self._dragged: Border | None = None
        self._offset = 0
        self._target = 0
        self._timer: Timer | None = None

    def at(self, x: int, y: int) -> Border | None:
        """The border that can be dragged at a place of the screen."""
        panes = self._screen.panes
        side = panes.side.region
        if not panes.side.display or not side.y <= y < side.bottom:
            return None
        if panes.conversation.display and x in {side.x - 1, side.x}:
            return "column", 0
        if side.x < x < side.right:
            for index, (upper, lower) in enumerate(pairwise(panes.shown)):
                if y in {upper.region.bottom - 1, lower.region.y}:
                    return "row", index
        return None

    def pressed(self, event: events.MouseDown) -> None:
        border = self.at(event.screen_x, event.screen_y) if event.button == 1 else None
        if border is None:
            return
        event.stop()
        self._dragged = border
        self._offset = self._place(event) - self._now(border)
        self._target = self._now(border)
        self._screen.capture_mouse()

    def moved(self, event: events.MouseMove) -> None:
        if self._dragged is None:
            self._point(self.at(event.screen_x, event.screen_y))
            return
        self._target = self._place(event) - self._offset
        if self._timer is None:
            self._timer = self._screen.set_timer(PACE, self._move)

    def released(self) -> None:
        if self._dragged is None:
            return
        self._screen.release_mouse()
        if self._timer is not None:
            self._timer.stop()
        self._move()
        self._dragged = None
        self._point(None)

    def clicked(self, event: events.Click) -> None:
        """A double click on the line with a pane's title."""
        if event.chain != 2 or event.button != 1:
            return
        panes = self._screen.panes
        for pane in (panes.conversation, *panes.shown):
            region = pane.region
            if pane.display and event.screen_y == region.y and region.x < event.screen_x < region.right - 1:
                event.stop()
                panes.toggle_maximised(str(pane.id))
                return

    def _place(self, event: events.MouseEvent) -> int:
        assert self._dragged is not None
        return int(event.screen_x if self._dragged[0] == "column" else event.screen_y)

    def _now(self, border: Border) -> int:
        panes = self._screen.panes
        return panes.side.region.x if border[0] == "column" else panes.shown[border[1]].region.bottom

    def _move(self) -> None:
        self._timer = None
        if self._dragged is None or self._target == (now := self._now(self._dragged)):
            return
        if self._dragged[0] == "column":
            self._screen.panes.split_at(self._target - self._screen.panes.conversation.region.x)
        else:
            self._screen.panes.move_row(self._dragged[1], self._target - now)

    def _point(self, border: Border | None) -> None:
        shape: Literal["default", "ew-resize", "ns-resize"] = "default"
        if border is not None:
            shape = "ew-resize" if border[0] == "column" else "ns-resize"
        if self._screen.styles.pointer != shape:
            self._screen.styles.pointer = shape
