"""Where a rewind goes back to: before a message of the person's, or after a step of the agent's."""

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
from pygent.tui.text import plural

if TYPE_CHECKING:
    from pygent.checkpoints.offered import Point

ABOUT = (
    "Back to before a message, which stands in the prompt then, or to after a step of the agent's. "
    "What that does is shown first, and /redo takes it back."
)
MOST_ROWS = 16
BOTH, FILES, MESSAGES = "both", "files", "messages"
MEANINGS = {
    BOTH: "files and conversation as they were there",
    FILES: "the files alone; what was said stays",
    MESSAGES: "the conversation alone; no file is changed",
}


class PlaceList(RowsView):
    """The places, oldest first."""

    marks_cursor_blurred = True

    class Accepted(Message):
        """Enter, or a second click on a row."""

    def __init__(self, points: Sequence[Point]) -> None:
        super().__init__(id="rewind-list")
        self.points = points

    def on_mount(self) -> None:
        self.rows_changed(keep_cursor=True)
        self.cursor = max((at for at, point in enumerate(self.points) if point.said), default=0)

    @property
    def following(self) -> bool:
        return False

    def count(self) -> int:
        return len(self.points)

    def row(self, index: int, line: int, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        point = self.points[index]
        text = one_line(point.text, 200)
        files = f"{plural(point.files, 'file')} · " if point.files else ""
        right: tuple[Part, ...] = ((f" {files}{ago(point.at)} ", "muted"),)
        if point.said:
            return ((" ↶ ", "primary"), (text, "strong")), right
        return (("     ", ""), (text, "muted")), right

    def open_row(self, index: int) -> None:
        self.post_message(self.Accepted())


class RewindScreen(ModalScreen["Point | None"]):
    """Answers the place, or None where the person left."""

    CSS_PATH = "rewind.tcss"
    AUTO_FOCUS = "#rewind-list"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Stay here", id="rewind.leave")]

    def __init__(self, points: Sequence[Point]) -> None:
        super().__init__()
        self._list = PlaceList(points)

    def compose(self) -> ComposeResult:
        with Vertical(id="rewind") as box:
            box.border_title = Content("Rewind")
            box.border_subtitle = "Enter chooses · Esc leaves"
            yield Static(ABOUT, markup=False, id="rewind-about")
            yield self._list

    def on_mount(self) -> None:
        self._list.styles.height = min(MOST_ROWS, self._list.count())

    @on(PlaceList.Accepted)
    def _accepted(self) -> None:
        if self.is_current and self._list.points:  # a second Enter may come after the first has closed this
            self.dismiss(self._list.points[self._list.cursor])

    def action_leave(self) -> None:
        self.dismiss(None)
