"""From where a copy of the session goes on: before one of the person's messages, or from where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from pygent.plain_text import ago
from pygent.tui.panes.rows import Part, RowsView
from pygent.tui.panes.text import one_line

if TYPE_CHECKING:
    from pygent.forks import ForkPoint

ABOUT = (
    "Before a message: the copy ends there, and the message stands in the prompt, to be changed and sent. "
    "The session stays as it is, and so does the workspace: no file is taken back."
)
MOST_ROWS = 14


class PointList(RowsView):
    """The messages, oldest first, and the end."""

    marks_cursor_blurred = True

    class Accepted(Message):
        """Enter, or a second click on a row."""

    def __init__(self, points: Sequence[ForkPoint]) -> None:
        super().__init__(id="fork-list")
        self.points = points

    def on_mount(self) -> None:
        self.rows_changed(keep_cursor=True)
        self.cursor = len(self.points)

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self.points) + 1

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        if index == len(self.points):
            return ((" ● ", "success"), ("Here, with all that was said so far", "strong")), ()
        point = self.points[index]
        return ((" ↶ ", "primary"), (one_line(point.text, 200), "")), ((f" {ago(point.at)} ", "muted"),)

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())


class ForkScreen(ModalScreen["ForkPoint | str | None"]):
    """Answers the message before which the copy ends, ``"here"``, or None where the person left."""

    CSS_PATH = "fork.tcss"
    AUTO_FOCUS = "#fork-list"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Make no copy", id="fork.leave")]

    def __init__(self, points: Sequence[ForkPoint]) -> None:
        super().__init__()
        self._list = PointList(points)

    def compose(self) -> ComposeResult:
        with Vertical(id="fork") as box:
            box.border_title = Content("Go on with a copy")
            box.border_subtitle = "Enter chooses · Esc leaves"
            yield Static(ABOUT, markup=False, id="fork-about")
            yield self._list

    def on_mount(self) -> None:
        self._list.styles.height = min(MOST_ROWS, self._list.count())

    @on(PointList.Accepted)
    def _accepted(self) -> None:
        at, points = self._list.cursor, self._list.points
        if self.is_current:  # a second Enter may come after the first has closed this
            self.dismiss(points[at] if at < len(points) else "here")

    def action_leave(self) -> None:
        self.dismiss(None)
