"""The keys and the mouse for the panes of the main screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.screen import Screen

from pygent.tui.screens.borders import Borders
from pygent.tui.screens.layout import PaneLayout
from pygent.tui.widgets.ground import Ground

if TYPE_CHECKING:
    from pygent.tui.screens.main import MainScreen

COLUMNS, ROWS = 4, 2
"""What one key moves a border by."""


class PaneScreen(Ground, Screen[None]):
    """A screen with `PaneLayout` in it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "show_pane('conversation')", "Go to the conversation", id="pane.conversation", priority=True),
        Binding("f3", "show_pane('tool-log')", "Go to the tool calls", id="pane.tools", priority=True),
        Binding("f4", "show_pane('tasks')", "Go to the tasks", id="pane.tasks", priority=True),
        Binding("f5", "show_pane('workspace')", "Go to the workspace", id="pane.workspace", priority=True),
        Binding("f6", "toggle_side", "Show or hide the side panes", id="pane.side", priority=True),
        Binding("f7", "maximise", "All the room for this pane, or back", id="pane.maximise", priority=True),
        Binding("shift+f6", "hide_pane", "Hide this side pane", id="pane.hide", priority=True),
        Binding("alt+right", "wider(1)", "Conversation wider", id="layout.wider"),
        Binding("alt+left", "wider(-1)", "Conversation narrower", id="layout.narrower"),
        Binding("alt+down", "taller(1)", "Side pane taller", id="layout.taller"),
        Binding("alt+up", "taller(-1)", "Side pane lower", id="layout.shorter"),
    ]

    def __init__(self) -> None:
        super().__init__()
        main = cast("MainScreen", self)
        self.panes = PaneLayout(main)
        self._borders = Borders(main)

    def action_show_pane(self, pane: str) -> None:
        self.panes.show(pane)

    def action_toggle_side(self) -> None:
        self.panes.toggle_side()

    def action_maximise(self) -> None:
        self.panes.toggle_maximised()

    def action_hide_pane(self) -> None:
        self.panes.hide()

    def action_wider(self, step: int) -> None:
        self.panes.wider(step * COLUMNS)

    def action_taller(self, step: int) -> None:
        self.panes.taller(step * ROWS)

    def on_resize(self, event: events.Resize) -> None:
        self.panes.resized(event.size.width)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._borders.pressed(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._borders.moved(event)

    def on_mouse_up(self) -> None:
        self._borders.released()

    def on_click(self, event: events.Click) -> None:
        self._borders.clicked(event)

    def on_unmount(self) -> None:
        self.panes.ended()
